"""Waveforms, parsed by an independent reader: in every cycle each signal has the value given by the events."""

import re
from bisect import bisect_right
from itertools import pairwise

import pytest

from pentary.numbers.notation import parse_pents
from pentary_sim.events import CAUSES, NONE, UNITS
from pentary_sim.trace import open_trace

STAGES = ("fetch", "decode", "execute", "memory", "writeback")


class Wave:
    """Values of a signal with the cycles of their changes."""

    def __init__(self):
        self.cycles, self.values = [], []

    def change(self, cycle, value):
        if self.cycles and self.cycles[-1] == cycle:
            self.values[-1] = value
        else:
            self.cycles.append(cycle)
            self.values.append(value)

    def at(self, cycle):
        return self.values[bisect_right(self.cycles, cycle) - 1]


def read(path):
    header, body = path.read_text("ascii").split("$enddefinitions $end\n")
    assert "$timescale 1 ns $end" in header
    assert "$date" not in header
    waves, by_code, scope = {}, {}, []
    for line in header.splitlines():
        match line.split():
            case ["$scope", "module", name, "$end"]:
                scope.append(name)
            case ["$upscope", "$end"]:
                scope.pop()
            case ["$var", kind, width, code, name, "$end"]:
                wave = waves[".".join([*scope, name])] = Wave()
                assert code not in by_code
                by_code[code] = kind, int(width), wave
    cycle = -1
    for line in body.splitlines():
        if line.startswith("$"):
            continue
        if line.startswith("#"):
            assert int(line[1:]) > cycle, "time goes on"
            cycle = int(line[1:])
            continue
        text, code = line.split(" ") if line[0] in "bs" else (line[0], line[1:])
        kind, width, wave = by_code[code]
        if kind == "string":
            assert text[0] == "s"
            value = re.sub(r"\\x20", " ", text[1:])
        elif "z" in text:
            value = None
        else:
            bits = text.removeprefix("b")
            assert len(bits) <= width
            value = int(bits, 2)
            value -= 2**width if len(bits) == width > 1 and bits[0] == "1" else 0
        wave.change(cycle, value)
    return waves


@pytest.fixture
def written(a_run, tmp_path):
    program, events = a_run
    path = tmp_path / "a.vcd"
    with open_trace(path, program) as trace:
        trace.add(events)
    return program, events.records, read(path)


def intervals(events, first, end, value):
    """Return, by cycle, the value of the event whose interval [first, end) contains it."""
    found = {}
    for event in events:
        for cycle in range(first(event), end(event)):
            assert cycle not in found
            found[cycle] = value(event)
    return found


def last_cycle(events):
    return int(max(events["writeback"].max(), events["done"].max()) + 2)


@pytest.mark.parametrize("stage", STAGES)
def test_stages_show_the_instruction_in_them(written, stage):
    _, events, waves = written
    after = dict(pairwise(STAGES)).get(stage)
    end = (lambda event: event[after]) if after else (lambda event: event["writeback"] + 1)
    pcs = intervals(events, lambda event: event[stage], end, lambda event: event["pc"])
    for cycle in range(last_cycle(events)):
        assert waves[f"pipeline.{stage}.pc"].at(cycle) == pcs.get(cycle)
        assert bool(waves[f"pipeline.{stage}.instruction"].at(cycle)) == (cycle in pcs)


def test_address_is_shown_in_the_memory_stage(written):
    _, events, waves = written
    for event in events:
        expected = None if event["address"] == NONE else event["address"]
        assert waves["pipeline.memory.address"].at(event["memory"]) == expected
        assert waves["pipeline.memory.address"].at(event["writeback"] - 1) == expected


def test_lost_cycles_show_their_cause(written):
    _, events, waves = written
    causes = intervals(
        events, lambda e: e["writeback"] - e["lost"], lambda e: e["writeback"], lambda e: CAUSES[e["cause"]]
    )
    for cycle in range(last_cycle(events)):
        assert waves["pipeline.lost.cause"].at(cycle) == causes.get(cycle, "")


@pytest.mark.parametrize("unit", UNITS[1:])
def test_units_show_what_they_do_and_how_many_wait(written, unit):
    _, events, waves = written
    own = events[events["unit"] == UNITS.index(unit)]
    taken = intervals(own, lambda event: event["start"], lambda event: event["free"], lambda event: event["pc"])
    for cycle in range(last_cycle(events)):
        assert waves[f"units.{unit}.pc"].at(cycle) == taken.get(cycle)
        assert bool(waves[f"units.{unit}.instruction"].at(cycle)) == (cycle in taken)
        busy = ((own["start"] <= cycle) & (cycle < own["done"])).any()
        assert waves[f"units.{unit}.busy"].at(cycle) == busy
        waiting = ((own["memory"] <= cycle) & (cycle < own["start"])).sum()
        assert waves[f"units.{unit}.waiting"].at(cycle) == waiting


