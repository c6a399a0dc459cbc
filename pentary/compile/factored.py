"""The routine `evaluate` for factored members: a product for all, and a low-rank term of each."""

from collections.abc import Sequence

from pentary.compile import pieces
from pentary.compile.pieces import clamp_constants, clamped, loop
from pentary.compile.plan import Pipelined, Stage

_SETS = (("v0", "v1"), ("v2", "v3"))  # operands of two examples in turns


def evaluate(plan: Pipelined) -> str:
    """Return the text of the routine."""
    pair = ["\n".join(_draw(plan.first, 0)), "evaluate.pair:"]
    for number, stage in enumerate(plan.stages):
        following = plan.stages[(number + 1) % len(plan.stages)]
        pair.append("\n".join(_layer(plan, number, stage, following)))
    told = """
        evaluate: the fitness of every member.

        Every pair is evaluated on a block of examples before the next block is taken, and the fitness is summed up in
        memory. All examples of a block go through a layer before the next one, since the low-rank unit holds the
        factors of one tensor at a time; the next ones are ordered as soon as it has been given the last instruction
        that needs those before. After the last pair it draws factors that are not used.

            p1 pair   p2 operands   p3 results   p5 end of the loop   p6, p7 widths of operands and results
            p8, p9 1, -1   p10 5^q   p11 width of operands with the zeros before them   p12, p13 constants of a clamp
            p14 unit of the bias   p18 PAIRS   p19 temporary   p24 blocks to go   p28 return address
            v0..v3 operands   v4..v7 results; with biases v4, v5 results, v6, v7 biases
        """
    return pieces.evaluate(told, "CALL    load_weights\nLI      p10, 5**SIGMA_SHIFT", pair)


def _draw(stage: Stage, rows: int) -> list[str]:
    """Return the instructions that order the factors of a layer for pair p1; with biases their perturbation goes to v5.

    Args:
        stage: the layer.
        rows: that the low-rank unit is set to.
    """
    matrix = [*_choose(stage.matrix, stage.inputs, 1 if stage.bias_pents else rows), "LRGEN   p1"]
    if not stage.bias_pents:
        return [f"LI      p19, {stage.outputs}", "LRSET   cols, p19", *matrix]
    return [
        f"LI      p19, {stage.outputs}             ; of {stage.name}: first the biases",
        "SETVL   p19",
        "LRSET   cols, p19",
        *_choose(stage.bias, 1, rows),
        "LRGEN   p1",
        "VSUB    v4, v4, v4",
        "LRMUL   zero",
        "LRACC   v5, v4, p8",
        *matrix,
    ]


def _choose(tensor: int, rows: int, before: int) -> list[str]:
    told = [] if rows == before else [f"LI      p19, {rows}", "LRSET   rows, p19"]
    return [*told, f"LOAD    p19, matrices + {tensor} * MATRIX_LINE + MATRIX_KEY(zero)", "LRSET   key, p19"]


def _layer(plan: Pipelined, number: int, stage: Stage, following: Stage) -> list[str]:
    """Return the instructions of a layer for all examples of the block and both members of pair p1."""
    is_first, is_last = number == 0, number == len(plan.stages) - 1
    operands = f"results.{plan.stages[number - 1].name}" if not is_first else "block"
    results = "outputs" if is_last else f"results.{stage.name}"
    ordered = ["INC     p1", *_draw(following, stage.inputs)] if is_last else _draw(following, stage.inputs)
    stride = stage.row + stage.inputs + stage.outputs if is_first else 2 * (stage.row + stage.inputs)
    width = stage.outputs if is_last else plan.stages[number + 1].row + stage.outputs
    result_stride = stage.outputs if is_last else 2 * width
    before = 0 if is_last else plan.stages[number + 1].row
    result_end = f"{results} + {plan.block * result_stride}"

    def store(example: int, which: int) -> str:
        registers = _results(stage, which)
        told = [] if is_last else clamped(registers, stage.shift, stage.low, stage.high)
        place = example * result_stride + before
        places = (str(place), f"{place} + OUTPUTS" if is_last else str(place + width))
        told += [f"STOREV  {register}, {place}(p3)" for register, place in zip(registers, places, strict=True)]
        return "\n".join(told)

    sums = _shared(stage, stride) if is_first else _own(stage, stride)
    return [
        f"; layer {stage.name}: {stage.inputs} x {stage.outputs}",
        f"LI      p6, {stage.inputs}",
        f"LI      p7, {stage.outputs}",
        *([f"LI      p11, {stage.row + stage.inputs}"] if stage.row and not is_first else []),
        *clamp_constants(None if is_last else stage.high),
        f"LA      p2, {operands}",
        f"LA      p3, {results}",
        *_biases(stage, is_first),
        *_prologue(stage, stride, is_first),
        *loop(
            f"layer.{stage.name}",
            plan.block,
            sums,
            store,
            (stride, result_stride),
            result_end,
            [] if following.bias_pents else ordered,
            overlapped=not stage.bias_pents,
        ),
        *(ordered if following.bias_pents else []),
    ]


