"""The vector unit and the crossbar in Verilator: all inputs of a cycle in one port, all outputs in another.

An array of 256 x 256 devices is the behavioural model, beside the Verilog; a smaller one is the digital array, in it.
"""

import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import amaranth
from amaranth import Cat, Module, Signal, Value
from amaranth.back import rtlil
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

import pentary.isa
from pentary.isa.table import MAX_VL, VECTORS
from pentary.machine.config import Config
from pentary.numbers.word import PENTS
from pentary_hdl import crossbar, vector
from pentary_hdl.core import word as w
from pentary_hdl.crossbar.array import Array
from pentary_hdl.crossbar.decoder import Decoder as CrossbarDecoder
from pentary_hdl.crossbar.port import Shape
from pentary_hdl.crossbar.unit import CrossbarUnit
from pentary_hdl.tools import toolchain
from pentary_hdl.vector.decoder import Decoder
from pentary_hdl.vector.gate import add_gated_clocks
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.queue import Queue
from pentary_hdl.vector.scoreboard import USES, ticket_layout
from pentary_hdl.vector.unit import ANNOUNCED, RESULT, RESULTS
from pentary_hdl.vector.vector import Vector

DRIVER = Path(__file__).with_name("frames.cpp")
MODEL = Path(crossbar.__file__).with_name("array.h")

_SIMPLER = (
    "read_rtlil unit.il",
    "hierarchy -top unit",
    "proc",
    "flatten",
    "opt_expr",
    "opt_merge",
    "opt_muxtree",
    "opt_clean -purge",
    "memory_collect",
    "opt_merge",
    "opt_clean -purge",
    "write_verilog -noattr unit.v",
)


def inputs(config: Config) -> data.StructLayout:
    """Return the layout of the inputs of a cycle."""
    sizes = Sizes.of(config)
    pipeline = {"in_ex": 1, "enters": 1}
    write = {
        **{"enable": 1, "number": 3, "row": sizes.row_number, "mask": sizes.lanes},
        **{"words": data.ArrayLayout(w.WORD, sizes.lanes), "last": 1},
    }
    other = {
        **pipeline,
        **{"uses": USES, "free": 1, "reads": VECTORS, "writes": VECTORS},
        "read": data.StructLayout({"first": 3, "row": sizes.row_number}),
        "write": data.StructLayout(write),
    }
    crossbar = {**pipeline, "instruction": w.WORD, "y": w.WORD, "vl": range(MAX_VL + 1)}
    return _by_user({**crossbar, "x": w.WORD}, other, crossbar)


def outputs(config: Config) -> data.StructLayout:
    """Return the layout of the outputs of a cycle."""
    crossbar = {"room": 1, "starts": 1, "idle": 1}
    unit = crossbar | {f"result{port}": RESULT for port in range(RESULTS)}
    unit |= {f"announced{port}": ANNOUNCED for port in range(RESULTS)}
    other = {"room": 1, "starts": 1, "words": Sizes.of(config).lanes * len(w.NOTHING) * PENTS}
    return _by_user(unit, other, crossbar)


def _by_user(*layouts: dict[str, Any]) -> data.StructLayout:
    users = zip(("unit", "other", "crossbar"), layouts, strict=True)
    return data.StructLayout({name: data.StructLayout(of) for name, of in users})


def array_layout(shape: Shape) -> data.StructLayout:
    """Return the layout of what goes to an array beside the harness."""
    return data.StructLayout(
        {
            **{"words": data.ArrayLayout(w.WORD, shape.inputs), "levels": data.ArrayLayout(w.DIGIT, shape.levels)},
            **{"loads": 1, "multiplies": 1, "step": 4, "row": 8},
        }
    )


