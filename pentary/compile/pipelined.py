"""Programs of fully connected layers whose operands stay in vector registers and matrices in the crossbar.

The weight matrices lie in the crossbar one below the other; an operand is loaded with as many zeros before it as there
are rows above its matrix.
"""

from collections.abc import Sequence
from itertools import pairwise
from textwrap import dedent

from pentary.compile import factored, losses, quantized
from pentary.compile.pieces import FIRST_EXAMPLE, Parts, lines, next_example, routine, visible
from pentary.compile.plan import Pipelined, Stage


def parts(plan: Pipelined) -> Parts:
    """Return the parts of a program."""
    evaluate = factored.evaluate(plan) if plan.factored else quantized.evaluate(plan)
    weights = [_load_weights(plan)] if plan.factored else []
    formulas = "\n".join(f"    {stage.name}: {_formula(plan, stage)}" for stage in plan.stages)
    rows = "".join(f"\n    {own.row}..{own.row + own.inputs - 1}: {own.name}{_while(plan, own)}" for own in plan.stages)
    places = f"the visible weights, in the rows{rows}" if plan.factored else "a matrix of a member, from row 0 on"
    squares = "" if plan.squares < 0 else f"the squares of ones, from row {plan.squares} on, and "
    regions, read_ahead = _regions(plan)
    return Parts(
        routines=[_setup(plan), *weights, _take_block(plan), evaluate],
        regions=regions,
        told=f"\nwhich computes\n\n{formulas}\n",
        crossbar=squares + places,
        read_ahead=read_ahead,
    )


def _while(plan: Pipelined, stage: Stage) -> str:
    return ", while a block is taken" if plan.swapped and stage is plan.first else ""


def _formula(plan: Pipelined, stage: Stage) -> str:
    q = plan.parameters.sigma_shift if plan.factored else 0
    bias = " + b" if stage.bias_pents else ""
    inner = f"round((x W{bias}) / 5^{stage.shift - q})"
    return inner if stage.low is None else f"clamp({inner}, {stage.low}, {stage.high})"


def _setup(plan: Pipelined) -> str:
    body = "\n".join(FIRST_EXAMPLE)
    told = """
        setup: begin with the first training example.

            p21 next example   p22 its target   p23 end of the examples; these three are kept
        """
    if plan.squares >= 0:
        body += dedent(f"""
        LI      p1, 256
        SETVL   p1
        LI      p1, {plan.squares}
        LI      p2, 0
        LI      p4, OUTPUTS
        LI      p6, 1
        setup.square:
        ADDI    p3, p2, CLASSES
        VSUB    v0, v0, v0
        MV      p5, p2
        setup.one:
        VSET    v0, p5, p6
        INC     p5
        BLT     p5, p3, setup.one
        setup.row:
        LOADX   v0, p1
        INC     p1
        INC     p2
        BLT     p2, p3, setup.row
        BLT     p2, p4, setup.square
        """)
        told += """
        And write the squares of ones into the crossbar.

            p1 row   p2 its place on the square's diagonal   p3 end of the square   p4 end of all   p5 column   p6 1
        """
    return routine("setup", told, lines(body + "\nRET"))


def _write_matrices(plan: Pipelined, stages: Sequence[Stage]) -> list[str]:
    """Return the instructions that write the weight matrices of some layers into the crossbar."""
    return [
        row
        for stage in stages
        for row in (
            f"LA      p1, {plan.words(stage.matrix)}",
            f"LI      p2, {stage.outputs}",
            f"LI      p3, {stage.row}",
            f"LI      p4, {stage.row + stage.inputs}",
            "CALL    load_matrix",
        )
    ]


