"""Units beside the pipeline in Verilator: all inputs of a cycle in one port, all outputs in another."""

import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import amaranth
from amaranth import Cat, Module, Signal
from amaranth.back import rtlil
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

import pentary.isa
from pentary.isa.table import MAX_VL, VECTORS
from pentary.machine.config import Config
from pentary.numbers.word import PENTS
from pentary_hdl import lowrank, lralu, vector
from pentary_hdl.core import word as w
from pentary_hdl.lowrank.decoder import Op as LowRankOp
from pentary_hdl.lowrank.unit import LowRankUnit
from pentary_hdl.tools import toolchain
from pentary_hdl.vector.decoder import Decoder, Op
from pentary_hdl.vector.gate import add_gated_clocks
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.queue import Queue
from pentary_hdl.vector.scoreboard import USES, ticket_layout
from pentary_hdl.vector.unit import ANNOUNCED, RESULT
from pentary_hdl.vector.vector import Vector

DRIVER = Path(__file__).with_name("frames.cpp")

RESET_CYCLES = 1024
"""As many as the largest memory that a reset clears has rows."""

PORTS = {"vector": 2, "lowrank": 1}
"""Results that a unit gives in a cycle."""

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


def inputs(config: Config, units: Sequence[str]) -> data.StructLayout:
    """Return the layout of the inputs of a cycle."""
    sizes = Sizes.of(config)
    pipeline = data.StructLayout({"in_ex": 1, "enters": 1})
    write = {
        **{"enable": 1, "number": 3, "row": sizes.row_number, "mask": sizes.lanes},
        **{"words": data.ArrayLayout(w.WORD, sizes.lanes), "last": 1},
    }
    memory = {
        **{"in_ex": 1, "enters": 1, "uses": USES, "free": 1, "reads": VECTORS, "writes": VECTORS},
        "read": data.StructLayout({"first": 3, "row": sizes.row_number}),
        "write": data.StructLayout(write),
    }
    leaving = data.StructLayout({"instruction": w.WORD, "x": w.WORD, "y": w.WORD, "vl": range(MAX_VL + 1)})
    return data.StructLayout(
        {"reset": 1, "leaving": leaving, **dict.fromkeys(units, pipeline), "memory": data.StructLayout(memory)}
    )


def outputs(config: Config, units: Sequence[str]) -> data.StructLayout:
    """Return the layout of the outputs of a cycle."""
    memory = {"room": 1, "starts": 1, "words": Sizes.of(config).lanes * len(w.NOTHING) * PENTS}
    layouts = {"memory": data.StructLayout(memory)}
    for name in units:
        results = {f"result{port}": RESULT for port in range(PORTS[name])}
        announced = {f"announced{port}": ANNOUNCED for port in range(PORTS[name])}
        layouts[name] = data.StructLayout({"room": 1, "starts": 1, "idle": 1, **results, **announced})
    return data.StructLayout(layouts)