def test_registers_show_each_value_from_when_it_is_there(written):
    _, events, waves = written
    for register in set(range(1, 32)) - {30}:
        wave = Wave()
        wave.change(0, None)
        for event in events[events["register"] == register]:
            wave.change(max(event["writeback"], event["done"]), event["value"])
        shown = waves[f"registers.numbers.P{register}"]
        for cycle in {*wave.cycles, *shown.cycles}:
            assert shown.at(cycle) == wave.at(cycle)


def test_registers_show_the_same_number_both_ways(written):
    waves = written[-1]
    for name in ("ACC", *(f"P{register}" for register in range(1, 32))):
        numbers, pents = waves[f"registers.numbers.{name}"], waves[f"registers.pents.{name}"]
        assert numbers.cycles == pents.cycles
        assert (numbers.values[0], pents.values[0]) == (None, "")
        if name == "ACC":
            halves = [(parse_pents(text[:16]), parse_pents(text[16:])) for text in pents.values[1:]]
            assert numbers.values[1:] == [high * 5**16 + low for high, low in halves]
        else:
            assert numbers.values[1:] == [parse_pents(text) for text in pents.values[1:]]


def test_run_by_hand_moves_the_stack_pointer(hand, tmp_path):
    program, events = hand
    with open_trace(tmp_path / "hand.VCD", program) as trace:
        trace.add(events)
    waves = read(tmp_path / "hand.VCD")
    stack = waves["registers.numbers.P30"]
    assert (stack.cycles, stack.values) == ([0, 8, 12], [None, 1_000_000, 1_000_001])
    assert waves["registers.pents.P4"].at(27) == ""
    assert waves["registers.pents.P4"].at(28) == "0000000000000022"
    assert waves["registers.pents.P3"].at(7) == "0000000000000=-0"
    assert waves["pipeline.execute.instruction"].at(8) == "VGET p4, v1, p0"
    assert [waves["registers.vectors.V1"].at(cycle) for cycle in (25, 26)] == ["", "12,0,-3"]
    assert [waves["registers.flags.N"].at(cycle) for cycle in (6, 7)] == [None, 1]
    assert waves["registers.flags.Z"].at(7) == 0


def names_of(state):
    """Return the expected signal values of a state, without P0 and the stack pointer before its first write."""
    told = {}
    for name, text in state.items():
        if name == "flags":
            told |= {f"registers.flags.{flag}": int(flag in text.split()) for flag in "ZNPVCS"}
        elif re.fullmatch("V[0-7]", name):
            told[f"registers.vectors.{name}"] = text
        elif name != "P0":
            told[f"registers.numbers.{name}"] = int(text)
    return told


def test_registers_change_as_by_the_interpreter_when_their_writers_deliver(replayed, tmp_path):
    with open_trace(tmp_path / "a.vcd", replayed.program) as trace:
        trace.add(replayed.events)
    waves = read(tmp_path / "a.vcd")
    states = [names_of(state) for state in replayed.states]
    expected = {name: [(-1, value)] for name, value in states[0].items()}
    for event, before, after in zip(replayed.events.records, states, states[1:], strict=False):  # without the fault
        for name in after:
            if after[name] != before[name]:
                expected[name].append((max(event["writeback"], event["done"]), after[name]))
    for name, changes in expected.items():
        shown = [(-1, changes[0][1])]  # z, or an empty string, until the first write
        for cycle, value in zip(waves[name].cycles, waves[name].values, strict=True):
            if value not in (None, "") and value != shown[-1][1]:
                shown.append((cycle, value))
        assert shown == changes, name


def test_a_fault_is_shown_from_execute_on(replayed, tmp_path):
    with open_trace(tmp_path / "a.vcd", replayed.program) as trace:
        trace.add(replayed.events)
    waves, fault = read(tmp_path / "a.vcd"), waves_of_stages(tmp_path / "a.vcd")
    shown = waves["pipeline.fault.kind"]
    if replayed.fault is None:
        assert set(shown.values) == {""}
        return
    kind = replayed.fault.kind
    assert shown.values == ["", kind]
    found = shown.cycles[-1]
    assert fault["execute"].at(found) == replayed.fault.pc
    assert fault["execute"].at(found + 1) is None
    assert all(not wave.values or wave.values[-1] is None for wave in fault.values())


def waves_of_stages(path):
    waves = read(path)
    return {stage: waves[f"pipeline.{stage}.pc"] for stage in STAGES}


def test_empty_trace_declares_its_signals(hand, tmp_path):
    open_trace(tmp_path / "empty.vcd", hand[0]).close()
    assert len(read(tmp_path / "empty.vcd")) == 5 * 2 + 1 + 1 + 1 + 4 * 4 + 2 * 32 + 1 + 4 + 6 + 6 + 8
