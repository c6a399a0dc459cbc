"""What a name stands for in a machine, as numbers; the texts are tested where they are printed."""

import pytest

from pentary.asm import assemble_text
from pentary.program import Program
from pentary.word import PentaryError
from pentary_sim.config import Config, Memory
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
        ("15624:9", [0]),
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
    "what", ["", ":", "table:", "table:0", "tabel:3", "b.s:3", "x:256", "x:-1", "v8", "15625:1", "limit"]
)
def test_what_there_is_not_is_refused_in_one_line(machine, what):
    with pytest.raises(PentaryError, match=r"^[^\n]+$"):
        show(machine, what)


def test_programs_without_sources_have_labels_and_addresses():
    program = assemble_text(SOURCE)
    stripped = Program(program.image, program.text, program.size, program.symbols, program.labels)
    assert show(Simulator(stripped), "table:2").values == [2, -1]
    with pytest.raises(PentaryError, match="files are not known"):
        find(stripped, "a.s:3")
