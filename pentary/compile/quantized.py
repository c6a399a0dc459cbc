"""The routine `evaluate` for quantized members, whose five-level weights are formed in the crossbar, one by one."""

from pentary.compile import pieces
from pentary.compile.pieces import clamp_constants, clamped, loop, visible
from pentary.compile.plan import Pipelined, Stage

_OPERANDS, _RESULTS = ("v0", "v1"), ("v2", "v3")  # of two examples in turns


def evaluate(plan: Pipelined) -> str:
    """Return the text of the routine."""
    layers = ["\n".join(_layer(plan, number, stage)) for number, stage in enumerate(plan.stages)]
    pair = ["evaluate.pair:", *layers, "INC     p1"]
    told = """
        evaluate: the fitness of every member.

        Every pair is evaluated on a block of examples before the next block is taken, and the fitness is summed up in
        memory. All examples of a block go through a layer of the plus member, whose weights are formed and written into
        the crossbar, then through that of the minus member.

            p1 pair   p2 operands   p3 results   p4 latent words of a row   p5 row; end of the loop
            p6, p7 widths of operands and results   p8, p9 1, -1   p12, p13 constants of a clamp   p18 PAIRS
            p19 temporary   p24 blocks to go   p25, p27 first operands and results   p26 SIGMA, then -SIGMA
            p28 return address   v0, v1 operands   v2, v3 results   v5 perturbation of the biases   v6 biases
        """
    return pieces.evaluate(told, "", pair)


def _layer(plan: Pipelined, number: int, stage: Stage) -> list[str]:
    """Return the instructions of a layer for all examples of the block and both members of pair p1."""
    is_first, is_last = number == 0, number == len(plan.stages) - 1
    strides = (stage.inputs * (1 if is_first else 2), stage.outputs * (1 if is_last else 2))
    results = "outputs" if is_last else f"results.{stage.name}"
    label = f"layer.{stage.name}"

    def sums(example: int, which: int) -> str:
        told = [
            *_load(example + 1, 1 - which, strides[0]),
            "SETVL   p7",
            f"MATVEC  {_RESULTS[which]}, {_OPERANDS[which]}",
        ]
        told += [f"VADD    {_RESULTS[which]}, {_RESULTS[which]}, v6"] if stage.bias_pents else []
        return "\n".join(told)

    def store(example: int, which: int) -> str:
        told = [] if is_last else clamped((_RESULTS[which],), stage.shift, stage.low, stage.high)
        return "\n".join([*told, f"STOREV  {_RESULTS[which]}, {example * strides[1]}(p3)"])

    return [
        f"; layer {stage.name}: {stage.inputs} x {stage.outputs}",
        f"LI      p6, {stage.inputs}",
        f"LI      p7, {stage.outputs}",
        *clamp_constants(None if is_last else stage.high),
        "SETVL   p7",
        "LRSET   cols, p7",
        *(_draw_biases(stage) if stage.bias_pents else []),
        "LRSET   rows, p6",
        f"LOAD    p19, matrices + {stage.matrix} * MATRIX_LINE + MATRIX_KEY(zero)",
        "LRSET   key, p19",
        "LRGEN   p1",
        "LI      p26, SIGMA",
        f"LA      p25, {'block' if is_first else f'results.{plan.stages[number - 1].name}'}",
        f"LA      p27, {results}",
        f"member.{stage.name}:",
        "SETVL   p7",
        *(_biases(plan, stage) if stage.bias_pents else []),
        f"LA      p4, {plan.words(stage.matrix)}",
        "LI      p5, 0",
        f"row.{stage.name}:",
        "LOADV   v0, (p4)",
        "LRMUL   p5",
        "PQUANT",
        "LRADD   v0, v0, p26",
        "LOADX   v0, p5",
        "ADD     p4, p4, p7",
        "INC     p5",
        f"BLT     p5, p6, row.{stage.name}",
        "MV      p2, p25",
        "MV      p3, p27",
        *_load(0, 0, strides[0]),
        *loop(label, plan.block, sums, store, strides, "", [], overlapped=True),
        f"BLT     p26, zero, end.{stage.name}",
        "NEG     p26, p26",
        *([] if is_first else [f"ADDI    p25, p25, {stage.inputs}"]),
        f"ADDI    p27, p27, {'OUTPUTS' if is_last else stage.outputs}",
        f"JUMP    member.{stage.name}",
        f"end.{stage.name}:",
    ]


def _load(example: int, which: int, stride: int) -> list[str]:
    return ["SETVL   p6", f"LOADV   {_OPERANDS[which]}, {example * stride}(p2)"]


def _draw_biases(stage: Stage) -> list[str]:
    """Return the instructions that leave the perturbation of the biases, in pents, in v5."""
    return [
        "LRSET   rows, p8",
        f"LOAD    p19, matrices + {stage.bias} * MATRIX_LINE + MATRIX_KEY(zero)",
        "LRSET   key, p19",
        "LRGEN   p1",
        "VSUB    v4, v4, v4",
        "LRMUL   zero",
        "PQUANT",
        "LRACC   v5, v4, p8",
    ]


def _biases(plan: Pipelined, stage: Stage) -> list[str]:
    """Return the instructions that make a member's visible biases in v6."""
    return [
        f"LA      p4, {plan.words(stage.bias)}",
        "LOADV   v4, (p4)",
        "VMULS   v6, v5, p26",
        "VADD    v6, v6, v4",
        "QUANT   v6, v6, 0, LATENT",
        *visible("v6", plan.parameters.latent, stage.bias_pents),
    ]
