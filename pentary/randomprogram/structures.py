"""Building blocks of random programs: single instructions with valid operands, branches, loops, calls, the stack."""

from typing import Final

from pentary.isa import INSTRUCTIONS
from pentary.isa.table import CONTROLS, LINK, MAX_VL, STACK, VECTORS
from pentary.lowrank.generator import MEMBER_MAX
from pentary.numbers.word import PENTS, WORD_MAX
from pentary.randomprogram.handlers import write_system
from pentary.randomprogram.writer import ABOVE, BELOW, LOOPS, Label, Writer

_MIX: Final = {
    "arithmetic": 30,
    "logic": 10,
    "memory": 20,
    "vector": 8,
    "neural": 6,
    "system": 3,
    "eggroll": 12,
    "branch": 8,
    "loop": 3,
    "jump": 2,
    "call": 3,
    "stack": 4,
}
"""Probability weights of instruction groups, and of the structures, which stand for the control group."""

_WEIGHTS: Final = {"LOAD": 5, "STORE": 5, "PUSH": 0, "POP": 0, "LOADV": 2, "LRSET": 4, "LRGEN": 2, "PRNG": 2, "HALT": 0,
            "CSRR": 0, "CSRW": 0, "TRET": 0}  # fmt: skip
"""Probability weights of instructions within their groups, where they are not 1."""

_DEPTH: Final = 3
"""Nesting limit of structures."""

_ITERATIONS: Final = 4

_LOOP_ENDS: Final = (
    ("BNE", "rs", 1, 0),
    ("BGT", "rs", 1, 0),
    ("BGE", "rs", 1, 1),
    ("BLT", "rs", -1, 0),
    ("BLE", "rs", -1, 1),
    ("BLT", "ru", 1, 0),
)
"""Branches that close a loop: mnemonic, operand with the counter (the other is P0), direction of counting (1: down, -1:
up), and whether the branch is still taken when the counter is 0."""


def write_start(w: Writer) -> None:
    """Write the start of a program: load a pointer into every base register."""
    for base in w.bases:
        w.point(base)


def write_subroutine(w: Writer) -> None:
    """Write a subroutine, which may call those written before it."""
    with w.subroutine():
        for _ in range(w.rng.randint(1, 4)):
            write_item(w, depth=1)
            if w.chance(0.2):  # a conditional return
                stay = Label()
                _write_compare(w, stay)
                w.emit("RET")
                w.put(stay)
        w.emit("RET")


def write_item(w: Writer, depth: int = 0) -> None:
    """Write an instruction and its set-up, or a structure with further items in it.

    Write nothing if the machine has no instruction of the group drawn, or if the nesting is too deep.
    """
    if w.system is not None and w.chance(0.2):
        write_system(w, inside=depth > 0 or w.in_subroutine)
        return
    [kind] = w.rng.choices(list(_MIX), list(_MIX.values()))
    if kind not in _STRUCTURES:
        names = [line.name for line in INSTRUCTIONS if line.group == kind and line.unit not in w.absent]
        if not names:
            return
        [name] = w.rng.choices(names, [_WEIGHTS.get(name, 1) for name in names])
        _write_instruction(w, name)
        w.release()
    elif depth < _DEPTH:
        _STRUCTURES[kind](w, depth + 1)


