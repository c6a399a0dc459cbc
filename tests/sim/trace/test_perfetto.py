"""Perfetto timelines are valid JSON, with each instruction once in each stage and no overlapping slices in a track."""

import json
from collections import defaultdict
from itertools import pairwise

import pytest

from pentary_sim.events import CAUSES, NONE, UNITS
from pentary_sim.trace import open_trace

STAGES = ("fetch", "decode", "execute", "memory", "writeback")


def read(path):
    """Return the slices by track, and the values of counters by name."""
    told = json.loads(path.read_text("utf-8"))
    assert list(told) == ["traceEvents"]
    tracks, slices, counters, now = {}, defaultdict(list), defaultdict(list), 0
    for event in told["traceEvents"]:
        assert event["pid"] == 1
        if event["ph"] == "M":
            if event["name"] == "thread_name":
                tracks[event["tid"]] = event["args"]["name"]
            continue
        assert event["ts"] >= now, "time goes on"
        now = event["ts"]
        if event["ph"] == "X":
            slices[tracks[event["tid"]]].append(event)
        elif event["ph"] == "i":
            slices["marks"].append(event)
        else:
            assert event["ph"] == "C"
            counters[event["name"]].append((event["ts"], event["args"]["waiting"]))
    return slices, counters


@pytest.fixture
def written(a_run, tmp_path):
    program, events = a_run
    path = tmp_path / "a.perfetto.json"
    with open_trace(path, program) as trace:
        trace.add(events)
    return program, events.records, *read(path)


@pytest.mark.parametrize("stage", STAGES)
def test_every_instruction_is_once_in_every_stage(written, stage):
    _, events, slices, _ = written
    after = dict(pairwise(STAGES)).get(stage)
    ends = events[after] if after else events["writeback"] + 1
    spans = [(told["ts"], told["ts"] + told["dur"]) for told in slices[stage]]
    assert spans == list(zip(events[stage].tolist(), ends.tolist(), strict=True))


def test_lost_cycles_are_slices_named_by_their_cause(written):
    _, events, slices, _ = written
    expected = [(e["writeback"] - e["lost"], e["lost"], CAUSES[e["cause"]]) for e in events if e["lost"]]
    assert [(told["ts"], told["dur"], told["name"]) for told in slices["lost cycles"]] == expected


@pytest.mark.parametrize("unit", UNITS[1:])
def test_units_and_their_queues(written, unit):
    _, events, slices, counters = written
    own = events[events["unit"] == UNITS.index(unit)]
    spans = [(told["ts"], told["ts"] + told["dur"]) for told in slices[f"{unit} unit"]]
    assert spans == list(zip(own["start"].tolist(), own["free"].tolist(), strict=True))
    for cycle, waiting in counters[f"{unit} queue"]:
        assert waiting == ((own["memory"] <= cycle) & (cycle < own["start"])).sum()
    ever = (own["start"] > own["memory"]).any()
    assert bool(counters[f"{unit} queue"]) == ever


def test_slices_of_a_track_never_overlap(written):
    _, _, slices, _ = written
    for track in slices.values():
        for before, after in pairwise(track):
            assert before["ts"] + before["dur"] <= after["ts"]


def test_run_by_hand_is_told_in_words(hand, tmp_path):
    program, events = hand
    with open_trace(tmp_path / "hand.json", program) as trace:
        trace.add(events)
    slices, _ = read(tmp_path / "hand.json")
    told = slices["execute"][2]
    assert told["name"] == "ADD p3, p2, p1"
    assert told["args"] == {
        "at": "loop+1 (hand.s:4)",
        "P3": "-55 = 0000000000000⊖-0",
        "flags": "N",
        "lost cycles": "1 (load_use)",
    }
    (sync,) = [told for told in slices["lost cycles"] if told["name"] == "sync"]
    assert (sync["ts"], sync["dur"]) == (14, 16)
    assert sync["args"] == {"instruction": "SYNC", "at": "done (hand.s:11)"}
    assert all(told["start"] == NONE for told in events.records[events.records["unit"] == 0])


def test_execute_tells_what_every_instruction_wrote_by_the_interpreter(replayed, tmp_path):
    with open_trace(tmp_path / "a.json", replayed.program) as trace:
        trace.add(replayed.events)
    slices, _ = read(tmp_path / "a.json")
    for told, (before, after) in zip(slices["execute"], pairwise(replayed.states), strict=False):  # without the fault
        shown = {heading: text.split(" = ")[0] for heading, text in told["args"].items() if heading in after}
        assert shown.items() <= after.items()
        changed = {heading for heading in after if after[heading] != before[heading]}
        assert changed <= shown.keys() | ({"P30"} if told["name"][:4] in ("PUSH", "POP ") else set())


def test_a_fault_is_a_mark_in_execute(replayed, tmp_path):
    with open_trace(tmp_path / "a.json", replayed.program) as trace:
        trace.add(replayed.events)
    slices, _ = read(tmp_path / "a.json")
    if replayed.fault is None:
        assert "marks" not in slices
        return
    (mark,) = slices["marks"]
    kind = replayed.fault.kind
    last = slices["execute"][-1]
    assert (mark["name"], mark["ts"], last["ts"], last["dur"]) == (f"{kind} fault", last["ts"], mark["ts"], 1)
    assert last["args"]["fault"] == kind
    assert len(slices["fetch"]) == len(replayed.states) == len(slices["writeback"]) + 1


def test_empty_trace_is_valid_json(hand, tmp_path):
    open_trace(tmp_path / "empty.json", hand[0]).close()
    assert read(tmp_path / "empty.json") == ({}, {})
