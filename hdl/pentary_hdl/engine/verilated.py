"""The Verilog of the low-rank ALU, compiled by Verilator into a process that executes batches of commands.

`verilated.cpp` drives the model in every cycle: all streams run at full speed, each payload being offered as soon as
the one before it has been taken. Python communicates with it once a batch, through pipes. They carry 64-bit integers in
native byte order, and payloads as Verilator stores them: least significant byte first, in the number of bytes that the
process reports at its start for each of commands, base, totals, results and scalars.

| batch | |
|---|---|
| 5 integers | numbers of payloads: commands, base and totals sent, results and scalars expected |
| payloads | commands, then base, then totals |

| answer | |
|---|---|
| 3 integers | status (0 done, 1 a command refused, 2 hang or unexpected output); cycles so far; responses |
| integers | cycles of all starts, then of the unit being free for the next command, then of all responses |
| integers, payloads | cycles of the results, then their payloads; the same for scalars |

A batch is done when everything has been taken and answered and the unit is free. The process exits after any status
other than 0.
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
from pentary_hdl.netlist.synthesis import netlist
from pentary_hdl.tools import toolchain
from pentary_hdl.verilog.export import verilog

DRIVER: Final = Path(__file__).with_suffix(".cpp")

NO_ROWS: Final = np.empty((0, 1), np.int64)

_NAMES: Final = {code: name for name, code in OPS.items()}
_OFFSETS: Final = tuple(COMMAND[name].offset for name in Command._fields)
_DONE, _REFUSED = 0, 1


@cache
def _hardware(parameters: LowRankParameters) -> tuple[str, tuple[data.ArrayLayout, ...]]:
    """Return the Verilog, and the layouts of a beat of base, totals and results."""
    alu: Any = LowRankAlu(parameters)
    layouts = (alu.base.payload.shape(), alu.totals.payload.shape(), alu.results.payload.shape()["elements"].shape)
    return verilog(alu, "lralu"), layouts


def build(source: str, say: Callable[[str], None]) -> Path:
    """Build the program of the process, unless it is in the cache.

    Args:
        source: Verilog of the unit.
        say: called with a message before the slow build.

    Returns:
        Path of the program.

    Raises:
        PentaryError: Verilator or a tool it needs is not installed, or it does not accept the Verilog.
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
        *("--output-split", "20000", "--output-split-cfuncs", "500"),
        *("--Mdir", "made", "-o", "../unit", "unit.v", "driver.cpp"),
    ]
    (folder / "build.log").write_text(toolchain.run("verilator does not build the unit", program, folder, settings))


class Answer(NamedTuple):
    """Outputs of a batch, and the cycles of the unit's clock in which they came.

    Attributes:
        starts, frees, responses: int64 (commands,): cycles in which each command was taken, the unit was free for the
            next one, and the command was answered.
        results: int64 (rows, cols): a row for each command that returns one.
        result_cycles: int64 (rows,): cycle of the last beat of each row.
        scalars: uint64 (words,): the encoded words of PRNG, 48 bits each.
        scalar_cycles: int64 (words,): cycle of each scalar.
    """

    starts: NDArray[np.int64]
    frees: NDArray[np.int64]
    responses: NDArray[np.int64]
    results: NDArray[np.int64]
    result_cycles: NDArray[np.int64]
    scalars: NDArray[np.uint64]
    scalar_cycles: NDArray[np.int64]


class Unit:
    """The simulated low-rank ALU: a context manager that ends its process on exit.

    Args:
        parameters: parameters of the hardware.
        say: called with a message before each slow step of the build.
        technology: what the unit is synthesised to, of `pentary_hdl.netlist.technologies.TECHNOLOGIES`; None for the
            Verilog before synthesis.

    Attributes:
        parameters: parameters of the hardware.
        cycles: clock cycles since the reset.
        busy_cycles: cycles in which a command occupied the unit.
        operations: number of operations by name.

    Raises:
        PentaryError: as for `build`.
    """

    def __init__(
        self, parameters: LowRankParameters, say: Callable[[str], None], technology: str | None = None
    ) -> None:
        """Build the program, unless it is in the cache, and start it."""
        self.parameters = parameters
        source, self._layouts = _hardware(parameters)
        if technology:
            source = netlist(LowRankAlu(parameters), "lralu", technology, say)
        program = build(source, say)
        self.cycles = self.busy_cycles = 0
        self.operations = Counter(dict.fromkeys(OPS, 0))
        self._model = LowRankModel(parameters)  # only to track the control registers
        # Ctrl-C must reach only this program: the process ends when its input is closed.
        try:
            self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        except OSError as error:
            told = f"cannot run {program}: {error.strerror}; delete {program.parent} to have it built again"
            raise PentaryError(told) from error
        self._sizes = self._receive(np.int64, 5).tolist()

    def __enter__(self) -> "Unit":
        """Return the unit."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.communicate()

    def run(self, commands: Sequence[Command], base: NDArray[Any] = NO_ROWS, totals: NDArray[Any] = NO_ROWS) -> Answer:
        """Execute a batch of commands, each as soon as the unit is free for it.

        Args:
            commands: legal commands.
            base: (rows, cols) for the commands that take a row (LRADD, LRACC and POPAVG), in order; cols is COLS.
            totals: (rows, cols) for POPAVG.

        Raises:
            PentaryError: a command is refused, the unit hangs or gives unexpected output, or the process dies.
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
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"".join(parts))
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None

    def _receive(self, kind: type, count: int) -> NDArray[Any]:
        assert self._process.stdout is not None
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
    """Pack rows of elements into beats of `size` bytes, with zeros past the end of each row."""
    bits = Shape.cast(layout.elem_shape).width
    padded = np.zeros((len(rows), beats * layout.length), np.int64)
    padded[:, : rows.shape[1]] = rows
    elements = (padded[:, :, np.newaxis] >> np.arange(bits) & 1).astype(np.uint8)
    used = np.packbits(elements.reshape(len(rows) * beats, layout.length * bits), axis=1, bitorder="little")
    return np.pad(used, ((0, 0), (0, size - used.shape[1]))).tobytes()


def _unpack(beats: NDArray[np.uint8], layout: data.ArrayLayout) -> NDArray[np.int64]:
    """Return the elements of beats, one after the other, as int64."""
    bits = Shape.cast(layout.elem_shape).width
    unpacked = np.unpackbits(beats, axis=1, count=layout.length * bits, bitorder="little")
    weights = 1 << np.arange(bits)
    weights[-1] *= -1
    return unpacked.reshape(len(beats) * layout.length, bits) @ weights
