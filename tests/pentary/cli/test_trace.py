"""The command `trace`, and its files."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pentary.asm import assemble_text
from pentary.cli.commands import main
from pentary.machine.retire import COLUMNS, read
from pentary.numbers.word import PentaryError
from pentary_sim.retire import Retired
from pentary_sim.simulator import Simulator


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("prog.s").write_text("li p1, 30\nloop: mul p2, p1, p1\npush p2\ndec p1\nbnz p1, loop\nhalt\n")
    return "prog.s"


def pentary(*arguments: object):
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_a_file_is_written_read_back_and_agrees(program: str) -> None:
    done = pentary("trace", program, "--out", "model.csv")
    assert (done.exit_code, done.stderr) == (0, "")
    machine = Simulator(assemble_text(Path(program).read_text()), trace=True)
    machine.run()
    expected = Retired(machine.program).records(machine.take_events())
    np.testing.assert_equal(read(Path("model.csv")), expected)
    done = pentary("trace", program, "--against", "model.csv")
    assert done.exit_code == 0 and done.stdout == f"122 records agree in {', '.join(COLUMNS)}\n"


def test_only_the_columns_of_the_core_are_compared(program: str) -> None:
    pentary("trace", program, "--out", "model.csv")
    lines = [line.split(",") for line in Path("model.csv").read_text().splitlines()]
    Path("core.csv").write_text("\n".join(f"{line[7]},{line[3]}" for line in lines))
    done = pentary("trace", program, "--against", "core.csv")
    assert done.exit_code == 0 and "agree in pc, value" in done.stdout


def test_the_first_difference_is_shown_with_the_last_records_of_both(program: str) -> None:
    pentary("trace", program, "--out", "model.csv")
    lines = Path("model.csv").read_text().splitlines()
    cells = lines[1 + 70].split(",")
    cells[list(COLUMNS).index("value")] = "77"
    lines[1 + 70] = ",".join(cells)
    lines[1 + 90] = ",".join("5" for _ in COLUMNS)
    Path("core.csv").write_text("\n".join(lines) + "\n")
    done = pentary("trace", program, "--against", "core.csv")
    assert done.exit_code == 2
    told = done.stderr.splitlines()
    value = read(Path("model.csv"))["value"][70]
    assert re.fullmatch(rf"Error: record 70 differs, at loop\+1 \(prog.s:3\): value is 77, not {value}", told[0])
    shown = [line for line in told if line.startswith("model ")]
    assert len(shown) == 20 and told[-2] == shown[-1] and told[-1].startswith("core ")


@pytest.mark.parametrize(("kept", "told"), [(50, "the model has 72 more"), (122, "the core has 1 more")])
def test_missing_records_are_told(program: str, kept: int, told: str) -> None:
    pentary("trace", program, "--out", "model.csv")
    lines = Path("model.csv").read_text().splitlines()
    Path("core.csv").write_text("\n".join([*lines[: 1 + kept], *([lines[-1]] if kept == 122 else [])]))
    done = pentary("trace", program, "--against", "core.csv")
    assert done.exit_code == 2 and done.stderr == f"Error: after {kept} records that agree, {told}\n"


def test_a_program_that_faults_is_recorded_up_to_its_fault(program: str) -> None:
    Path("bad.s").write_text("li p1, 3\nsetvl zero\n")
    done = pentary("trace", "bad.s", "--out", "bad.csv")
    assert done.exit_code == 0 and "operand fault at 1 (bad.s:2)" in done.stdout
    assert read(Path("bad.csv"))["trap"].tolist() == [0, 6]
    assert pentary("trace", "bad.s", "--against", "bad.csv").exit_code == 0


MISTAKES = {
    "": "core.csv:1: there is no such a first line",
    "pc,speed\n": "core.csv:1: there is no column 'speed'",
    "value\n": "core.csv:1: there is no such a first line",
    "pc,value\n1,2\n3\n": "core.csv:3: expected 2 numbers, one for each column, not '3'",
    "pc\none\n": "core.csv:2: expected 1 numbers, one for each column, not 'one'",
    f"pc\n{2**63}\n": "core.csv:2: expected 1 numbers",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_file_that_is_none_is_a_mistake_with_its_line(program: str, text: str) -> None:
    Path("core.csv").write_text(text)
    done = pentary("trace", program, "--against", "core.csv")
    assert done.exit_code == 2 and MISTAKES[text] in done.stderr and "Traceback" not in done.stderr


def test_mistakes_in_the_command_are_told(program: str) -> None:
    for arguments in ((), ("--out", "a.csv", "--against", "b.csv")):
        done = pentary("trace", program, *arguments)
        assert done.exit_code == 2 and "say either --out FILE.csv or --against FILE.csv" in done.stderr
    assert "cannot read the records none.csv" in pentary("trace", program, "--against", "none.csv").stderr
    done = pentary("trace", program, "--out", "nowhere/a.csv")
    assert done.exit_code == 2 and "cannot write the records nowhere/a.csv" in done.stderr
    done = pentary("trace", program, "--out", "a.csv", "--max-cycles", 90)
    assert done.exit_code == 2 and "has not halted within 90 cycles" in done.stderr


def test_read_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"pc\n\xff")
    with pytest.raises(PentaryError, match="cannot read the records"):
        read(tmp_path / "bytes.csv")
    (tmp_path / "a.csv").write_text("pc , value\n 1, -2\n")
    np.testing.assert_equal(read(tmp_path / "a.csv"), {"pc": np.array([1]), "value": np.array([-2])})
