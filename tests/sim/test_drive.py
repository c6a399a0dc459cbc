"""Running in slices: stopping points do not depend on them, and Ctrl-C is handled."""

import signal
from itertools import product

import pytest

from pentary.asm import assemble_text
from pentary.isa.program import Fault
from pentary.machine.config import Config, Memory
from pentary_sim import drive as driving
from pentary_sim.drive import drive
from pentary_sim.events import EVENT
from pentary_sim.simulator import Simulator

SMALL = Config(memory=Memory(words=5**6))
LOOP = """
        LI   p1, 4
loop:   DEC  p1
        NOP
        BNZ  p1, loop
        {end}
"""
ROUNDS = [0, *(1, 2, 3) * 4, 4]  # addresses in the order of execution


def machine(end="HALT", trace=False):
    return Simulator(assemble_text(LOOP.format(end=end)), SMALL, trace)


class Kept:
    """Stub of a trace that keeps the events."""

    def __init__(self):
        self.pcs = []

    def add(self, events):
        assert events.records.dtype == EVENT
        self.pcs += events.records["pc"].tolist()


@pytest.fixture(params=[1, 2, 3, 5, 100_000])
def slices(request, monkeypatch):
    monkeypatch.setattr(driving, "_SLICE", request.param)


@pytest.fixture
def ctrl_c(monkeypatch):
    """Simulate Ctrl-C while the machine runs."""
    run = Simulator.run

    def interrupted(self, *arguments):
        signal.raise_signal(signal.SIGINT)
        return run(self, *arguments)

    monkeypatch.setattr(Simulator, "run", interrupted)


@pytest.mark.usefixtures("slices")
def test_breakpoints_stop_as_if_there_were_no_slices():
    for count in (1, 2):
        for stop_at in product(range(5), repeat=count):
            m = machine()
            stops = []
            while (reason := drive(m, stop_at=stop_at)) == "breakpoint":
                stops.append(m.pc)
            assert reason == "halt"
            # `run` does not stop at the instruction at which it begins.
            assert stops == [pc for pc in ROUNDS[1:] if pc in stop_at]


@pytest.mark.usefixtures("slices")
@pytest.mark.parametrize("count", range(len(ROUNDS)))
def test_a_limit_of_instructions_is_kept(count):
    m = machine()
    assert drive(m, max_instructions=count) == "instructions"
    assert (m.instructions, m.pc) == (count, ROUNDS[count])


@pytest.mark.usefixtures("slices")
def test_a_limit_of_cycles_is_kept():
    whole = machine("loop2: JUMP loop2")
    assert whole.run(max_cycles=123) == "cycles"
    m = machine("loop2: JUMP loop2")
    assert drive(m, max_cycles=123) == "cycles"
    assert (m.cycles, m.instructions) == (whole.cycles, whole.instructions)


@pytest.mark.usefixtures("slices")
@pytest.mark.parametrize(("end", "kind"), [("HALT", None), ("DIV p2, p2, p0", "divide")])
def test_a_trace_gets_every_instruction_also_the_one_that_faults(end, kind):
    kept = Kept()
    ending = drive(machine(end, trace=True), trace=kept)  # type: ignore[arg-type]
    assert ending.kind == kind if isinstance(ending, Fault) else ending == "halt" and kind is None
    assert kept.pcs == ROUNDS


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_a_slice_and_the_run_can_go_on(monkeypatch):
    monkeypatch.setattr(driving, "_SLICE", 5)
    kept, m = Kept(), machine(trace=True)
    assert drive(m, trace=kept) == "interrupt"  # type: ignore[arg-type]
    assert kept.pcs == ROUNDS[:5] and m.pc == ROUNDS[5]
    assert drive(m, trace=kept) == "interrupt"  # type: ignore[arg-type]
    assert kept.pcs == ROUNDS[:10]
    assert drive(m, trace=kept) == "halt"  # type: ignore[arg-type]
    assert kept.pcs == ROUNDS


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("limit", [{"stop_at": [1]}, {"max_instructions": 1}, {"max_cycles": 1}])
def test_ctrl_c_in_a_run_shorter_than_a_slice_is_not_forgotten(limit):
    m = machine()
    assert drive(m, **limit) == "interrupt"
    assert (m.pc, m.instructions) == (1, 1)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(("end", "kind"), [("HALT", None), ("DIV p2, p2, p0", "divide")])
def test_a_program_that_has_ended_is_not_interrupted(end, kind):
    ending = drive(machine(end))
    assert ending.kind == kind if isinstance(ending, Fault) else ending == "halt" and kind is None


def test_a_second_ctrl_c_is_not_waited_for(monkeypatch):
    def compiling(self, *arguments):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Simulator, "run", compiling)
    with pytest.raises(KeyboardInterrupt):
        drive(machine())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("ctrl_c")
def test_an_ignored_ctrl_c_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert drive(machine()) == "halt"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
