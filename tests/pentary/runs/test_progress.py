"""Progress display of a run."""

import sys

import pytest

from pentary.runs.health import Health
from pentary.runs.progress import progress
from pentary.runs.run import Record

HEALTH = {f"{layer}.up": Health(1.5, 0.25, 0.0625) for layer in range(20)}


def show(steps, records):
    with progress(steps) as shown:
        for step in records:
            shown(Record(step, {}, f"figures of {step}", HEALTH))


@pytest.mark.parametrize(
    ("steps", "records", "told"),
    [
        (3, range(4), [0, 1, 2, 3]),
        (57, range(58), [0, 6, 12, 18, 23, 29, 35, 40, 46, 52, 57]),
        (1000, [0, 150, 160, 1000], [0, 150, 1000]),
    ],
)
def test_elsewhere_than_on_a_terminal_a_line_is_printed_for_every_tenth(capsys, steps, records, told):
    show(steps, records)
    lines = capsys.readouterr().out.splitlines()
    width = len(str(steps))
    told_health = "entropy 1.50 bits, at most 25.0% saturated, at most 6.25% changed"
    assert lines == [f"step {step:{width}}/{steps}  figures of {step}  {told_health}" for step in told]


def warn(steps):
    with progress(20) as shown:
        for step in steps:
            shown(Record(step, {}, "", HEALTH, "nothing moves" if step == 11 else None))


def test_a_warning_is_a_line_on_standard_error_at_once(capsys):
    warn(range(21))
    assert capsys.readouterr().err == "Warning: nothing moves\n"


def test_a_terminal_gets_warnings_above_the_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    warn(range(21))
    out, drawn = capsys.readouterr()
    assert out == "" and drawn.count("Warning: nothing moves") == 1


def test_a_terminal_gets_a_bar_and_a_table_of_the_first_layers_on_standard_error(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    show(10, [0, 10])
    out, drawn = capsys.readouterr()
    assert out == ""
    assert "step 10/10" in drawn and "figures of 10" in drawn
    assert "entropy, bits" in drawn and "6.25%" in drawn and "and 8 more" in drawn