def _results(stage: Stage, which: int) -> Sequence[str]:
    """Return the vector registers of an example's results, plus and minus."""
    return ("v4", "v5") if stage.bias_pents or which == 0 else ("v6", "v7")


def _biases(stage: Stage, is_first: bool) -> list[str]:
    """Return the instructions that make the biases of both members of the perturbation in v5."""
    if not stage.bias_pents:
        return []
    unit = 5 ** (stage.bias_pents - 1)
    scaled = ["SETVL   p7", f"LI      p14, {unit}", "VMULS   v7, v5, p14"]
    if is_first:
        return scaled
    return [
        *scaled,
        f"LA      p19, bias.{stage.name}",
        "LOADV   v5, (p19)",
        "VSUB    v6, v5, v7",
        "VADD    v7, v5, v7",
    ]


def _prologue(stage: Stage, stride: int, is_first: bool) -> list[str]:
    """Return the instructions that load the operands of the first example."""
    if is_first:
        return _load_shared(stage, 0, stride, _SETS[0])
    return [] if stage.row else _load_own(stage, 0, stride, _SETS[0])


def _load_shared(stage: Stage, example: int, stride: int, into: Sequence[str]) -> list[str]:
    """Return loads of an example's operands, and of the sums that all members share."""
    x = example * stride + stage.row
    loads = [f"LOADV   {into[0]}, {x}(p2)"]
    shared = f"LOADV   {into[1]}, {x + stage.inputs}(p2)"
    if stage.inputs == stage.outputs:
        return ["SETVL   p6", *loads, shared] if example == 0 else [*loads, shared]
    return ["SETVL   p6", *loads, "SETVL   p7", shared]


def _shared(stage: Stage, stride: int):
    def sums(example: int, which: int) -> str:
        x, shared = _SETS[which]
        plus, minus = _results(stage, which)
        told = _load_shared(stage, example + 1, stride, _SETS[1 - which])
        told += [f"LRMULX  {x}", f"LRACC   {plus}, {shared}, p8", f"LRACC   {minus}, {shared}, p9"]
        if stage.bias_pents:
            told += [f"VADD    {plus}, {plus}, v7", f"VSUB    {minus}, {minus}, v7"]
        return "\n".join(told)

    return sums


def _load_own(stage: Stage, example: int, stride: int, into: Sequence[str]) -> list[str]:
    """Return loads of the operands of both members for an example."""
    half = stage.row + stage.inputs
    return [
        "SETVL   p6",
        f"LOADV   {into[0]}, {example * stride + stage.row}(p2)",
        f"LOADV   {into[1]}, {example * stride + half + stage.row}(p2)",
    ]


def _own(stage: Stage, stride: int):
    half = stage.row + stage.inputs

    def sums(example: int, which: int) -> str:
        plus, minus = _results(stage, which)
        if stage.row:
            (x_plus, x_minus), (wide_plus, wide_minus) = _SETS
            told = [
                *_load_own(stage, example, stride, (x_plus, x_minus)),
                "SETVL   p11",
                f"LOADV   {wide_plus}, {example * stride}(p2)",
                f"LOADV   {wide_minus}, {example * stride + half}(p2)",
            ]
        else:
            x_plus, x_minus = wide_plus, wide_minus = _SETS[which]
            told = _load_own(stage, example + 1, stride, _SETS[1 - which])
        told += ["SETVL   p7", f"MATVEC  {plus}, {wide_plus}", f"MATVEC  {minus}, {wide_minus}"]
        for result, operand, sign, bias in ((plus, x_plus, "p8", "v7"), (minus, x_minus, "p9", "v6")):
            told += [f"LRMULX  {operand}", f"VMULS   {result}, {result}, p10"]
            told += [f"VADD    {result}, {result}, {bias}"] if stage.bias_pents else []
            told += [f"LRACC   {result}, {result}, {sign}"]
        return "\n".join(told)

    return sums
