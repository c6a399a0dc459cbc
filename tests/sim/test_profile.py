"""Profiles: each cycle is in exactly one row for every grouping, and the table and the picture show the rows."""

import math
import re
import struct

import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.isa.program import Program
from pentary.numbers.word import PentaryError
from pentary_sim.events import CAUSES
from pentary_sim.profile import picture, rows, table
from pentary_sim.simulator import Simulator

SOURCE = """
        nop
first:  nop
        nop
.macro twice
        nop
        nop
.endm
second: twice
same:
third:  halt
        .data
data:   .space 3
"""
BY = ["label", "line", "address"]


def cycles(**causes):
    return [causes.get(cause, 0) for cause in CAUSES]


@pytest.fixture
def made():
    """Return a program of six instructions, and a profile for it."""
    program = assemble_text(SOURCE, "made.s")
    profile = np.array(
        [
            cycles(issue=1, fetch_memory=60, fetch_l2=10),
            cycles(issue=10, load_use=5),
            cycles(issue=10, flush=20, data_l2=40),
            cycles(issue=4),
            cycles(issue=4, sync=92),
            cycles(),
        ]
    )
    return program, profile


def test_addresses_belong_to_the_label_before_them(made):
    told = [(row.name, row.cycles, row.instructions) for row in rows(*made)]
    assert told == [("second", 100, 8), ("first", 85, 20), ("(no label)", 71, 1)]


def test_of_two_labels_at_an_address_the_later_counts_as_in_messages(made):
    program, profile = made
    profile[5] = cycles(issue=1)
    assert rows(program, profile)[-1].name == "third" == program.place(5).split()[0]


def test_rows_by_line_hold_all_instructions_of_the_line(made):
    by_line = {row.name: (row.text, row.cycles) for row in rows(*made, by="line")}
    assert by_line["made.s:4"] == ("nop", 70)
    assert sum(count for _, count in by_line.values()) == 256
    assert len(by_line) == 5 - (made[0].sources[3] == made[0].sources[4])


def test_rows_by_address_name_the_instruction(made):
    program, profile = made
    profile[5] = cycles(issue=1)
    assert [(row.name, row.text) for row in rows(program, profile, by="address")] == [
        ("4", "NOP"),
        ("0", "NOP"),
        ("2", "NOP"),
        ("1", "NOP"),
        ("3", "NOP"),
        ("5", "HALT"),
    ]


def test_losses_are_told_the_greatest_first(made):
    (first,) = [row for row in rows(*made) if row.name == "first"]
    assert list(first.lost.items()) == [("data_l2", 40), ("flush", 20), ("load_use", 5)]
    assert first.cpi == 85 / 20


@pytest.mark.parametrize("by", BY)
def test_every_cycle_of_a_run_is_in_one_row(by):
    program = assemble_text("li p1, 50\nloop: mul p2, p1, p1\nadd p3, p3, p2\ndec p1\nbnz p1, loop\nhalt", "a.s")
    machine = Simulator(program)
    machine.run()
    found = rows(program, machine.profile, by)
    assert sum(row.cycles for row in found) == machine.cycles - machine.causes["fill"]
    assert sum(row.instructions for row in found) == machine.instructions
    for number, cause in enumerate(CAUSES):
        assert sum(row.causes[number] for row in found) == (cause != "fill") * machine.causes[cause]
    assert [row.cycles for row in found] == sorted((row.cycles for row in found), reverse=True)


@pytest.mark.parametrize("by", BY)
def test_table_has_a_line_for_each_row_below_the_total(made, by):
    head, total, *lines = table(*made, by=by).splitlines()
    assert head.split()[:2] == [by, "cycles"]
    assert total.split()[:5] == ["total", "256", "100.0%", "29", "8.83"]
    assert len(lines) == len(rows(*made, by=by))
    for line, row in zip(lines, rows(*made, by=by), strict=True):
        assert line.startswith(row.name)
        assert f" {row.cycles:,} " in line
        assert f" {row.cpi:.2f}" in line
        for cause, count in row.lost.items():
            assert f"{cause} {count / row.cycles:.1%}" in line
    columns = [{match.end() for match in re.finditer(r"%  ", line)} for line in (total, *lines)]
    assert len({min(ends) for ends in columns}) == 1, "shares stand below each other"


@pytest.mark.parametrize("top", [1, 2, 3, 4, 9])
def test_table_has_one_line_for_all_rows_beyond_the_top(made, top):
    program, profile = made
    profile[5] = cycles(issue=1, sync=2)
    whole = table(program, profile, by="address").splitlines()[2:]
    shown = table(program, profile, by="address", top=top).splitlines()[2:]
    numbers = [int(row.split("%")[0].split()[-2]) for row in whole]
    assert [int(row.split("%")[0].split()[-2]) for row in shown[:top]] == numbers[:top]
    if top >= 5:  # a single remaining row is shown itself instead of a row for the others
        assert len(shown) == 6
    else:
        assert shown[top].split()[:3] == [f"{6 - top}", "others", f"{sum(numbers[top:])}"]
        assert len(shown) == top + 1


def test_table_of_nothing_is_empty_but_for_the_total(made):
    program, profile = made
    assert len(table(program, profile * 0).splitlines()) == 2


def test_instruction_that_waits_still_has_no_cpi_yet(made):
    program, profile = made
    profile[:] = 0
    profile[3, CAUSES.index("sync")] = 7
    (row,) = rows(program, profile)
    assert math.isnan(row.cpi)
    assert table(program, profile).splitlines()[2].split()[4] == "-"


def test_program_without_sources_has_no_lines():
    program = Program(np.array([0]), 1, 1)
    with pytest.raises(PentaryError, match="use its labels or addresses"):
        rows(program, np.zeros((1, len(CAUSES)), np.int64), by="line")


@pytest.mark.parametrize("labels", [1, 15, 16])
@pytest.mark.parametrize("causes", [1, len(CAUSES)])
def test_picture_is_a_png_that_grows_with_the_bars(tmp_path, labels, causes):
    source = "".join(f"label_{'x' * number}: nop\n" for number in range(labels))
    program = assemble_text(source, "a.s")
    profile = np.zeros((labels, len(CAUSES)), np.int64)
    profile[:, :causes] = np.arange(1, labels + 1)[:, None] ** 3
    picture(tmp_path / "a.png", program, profile, "a $x$ program")
    png = (tmp_path / "a.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (1080, int(120 * (1.4 + 0.34 * min(labels, 15))))


def test_picture_of_nothing_and_picture_nowhere_are_refused(tmp_path, made):
    program, profile = made
    with pytest.raises(PentaryError, match="no instruction has retired"):
        picture(tmp_path / "a.png", program, profile * 0, "nothing")
    with pytest.raises(PentaryError, match=r"^cannot write .*missing"):
        picture(tmp_path / "missing" / "a.png", program, profile, "nowhere")
