"""Programs on the Verilog of the core, compiled by Verilator into a process that has the memory and devices around it.

Python sends a program and what it reads, and receives retire records, if asked for, and the state at the end.
`core.cpp` is the process. Through its pipes go 64-bit integers in native byte order:

| sent | |
|---|---|
| 7 | words of image, text and memory; characters; interrupts; limit of cycles, -1 for none; 1 to record, else 0 |
| many | the image, the characters, the cycles of the interrupts in ascending order |

| received | |
|---|---|
| batches | a number of records, then 10 integers for each, as in `architecture/retire.md`; 0 after the last batch |
| 8 | number of the ending; cycles, instructions, traps; cause and address of the fault; exit status; words of output |
| many | words written to the console, P0 to P31, memory |
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import amaranth
import numpy as np
from amaranth.back import rtlil
from numpy.typing import NDArray

import pentary.isa
from pentary.isa.encoding import encode
from pentary.isa.program import Program
from pentary.isa.table import BY_NAME, REGISTERS
from pentary.machine.config import Config
from pentary.numbers.word import PentaryError
from pentary_hdl.core import parameters, retire
from pentary_hdl.core.core import Core
from pentary_hdl.tools import toolchain
from pentary_hdl.verilog.export import ports

DRIVER: Final = Path(__file__).with_suffix(".cpp")

ENDINGS: Final = ("halt", "fault", "cycles", "hang")

COLUMNS: Final = ("order", "cycle", "pc", "word", "trap", "register", "value", "address", "data", "flags")

_LAYOUTS: Final = {"RETIRED": retire.RETIRED, "TRAPPED": retire.TRAPPED, "PRODUCT": retire.PRODUCT}


@dataclass(frozen=True)
class Outcome:
    """State of the core at the end of a run.

    Attributes:
        ending: "halt", "fault", "cycles" if the limit was reached, or "hang" if nothing has retired for a million.
        cycles: cycles until the last instruction retired.
        instructions, traps: numbers of instructions that retired, and of traps that the handler took.
        cause, pc: of the fault: its number in CAUSE, and its address.
        exit_status: what the program has stored to EXIT.
        output: words stored to CONSOLE.
        registers: P0 to P31, (32,) int64.
        memory: all words, int64.
    """

    ending: str
    cycles: int
    instructions: int
    traps: int
    cause: int
    pc: int
    exit_status: int
    output: list[int]
    registers: NDArray[np.int64]
    memory: NDArray[np.int64]


def build(config: Config, say: Callable[[str], None], waves: bool = False) -> Path:
    """Build the program of the process, unless it is in the cache.

    Args:
        config: configuration of the core.
        say: called with a message before the slow build.
        waves: whether the process can record waves, which makes it slower.

    Returns:
        Path of the program.

    Raises:
        PentaryError: the hardware cannot have the configuration, or a tool that it needs is not installed.
    """
    parameters.check(config)
    toolchain.check_installed("verilator")
    if find_spec("pyosys") is None:
        raise PentaryError("Yosys is not installed: pip install 'pentary[hdl]'")
    files = {"layout.h": _layout(), "driver.cpp": DRIVER.read_text()}
    key = sha256("".join([_sources(), repr(config), str(waves), *files.values()]).encode()).hexdigest()[:16]
    place = toolchain.cache("engine") / f"core-{key}"
    toolchain.build_once(
        place,
        lambda aside: _build(config, files, waves, aside),
        lambda: say(toolchain.BUILDING.format("verilator")),
    )
    return place / "core"


@cache
def _sources() -> str:
    """Return what the Verilog is made of: the gateware's source code, and the version of its language."""
    folders = (Path(retire.__file__).parent, Path(pentary.isa.__file__).parent)
    return amaranth.__version__ + "".join(path.read_text() for place in folders for path in sorted(place.glob("*.py")))


def _layout() -> str:
    """Return C++ constants: where the fields of the records are, and the words of POP."""
    lines = ["#pragma once", "#include <cstdint>"]
    for name, layout in _LAYOUTS.items():
        for field, part in layout:
            lines.append(f"constexpr int {name}_{field} = {part.offset}, {name}_{field}_BITS = {part.width};")
    first, second = (encode(BY_NAME["POP"], d=number) for number in (0, 1))
    lines.append(f"constexpr int64_t POP = {first}, POP_STEP = {second - first};")
    return "\n".join(lines) + "\n"


