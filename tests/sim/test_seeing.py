"""Sessions in architecture/seeing.md: the commands print what the page shows."""

import re
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from pentary.asm import assemble_text
from pentary.cli.commands import main
from pentary_sim.simulator import Simulator

PAGE = Path(__file__).parents[2] / "architecture" / "seeing.md"


def sessions():
    """Return (command, input, output) for each block of the page that begins with a command."""
    for block in re.findall(r"^    \$ pentary .*\n(?:(?:    .*)?\n)*", PAGE.read_text("utf-8"), re.MULTILINE):
        command, *lines = dedent(block).strip().splitlines()
        typed = [line.removeprefix("(pentary)").strip() for line in lines if line.startswith("(pentary)")]
        printed = [line for line in lines if not line.startswith("(pentary)")]
        yield command.split()[2:], typed, printed


@pytest.mark.parametrize(("command", "typed", "printed"), list(sessions()))
def test_a_session_on_the_page_is_what_happens(command, typed, printed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    match = re.search(r'assemble_text\("""\\\n(.*?)"""', PAGE.read_text("utf-8"), re.DOTALL)
    assert match
    Path("squares.s").write_text(re.sub(r"^    \.\.\. ?", "", match[1], flags=re.MULTILINE))
    Simulator(assemble_text("HALT")).run()  # compiles the model, since otherwise commands print a message
    run = CliRunner().invoke(main, command, input="".join(f"{line}\n" for line in typed))
    assert (run.exit_code, run.stderr) == (0, "")
    assert run.stdout.splitlines() == printed


def test_the_page_has_sessions_of_run_and_debug():
    assert [command[0] for command, _, _ in sessions()] == ["run", "debug"]
