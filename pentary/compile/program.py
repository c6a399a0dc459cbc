"""The whole program: constants, the routines around `evaluate`, and the data."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from pentary.compile import factored, losses, quantized
from pentary.compile.pieces import comment, described, lines, routine, word_lines
from pentary.compile.plan import WORDS, Plan, Stage
from pentary.es.strategy import Parameters
from pentary.isa.table import MAX_VL


def training(plan: Plan, examples: int, title: str) -> str:
    """Return a program that trains a network: it includes `es.s`, and has the labels that `Prepared` needs.

    Args:
        plan: of the network.
        examples: of the training part; a host writes them to `inputs` and `targets`.
        title: of the program.
    """
    parts = [
        _head(plan, examples, title),
        _constants(plan, examples),
        _matrices(plan),
        "        .text\n",
        _setup(plan),
        *([_load_weights(plan)] if plan.factored else []),
        _take_block(plan),
        factored.evaluate(plan) if plan.factored else quantized.evaluate(plan),
        losses.add_loss(plan),
        _data(plan),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _head(plan: Plan, examples: int, title: str) -> str:
    formulas = "\n".join(f"    {stage.name}: {_formula(plan, stage)}" for stage in plan.stages)
    members = _FACTORED if plan.factored else _QUANTIZED
    rows = "".join(f"\n    {own.row}..{own.row + own.inputs - 1}: {own.name}{_while(plan, own)}" for own in plan.stages)
    places = f"the visible weights, in the rows{rows}" if plan.factored else "a matrix of a member, from row 0 on"
    squares = "" if plan.squares < 0 else f"the squares of ones, from row {plan.squares} on, and "
    return comment(f"""\
{title}: trained with {plan.parameters.perturb} perturbations. Written by the compiler, from

{described(plan.network)}

which computes

{formulas}

{members}
Its fitness is minus the loss on the {plan.batch} training examples of the step, which go through all {examples}
again and again. Before the run a host writes them to `inputs` and `targets`.