_SIMPLER: Final = (
    "read_rtlil core.il",
    "hierarchy -top core",
    "proc",
    "flatten",
    "opt_expr",
    "opt_merge",
    "opt_muxtree",
    "opt_clean -purge",
    "memory_collect",
    "opt_merge",
    "opt_clean -purge",
    "write_verilog -noattr core.v",
)
"""Yosys commands that make the core one module without the signals and expressions that occur twice."""


def _build(config: Config, files: dict[str, str], waves: bool, folder: Path) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    core = Core(config)
    named = {port.name: (port.value, None) for port in ports(core)}
    (folder / "core.il").write_text(rtlil.convert(core, name="core", ports=named, emit_src=False))
    toolchain.yosys(folder, _SIMPLER)
    settings = toolchain.verilator_settings(folder)
    program = [
        *(f"{settings['VERILATOR_ROOT']}/bin/verilator", "--cc", "--exe", "--build", "-j", "0", "-Wno-fatal"),
        *("--x-assign", "fast", "--x-initial", "fast", "--top-module", "core", "-CFLAGS", "-Wall -O1", "-O3"),
        *("-fno-gate", "-Wno-lint", *(["--trace"] if waves else [])),
        *("--Mdir", "made", "-o", "../core", "core.v", "driver.cpp"),
    ]
    (folder / "build.log").write_text(toolchain.run("verilator does not build the core", program, folder, settings))


class Run:
    """A run of a program on the core: iterate over its records, then take its outcome.

    Args:
        program: executable of the process, from `build`.
        image: the program to run.
        config: configuration of the core, with the size of its memory.
        input: characters that the program reads, as code points.
        interrupts: cycles in which the external line rises.
        max_cycles: the last instruction is the first one that retires in or after this cycle.
        recording: whether there are records.
        memory: words of memory at the start, in place of the program's image.
        waves: file for the waves of all signals; "" for none.

    Attributes:
        outcome: state at the end; there when all records have been taken.

    Raises:
        PentaryError: the program does not fit the memory; while records are taken, the process dies.
    """

    outcome: Outcome

    def __init__(
        self,
        program: Path,
        image: Program,
        config: Config,
        input: Sequence[int] = (),
        interrupts: Sequence[int] = (),
        max_cycles: int | None = None,
        recording: bool = True,
        memory: NDArray[np.int64] | None = None,
        waves: str = "",
    ) -> None:
        """Start the process."""
        words = image.image if memory is None else memory
        if max(image.size, len(words)) > config.memory.words:
            raise PentaryError(
                f"the program takes {max(image.size, len(words)):,} words, but memory.words is {config.memory.words:,}"
            )
        # Ctrl-C must reach only this program: the process ends when its pipes are closed.
        self._process = subprocess.Popen(
            [program, *([waves] if waves else [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        counts = [len(words), image.text, config.memory.words, len(input), len(interrupts)]
        counts += [-1 if max_cycles is None else max_cycles, int(recording)]
        sent = [counts, words, list(input), sorted(interrupts)]
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"".join(np.asarray(part, np.int64).tobytes() for part in sent))
            self._process.stdin.close()
        except BrokenPipeError:
            raise self._death() from None
        self._memory = config.memory.words

    def __enter__(self) -> "Run":
        """Return the run."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill the process, if it has not ended."""
        self._process.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()

    def __iter__(self) -> Iterator[dict[str, NDArray[np.int64]]]:
        """Yield the records in batches, each as columns of `architecture/retire.md`."""
        while count := self._receive(1).item():
            rows = self._receive(count * len(COLUMNS)).reshape(count, len(COLUMNS))
            yield {name: rows[:, place] for place, name in enumerate(COLUMNS)}
        ending, cycles, instructions, traps, cause, pc, exit_status, written = self._receive(8).tolist()
        output = self._receive(written).tolist()
        registers, memory = self._receive(REGISTERS), self._receive(self._memory)
        self.outcome = Outcome(
            ENDINGS[ending], cycles, instructions, traps, cause, pc, exit_status, output, registers, memory
        )

    def _receive(self, count: int) -> NDArray[Any]:
        assert self._process.stdout is not None
        content = self._process.stdout.read(count * 8)
        if len(content) < count * 8:
            raise self._death()
        return np.frombuffer(content, np.int64)

    def _death(self) -> PentaryError:
        return PentaryError(f"the process of the hardware has ended, with status {self._process.wait()}")