def _load_weights(plan: Pipelined) -> str:
    body = ["MV      p19, lr", *([] if plan.swapped else _write_matrices(plan, plan.stages))]
    for stage in plan.stages:
        if stage.bias_pents:
            body += [
                f"LI      p2, {stage.outputs}",
                "SETVL   p2",
                f"LA      p1, {plan.words(stage.bias)}",
                f"LA      p2, bias.{stage.name}",
                "LOADV   v0, (p1)",
                *visible("v0", plan.parameters.latent, stage.bias_pents, "p3"),
                "LI      p3, 5**SIGMA_SHIFT",
                "VMULS   v0, v0, p3",
                "STOREV  v0, (p2)",
            ]
    what = (
        "biases, times 5^q, into memory"
        if plan.swapped
        else "weights into the crossbar, and biases, times 5^q, into memory"
    )
    told = f"""
        load_weights: write the visible {what}.

            p1 latent words   p2 columns, which become VL; biases   p3 row   p4 end of the rows   p19 return address
        """
    rest = """
        SETVL   p2
        load_matrix.row:
        LOADV   v0, (p1)
        QUANT   v0, v0, LATENT - 1, 1
        LOADX   v0, p3
        ADD     p1, p1, p2
        INC     p3
        BLT     p3, p4, load_matrix.row
        RET
        """
    whole = routine("load_weights", told, lines("\n".join([*body, "MV      lr, p19", "RET"])))
    told = """
        load_matrix: write the visible weights of a matrix, the top pents of its latent words, into the crossbar.

            p1 latent words of the row   p2 columns, which become VL   p3 row   p4 end of the rows
        """
    return f"{whole}\n\n{routine('load_matrix', told, lines(rest))}"


def _take_block(plan: Pipelined) -> str:
    own, shares, swaps = plan.first, plan.factored, plan.swapped
    told = "take_block: take the next examples"
    told += ", with what all members share of them: 5^q (x W + b) of the first layer." if shares else "."
    shared = [
        *(["SETVL   p11", "LOADV   v0, (p3)"] if own.row else []),
        "SETVL   p7",
        "MATVEC  v1, v0",
        "VMULS   v1, v1, p10",
        *(["VADD    v1, v1, v5"] if own.bias_pents else []),
        f"STOREV  v1, {own.row + own.inputs}(p3)",
    ]
    body = [
        *(["MV      p19, lr", *_write_matrices(plan, plan.stages[:1])] if swaps else []),
        *losses.begin_targets(plan),
        f"LI      p6, {own.inputs}",
        f"LI      p7, {own.outputs}",
        f"LI      p11, {own.row + own.inputs}",
        *(["SETVL   p7", f"LA      p3, bias.{own.name}", "LOADV   v5, (p3)"] if shares and own.bias_pents else []),
        "LI      p2, 0",
        "LA      p3, block",
        "LI      p16, 0",
        "LI      p17, BLOCK",
        "take_block.example:",
        "SETVL   p6",
        "LOADV   v0, (p21)",
        f"STOREV  v0, {own.row}(p3)",
        *(shared if shares else []),
        *losses.take_target(plan),
        "ADDI    p2, p2, CLASSES",
        f"ADDI    p3, p3, {own.row + own.inputs + (own.outputs if shares else 0)}",
        f"ADDI    p21, p21, {own.inputs}",
        *next_example(losses.target_words(plan)),
        *losses.end_targets(plan),
        *([*_write_matrices(plan, plan.stages[1:]), "MV      lr, p19"] if swaps else []),
        "RET",
    ]
    registers = """

            p2 place of the example among the outputs   p3 its place in `block`   p4, p5 for its target   p6, p7 widths
            p10 5^q   p11 width of the operand with the zeros before it   p16 example   p17 BLOCK   p19 return address
            v0 operand   v1 sums   v5 biases   v6 target
        """
    return routine("take_block", f"        {told}{registers}", lines("\n".join(body)))


def _regions(plan: Pipelined) -> tuple[list[tuple[str, str, str]], int]:
    """Return the parts of memory, and the words of an example in the widest of them."""
    own, stages = plan.first, plan.stages
    found = []
    if plan.factored:
        centre = "biases of the centre, times 5^q"
        found += [(f"bias.{stage.name}", str(stage.outputs), centre) for stage in stages if stage.bias_pents]
        block, shared = own.row + own.inputs + own.outputs, "zeros, operands, and what all members share"
    else:
        block, shared = own.inputs, "operands"
    found.append(("block", f"BLOCK * {block}", f"of each example: {shared}"))
    widest = block
    for stage, following in pairwise(stages):
        width = following.row + stage.outputs
        widest = max(widest, 2 * width)
        members = "of each example: zeros and results, plus and minus"
        found.append((f"results.{stage.name}", f"BLOCK * {2 * width}", members))
    found.append(("outputs", "2 * OUTPUTS", "sums of the last layer, of the plus and then of the minus members"))
    return found, widest
