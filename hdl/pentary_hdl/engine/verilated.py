"""The Verilog of the low-rank ALU as a process of its own, which works on batches of commands.

Verilator makes C++ of the Verilog, and `verilated.cpp` drives that in every cycle: all streams at full speed, each
payload offered as soon as the one before it has been taken. Python is asked once a batch. What goes through the pipes
are 64-bit integers in the machine's own order of bytes, and payloads as Verilator stores them: least significant byte
first, in so many bytes as the process says at its start for each of commands, base, totals, results and scalars.

| batch | |
|---|---|
| 5 integers | how many payloads of commands, base, totals are sent, of results and scalars expected |
| payloads | of commands, then base, then totals |

| answer | |
|---|---|
| 3 integers | 0 done, 1 a command is refused, 2 the unit hangs, or gives more than expected; cycles so far; responses |
| integers | for each command the cycle of its start, that in which the unit is free for the next one, of its response |
| integers, payloads | for each result its cycle, then what it is; the same for scalars |

A batch is done when everything has been taken and answered and the unit is free. After anything else the process ends.
"""

import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from amaranth import Shape
from amaranth.lib import data
from numpy.typing import NDArray

from pentary.numbers.word import PentaryError
from pentary_hdl.lralu.decoder import COMMAND
from pentary_hdl.lralu.twin import OPS, Command, LowRankModel, LowRankParameters
from pentary_hdl.lralu.unit import LowRankAlu
from pentary_hdl.tools import toolchain
from pentary_hdl.verilog.export import verilog

DRIVER: Final = Path(__file__).with_suffix(".cpp")

NO_ROWS: Final = np.empty((0, 1), np.int64)

_NAMES: Final = {code: name for name, code in OPS.items()}
_OFFSETS: Final = tuple(COMMAND[name].offset for name in Command._fields)
_DONE, _REFUSED = 0, 1


@cache
def _hardware(parameters: LowRankParameters) -> tuple[str, tuple[data.ArrayLayout, ...]]:
    """Give the Verilog, and the layouts of a beat of base, totals and results."""
    alu = LowRankAlu(parameters)
    layouts = (alu.base.payload.shape(), alu.totals.payload.shape(), alu.results.payload.shape()["elements"].shape)
    return verilog(alu, "lralu"), layouts


def build(source: str, say: Callable[[str], None]) -> Path:
    """Build the process, unless this has been done before.

    Args:
        source: Verilog of the unit.
        say: tells what takes long.

    Returns:
        The program.

    Raises:
        PentaryError: Verilator or what it needs is not installed, or does not accept the Verilog.
    """
    toolchain.check_installed("verilator")
    driver = DRIVER.read_text()
    place = toolchain.cache("engine") / f"verilator-{sha256((source + driver).encode()).hexdigest()[:16]}"
    toolchain.build_once(
        place, lambda aside: _build(source, driver, aside), lambda: say(toolchain.BUILDING.format("verilator"))
    )
    return place / "unit"


def _build(source: str, driver: str, folder: Path) -> None:
    (folder / "unit.v").write_text(source)
    (folder / "driver.cpp").write_text(driver)
    settings = toolchain.verilator_settings(folder)
    program = [
        *(f"{settings['VERILATOR_ROOT']}/bin/verilator", "--cc", "--exe", "--build", "-j", "0", "-Wno-fatal"),
        *("--x-assign", "fast", "--x-initial", "fast", "--top-module", "lralu", "-CFLAGS", "-Wall"),
        *("--Mdir", "made", "-o", "../unit", "unit.v", "driver.cpp"),
    ]
    (folder / "build.log").write_text(toolchain.run("verilator does not build the unit", program, folder, settings))


class Answer(NamedTuple):
    """What a batch has given, and in which cycles of the unit's clock.

    Attributes:
        starts, frees, responses: (commands,) when each was taken, the unit was free for the next, and it was answered.
        results: (rows, cols) int64: a row of each command that gives one.
        result_cycles: (rows,) when the last beat of each row was there.
        scalars: (words,) uint64: the codes of the words of PRNG.
        scalar_cycles: (words,) when each was there.
    """

    starts: NDArray[np.int64]
    frees: NDArray[np.int64]
    responses: NDArray[np.int64]
    results: NDArray[np.int64]
    result_cycles: NDArray[np.int64]
    scalars: NDArray[np.uint64]
    scalar_cycles: NDArray[np.int64]