Crossbar: {squares}{places}
""")


_FACTORED: Final = """\
A member has W +- S / 5^q in place of the visible weights W, S = A B^T, with the factors A and B of the pair, and biases
likewise. q is SIGMA_SHIFT; a sum is in units of 5^-q until it is rescaled."""

_QUANTIZED: Final = """\
A member has the top pents of latents +- SIGMA E as weights, where E is the product of the pair's factors, quantised to
pents, and biases likewise."""


def _while(plan: Plan, stage: Stage) -> str:
    return ", while a block is taken" if plan.swapped and stage is plan.first else ""


def _formula(plan: Plan, stage: Stage) -> str:
    q = plan.parameters.sigma_shift if plan.factored else 0
    bias = " + b" if stage.bias_pents else ""
    inner = f"round((x W{bias}) / 5^{stage.shift - q})"
    return inner if stage.low is None else f"clamp({inner}, {stage.low}, {stage.high})"


def _constants(plan: Plan, examples: int) -> str:
    own: Parameters = plan.parameters
    largest = max(tensor.size for tensor in plan.network.tensors.values())
    size = f"SIGMA_SHIFT, {own.sigma_shift}" if plan.factored else "SIGMA, limit(LATENT - 1)"
    variance, quantised = ("4 * RANK", "") if plan.factored else ("2", "\n        PQUANT")
    return f"""\
        .param  POPULATION, {own.population}
        .param  RANK, {own.rank}
        .param  STEPS, {own.steps}
        .param  SEED, {own.seed}
        .param  LATENT, {own.latent}               ; pents of a latent word
        .param  SHAPING, {int(own.shaping == "rank")}              ; 0 sign, 1 rank
        .param  {size}
        .param  FIRST_GAIN, limit(LATENT) * 5**8 // isqrt(STEPS * (POPULATION // 2) * {variance})
        .param  EXAMPLES, {examples}

        .equ    BATCH, {plan.batch}
        .equ    BLOCK, {plan.block}              ; examples
        .equ    CLASSES, {plan.last.outputs}            ; results of an example
        .equ    OUTPUTS, BLOCK * CLASSES
        .equ    BASE, {losses.base(plan)}              ; initial fitness, see add_loss
        .equ    LARGEST, {largest}
        .equ    FITNESS_LIMIT, {losses.largest(plan)}
        .equ    STARTS, 1               ; lines of `matrices` say how latent words are drawn

        .macro  perturb row
        LRMUL   \\row{quantised}
        .endm"""


def _matrices(plan: Plan) -> str:
    rows = [
        f"        .word   {own.rows}, {own.cols}, {WORDS}{name}, 0, {own.start}"
        for name, own in plan.network.tensors.items()
    ]
    return "\n".join(["        .data", "matrices:", *rows, "matrices_end:", '        .include "es.s"'])


def _setup(plan: Plan) -> str:
    body = """
        LA      p21, inputs
        LA      p22, targets
        LA      p23, inputs_end
        """
    told = """
        setup: begin with the first training example.

            p21 next example   p22 its target   p23 end of the examples; these three are kept
        """
    if plan.squares >= 0:
        body += f"""
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
        """
        told += """
        And write the squares of ones into the crossbar.

            p1 row   p2 its place on the square's diagonal   p3 end of the square   p4 end of all   p5 column   p6 1
        """
    return routine("setup", told, lines(body + "\n        RET"))


def _write_matrices(plan: Plan, stages: Sequence[Stage]) -> list[str]:
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


def _load_weights(plan: Plan) -> str:
    body = ["MV      p19, lr", *([] if plan.swapped else _write_matrices(plan, plan.stages))]
    for stage in plan.stages:
        if stage.bias_pents:
            drop = plan.parameters.latent - stage.bias_pents
            body += [
                f"LI      p2, {stage.outputs}",
                "SETVL   p2",
                f"LA      p1, {plan.words(stage.bias)}",
                f"LA      p2, {stage.name}.bias",
                "LOADV   v0, (p1)",
                *([f"QUANT   v0, v0, {drop}, {stage.bias_pents}"] if drop > 0 else []),
                f"LI      p3, 5**(SIGMA_SHIFT + {max(0, -drop)})",
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


def _take_block(plan: Plan) -> str:
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
        *(["SETVL   p7", f"LA      p3, {own.name}.bias", "LOADV   v5, (p3)"] if shares and own.bias_pents else []),
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
        "INC     p16",
        f"ADDI    p21, p21, {own.inputs}",
        f"ADDI    p22, p22, {losses.target_words(plan)}",
        "BLT     p21, p23, take_block.next",
        "LA      p21, inputs",
        "LA      p22, targets",
        "take_block.next:",
        "BLT     p16, p17, take_block.example",
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


def regions(plan: Plan) -> list[tuple[str, str, str]]:
    """Return the parts of memory that are this program's own: label, words as an expression, and what is in it."""
    own, stages = plan.first, plan.stages
    found = [
        (WORDS + name, str(tensor.size), f"latent words of {name}, {tensor.rows} x {tensor.cols}")
        for name, tensor in plan.network.tensors.items()
    ]
    if plan.factored:
        centre = "biases of the centre, times 5^q"
        found += [(f"{stage.name}.bias", str(stage.outputs), centre) for stage in stages if stage.bias_pents]
        block, shared = own.row + own.inputs + own.outputs, "zeros, operands, and what all members share"
    else:
        block, shared = own.inputs, "operands"
    found.append(("block", f"BLOCK * {block}", f"of each example: {shared}"))
    widest = block
    for stage, following in pairwise(stages):
        width = following.row + stage.outputs
        widest = max(widest, 2 * width)
        members = "of each example: zeros and results, plus and minus"
        found.append((f"{stage.name}.results", f"BLOCK * {2 * width}", members))
    return [
        *found,
        ("outputs", "2 * OUTPUTS", "sums of the last layer, of the plus and then of the minus members"),
        *losses.regions(plan),
        ("inputs", f"EXAMPLES * {own.inputs}", "training examples"),
        ("targets", f"EXAMPLES * {losses.target_words(plan)}", "of the training examples"),
        ("read_ahead", str(widest + MAX_VL), "read as if it were one more example, and not used"),
    ]


def _data(plan: Plan) -> str:
    rows = ["        .data"]
    for label, words, what in regions(plan):
        rows.append(f"{label}:{' ' * max(1, 39 - len(label))}; {what}")
        table = losses.TABLES.get(label)
        rows += [f"        .space  {words}"] if table is None else word_lines(table)
        rows += ["inputs_end:"] if label == "inputs" else []
    return "\n".join(rows)
