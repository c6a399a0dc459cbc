"""Building a unit for a simulator, and running cocotb tests of it."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final
from unittest.mock import patch

from cocotb_tools.runner import Runner, get_runner

from pentary_hdl.bench.harness import TOP
from pentary_hdl.tools import processes
from pentary_hdl.tools.toolchain import build_once, check_installed, failure, verilator_settings

SIMULATORS: Final = ("verilator", "icarus")

_WAVES: Final = {"verilator": "dump.vcd", "icarus": "dump.fst"}
_TIMESCALE: Final = ("1ns", "1ns")


def build(simulator: str, verilog: str, folder: Path, waves: bool = False) -> Path:
    """Build a unit, unless the build exists.

    Args:
        simulator: from `SIMULATORS`.
        verilog: Verilog from `pentary_hdl.bench.harness.harness`.
        folder: parent of the folders of all builds.
        waves: whether the build can record waves, which makes it slower.

    Returns:
        The folder of the build.

    Raises:
        PentaryError: the simulator is not installed, or does not accept the Verilog.
    """
    check_installed(simulator)
    place = _place(simulator, verilog, folder, waves)
    build_once(place, lambda aside: _build(simulator, verilog, aside, waves))
    return place


def is_built(simulator: str, verilog: str, folder: Path, waves: bool = False) -> bool:
    """Return whether the build that `build` would make exists."""
    return _place(simulator, verilog, folder, waves).exists()


def run(
    simulator: str,
    build: Path,
    module: str,
    out: Path,
    seed: int,
    environment: Mapping[str, str] | None = None,
    waves: bool = False,
) -> Path | None:
    """Run the cocotb tests of a module.

    Args:
        simulator: from `SIMULATORS`.
        build: folder of the build, from `build`.
        module: importable name of the module with the tests.
        out: folder for `results.xml`, `log.txt` and the waves.
        seed: value of `cocotb.RANDOM_SEED`.
        environment: additional environment variables for the tests.
        waves: whether to record waves.

    Returns:
        The file of the waves, or None.

    Raises:
        PentaryError: the simulation aborted.
    """
    out.mkdir(parents=True, exist_ok=True)
    results = out / "results.xml"
    results.unlink(missing_ok=True)
    with _environment(simulator, out):
        runner = _runner(simulator)
        try:
            runner.test(
                test_module=module,
                hdl_toplevel=TOP,
                hdl_toplevel_lang="verilog",
                build_dir=build,
                test_dir=out,
                results_xml=str(results),
                seed=seed,
                extra_env=dict(environment or {}),
                waves=waves,
                plusargs=["+waves"] if simulator == "icarus" and waves else [],
                timescale=_TIMESCALE if simulator == "icarus" else None,
                log_file=out / "log.txt",
            )
        except (SystemExit, RuntimeError) as error:
            if not results.exists():
                raise failure("the simulation broke off", _read(out / "log.txt")) from error
    return out / _WAVES[simulator] if waves else None


def _place(simulator: str, verilog: str, folder: Path, waves: bool) -> Path:
    # Icarus records waves by a run-time option, so its builds are the same with and without.
    kind = f"{simulator}-waves" if waves and simulator == "verilator" else simulator
    return folder / f"{kind}-{sha256(verilog.encode()).hexdigest()[:16]}"


def _build(simulator: str, verilog: str, folder: Path, waves: bool) -> None:
    source = folder / "unit.v"
    source.write_text(verilog)
    log = folder / "build.log"
    with _environment(simulator, folder):
        try:
            _runner(simulator).build(
                sources=[source],
                hdl_toplevel=TOP,
                build_dir=folder,
                build_args=_build_args(simulator, waves),
                timescale=_TIMESCALE,
                waves=waves and simulator == "verilator",
                log_file=log,
            )
        except (SystemExit, RuntimeError) as error:
            raise failure(f"{simulator} does not build the unit", _read(log)) from error


def _read(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""


def _build_args(simulator: str, waves: bool) -> list[str]:
    if simulator == "icarus":
        return []
    return ["-Wno-fatal", *([] if waves else ["--no-public-flat-rw"])]


def _runner(simulator: str) -> Runner:
    runner = get_runner(simulator)
    runner.log.disabled = True
    return runner


@contextmanager
def _environment(simulator: str, folder: Path) -> Iterator[None]:
    """Set the environment of cocotb's runner, and make the processes that it starts end with this program."""
    settings = {"COCOTB_ANSI_OUTPUT": "0", **(verilator_settings(folder) if simulator == "verilator" else {})}
    with patch.dict(os.environ, settings), processes.ending_with_us():
        os.environ.pop("PYTEST_CURRENT_TEST", None)  # else cocotb names the results after it
        sys.stdout.flush()
        yield
