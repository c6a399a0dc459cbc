"""Konata logs, parsed by an independent reader: each instruction once, with the right stages, cycles and arrows."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from pentary.numbers.notation import parse_pents
from pentary_sim.events import NONE, UNITS
from pentary_sim.trace import open_trace

READ = {  # registers read by the instructions of the two programs
    "ADD": (1, 2),
    "ADDI": (1,),
    "BNE": (1,),
    "LOAD": (1,),
    "LOADV": (1,),
    "LRMUL": (1,),
    "POP": (30,),
    "PRNG": (1, 2),
    "PUSH": (3, 30),
    "STORE": (1, 2),
    "MAC": (1, 2),
    "SETVL": (1,),
    "LRSET": (1,),
}


@dataclass
class Operation:
    text: str = ""
    hover: str = ""
    stages: list = field(default_factory=list)  # [lane, name, first cycle, end]
    producers: list = field(default_factory=list)
    begin: int = -1
    end: int = -1
    flushed: bool = False

    def told(self):
        """Hover text by heading."""
        return dict(line.split(": ", 1) for line in self.hover.split("\\n"))


def read(path):
    header, start, *lines = path.read_text("utf-8").splitlines()
    assert header == "Kanata\t0004"
    assert start.startswith("C=\t")
    cycle = int(start[3:])
    operations = {}
    for line in lines:
        command, *fields = line.split("\t")
        if command == "C":
            assert int(fields[0]) > 0, "time goes on"
            cycle += int(fields[0])
            continue
        number = int(fields[0])
        if command == "I":
            assert number == len(operations) == int(fields[1])
            assert fields[2] == "0"
            operations[number] = Operation(begin=cycle)
            continue
        operation = operations[number]
        assert operation.end < 0, "nothing is told of an instruction that has retired"
        lane_open = [stage for stage in operation.stages if stage[0] == fields[1] and stage[3] is None]
        match command:
            case "L" if fields[1] == "0":
                operation.text += fields[2]
            case "L":
                assert fields[1] == "1"
                operation.hover += fields[2]
            case "S":
                for stage in lane_open:
                    stage[3] = cycle
                operation.stages.append([fields[1], fields[2], cycle, None])
            case "E":
                (stage,) = lane_open
                assert stage[1] == fields[2]
                stage[3] = cycle
            case "W":
                assert int(fields[1]) in operations
                operation.producers.append(int(fields[1]))
            case "R":
                assert not any(stage[3] is None for stage in operation.stages)
                assert fields[1] == str(number) and fields[2] in ("0", "1")
                operation.flushed = fields[2] == "1"
                operation.end = cycle
            case _:
                pytest.fail(f"unknown command {line!r}")
    return operations


@pytest.fixture
def written(a_run, tmp_path):
    program, events = a_run
    path = tmp_path / "a.kanata"
    with open_trace(path, program) as trace:
        trace.add(events)
    return program, events.records, read(path)


def test_every_instruction_appears_once_and_retires(written):
    _, events, operations = written
    assert list(operations) == list(range(len(events)))
    assert all(operation.end > operation.begin for operation in operations.values())
    assert not any(operation.flushed for operation in operations.values())


def test_stages_begin_and_end_in_their_cycles(written):
    _, events, operations = written
    for event, operation in zip(events, operations.values(), strict=True):
        edges = [int(event[name]) for name in ("fetch", "decode", "execute", "memory", "writeback")]
        edges.append(edges[-1] + 1)
        expected = [["0", name, *span] for name, span in zip("FDXMW", pairwise(edges), strict=True)]
        if event["start"] != NONE:
            if event["start"] > event["memory"]:
                expected.append(["1", "Q", event["memory"], event["start"]])
            expected.append(["1", UNITS[event["unit"]], event["start"], event["done"]])
        assert sorted(operation.stages) == sorted(expected)
        assert operation.begin == event["fetch"]
        assert operation.end == max(edges[-1], event["done"])


def test_arrows_lead_from_writers_that_were_not_complete(written):
    _, events, operations = written
    last = {}
    for number, (event, operation) in enumerate(zip(events, operations.values(), strict=True)):
        name = re.findall("[A-Z0-9]+(?= |$)", operation.text)[0]
        producers = {last[register] for register in READ.get(name, ()) if register in last}
        assert sorted(operation.producers) == sorted(n for n in producers if operations[n].end > event["decode"])
        if event["register"] > 0:
            last[int(event["register"])] = number
        if name in ("PUSH", "POP"):
            last[30] = number


def test_run_by_hand_is_told_in_words(hand, tmp_path):
    program, events = hand
    with open_trace(tmp_path / "hand.log", program) as trace:
        trace.add(events)
    operations = read(tmp_path / "hand.log")
    assert operations[0].text == "0: start: LI p1, 7"
    assert operations[7].text == "7: BNE p1, p0, done"
    assert operations[2].hover.split("\\n") == [
        "at: loop+1 (hand.s:4)",
        "P3: -55 = 0000000000000⊖-0",
        "flags: N",
        "lost cycles: 1 (load_use)",
    ]
    assert "stores: -55 = 0000000000000⊖-0\\naddress: 1000000" in operations[3].hover
    assert "V1: 12,0,-3\\n" in operations[4].hover
    assert "vector unit: arrives in cycle 9, starts 26, free 27, complete 28" in operations[5].hover
    assert "predicted: wrongly" in operations[7].hover
    arrows = {(consumer, producer) for consumer, told in operations.items() for producer in told.producers}
    assert arrows == {(1, 0), (2, 0), (2, 1), (3, 2), (6, 3)}


def test_hovering_tells_what_every_instruction_wrote_by_the_interpreter(replayed, tmp_path):
    with open_trace(tmp_path / "a.kanata", replayed.program) as trace:
        trace.add(replayed.events)
    operations = read(tmp_path / "a.kanata")
    for number, (before, after) in enumerate(pairwise(replayed.states)):
        told, name = operations[number].told(), re.findall(": ([A-Z0-9]+)(?= |$)", operations[number].text)[-1]
        shown = {heading: text.split(" = ")[0] for heading, text in told.items() if heading in after}
        assert shown.items() <= after.items()
        pents = {heading: parse_32_pents(text) for heading, text in told.items() if " = " in text}
        assert pents == {heading: int(told[heading].split(" = ")[0]) for heading in pents}
        changed = {heading for heading in after if after[heading] != before[heading]}
        assert changed <= shown.keys() | ({"P30"} if name in ("PUSH", "POP") else set())
        assert name not in ("STORE", "PUSH") or told["stores"].split(" = ")[0].lstrip("-").isdecimal()


def parse_32_pents(text):
    pents = text.split(" = ")[1]
    return parse_pents(pents[-16:]) + (5**16 * parse_pents(pents[:16]) if len(pents) == 32 else 0)


def test_the_instruction_that_faults_is_marked_and_ends_with_execute(replayed, tmp_path):
    with open_trace(tmp_path / "a.kanata", replayed.program) as trace:
        trace.add(replayed.events)
    *retired, last = read(tmp_path / "a.kanata").values()
    assert not any(operation.flushed for operation in retired)
    if replayed.fault is None:
        assert not last.flushed and len(retired) + 1 == len(replayed.states) - 1
        return
    assert last.flushed and len(retired) == len(replayed.states) - 1
    kind = replayed.fault.kind
    assert last.text.startswith(f"{replayed.fault.pc}: ") and last.text.endswith(f"  [{kind} fault]")
    assert last.told()["fault"] == kind
    assert [(lane, name) for lane, name, _, _ in last.stages] == [("0", name) for name in "FDX"]
    assert last.stages[-1][3] == last.end == last.stages[-1][2] + 1


def test_empty_trace_is_a_log(hand, tmp_path):
    open_trace(tmp_path / "empty.konata", hand[0]).close()
    assert (tmp_path / "empty.konata").read_text() == "Kanata\t0004\n"
