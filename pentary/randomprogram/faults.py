"""Faulting code of random programs: for every kind of fault, some ways to cause it.

It stands in the main program outside all structures, where the stack is empty and P30 is the size of the memory.
"""

from collections.abc import Callable
from typing import Final

from pentary.isa import BY_NAME, INSTRUCTIONS, IllegalInstruction, decode, encode
from pentary.isa.table import CONTROLS, LINK, MAX_VL, STACK
from pentary.lowrank.generator import MEMBER_MAX
from pentary.numbers.word import PENTS, WORD_MAX, limit
from pentary.randomprogram.writer import Writer

_OFFSET_MAX: Final = limit(7)  # largest offset in the I format


def write_fault(w: Writer) -> None:
    """Write an instruction that faults, after the instructions that set it up."""
    kind = w.rng.choice(list(FAULTS))
    w.rng.choice([write for unit, write in FAULTS[kind] if unit not in w.absent])(w)
    w.release()


def _illegal(w: Writer) -> None:
    """Write an illegal word: 0, a random one, one a pent off an instruction, or an instruction of an absent unit."""
    if w.absent and w.chance(0.5):
        w.emit(w.rng.choice([line.name for line in INSTRUCTIONS if line.unit in w.absent]))
        return
    while True:
        near = encode(BY_NAME["ADD"]) + w.rng.choice((-1, 1)) * 5 ** w.rng.randrange(PENTS - 1)
        word = w.rng.choice((0, near, w.number(-WORD_MAX, WORD_MAX)))
        try:
            decode(word)
        except IllegalInstruction:
            w.emit_word(word)
            return


def _return_outside(w: Writer) -> None:
    if w.chance(0.5):
        w.emit("LI", w.data, rd=LINK, i=0)
    else:
        w.emit("LI", rd=LINK, i=w.number(-limit(10), -1))
    if w.chance(0.3):
        w.emit(w.rng.choice(("JUMPR", "CALLR")), rs=LINK)
    else:
        w.emit("RET")


def _push_into_text(w: Writer) -> None:
    w.emit("LI", w.data, rd=STACK, i=w.rng.randint(-w.words, 0))
    w.emit("PUSH")


def _cross_the_end(w: Writer) -> None:
    size = w.number(1, MAX_VL)
    w.emit("SETVL", rs=w.constant(size))
    w.emit(w.rng.choice(("LOADV", "STOREV")), rs=STACK, i=w.rng.randint(1 - size, 0))


def _step_outside(w: Writer) -> None:
    size = w.number(2, MAX_VL)
    w.emit("SETVL", rs=w.constant(size))
    stride = w.constant(w.number(5**11, WORD_MAX))
    w.emit(w.rng.choice(("LOADVS", "STOREVS")), rs=w.rng.choice((STACK, *w.bases)), rt=stride)


def _index_outside(w: Writer) -> None:
    base = w.rng.choice((STACK, w.constant(w.rng.choice((-WORD_MAX, WORD_MAX)))))
    w.emit("VSUB", vd=0, vs=0, vt=0)
    w.emit(w.rng.choice(("LOADVX", "STOREVX")), vs=0, rt=base)


def _access_far_outside(w: Writer) -> None:
    name = w.rng.choice([name for name in ("LOAD", "STORE", "LOADV", "STOREV") if BY_NAME[name].unit not in w.absent])
    w.emit(name, rs=w.constant(w.rng.choice((-WORD_MAX, WORD_MAX))))


def _outside(w: Writer, low: int, high: int) -> int:
    """Return a register that holds a number outside a range."""
    below, above = w.number(-WORD_MAX, low - 1), w.number(high + 1, WORD_MAX)
    return w.constant(w.rng.choice((low - 1, high + 1, below, above)))


def _set_control(w: Writer) -> None:
    name = w.rng.choice([name for name in CONTROLS if name != "KEY"])  # whose range is all words
    w.emit("LRSET", cd=list(CONTROLS).index(name), rs=_outside(w, *CONTROLS[name]))


def _limit(w: Writer, setter: str, **given: int) -> int:
    """Write an instruction that sets a limit; return a register that holds the first index out of range."""
    size = w.number(1, MAX_VL)
    w.emit(setter, rs=w.constant(size), **given)
    return w.constant(size)


def _edge(w: Writer) -> int:
    return w.constant(w.rng.choice((-WORD_MAX, WORD_MAX)))


def _add_one_more(w: Writer) -> None:
    sign = w.rng.choice((-1, 1))
    w.emit(w.rng.choice(("ADDI", "ADDHI")), rs=w.constant(sign * WORD_MAX), i=sign * w.number(1, _OFFSET_MAX))