class Unit:
    """The low-rank ALU. A context: at the end of it, the process ends.

    Args:
        parameters: of the hardware.
        say: tells what takes long.

    Attributes:
        parameters: of the hardware.
        cycles: of the clock so far, since the reset.
        busy_cycles: those in which it was occupied by a command.
        operations: how many there have been of each name.

    Raises:
        PentaryError: as for `build`.
    """

    def __init__(self, parameters: LowRankParameters, say: Callable[[str], None]) -> None:
        """Build the hardware, unless it has been built, and start it."""
        self.parameters = parameters
        source, self._layouts = _hardware(parameters)
        program = build(source, say)
        self.cycles = self.busy_cycles = 0
        self.operations = Counter(dict.fromkeys(OPS, 0))
        self._model = LowRankModel(parameters)  # for its control registers only
        # Ctrl-C is for us: the process ends when its input does.
        try:
            self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        except OSError as error:
            told = f"cannot run {program}: {error.strerror}; delete {program.parent} to have it built again"
            raise PentaryError(told) from error
        self._sizes = self._receive(np.int64, 5).tolist()

    def __enter__(self) -> "Unit":
        """Give the unit."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def run(self, commands: Sequence[Command], base: NDArray[Any] = NO_ROWS, totals: NDArray[Any] = NO_ROWS) -> Answer:
        """Execute commands, one after the other, each as soon as the unit is free for it.

        Args:
            commands: none of which is to be refused.
            base: (rows, cols) for the commands that take one, LRADD, LRACC and POPAVG, in their order; cols is COLS.
            totals: (rows, cols) for POPAVG.

        Raises:
            PentaryError: a command is refused, the unit hangs or gives what nobody has asked for, or the process dies.
        """
        for command in commands:
            if command.op == OPS["LRSET"]:
                self._model.execute(command)
        beats, words = self._model.beats(), sum(command.op == OPS["PRNG"] for command in commands)
        rows, size = len(base) * beats, self._sizes[0]
        self._send(
            struct.pack("=5Q", len(commands), rows, len(totals) * beats, rows, words),
            b"".join(_payload(command).to_bytes(size, "little") for command in commands),
            _pack(base, self._layouts[0], beats, self._sizes[1]),
            _pack(totals, self._layouts[1], beats, self._sizes[2]),
        )
        ending, self.cycles, answered = self._receive(np.int64, 3).tolist()
        starts, frees, responses = self._receive(np.int64, 3 * len(commands)).reshape(3, -1)
        result_cycles = self._receive(np.int64, rows).reshape(-1, beats)[:, -1]
        results = self._receive(np.uint8, rows * self._sizes[3]).reshape(rows, self._sizes[3])
        scalar_cycles = self._receive(np.int64, words)
        scalars = self._receive(np.uint64, words)
        if ending != _DONE:
            number = min(answered, len(commands) - 1)
            what = "refuses" if ending == _REFUSED else "hangs or goes wrong at"
            raise PentaryError(
                f"the hardware {what} {_NAMES[commands[number].op]}, number {number} of {len(commands)} commands, "
                f"in cycle {self.cycles:,}"
            )
        self.busy_cycles += int((frees - starts).sum())
        self.operations.update(_NAMES[command.op] for command in commands)
        elements = _unpack(results, self._layouts[2]).reshape(len(base), beats * self._layouts[2].length)
        return Answer(starts, frees, responses, elements[:, : base.shape[1]], result_cycles, scalars, scalar_cycles)

    def _send(self, *parts: bytes) -> None:
        try:
            self._process.stdin.write(b"".join(parts))
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None

    def _receive(self, kind: type, count: int) -> NDArray[Any]:
        size = count * np.dtype(kind).itemsize
        content = self._process.stdout.read(size)
        if len(content) < size:
            raise self._death()
        return np.frombuffer(content, kind)

    def _death(self) -> PentaryError:
        return PentaryError(f"the process of the hardware has ended, with status {self._process.wait()}")


def _payload(command: Command) -> int:
    return sum(field << offset for field, offset in zip(command, _OFFSETS, strict=True))


def _pack(rows: NDArray[Any], layout: data.ArrayLayout, beats: int, size: int) -> bytes:
    """Give rows of elements as beats of `size` bytes, 0 past the end of each row."""
    bits = Shape.cast(layout.elem_shape).width
    padded = np.zeros((len(rows), beats * layout.length), np.int64)
    padded[:, : rows.shape[1]] = rows
    elements = (padded[:, :, np.newaxis] >> np.arange(bits) & 1).astype(np.uint8)
    used = np.packbits(elements.reshape(len(rows) * beats, layout.length * bits), axis=1, bitorder="little")
    return np.pad(used, ((0, 0), (0, size - used.shape[1]))).tobytes()


def _unpack(beats: NDArray[np.uint8], layout: data.ArrayLayout) -> NDArray[np.int64]:
    """Give the elements in beats, one after the other."""
    bits = Shape.cast(layout.elem_shape).width
    unpacked = np.unpackbits(beats, axis=1, count=layout.length * bits, bitorder="little")
    weights = 1 << np.arange(bits)
    weights[-1] *= -1
    return unpacked.reshape(len(beats) * layout.length, bits) @ weights
