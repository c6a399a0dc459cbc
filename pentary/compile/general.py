"""Programs of any layers, each of which goes from memory to memory for all examples of a block: see `body`."""

from pentary.compile import losses, pieces
from pentary.compile.body import Body, Place
from pentary.compile.members import advance
from pentary.compile.operations import write
from pentary.compile.pairs import FactoredPairs, QuantizedPairs
from pentary.compile.pieces import FIRST_EXAMPLE, Parts, lines, next_example, routine
from pentary.compile.plan import OPERAND, Plan, multiplied
from pentary.isa.table import MAX_VL


def parts(plan: Plan) -> Parts:
    """Return the parts of a program."""
    network, kind = plan.network, FactoredPairs if plan.factored else QuantizedPairs
    operands = multiplied(network, plan.parameters) if plan.factored else {}
    great = {matrix for matrix, largest in operands.items() if largest > OPERAND}  # LRMULX would saturate them
    members = kind(network.tensors, plan.parameters, great)
    body = Body(members, plan.block)
    inputs = body.place("block", network.input.values(), "operands")
    results = write(body, network.operations, inputs)
    return Parts(
        routines=[_setup(), _take_block(plan, inputs), _evaluate(body, results)],
        regions=[*members.regions(), *body.regions],
        told="",
        crossbar="one matrix, or a tile of it, at a time; of a recurrence both square ones, if there is room",
        tables=body.tables,
        in_memory=members.places(),
    )


def _setup() -> str:
    told = """
        setup: begin with the first training example.

            p21 next example   p22 its target   p23 end of the examples; these three are kept
        """
    return routine("setup", told, lines("\n".join([*FIRST_EXAMPLE, "RET"])))


def _take_block(plan: Plan, inputs: Place) -> str:
    size = inputs.values.size
    told = """
        take_block: take the next examples, for both members of a pair.

            p2 place of the example among the outputs   p3 its place in `block`   p4, p5 for its target; words to go
            p6 VL   p14, p15 pointers   p16 example   p17 BLOCK   v0 operand   v6 target
        """
    copy = [
        "MV      p14, p3",
        f"LI      p5, {size}",
        "take_block.vector:",
        f"LI      p6, {MAX_VL}",
        "MIN     p6, p6, p5",
        "SETVL   p6",
        "LOADV   v0, (p21)",
        "STOREV  v0, (p14)",
        f"LI      p15, {plan.block * size}",
        "ADD     p15, p15, p14",
        "STOREV  v0, (p15)",
        "ADD     p14, p14, p6",
        "ADD     p21, p21, p6",
        "SUB     p5, p5, p6",
        "BNZ     p5, take_block.vector",
    ]
    body = [
        *losses.begin_targets(plan),
        "LI      p2, 0",
        f"LA      p3, {inputs.label}",
        "LI      p16, 0",
        "LI      p17, BLOCK",
        "take_block.example:",
        *copy,
        *losses.take_target(plan),
        "ADDI    p2, p2, CLASSES",
        *advance("p3", size),
        *next_example(losses.target_words(plan)),
        "RET",
    ]
    return routine("take_block", told, lines("\n".join(body)))


def _evaluate(body: Body, results: Place) -> str:
    told = """
        evaluate: the fitness of every member.

        Every pair is evaluated on a block of examples before the next block is taken, and the fitness is summed up in
        memory. All examples of a block, of both members, go through an operation before the next one.

            p1 pair   p2, p3, p4 operands, results   p5, p25 loops   p6, p7, p11 widths   p8, p9 1, -1   p10 5^q
            p12, p13 constants of a clamp   p14 to p17, p19 temporary   p18 PAIRS   p24 blocks to go   p26 +-SIGMA
            p27 position in a recurrence   p28 return address
            v0, v2 operands   v1 results   v6 biases   v3, v4, v5, v7 temporary
        """
    pair = ["evaluate.pair:", "\n".join(body.members.begin()), "\n".join(body.lines), "INC     p1"]
    once = "LI      p10, 5**SIGMA_SHIFT" if body.members.shares else ""
    return f"        .equ    outputs, {results.label}\n\n" + pieces.evaluate(told, once, pair)
