"""A core of the user's own: the program of architecture/verification.md, with ours and with a wrong one."""

import re
from pathlib import Path
from textwrap import dedent

import pytest
from amaranth import Module
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary.machine.config import Config
from pentary_hdl.core.core import Core
from pentary_hdl.verilog.export import verilog

PAGE = Path(__file__).parents[3] / "architecture" / "verification.md"


class Wrong(Core):
    """A core whose records say that the lowest pent of each result is 0."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.retired.value[0].eq(2)
        return m


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the page's program, in a folder with the files that it takes."""
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text(encoding="utf-8").split("### A core of yours")[1].split("| module |")[0]
    code, settings, command = (
        dedent(block) for block in re.findall(r"^    \S.*\n(?:(?:    .*)?\n)*", section, re.MULTILINE)
    )
    assert len(code.splitlines()) <= 30
    Path("small.toml").write_text(settings)
    done = CliRunner().invoke(main, command.split()[1:])
    assert done.exit_code == 0, done.output
    return code


def test_ours_agrees_with_the_model_and_hits_every_bin(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(program, {})
    assert re.fullmatch(r"\d+ programs, [\d,]+ cycles: no difference\n", capsys.readouterr().out)


def test_a_wrong_one_is_found(program: str) -> None:
    Path("core.v").write_text(verilog(Wrong(Config.load(Path("small.toml"))), "core"))
    with pytest.raises(SystemExit, match=r"program 1: .*value"):
        exec(program, {})
    done = CliRunner().invoke(main, ["verify", "core", "--config", "small.toml", "--verilog", "core.v"])
    assert done.exit_code == 2 and "configuration small.toml" in done.stderr and "program 1: " in done.stderr
    assert Path(done.stderr.split("cycles around it: ")[1].strip()).stat().st_size > 0
