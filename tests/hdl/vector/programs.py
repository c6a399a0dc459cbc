"""Programs of vector instructions, random and directed, and when their instructions start and are complete.

The timing is that of architecture/pipeline.md, stated in terms of the numbers of cycles. Beside the vector unit there
is a second user of the vector registers, which stands for the vector load/store unit: its loads write a register, its
stores read one; and in some machines a third one, the crossbar.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from random import Random

from pentary.isa.encoding import operands
from pentary.isa.table import BY_NAME, FITNESS, INSTRUCTIONS, MAX_VL, VECTORS
from pentary.machine.config import Config
from pentary.numbers.word import PENTS, WORD_MAX, limit

NAMES = [line.name for line in INSTRUCTIONS if line.unit == "vector"]
MOVES = ("LOAD", "STORE")
USERS = ("unit", "other", "crossbar")


@dataclass
class Do:
    """An instruction.

    Attributes:
        name: of an instruction of the vector unit or the crossbar; or LOAD or STORE, of the second user.
        vl: VL.
        d, a, b, i: its fields; d is the register of LOAD, a that of STORE.
        x, y: words of the scalar registers in fields a and b.
        words: of LOAD.
        beats: cycles that LOAD and STORE take, at least one for each row.
        late: cycles by which it enters EX late.
        held: cycles by which it stays in EX.
    """

    name: str
    vl: int = MAX_VL
    d: int = 0
    a: int = 0
    b: int = 0
    i: int = 0
    x: int = 0
    y: int = 0
    words: Sequence[int] = field(default_factory=list)
    beats: int = 0
    late: int = 0
    held: int = 0

    @property
    def user(self) -> str:
        """Name of the user of vector registers that executes it."""
        if self.name in MOVES:
            return "other"
        return "crossbar" if BY_NAME[self.name].unit == "crossbar" else "unit"


@dataclass
class Times:
    """Cycles in which an instruction enters EX and MEM, starts, leaves its unit free, and is complete."""

    ex: int
    mem: int
    start: int
    free: int
    done: int


def cost(do: Do, lanes: int) -> tuple[int, int]:
    """Return occupancy and latency, as the table in isa.md has them."""
    v, d = ceil(do.vl / lanes), lanes.bit_length() - 1
    match do.name:
        case "LOAD":
            return do.beats, do.beats + 2
        case "STORE":
            return do.beats, do.beats + 1
        case "VGET" | "VSET" | "FITGET":
            return 1, 2
        case "VMUL" | "VMULS":
            return v, v + 4
        case "CONV":
            return do.i * v, do.i * v + 4
        case "VSUM" | "VMAX":
            return v, v + d + 2
        case "POPEVAL":
            return v, v + d + 4
        case "LOADX":
            return 16, 16
        case "MATVEC":
            return 16, 20
    return v, v + 2


def vectors(do: Do) -> tuple[set[int], set[int]]:
    """Return the vector registers that an instruction reads, and those that it writes."""
    if do.name in MOVES:
        return ({do.a}, set()) if do.name == "STORE" else (set(), {do.d})
    taken = {name: getattr(do, operand.field) for name, operand in operands(BY_NAME[do.name])}
    writes = {taken["vd"]} if "vd" in taken else set()
    reads = {taken[name] for name in ("vs", "vt") if name in taken}
    return (reads | writes if do.name in ("VSET", "VSEL") else reads), writes


def schedule(program: Sequence[Do], config: Config) -> list[Times]:
    """Return when everything happens."""
    lanes, queue = config.lowrank.lanes, config.pipeline.queue
    times: list[Times] = []
    users: dict[str, list[Times]] = {user: [] for user in USERS}
    complete, read_until, evaluated = [0] * VECTORS, [0] * VECTORS, [0] * FITNESS
    for do in program:
        own = users[do.user]
        ex = 1 + do.late if not times else max(times[-1].mem, times[-1].ex + 1 + do.late)
        if len(own) >= queue:
            ex = max(ex, own[-queue].start)
        mem = ex + 1 + do.held
        reads, writes = vectors(do)
        start = max([mem, *(complete[v] for v in reads | writes), *(read_until[v] for v in writes)])
        if own:
            start = max(start, own[-1].free)
        if do.name == "FITGET":
            start = max(start, evaluated[do.a])
        occupancy, latency = cost(do, lanes)
        at = Times(ex, mem, start, start + occupancy, start + latency)
        for v in reads:
            read_until[v] = max(read_until[v], at.free)
        for v in writes:
            complete[v] = at.done
        if do.name == "POPEVAL":
            evaluated[do.d] = at.done
        own.append(at)
        times.append(at)
    return times


def word(rng: Random) -> int:
    """Return a word, often a corner case."""
    power = 5 ** rng.randrange(PENTS)
    corners = (power, power // 2, power // 2 + 1, power - 1, WORD_MAX, WORD_MAX - 1, 0, 1, limit(8), limit(8) + 1)
    near = rng.choice(corners)
    return rng.choice((near, -near, rng.randint(-WORD_MAX, WORD_MAX), rng.randint(-400_000, 400_000)))


def row(rng: Random, vl: int) -> list[int]:
    """Return the words of a vector, all of a kind or any."""
    ranges = (
        *((WORD_MAX - 1, WORD_MAX), (-WORD_MAX, -WORD_MAX + 1), (-9, 9), (-limit(8) - 9, limit(8) + 9)),
        *((limit(8), limit(8) + 1), (-WORD_MAX, WORD_MAX)),
    )
    low, high = rng.choice(ranges)
    if rng.random() < 0.3:
        return [word(rng) for _ in range(vl)]
    return [rng.randint(low, high) for _ in range(vl)]


def load(rng: Random, lanes: int, d: int, vl: int = MAX_VL) -> Do:
    """Return a load of random words."""
    return Do("LOAD", vl, d=d, words=row(rng, vl), beats=ceil(vl / lanes))


def store(lanes: int, a: int, vl: int = MAX_VL) -> Do:
    """Return a store, by which a register is compared."""
    return Do("STORE", vl, a=a, beats=ceil(vl / lanes))


def instruction(rng: Random, name: str, vl: int, registers: int = VECTORS) -> Do:
    """Return an instruction of the vector unit with random operands, on the lowest vector registers."""
    do = Do(name, vl)
    for role, operand in operands(BY_NAME[name]):
        high = registers - 1 if operand.kind == "vector" else operand.high
        setattr(do, operand.field, rng.randint(operand.low or 0, high or 0))
        if role in ("rs", "rt"):
            setattr(do, "x" if role == "rs" else "y", word(rng))
    if name == "VGET":
        do.y = rng.randrange(vl)
    if name == "VSET":
        do.x = rng.randrange(vl)
    if name == "LOADX":
        do.y = rng.randrange(MAX_VL)
    if name == "CONV":
        do.i = rng.choice((1, 2, 3, do.i))
    return do


def random_program(
    rng: Random, lanes: int, length: int, registers: int = VECTORS, names: Sequence[str] = NAMES
) -> list[Do]:
    """Return random instructions of all users, with hazards, full queues and pauses, and stores of all at the end."""
    lengths = [1, 2, 17, 100, lanes - 1, lanes, lanes + 1, 3 * lanes, MAX_VL - 1, MAX_VL]
    program = []
    for _ in range(length):
        name, vl = rng.choice([*names, *["LOAD"] * 3, *["STORE"] * 4]), min(MAX_VL, rng.choice(lengths))
        number = rng.randrange(registers)
        if name == "LOAD":
            do = load(rng, lanes, number, vl)
        elif name == "STORE":
            do = store(lanes, number, vl)
        else:
            do = instruction(rng, name, vl, registers)
        do.beats += rng.choice((0, 0, 0, 1, 9)) if name in MOVES else 0
        do.late, do.held = rng.choice((0, 0, 0, 0, 1, 5, 40)), rng.choice((0, 0, 0, 1, 6))
        program.append(do)
    return [*program, *ending(lanes, registers)]


def ending(lanes: int, registers: int = VECTORS) -> list[Do]:
    """Return what takes all fitness accumulators, and stores all registers."""
    fitness = [Do("FITGET", d=1 + number, a=number) for number in range(FITNESS)]
    return [*fitness, *(store(lanes, number) for number in range(registers))]
