"""Trap handlers of random programs, and code with faults, interrupts, counters and devices that needs them."""

from typing import Final

from pentary.isa.system import CSRS, DEVICES, WRITABLE
from pentary.isa.table import STACK
from pentary.numbers.word import WORD_MAX
from pentary.randomprogram.faults import write_fault
from pentary.randomprogram.writer import TIMERS, Label, System, Writer

_NUMBER: Final = {name: number for number, name in enumerate(CSRS)}
_COUNTERS: Final = list(CSRS)[WRITABLE:]
_WORDS: Final = ("CAUSE", "EPC", "FAULT", "SCRATCH", "OLDFLAGS")
_PERIOD: Final = 300
"""Most cycles from the end of one period of the timer to that of the next."""


def write_handler(w: Writer) -> None:
    """Write the trap handler, and at the program's present place the code that installs it and enables interrupts."""
    r = _registers(w)
    w.emit("ADDI", rd=r.stack, rs=STACK, i=0)
    w.emit("LI", rd=r.doubles, i=0)
    w.emit("LI", rd=r.timers, i=w.rng.randint(0, TIMERS))
    w.emit("LI", w.handler, rd=r.work, i=0)
    w.emit("CSRW", sd=_NUMBER["HANDLER"], rs=r.work)
    _set_timer(w, r)
    _write_enable(w, r)
    with w.trap_handler():
        interrupted, known, done = Label(), Label(), Label()
        _write_idle(w, r)
        w.emit("CSRR", rd=r.work, ss=_NUMBER["CAUSE"])
        w.emit("BLT", interrupted, rs=r.work, ru=0)
        w.emit("BEQ", known, rs=r.doubles, ru=0)
        w.emit_word(0)  # not an instruction
        w.put(known)
        w.emit("ADDI", rd=r.work, rs=r.work, i=-_FETCH)
        w.emit("CSRR", rd=r.other, ss=_NUMBER["EPC"])
        w.emit("ADDI", rd=r.other, rs=r.other, i=1)  # goes on after the instruction at fault
        elsewhere = Label()
        w.emit("BNE", elsewhere, rs=r.work, ru=0)
        w.emit("ADDI", rd=r.other, rs=r.resume, i=0)
        w.put(elsewhere)
        w.emit("CSRW", sd=_NUMBER["EPC"], rs=r.other)
        if w.chance(0.5):
            w.emit("CSRW", sd=_NUMBER["TRAPPED"], rs=0)
        w.emit("JUMP", done)
        w.put(interrupted)
        w.emit("ADDI", rd=r.timers, rs=r.timers, i=-1)
        again = Label()
        w.emit("BGT", again, rs=r.timers, ru=0)
        w.emit("CSRW", sd=_NUMBER["TIMER"], rs=0)
        w.emit("JUMP", done)
        w.put(again)
        _set_timer(w, r)
        w.put(done)
        _write_idle(w, r)
        w.emit("TRET")


_FETCH: Final = 2  # CAUSE of a fetch fault


def write_system(w: Writer, inside: bool) -> None:
    """Write an access to a counter, a CSR or a device, a return from no trap, or an instruction that faults.

    Args:
        w: writer of the program.
        inside: whether the place is inside a structure or a subroutine, where faults with a long set-up are no good.
    """
    r = _registers(w)
    match w.rng.randrange(7):
        case 0 | 1:
            w.emit("CSRR", ss=_NUMBER[w.rng.choice(_COUNTERS)] if w.chance(0.7) else w.rng.randrange(len(CSRS)))
        case 2:
            name = w.rng.choice(_WORDS)
            w.emit("CSRW", sd=_NUMBER[name], rs=w.constant(w.number(CSRS[name].low, CSRS[name].high)))
        case 3:
            if w.chance(0.5):
                w.emit("CSRW", sd=_NUMBER["ENABLE"], rs=0)
            else:
                _write_enable(w, r)
        case 4:
            name = w.rng.choice(list(DEVICES))
            stores = (DEVICES[name].access == "STORE") != w.chance(0.1)
            w.emit("STORE" if stores else "LOAD", rs=0, i=DEVICES[name].address)
        case 5:
            _write_return(w)
        case _ if not inside:
            _write_trapped(w, r)
    w.release()


def write_double_fault(w: Writer) -> None:
    """Write a fault in whose handler there is another."""
    w.emit("LI", rd=_registers(w).doubles, i=1)
    w.emit("DIV", rt=0)


def _registers(w: Writer) -> System:
    assert w.system is not None
    return w.system


def _write_enable(w: Writer, r: System) -> None:
    w.emit("CSRW", sd=_NUMBER["ENABLE"], rs=w.constant(1))
    w.release()


def _set_timer(w: Writer, r: System) -> None:
    """Write code that lets the timer interrupt in some cycles."""
    w.emit("CSRR", rd=r.work, ss=_NUMBER["CYCLE"])
    w.emit("ADDI", rd=r.work, rs=r.work, i=w.rng.randint(1, _PERIOD))
    w.emit("CSRW", sd=_NUMBER["TIMER"], rs=r.work)


def _write_idle(w: Writer, r: System) -> None:
    """Write some instructions of the handler that change nothing of the program."""
    for _ in range(w.rng.randrange(4)):
        match w.rng.randrange(4):
            case 0:
                w.emit("CSRR", rd=r.other, ss=w.rng.randrange(len(CSRS)))
            case 1:
                w.emit("STORE", w.data, rs=0, ru=r.other, i=w.absolute())
            case 2:
                w.emit("CSRW", sd=_NUMBER["SCRATCH"], rs=w.source())
            case _:
                w.emit("STORE", rs=0, ru=r.work, i=DEVICES["CONSOLE"].address)


def _write_return(w: Writer) -> None:
    """Write a TRET that goes to what follows it."""
    end = Label()
    enables = w.constant(w.rng.randint(0, 1))
    w.emit("CSRW", sd=_NUMBER["ENABLE"], rs=0)  # else an interrupt replaces EPC
    rs = w.target(nonzero=True)
    w.emit("LI", end, rd=rs, i=0)
    w.emit("CSRW", sd=_NUMBER["EPC"], rs=rs)
    w.emit("CSRW", sd=_NUMBER["PREVIOUS"], rs=enables)
    w.emit("TRET")
    w.release()
    for _ in range(w.rng.randrange(3)):
        w.emit_word(w.number(-WORD_MAX, WORD_MAX))
    w.put(end)


def _write_trapped(w: Writer, r: System) -> None:
    """Write an instruction that faults, which the handler goes on after."""
    end = Label()
    w.emit("LI", end, rd=r.resume, i=0)
    write_fault(w)
    w.put(end)
    w.emit("ADDI", rd=STACK, rs=r.stack, i=0)
