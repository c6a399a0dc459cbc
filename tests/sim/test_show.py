"""Values shown for a name in a machine; the text form is tested with the commands that print it."""

import pytest

from pentary.asm import assemble_text
from pentary.isa.program import Program
from pentary.machine.config import Config, Memory
from pentary.numbers.word import PentaryError
from pentary_sim.show import find, show
from pentary_sim.simulator import Simulator

SOURCE = """
        .equ    LIMIT, 9
        LOADV   v1, table(p0)
        LI      p1, 5
        LOADX   v1, p1
        ACCSET  p1
        LRSET   ROWS, p1
        SETVL   p1
        HALT
        .data
table:  .word   2, -1, 300
        .space  253
"""
TABLE = [2, -1, 300, *[0] * 253]


@pytest.fixture(scope="module")
def machine():
    machine = Simulator(assemble_text(SOURCE, "a.s"), Config(memory=Memory(words=5**6)))
    machine.run()
    return machine


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("p1", 5),
        ("SP", 5**6),
        ("f3", 0),
        ("acc", 5),
        ("Vl", 5),
        ("ROWS", 5),
        ("LIMIT", 9),
        ("v1", TABLE),
        ("x:5", [2, -1, 2, *[0] * 253]),
        ("X:6", [0] * 256),
        ("table", 2),
        ("table+1", -1),
        ("7", 2),
        ("table:3", TABLE[:3]),
        ("table+1:2", TABLE[1:3]),
        ("9:1", [300]),
        ("15624:1", [0]),
        ("pc", 6),
        ("Flags", ["P"]),
    ],
)
def test_names_stand_for_numbers(machine, what, values):
    assert show(machine, what).values == values


@pytest.mark.parametrize("source", ["a.s:4", "folder/a.s:4"])
def test_a_line_of_a_source_is_no_count(source):
    program = assemble_text(SOURCE, source.partition(":")[0])
    machine = Simulator(program)
    assert show(machine, source).values == show(machine, "a.s:4").values == program.image[1]


@pytest.mark.parametrize(
    "what",
    ["", ":", "table:", "table:0", "tabel:3", "b.s:3", "x:256", "x:-1", "v8", "15625:1", "limit", "p9:2", "v1+1"]
    + ["9" * n for n in (19, 5000)]
    + [f"{w}:{'9' * n}" for w in ("a.s", "table", "x") for n in (10, 12, 5000)],
)
def test_what_there_is_not_is_refused_in_one_line(machine, what):
    with pytest.raises(PentaryError, match=r"^[^\n]+$"):
        show(machine, what)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("table:15619", "from address 7 to the end of memory there are only 15,618 words"),
        ("table:999999999999", "from address 7 to the end of memory there are only 15,618 words"),
        ("15624:2", "from address 15624 to the end of memory there is only 1 word"),
        ("p9:3", "p9 is a register and has no address; a place is a label, LABEL+N, an address or FILE:LINE"),
        ("PC+1", "PC is a register and has no address; a place is a label"),
        ("p32", "the program has no label 'p32'; shown can be p0..p31, v0..v7, f0..f3, pc, flags, acc, vl, ROWS"),
        ("tabel", "the program has no label 'tabel'; did you mean table?"),
        ("ac", "the program has no label 'ac'; did you mean acc?"),
        ("LIMTI", "the program has no label 'LIMTI'; did you mean LIMIT?"),
    ],
)
def test_a_refusal_tells_what_there_is(machine, what, told):
    with pytest.raises(PentaryError) as refusal:
        show(machine, what)
    assert str(refusal.value).startswith(told)
    assert len(str(refusal.value)) < 400


def test_all_words_up_to_the_end_of_memory_can_be_shown(machine):
    assert show(machine, "table:15618").values == machine.memory[7:].tolist()


def test_names_of_the_program_come_first():
    program = assemble_text("flags: nop\npc: halt\n.equ acc, 3")
    machine = Simulator(program)
    machine.run(max_instructions=1)
    assert [show(machine, name).values for name in ("pc", "acc", "PC")] == [program.image[1], 3, 1]
    assert show(machine, "flags:2").values == program.image[:2].tolist()


def test_programs_without_sources_have_labels_and_addresses():
    program = assemble_text(SOURCE)
    stripped = Program(program.image, program.text, program.size, program.symbols, program.labels)
    assert show(Simulator(stripped), "table:2").values == [2, -1]
    with pytest.raises(PentaryError, match="files are not known"):
        find(stripped, "a.s:3")