def _double(w: Writer) -> None:
    edge = _edge(w)
    w.emit(w.rng.choice(("ADD", "ADDS", "MUL")), rs=edge, rt=edge)


def _subtract_negative(w: Writer) -> None:
    sign = w.rng.choice((-1, 1))
    rs, rt = w.constant(sign * WORD_MAX), w.constant(-sign * WORD_MAX)
    w.emit(w.rng.choice(("SUB", "SUBS")), rs=rs, rt=rt)


def _accumulate(w: Writer) -> None:
    edge = _edge(w)
    w.emit("ACCSET", rs=0)
    for _ in range(3):  # each square is nearly half of the largest number of 32 pents
        w.emit("MAC", rs=edge, rt=edge)


def _take_too_much(w: Writer) -> None:
    edge = _edge(w)
    w.emit("ACCSET", rs=0)
    w.emit("MAC", rs=edge, rt=edge)
    w.emit("ACCGET", k=w.rng.randrange(PENTS))


FAULTS: Final[dict[str, tuple[tuple[str, Callable[[Writer], None]], ...]]] = {
    "illegal instruction": (("scalar", _illegal),),
    "fetch": (
        ("scalar", lambda w: w.emit("JUMP", w.last)),
        ("scalar", lambda w: w.emit("JUMP", w.data)),
        ("scalar", lambda w: w.emit("BEQ", w.data, rs=0, ru=0)),
        ("scalar", lambda w: w.emit("BGE", rs=0, ru=0, j7=-_OFFSET_MAX)),
        ("scalar", lambda w: w.emit("CALL", j10=w.number(-limit(10), -_OFFSET_MAX))),
        ("scalar", _return_outside),
    ),
    "memory": (
        ("scalar", lambda w: w.emit("POP")),
        ("scalar", lambda w: w.emit("LOAD", rs=0, i=w.number(-_OFFSET_MAX, -1))),
        ("scalar", lambda w: w.emit("LOAD", rs=STACK, i=w.number(0, _OFFSET_MAX))),
        ("scalar", lambda w: w.emit("STORE", rs=0, i=w.rng.randint(-1, w.words))),
        ("memory", lambda w: w.emit("STOREV", w.data, rs=0, i=-1)),
        ("scalar", _push_into_text),
        ("memory", _cross_the_end),
        ("scalar", _access_far_outside),
        ("memory", _step_outside),
        ("memory", _index_outside),
        ("memory", lambda w: w.emit("STOREVS", rs=w.constant(w.rng.randint(0, w.words)), rt=0)),
    ),
    "divide": (
        ("scalar", lambda w: w.emit("DIV", rt=0)),
        ("scalar", lambda w: w.emit("REM", rt=w.constant(0))),
    ),
    "operand": (
        ("scalar", lambda w: w.emit("SETVL", rs=_outside(w, 1, MAX_VL))),
        ("scalar", lambda w: w.emit(w.rng.choice(("SHL", "SHR")), rt=_outside(w, 0, PENTS))),
        ("vector", lambda w: w.emit("VGET", rt=_outside(w, 0, MAX_VL - 1))),
        ("vector", lambda w: w.emit("VSET", rs=_outside(w, 0, MAX_VL - 1))),
        ("vector", lambda w: w.emit("VGET", rt=_limit(w, "SETVL"))),
        ("vector", lambda w: w.emit("VSET", rs=_limit(w, "SETVL"))),
        ("crossbar", lambda w: w.emit("LOADX", rt=_outside(w, 0, MAX_VL - 1))),
        ("lowrank", lambda w: w.emit("LRGEN", rs=_outside(w, 0, MEMBER_MAX))),
        ("lowrank", lambda w: w.emit("LRMUL", rs=_outside(w, 0, MAX_VL - 1))),
        ("lowrank", lambda w: w.emit("LRMUL", rs=_limit(w, "LRSET", cd=list(CONTROLS).index("ROWS")))),
        ("lowrank", _set_control),
    ),
    "overflow": (
        ("scalar", _double),
        ("scalar", _add_one_more),
        ("scalar", _subtract_negative),
        ("scalar", _accumulate),
        ("scalar", _take_too_much),
        ("scalar", lambda w: w.emit("MUL2", rs=_edge(w))),
        ("scalar", lambda w: w.emit("SHLI", rs=_edge(w), k=w.rng.randint(1, PENTS))),
        ("scalar", lambda w: w.emit("MULI", rs=_edge(w), i=w.rng.choice((-2, 2)))),
    ),
}
"""By kind of fault, the ways to cause it, each with the unit that it needs."""
