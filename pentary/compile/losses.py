"""The routine `add_loss` of a program, and what a block needs for it, by the loss of the network."""

from typing import Final

from pentary.compile.pieces import clamp_constants, clamped, lines, routine
from pentary.compile.plan import DONE, Plan
from pentary.nets.losses import CrossEntropy, SquaredError, SquaredHinge
from pentary.nets.tables import LOGARITHMS, LOGIT, LOGITS, LOSS_PER_BIT, POWERS
from pentary.numbers.word import WORD_MAX

_HIGH: Final = 2**16

TABLES: Final = {
    "powers": POWERS,
    "low_powers": POWERS % _HIGH,
    "high_powers": POWERS // _HIGH,
    "logarithms": LOGARITHMS,
}
"""Contents of the parts of memory that are tables, by their labels."""

_CLASSES: Final = WORD_MAX // int(POWERS[-1])  # of which a word holds the sum of the powers

ENTROPY: Final = 64 * LOSS_PER_BIT
"""More than a cross-entropy can be: a sum of powers has up to 41 bits, and a result lies within 12.5."""


def target_words(plan: Plan) -> int:
    """Return the words of an example's target in memory."""
    return plan.results if isinstance(plan.network.loss, SquaredError) else 1


def base(plan: Plan) -> int:
    """Return the initial fitness of a member: a hinge loss as it is computed has margin^2 too much in each example."""
    loss = plan.network.loss
    return plan.batch * loss.margin**2 if isinstance(loss, SquaredHinge) else 0


def largest(plan: Plan) -> int:
    """Return the largest magnitude of a member's fitness."""
    loss, outputs = plan.network.loss, plan.network.check(plan.parameters)
    if isinstance(loss, SquaredHinge):
        one = outputs.size * (outputs.high - outputs.low + loss.margin) ** 2
    elif isinstance(loss, SquaredError):
        one = outputs.size * (2 * max(outputs.limit, plan.network.outputs.limit)) ** 2
    else:
        one = ENTROPY
    return plan.batch * one


def begin_targets(plan: Plan) -> list[str]:
    """Return the instructions before the first example of a block; the loop changes neither v6 nor p24 to p27."""
    low, high = plan.pending.low, plan.pending.high
    if plan.squares < 0 or low is None or high is None:
        return []
    return [
        f"LI      p25, {plan.squares} + OUTPUTS",
        "SETVL   p25",
        "VSUB    v6, v6, v6",
        f"LI      p26, {-high}",
        "VADDS   v6, v6, p26",
        f"LI      p26, {-low}",
    ]


def end_targets(plan: Plan) -> list[str]:
    """Return the instructions behind the last example of a block."""
    return ["LA      p5, right", "SETVL   p25", "STOREV  v6, (p5)"] if plan.squares >= 0 else []


def take_target(plan: Plan) -> list[str]:
    """Return the instructions that keep the target of an example, p2 its first place among the outputs of the block."""
    if isinstance(plan.network.loss, SquaredError):
        return [
            "LI      p5, CLASSES",
            "SETVL   p5",
            "LOADV   v6, (p22)",
            "LA      p5, wanted",
            "ADD     p5, p5, p2",
            "STOREV  v6, (p5)",
        ]
    index = ["LOAD    p4, (p22)", "ADD     p4, p4, p2"]
    if isinstance(plan.network.loss, CrossEntropy):
        return [*index, "LA      p5, right", "ADD     p5, p5, p16", "STORE   p4, (p5)"]
    if plan.squares >= 0:
        return [*index, f"ADDI    p4, p4, {plan.squares}", "SETVL   p25", "VSET    v6, p4, p26"]
    return [
        *index,
        "LI      p5, CLASSES",
        "SETVL   p5",
        "VSUB    v6, v6, v6",
        "VADDS   v6, v6, p4",
        "LA      p5, right",
        "ADD     p5, p5, p2",
        "STOREV  v6, (p5)",
    ]