class Harness(wiring.Component):
    """Units with their decoders, and a user of the vector registers, of which only the queue is there.

    Members:
        i: In; of `inputs`.
        o: Out; of `outputs`.
    """

    def __init__(self, config: Config, units: Sequence[str]) -> None:
        """Create a harness."""
        self._config, self._units = config, units
        super().__init__({"i": In(inputs(config, units)), "o": Out(outputs(config, units))})

    def elaborate(self, platform: object) -> Module:
        """Connect the units."""
        m = Module()
        users = 1 + len(self._units)
        m.submodules.vector = vector = Vector(self._config, users - 1)
        m.d.comb += vector.vl.eq(self.i.leaving.vl)
        self._connect(m, "vector", vector, Op)
        actives = [vector.active]
        if "lowrank" in self._units:
            m.submodules.lowrank = unit = LowRankUnit(self._config, users)
            wiring.connect(m, vector.others[1], unit.vectors)
            self._connect(m, "lowrank", unit, LowRankOp)
            actives.append(unit.active)
        add_gated_clocks(m, *actives)
        self._move(m, vector.others[0])
        return m

    def _connect(self, m: Module, name: str, unit: Vector | LowRankUnit, ops: type[enum.Enum]) -> None:
        i, o = self.i, self.o[name]
        m.submodules[f"{name}_decoder"] = decoder = Decoder(ops)
        m.d.comb += [
            decoder.word.eq(i.leaving.instruction),
            unit.control.eq(decoder.control),
            *(getattr(unit, port).eq(i[name][port]) for port in ("in_ex", "enters")),
            *(getattr(unit, port).eq(i.leaving[port]) for port in ("x", "y")),
            *(o[port].eq(getattr(unit, port)) for port in ("room", "starts", "idle")),
            *(o[f"result{n}"].eq(result) for n, result in enumerate(unit.results)),
            *(o[f"announced{n}"].eq(announced) for n, announced in enumerate(unit.announced)),
        ]

    def _move(self, m: Module, user: wiring.PureInterface) -> None:
        i, o = self.i.memory, self.o.memory
        entries = self._config.pipeline.queue
        m.submodules.queue = queue = Queue(entries, ticket_layout(1 + len(self._units), entries))
        takes = Signal()
        m.d.comb += [
            takes.eq(queue.valid & user.ready & i.free),
            queue.in_ex.eq(i.in_ex),
            queue.enters.eq(i.enters),
            queue.entry.eq(user.ticket),
            queue.takes.eq(takes),
            user.enters.eq(i.enters),
            user.uses.eq(i.uses),
            user.asked.eq(queue.oldest),
            user.reads.eq(i.reads),
            user.writes.eq(i.writes),
            user.read.numbers[0].eq(i.read.first),
            user.read.row.eq(i.read.row),
            *(getattr(user.write, name).eq(i.write[name]) for name in ("enable", "number", "row", "mask", "last")),
            *(own.eq(word) for own, word in zip(user.write.words, i.write.words, strict=True)),
            o.room.eq(queue.room),
            o.starts.eq(takes),
            o.words.eq(Cat(word.as_value() for word in user.read.words[0])),
        ]


def build(config: Config, units: Sequence[str]) -> Path:
    """Build the program of a configuration, unless it is in the cache, and return its path."""
    parts = (vector, w, pentary.isa, lowrank, lralu)
    folders = [Path(part.__file__ or "").parent for part in parts[: None if "lowrank" in units else 3]]
    files = [*(path for folder in folders for path in sorted(folder.rglob("*.py"))), Path(__file__), DRIVER]
    text = "".join([amaranth.__version__, repr(config), *units, *(file.read_text() for file in files)])
    place = toolchain.cache("tests") / f"units-{sha256(text.encode()).hexdigest()[:16]}"
    toolchain.build_once(place, lambda folder: _build(config, units, folder))
    return place / "unit"


def _build(config: Config, units: Sequence[str], folder: Path) -> None:
    harness = Harness(config, units)
    ports = {name: (getattr(harness, name).as_value(), None) for name in "io"}
    (folder / "unit.il").write_text(rtlil.convert(harness, name="unit", ports=ports, emit_src=False))
    (folder / "driver.cpp").write_text(DRIVER.read_text())
    toolchain.yosys(folder, _SIMPLER)
    settings = toolchain.verilator_settings(folder)
    program = [
        *(f"{settings['VERILATOR_ROOT']}/bin/verilator", "--cc", "--exe", "--build", "-j", "2", "-Wno-fatal"),
        *("--x-assign", "fast", "--x-initial", "fast", "--top-module", "unit", "-CFLAGS", "-O0", "-O3"),
        *("-fno-gate", "-Wno-lint", "--Mdir", "made", "-o", "../unit", "unit.v", "driver.cpp"),
    ]
    toolchain.run("verilator does not build the unit", program, folder, settings)


def run(config: Config, units: Sequence[str], programs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the outputs of all cycles for the inputs of all cycles, as packed bits; a reset comes between programs."""
    sizes = [-(-layout(config, units).size // 32) * 4 for layout in (inputs, outputs)]
    reset = [1] * RESET_CYCLES
    frames = [frame for number, program in enumerate(programs) for frame in ([*(reset if number else []), *program])]
    sent = b"".join(frame.to_bytes(sizes[0], "little") for frame in frames)
    received = subprocess.run([build(config, units)], input=sent, capture_output=True, check=True).stdout
    assert len(received) == sizes[1] * len(frames), "the program ends early"
    found = [int.from_bytes(received[n : n + sizes[1]], "little") for n in range(0, len(received), sizes[1])]
    parts, first = [], 0
    for program in programs:
        parts.append(found[first : first + len(program)])
        first += len(program) + RESET_CYCLES
    return parts
