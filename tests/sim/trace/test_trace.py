"""Properties common to all trace formats: choice by file name, batches, streams, faults."""

from math import inf
from pathlib import Path

import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.isa.program import Fault
from pentary.numbers.word import PentaryError
from pentary_sim.events import NONE
from pentary_sim.simulator import Simulator
from pentary_sim.trace import open_trace

FORMATS = ["kanata", "vcd", "json"]


def written(path, program, batches):
    with open_trace(path, program) as trace:
        for batch in batches:
            trace.add(batch)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("a.kanata", "Kanata\t0004"),
        ("a.konata", "Kanata\t0004"),
        ("a.log", "Kanata\t0004"),
        ("A.LOG", "Kanata\t0004"),
        ("a.vcd", "$comment"),
        ("a.json", '{"traceEvents"'),
        ("a.perfetto.json", '{"traceEvents"'),
    ],
)
def test_ending_of_the_name_picks_the_format(tmp_path, hand, name, beginning):
    program, events = hand
    assert written(tmp_path / name, program, [events]).decode().startswith(beginning)


@pytest.mark.parametrize("name", ["trace", "trace.txt", "trace.vcd.gz"])
def test_other_endings_are_refused_with_those_there_are(tmp_path, hand, name):
    with pytest.raises(PentaryError, match=r"^[^\n]*\.kanata, \.konata or \.log[^\n]*\.vcd[^\n]*\.json[^\n]*$"):
        open_trace(tmp_path / name, hand[0])
    assert not (tmp_path / name).exists()


def test_file_that_cannot_be_written_is_named(tmp_path, hand):
    with pytest.raises(PentaryError, match=r"cannot write the trace .*missing.a\.vcd: "):
        open_trace(tmp_path / "missing" / "a.vcd", hand[0])


@pytest.mark.parametrize("ending", FORMATS)
def test_batches_do_not_matter(tmp_path, a_run, ending):
    program, events = a_run
    whole = written(tmp_path / f"a.{ending}", program, [events])
    slices = (slice(0), slice(7), slice(7, 8), slice(8, None))
    batches = [events._replace(records=events.records[taken]) for taken in slices]
    assert whole == written(tmp_path / f"b.{ending}", program, batches)


@pytest.mark.parametrize("ending", FORMATS)
def test_what_can_no_longer_change_is_written_at_once(tmp_path, ending):
    program = assemble_text("again: addi p1, p1, 1\njump again", "a.s")
    machine = Simulator(program, trace=True)
    path = tmp_path / f"a.{ending}"
    sizes = []
    with open_trace(path, program) as trace:
        for limit in (2_000, 4_000, 6_000):
            machine.run(max_instructions=limit)
            trace.add(machine.take_events())
            (growing,) = tmp_path.iterdir()
            sizes.append(growing.stat().st_size)
    assert 0 < sizes[0] < sizes[1] < sizes[2]
    assert path.stat().st_size - sizes[2] < 20_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("copies", [1, 1000])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_full_disk_is_told_once_and_the_file_is_closed(tmp_path, a_run, ending, copies):
    program, events = a_run
    path = tmp_path / f"full.{ending}"
    path.symlink_to("/dev/full")
    trace = open_trace(path, program)
    with (
        pytest.raises(PentaryError, match=rf"^cannot write the trace .*full\.{ending}: No space left on device$"),
        trace,
    ):
        for _ in range(copies):
            trace.add(events)
            events.records["fetch"] += 10_000  # keeps the cycles ascending
            for name in ("decode", "execute", "memory", "writeback", "start", "free", "done"):
                events.records[name] += 10_000 * (events.records[name] != NONE)
    assert trace.file.closed
    trace.close()


@pytest.mark.parametrize("ending", FORMATS)
def test_an_older_trace_stays_until_the_new_one_is_complete(tmp_path, a_run, ending):
    program, events = a_run
    path = tmp_path / f"a.{ending}"
    path.write_text("old")
    with open_trace(path, program) as trace:
        trace.add(events)
        assert path.read_text() == "old"
    assert path.read_text() != "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", FORMATS)
def test_cycles_choose_the_instructions_at_work_in_them(tmp_path, a_run, ending):
    program, events = a_run
    for first, last in ((0, inf), (20, 40), (20, inf), (0, 20), (30, 30), (10**9, inf)):
        among = [e["fetch"] <= last and max(e["writeback"] + 1, e["done"]) > first for e in events.records]
        with open_trace(tmp_path / f"a.{ending}", program, (first, last)) as trace:
            trace.add(events)
        expected = written(
            tmp_path / f"b.{ending}", program, [events._replace(records=events.records[np.array(among)])]
        )
        assert (tmp_path / f"a.{ending}").read_bytes() == expected


@pytest.mark.parametrize("ending", FORMATS)
def test_trace_of_a_run_that_faults_is_complete_up_to_the_fault(tmp_path, ending):
    program = assemble_text("li p1, 3\nloop: dec p1\ndiv p2, p1, p1\nbgt p1, p0, loop\nhalt", "a.s")
    machine = Simulator(program, trace=True)
    path = tmp_path / f"a.{ending}"
    with pytest.raises(Fault), open_trace(path, program) as trace:
        try:
            machine.run()
        finally:
            trace.add(machine.take_events())
    text = path.read_text("utf-8").replace("\\x20", " ")
    assert text.count("DIV p2, p1, p1") >= 2
    assert text.endswith("\n")