def regions(plan: Plan) -> list[tuple[str, str, str]]:
    """Return the parts of memory that the loss needs, as `program.regions` does."""
    results = ("results", "2 * OUTPUTS", "of the last layer, of the plus and then of the minus members")
    kept = [] if plan.pending == DONE else [results]
    if isinstance(plan.network.loss, SquaredError):
        return [("wanted", "OUTPUTS", "targets of the block")]
    if plan.squares >= 0:
        return [("right", f"{plan.squares} + OUTPUTS", "at right results minus the least one, else minus the greatest")]
    if isinstance(plan.network.loss, SquaredHinge):
        return [("right", "OUTPUTS", "of each result: place of its example's right one"), *kept]
    low, high = ("low_powers", f"of the cross-entropy modulo {_HIGH}"), ("high_powers", f"the same over {_HIGH}")
    powers = [low, high] if plan.results > _CLASSES else [("powers", "of the cross-entropy")]
    tables = [*powers, ("logarithms", "of the cross-entropy, by the leading bits of a sum")]
    return [
        ("right", "BLOCK", "of each example: place of the right result"),
        *kept,
        *((name, str(len(TABLES[name])), what) for name, what in tables),
    ]


def add_loss(plan: Plan) -> str:
    """Return the text of the routine."""
    own, loss = plan.pending, plan.network.loss
    load = [
        "LI      p16, OUTPUTS",
        "SETVL   p16",
        "LA      p4, outputs",
        *clamp_constants(own.high),
        "LOADV   v0, (p4)",
        "LOADV   v1, OUTPUTS(p4)",
        *clamped(("v0", "v1"), *own),
    ]
    if isinstance(loss, SquaredError):
        body = [*load, *_SQUARED_ERROR, *_TAKE]
        told = "The squares of the results less the targets are summed for all examples of the block at once."
    elif plan.squares >= 0:
        assert isinstance(loss, SquaredHinge) and own.low is not None, "only such a loss has squares, behind a clamp"
        body = _with_squares(plan, loss.margin - own.low)
        told = (
            "All examples of the block at once. Of z + right, RELU leaves only what is greater than 0, the right\n"
            "result less the least one; the squares of ones in the crossbar give it to all words of its example. What\n"
            "a word lacks of being the margin behind is cut at 0 and squared. The words are loaded with others before\n"
            "them, as many as there are rows above the squares; `right` makes these 0."
        )
    elif isinstance(loss, SquaredHinge):
        body = [*load, *_keep(plan), f"LI      p16, {loss.margin}", *_HINGE, *_TAKE]
        told = (
            "All examples of the block at once. Each result is put beside that of its example's right class, which is\n"
            "fetched by the indices in `right`; what it lacks of being the margin behind is cut at 0 and squared."
        )
    else:
        body = [*([] if plan.pending == DONE else [*load, *_keep(plan)]), *_entropy(plan)]
        told = (
            "log2 of the sum of the powers, from their table, less the right result; the sum's bits behind the\n"
            "leading 11 are shifted out and counted."
        )
    purpose = """
        add_loss: take the loss of the block's examples from the fitness of the members of pair p1 - 1.

        """ + "\n".join(f"        {row}" for row in told.splitlines())
    return routine("add_loss", purpose, lines("\n".join(body)))


def _with_squares(plan: Plan, margin: int) -> list[str]:
    """Return the instructions of a hinge loss whose right results come from squares of ones in the crossbar.

    Args:
        plan: of the network.
        margin: of the loss, less the least result.
    """
    rescaled = clamped(("v0", "v1"), *plan.pending)
    return [
        f"LI      p16, {plan.squares} + OUTPUTS",
        "SETVL   p16",
        "LA      p2, right",
        "LA      p4, outputs",
        *clamp_constants(plan.pending.high),
        "LOADV   v6, (p2)",
        f"LOADV   v0, {-plan.squares}(p4)",
        f"LOADV   v1, OUTPUTS - {plan.squares}(p4)",
        *rescaled,
        "VADD    v0, v0, v6",
        "VADD    v1, v1, v6",
        "RELU    v0, v0",
        "RELU    v1, v1",
        "LI      p16, OUTPUTS",
        "SETVL   p16",
        "MATVEC  v2, v0",
        "MATVEC  v3, v1",
        "LOADV   v0, (p4)",
        "LOADV   v1, OUTPUTS(p4)",
        *rescaled,
        f"LI      p16, {margin}",
        *_LACKS,
        *_TAKE,
    ]


def _kept(plan: Plan) -> str:
    """Return the label of the results when the loss is taken."""
    return "outputs" if plan.pending == DONE else "results"


def _keep(plan: Plan) -> list[str]:
    """Return the instructions that point p3 to the results, once they are kept."""
    stores = [] if plan.pending == DONE else ["STOREV  v0, (p3)", "STOREV  v1, OUTPUTS(p3)"]
    return [f"LA      p3, {_kept(plan)}", *stores]