def _write_instruction(w: Writer, name: str) -> None:
    match name:
        case "DIV" | "REM":
            w.emit(name, rt=w.constant(w.number(-WORD_MAX, WORD_MAX) or 1))
        case "LOAD" if w.chance(0.1):
            w.emit(name, rs=0, i=w.rng.randint(0, w.words))  # a word of text
        case "LOAD" | "STORE" | "LOADV" | "STOREV" if w.chance(0.2):
            w.emit(name, w.data, rs=0, i=w.absolute())
        case "LOAD" | "STORE" | "LOADV" | "STOREV":
            w.emit(name, **w.access())
        case "LOADVS" | "STOREVS":
            size = w.number(1, MAX_VL)
            w.emit("SETVL", rs=w.constant(size))
            w.emit(name, rs=w.rng.choice(w.bases), rt=w.constant(w.rng.randint(-(BELOW // size), ABOVE // size)))
        case "LOADVX" | "STOREVX":
            index = w.rng.randrange(VECTORS)
            w.emit("QUANT", vd=index, w=w.rng.randint(1, 2))
            w.emit(name, vs=index, rt=w.rng.choice(w.bases))
        case "SHL" | "SHR":
            w.emit(name, rt=w.constant(w.rng.randint(0, PENTS)))
        case "SETVL":
            w.emit(name, rs=w.constant(w.number(1, MAX_VL)))
        case "VGET":
            w.emit(name, rt=_index(w, "SETVL"))
        case "VSET":
            w.emit(name, rs=_index(w, "SETVL"))
        case "LOADX":
            w.emit(name, rt=w.constant(w.number(0, MAX_VL - 1)))
        case "LRSET":
            control = w.rng.randrange(len(CONTROLS))
            w.emit(name, cd=control, rs=w.constant(w.number(*list(CONTROLS.values())[control])))
        case "LRGEN":
            w.emit(name, rs=w.constant(w.number(0, MEMBER_MAX)))
        case "LRMUL":
            w.emit(name, rs=_index(w, "LRSET", cd=_ROWS))
        case "PQUANT" if w.chance(0.5):
            w.emit("LRMULX")
            w.emit(name)
            w.emit(name)  # without effect
        case _:
            w.emit(name)


def _index(w: Writer, setter: str, **given: int) -> int:
    """Return a register that holds an index in range: 0, or one below a limit that is set first."""
    if w.chance(0.5):
        return w.constant(0)
    size = w.number(1, MAX_VL)
    w.emit(setter, rs=w.constant(size), **given)
    return w.constant(w.number(0, size - 1))


def _write_block(w: Writer, depth: int) -> None:
    for _ in range(w.rng.randint(1, 4)):
        write_item(w, depth)


def _write_compare(w: Writer, label: Label) -> None:
    """Write a branch to a label that compares equal, close, or arbitrary values."""
    rs, ru = w.source(), w.source()
    match w.rng.randrange(4):
        case 0:
            ru = rs
        case 1:
            rs = w.constant(w.number(-2, 2))
            ru = w.constant(w.number(-2, 2))
            w.release()
        case 2:
            ru = 0
    w.emit(w.rng.choice(_BRANCHES), label, rs=rs, ru=ru)


def _write_branch(w: Writer, depth: int) -> None:
    other, end = Label(), Label()
    _write_compare(w, other)
    _write_block(w, depth)
    if w.chance(0.3):
        w.emit("JUMP", end)
        w.put(other)
        _write_block(w, depth)
    else:
        w.put(other)
    w.put(end)


def _write_loop(w: Writer, depth: int) -> None:
    if w.looping == LOOPS or w.in_subroutine:
        return
    counter, times = w.counters[w.looping], w.rng.randint(1, _ITERATIONS)
    top, end = Label(), Label()
    if w.chance(0.2):
        w.emit("LI", rd=counter, i=times)
        with w.repeated(times + 1):
            w.put(top)
            w.emit("BEQ", end, rs=counter, ru=0)
            _write_block(w, depth)
            w.emit("ADDI", rd=counter, rs=counter, i=-1)
            w.emit("JUMP", top)
            w.put(end)
        return
    branch, operand, sign, last = w.rng.choice(_LOOP_ENDS)
    w.emit("LI", rd=counter, i=sign * (times - last))
    with w.repeated(times):
        w.put(top)
        _write_block(w, depth)
        w.emit("ADDI", rd=counter, rs=counter, i=-sign)
        w.emit(branch, top, **{"rs": 0, "ru": 0, operand: counter})


def _write_jump(w: Writer, depth: int) -> None:
    """Write a jump over words that need not be instructions."""
    end = Label()
    if w.chance(0.3):
        rs = w.target(nonzero=True)
        w.emit("LI", end, rd=rs, i=0)
        w.emit("JUMPR", rs=rs)
    elif w.in_subroutine or w.chance(0.5):
        w.emit("JUMP", end)
    else:
        w.emit("LI", end, rd=LINK, i=0)
        w.emit("RET")
    for _ in range(w.rng.randrange(3)):
        w.emit_word(w.number(-WORD_MAX, WORD_MAX))
    w.put(end)


def _write_call(w: Writer, depth: int) -> None:
    if not w.subroutines:
        return
    if w.in_subroutine:
        w.emit("PUSH", rs=LINK)
    w.call(w.rng.choice(w.subroutines))
    if w.in_subroutine:
        w.emit("POP", rd=LINK)


def _write_stack(w: Writer, depth: int) -> None:
    """Write items between a save and a restore of a register or of the stack pointer, or inside a stack frame."""
    match w.rng.randrange(3):
        case 0:
            w.emit("PUSH")
            _write_block(w, depth)
            w.emit("POP")
        case 1:
            w.emit("PUSH", rs=STACK)
            _write_block(w, depth)
            w.emit("POP", rd=STACK)
        case _:
            size = w.rng.randint(1, 8)
            w.emit("ADDI", rd=STACK, rs=STACK, i=-size)
            w.emit("STORE", rs=STACK, i=w.rng.randrange(size))
            _write_block(w, depth)
            w.emit("LOAD", rs=STACK, i=w.rng.randrange(size))
            w.emit("ADDI", rd=STACK, rs=STACK, i=size)


_ROWS: Final = list(CONTROLS).index("ROWS")

_BRANCHES: Final = [instruction.name for instruction in INSTRUCTIONS if "j7" in instruction.operands]

_STRUCTURES: Final = {
    "branch": _write_branch,
    "loop": _write_loop,
    "jump": _write_jump,
    "call": _write_call,
    "stack": _write_stack,
}