class Harness(wiring.Component):
    """The vector unit with its decoder; a second user of its registers, of which only the queue is there; a crossbar.

    Members:
        i: In; of `inputs`.
        o: Out; of `outputs`.
        array, sums: what goes to an array beside the harness, of `array_layout`, and its answer.
    """

    def __init__(self, config: Config, shape: Shape) -> None:
        """Create a harness."""
        self._config, self._shape = config, shape
        beside = {}
        if shape == Shape():
            sums = data.ArrayLayout(w.WORD, shape.sums(Sizes.of(config)))
            beside = {"array": Out(array_layout(shape)), "sums": In(sums)}
        super().__init__({"i": In(inputs(config)), "o": Out(outputs(config)), **beside})

    def elaborate(self, platform: object) -> Module:
        """Connect the unit."""
        m = Module()
        i, o, entries = self.i, self.o, self._config.pipeline.queue
        m.submodules.crossbar = third = CrossbarUnit(self._config, 3, self._shape)
        m.submodules.vector = unit = Vector(self._config, 2, third.wide_rows)
        m.submodules.decoder = decoder = Decoder()
        add_gated_clocks(m, unit.active)
        other, _ = unit.others
        m.submodules.queue = queue = Queue(entries, ticket_layout(3, entries))
        m.d.comb += [
            decoder.word.eq(i.unit.instruction),
            unit.control.eq(decoder.control),
            *(getattr(unit, name).eq(i.unit[name]) for name in ("in_ex", "enters", "x", "y", "vl")),
            *(o.unit[name].eq(getattr(unit, name)) for name in ("room", "starts", "idle")),
            *(o.unit[f"result{n}"].eq(unit.results[n]) for n in range(RESULTS)),
            *(o.unit[f"announced{n}"].eq(unit.announced[n]) for n in range(RESULTS)),
        ]
        takes = Signal()
        m.d.comb += [
            takes.eq(queue.valid & other.ready & i.other.free),
            queue.in_ex.eq(i.other.in_ex),
            queue.enters.eq(i.other.enters),
            queue.entry.eq(other.ticket),
            queue.takes.eq(takes),
            other.enters.eq(i.other.enters),
            other.uses.eq(i.other.uses),
            other.asked.eq(queue.oldest),
            other.reads.eq(i.other.reads),
            other.writes.eq(i.other.writes),
            other.read.numbers[0].eq(i.other.read.first),
            other.read.row.eq(i.other.read.row),
            *(
                getattr(other.write, name).eq(i.other.write[name])
                for name in ("enable", "number", "row", "mask", "last")
            ),
            *(own.eq(word) for own, word in zip(other.write.words, i.other.write.words, strict=True)),
            o.other.room.eq(queue.room),
            o.other.starts.eq(takes),
            o.other.words.eq(Cat(word.as_value() for word in other.read.words[0])),
        ]
        self._connect(m, third, unit)
        return m

    def _connect(self, m: Module, unit: CrossbarUnit, vectors: Vector) -> None:
        """Connect the crossbar."""
        i, o = self.i.crossbar, self.o.crossbar
        m.submodules.crossbar_decoder = decoder = CrossbarDecoder()
        wiring.connect(m, unit.vectors, vectors.others[1])
        if unit.wide_rows:
            wiring.connect(m, unit.wide, vectors.wide)
        m.d.comb += [
            decoder.word.eq(i.instruction),
            unit.control.eq(decoder.control),
            *(getattr(unit, name).eq(i[name]) for name in ("in_ex", "enters", "y", "vl")),
            *(o[name].eq(getattr(unit, name)) for name in ("room", "starts", "idle")),
        ]
        if self._shape != Shape():
            m.submodules.array = array = Array(self._config, self._shape)
            wiring.connect(m, unit.array, array.port)
            return
        for name in ("loads", "multiplies", "step", "row"):
            m.d.comb += self.array[name].eq(getattr(unit.array, name))
        for name in ("levels", "words"):
            m.d.comb += self.array[name].eq(Cat(Value.cast(each) for each in getattr(unit.array, name)))
        m.d.comb += [own.eq(word) for own, word in zip(unit.array.sums, self.sums, strict=True)]


def build(config: Config, shape: Shape) -> Path:
    """Build the program of a configuration, unless it is in the cache, and return its path."""
    packages = (vector, crossbar, w, pentary.isa)
    folders = [Path(package.__file__ or "").parent for package in packages]
    files = [*(path for folder in folders for path in sorted(folder.glob("*.py"))), Path(__file__), DRIVER, MODEL]
    key = sha256("".join([amaranth.__version__, repr((config, shape)), *(file.read_text() for file in files)]).encode())
    place = toolchain.cache("tests") / f"vector-{key.hexdigest()[:16]}"
    toolchain.build_once(place, lambda folder: _build(config, shape, folder))
    return place / "unit"


def _build(config: Config, shape: Shape, folder: Path) -> None:
    harness = Harness(config, shape)
    ports = {name: (Value.cast(getattr(harness, name)), None) for name in harness.signature.members}
    (folder / "unit.il").write_text(rtlil.convert(harness, name="unit", ports=ports, emit_src=False))
    for file in (DRIVER, MODEL):
        (folder / file.name).write_text(file.read_text())
    toolchain.yosys(folder, _SIMPLER)
    settings = toolchain.verilator_settings(folder)
    flags = ["-O0", "-I.."]
    if "sums" in ports:
        flags.append(f"-DBEAT={len(harness.sums)}")
    program = [
        *(f"{settings['VERILATOR_ROOT']}/bin/verilator", "--cc", "--exe", "--build", "-j", "2", "-Wno-fatal"),
        *("--x-assign", "fast", "--x-initial", "fast", "--top-module", "unit", "-CFLAGS", " ".join(flags), "-O3"),
        *("-fno-gate", "-Wno-lint", "--Mdir", "made", "-o", "../unit", "unit.v", DRIVER.name),
    ]
    toolchain.run("verilator does not build the unit", program, folder, settings)


def run(config: Config, shape: Shape, frames: Sequence[int]) -> list[int]:
    """Return the outputs of all cycles, as packed bits, for the inputs of all cycles."""
    sizes = [-(-layout.size // 32) * 4 for layout in (inputs(config), outputs(config))]
    sent = b"".join(frame.to_bytes(sizes[0], "little") for frame in frames)
    received = subprocess.run([build(config, shape)], input=sent, capture_output=True, check=True).stdout
    assert len(received) == sizes[1] * len(frames), "the unit's program ends early"
    return [int.from_bytes(received[n : n + sizes[1]], "little") for n in range(0, len(received), sizes[1])]