_LACKS: Final = [
    "VADDS   v0, v0, p16",
    "VADDS   v1, v1, p16",
    "VSUB    v7, v7, v7",
    "VSUB    v0, v0, v2",
    "VSUB    v1, v1, v3",
    "RELU    v0, v0",
    "RELU    v1, v1",
    "POPEVAL f0, v0, v7",
    "POPEVAL f1, v1, v7",
]

_HINGE: Final = [
    "LA      p2, right",
    "LOADV   v6, (p2)",
    "LOADVX  v2, v6, p3",
    "ADDI    p3, p3, OUTPUTS",
    "LOADVX  v3, v6, p3",
    *_LACKS,
]

_SQUARED_ERROR: Final = [
    "LA      p2, wanted",
    "LOADV   v6, (p2)",
    "POPEVAL f0, v0, v6",
    "POPEVAL f1, v1, v6",
]

_TAKE: Final = [
    "ADD     p3, p1, p18",
    *(
        row
        for accumulator, place in (("f0", "p1"), ("f1", "p3"))
        for row in (
            f"FITGET  p16, {accumulator}",
            f"LOAD    p17, fitness - 1({place})",
            "SUB     p17, p17, p16",
            f"STORE   p17, fitness - 1({place})",
        )
    ),
    "RET",
]

_WIDE: Final = [
    "; the sum as p6 2^16 + p15: its leading bits are those of p6, if this has as many",
    f"LA      p6, high_powers + {LOGITS}",
    "LOADVX  v1, v0, p6",
    "VSUM    p6, v1",
    f"LI      p7, {_HIGH}",
    "DIV     p5, p15, p7",
    "ADD     p6, p6, p5",
    "REM     p15, p15, p7",
    "BLT     p6, p14, add_loss.joined",
    "MV      p15, p6",
    f"ADDI    p16, p16, {16 * LOSS_PER_BIT}",
    "JUMP    add_loss.shift",
    "add_loss.joined:",
    "MUL     p6, p6, p7",
    "ADD     p15, p15, p6",
    "BLT     p15, p14, add_loss.leading",
]


def _entropy(plan: Plan) -> list[str]:
    """Return the instructions of a cross-entropy, example by example."""
    return [
        "; p2 end of `right`   p3 results of the example   p4 place of the right one   p15 sum, then its logarithm",
        "; p16 loss of the member   p17 place of its fitness   p19 next of `right`   p25 its results   p26 table",
        "LI      p11, CLASSES",
        "SETVL   p11",
        f"LA      p12, {'low_powers' if plan.results > _CLASSES else 'powers'} + {LOGITS}",
        "LA      p2, right + BLOCK",
        f"LI      p14, {len(LOGARITHMS)}",
        "LA      p26, logarithms",
        f"LA      p25, {_kept(plan)}",
        "MV      p17, p1",
        "ADD     p27, p1, p18",
        "add_loss.member:",
        "LA      p19, right",
        "LI      p16, 0",
        "MV      p3, p25",
        "add_loss.example:",
        "LOADV   v0, (p3)",
        "LOADVX  v1, v0, p12",
        "VSUM    p15, v1",
        "LOAD    p4, (p19)",
        "ADD     p4, p4, p25",
        "LOAD    p4, (p4)",
        f"MULI    p4, p4, {LOGIT}",
        "SUB     p16, p16, p4",
        *(_WIDE if plan.results > _CLASSES else ["BLT     p15, p14, add_loss.leading"]),
        "add_loss.shift:",
        "DIV2    p15, p15",
        f"ADDI    p16, p16, {LOSS_PER_BIT}",
        "BGE     p15, p14, add_loss.shift",
        "add_loss.leading:",
        "ADD     p15, p15, p26",
        "LOAD    p15, (p15)",
        "ADD     p16, p16, p15",
        "ADD     p3, p3, p11",
        "INC     p19",
        "BLT     p19, p2, add_loss.example",
        "LOAD    p15, fitness - 1(p17)",
        "SUB     p15, p15, p16",
        "STORE   p15, fitness - 1(p17)",
        "BEQ     p17, p27, add_loss.end",
        "ADDI    p25, p25, OUTPUTS",
        "MV      p17, p27",
        "JUMP    add_loss.member",
        "add_loss.end:",
        "RET",
    ]
