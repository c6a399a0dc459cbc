"""The processor's core: five stages that take each instruction in the cycle that `architecture/pipeline.md` says.

    IF   fetch.py      fetch, predict the next address
    ID   decode.py     read registers; an instruction waits here
    EX   execute.py    execute, branch, trap
    MEM  mem.py        memory and devices
    WB   mem.py        retire, with records of retire.py

An instruction that leaves EX is certain to complete. So a scalar result is written to the register file at the end of
EX, and whoever reads it in this cycle takes what is being written: no other forwarding is needed. Only a stage stalls
or drops its own instruction.
"""

from typing import Any, Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary_hdl.bus.axi import AXI
from pentary_hdl.caches.hierarchy import Caches
from pentary_hdl.core import parameters, retire
from pentary_hdl.core import word as w
from pentary_hdl.core.decode import Decode
from pentary_hdl.core.decoder import UNITS
from pentary_hdl.core.execute import Execute
from pentary_hdl.core.fetch import Fetch
from pentary_hdl.core.mem import MemoryStage
from pentary_hdl.core.ports import CONSOLE, EXIT, INPUT, READ, WRITE
from pentary_hdl.core.ports import moves as moves_port
from pentary_hdl.core.registers import Registers
from pentary_hdl.core.results import Results
from pentary_hdl.core.retire import Path
from pentary_hdl.core.system import COUNTED
from pentary_hdl.core.units import ACTIVE, RESULTS, Units
from pentary_hdl.crossbar.port import WHOLE, Shape, array_port
from pentary_hdl.vector import gate
from pentary_hdl.vector.parameters import Sizes

_CACHED: Final = {"axi": Out(AXI), "flushed": Out(1)}
"""Ports to memory with caches."""

_TIGHTLY_COUPLED: Final = {"fetch": Out(READ), "load": Out(READ), "store": Out(WRITE)}
"""Ports to memory without caches."""


class Core(wiring.Component):
    """The core.

    Args:
        config: configuration of the machine.
        gated: clocks of units stand still while these have nothing to do, for simulators.
        shape: of the array of the crossbar.

    Members:
        text: In; number of words in the text; constant while the core runs.
        axi: bus to memory, if the configuration has caches.
        flushed: Out; with caches, after the end: memory has all that the program has stored. Without caches there are
            instead of both
        fetch: instruction memory: `address` and `enable` in a cycle, `word` from the next one on;
        load: data memory, the same;
        store: `address`, `word` and `enable`; a load in the same cycle reads the new word;
        moves: of the vector load/store unit, of `ports.moves`, if there is one; never beside `load` or `store`.
        array: Out; to the crossbar's array, of `crossbar.port.array_port`, if there is a crossbar.
        console: characters that the program writes, with `ready` as back-pressure.
        exit: exit statuses that it writes.
        input: characters that it reads, each taken when `taken` is 1; `available` is how many there are.
        external: In; the line of the external interrupt rises in this cycle.
        halted: Out; HALT has retired, or a fault without a handler has ended the program.
        retired, retires; trapped, traps; product, products: Out; records of `retire.py`, and whether there is one.
        results, moved: Out; of `retire.RESULTS` and `retire.moved`.
        stages: Out; what is in the stages, of `retire.STAGES`.

    Raises:
        PentaryError: the hardware cannot have this configuration.
    """

    def __init__(self, config: Config, gated: bool = False, shape: Shape = WHOLE) -> None:
        """Create a core."""
        parameters.check(config)
        self.config, self._gated, self._shape = config, gated, shape
        coupled_vectors = config.units.vector and not config.caches.enabled
        super().__init__(
            {
                "text": In(w.WORD),
                **(_CACHED if config.caches.enabled else _TIGHTLY_COUPLED),
                **({"moves": Out(moves_port(Sizes.of(config).beat))} if coupled_vectors else {}),
                **({"array": Out(array_port(Sizes.of(config), shape))} if config.units.crossbar else {}),
                "console": Out(CONSOLE),
                "exit": Out(EXIT),
                "input": Out(INPUT),
                "external": In(1),
                "halted": Out(1),
                "retires": Out(1),
                "retired": Out(retire.RETIRED),
                "traps": Out(1),
                "trapped": Out(retire.TRAPPED),
                "products": Out(1),
                "product": Out(retire.PRODUCT),
                "results": Out(retire.RESULTS),
                "moved": Out(retire.moved(Sizes.of(config).beat)),
                "stages": Out(retire.STAGES),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the stages, memory and the units."""
        m = Module()
        config = self.config
        given = RESULTS if config.units.vector else 0
        m.submodules.fetching = fetching = Fetch(config)
        m.submodules.decode = decode = Decode()
        m.submodules.execute = execute = Execute(config, given)
        m.submodules.mem = mem = MemoryStage(config)
        m.submodules.registers = registers = Registers(3 + given, 2, config.memory.words)
        m.submodules.results = results = Results(given)

        m.d.comb += [
            fetching.text.eq(self.text),
            fetching.leaves.eq(decode.leaves),
            fetching.resolve.eq(execute.resolves),
            fetching.outcome.eq(execute.outcome),
            fetching.redirect.eq(execute.redirect),
            fetching.target.eq(execute.target),
            decode.valid.eq(fetching.valid),
            decode.fetched.eq(fetching.fetched),
            decode.loads.eq(mem.awaited),
            decode.products.eq(execute.awaited),
            decode.results.eq(results.awaited),
            decode.flags_wait.eq(execute.flags_wait),
            decode.acc_wait.eq(execute.acc_wait),
            decode.accesses.eq(execute.valid | mem.busy),
            decode.may_enter.eq(~execute.valid | execute.may_leave),
            decode.redirect.eq(execute.redirect),
            decode.trap.eq(execute.trap),
            *(scoreboard.used.eq(decode.used) for scoreboard in (mem, execute, results)),
            execute.enters.eq(decode.leaves),
            execute.issued.eq(decode.issued),
            execute.free.eq(mem.free),
            execute.text.eq(self.text),
            execute.external.eq(self.external),
            execute.arrives[0].register.eq(mem.register),
            execute.arrives[0].word.eq(mem.loaded),
            *(own.eq(result) for own, result in zip(list(execute.arrives)[1:], results.given, strict=True)),
            mem.enters.eq(execute.leaves),
            mem.may_enter.eq(execute.may_leave),
            *(getattr(mem, name).eq(getattr(execute, name)) for name in ("brought", "loads", "claimed", "claims")),
            mem.device.eq(execute.device),
        ]
        wiring.connect(m, execute.input, wiring.flipped(self.input))
        for name in ("console", "exit"):
            wiring.connect(m, getattr(mem, name), wiring.flipped(getattr(self, name)))

        # Registers: a write port for results, one for products, one for loaded words, and one for each unit's result.
        paths = [Path.FILE, Path.EX, Path.PRODUCT, Path.LOAD, *[Path.UNIT] * given]
        m.d.comb += [
            registers.numbers[0].eq(decode.used.x),
            registers.numbers[1].eq(decode.used.y | decode.used.late),
            *(own.eq(word) for own, word in zip(decode.words, registers.words, strict=True)),
            *(own.eq(write) for own, write in zip(registers.writes, execute.writes, strict=False)),
            *(own.eq(register) for own, register in zip(registers.passes, execute.passes, strict=False)),
            registers.writes[2].register.eq(mem.register),
            registers.writes[2].word.eq(mem.loaded),
            registers.passes[2].eq(mem.register),
            *(own.eq(result) for own, result in zip(list(registers.writes)[3:], results.given, strict=True)),
            *(own.eq(result.register) for own, result in zip(list(registers.passes)[3:], results.given, strict=True)),
        ]
        for path, passed in zip(decode.paths, registers.passed, strict=True):
            with m.Switch(passed):
                for number, own_path in enumerate(paths):
                    with m.Case(number):
                        m.d.comb += path.eq(own_path)

        if not given:
            m.d.comb += self.results.as_value().eq(0)  # without a driver an output becomes an input of the Verilog
        moves, idle, moving = moves_port(Sizes.of(config).beat).create(), Signal(init=1), Signal()
        if config.units.vector:  # no other unit is without it
            units = self._connect_units(m, fetching, decode, execute, results)
            wiring.connect(m, units.memory, wiring.flipped(moves))
            m.d.comb += [idle.eq(units.idle.all()), moving.eq(units.moves)]
        counted: dict[str, Value] = {"DCACHE_ACCESSES": moves.looks & moves.starts_line}
        if config.caches.enabled:
            counted |= self._connect_caches(m, fetching, execute, mem, moves, moving)
        else:
            self._connect_coupled(m, fetching, execute, mem, moves)

        m.d.comb += [
            execute.counts.eq(Cat(counted.get(name, Const(0, 1)) for name in COUNTED)),
            self.halted.eq(execute.ended & ~execute.valid & mem.empty & ~mem.retires & idle),
            self.retires.eq(mem.retires),
            self.retired.eq(mem.retired),
            self.traps.eq(execute.trap),
            self.trapped.eq(execute.trapped),
            self.products.eq(execute.products),
            self.product.eq(execute.product),
            *(own.eq(result) for own, result in zip(self.results, results.given, strict=False)),
            self.moved.valid.eq(moves.valid & moves.stores & moves.done),
            self.moved.last.eq(moves.ends),
            self.moved.address.eq(moves.address),
            self.moved.mask.eq(moves.mask),
            *(own.eq(word) for own, word in zip(self.moved.words, moves.words, strict=True)),
            self.stages.id_valid.eq(fetching.valid),
            self.stages.id_pc.eq(fetching.fetched.pc),
            self.stages.ex_valid.eq(execute.valid),
            self.stages.ex_pc.eq(execute.fetched.pc),
            self.stages.mem_valid.eq(mem.pc_valid),
            self.stages.mem_pc.eq(mem.pc),
            self.stages.wb_valid.eq(self.retires),
            self.stages.wb_pc.eq(self.retired.pc),
        ]
        return m

    def _connect_units(self, m: Module, fetching: Fetch, decode: Decode, execute: Execute, results: Results) -> Units:
        """Connect the units beside the pipeline."""
        units = Units(self.config, self._shape)
        if self._gated:
            gate.add_gated_clocks(m, units.active)
        m.submodules.units = units if self._gated else gate.without_gates(units, ACTIVE)
        if self.config.units.crossbar:
            wiring.connect(m, units.array, wiring.flipped(self.array))
        control = execute.fetched.control
        in_ex = Cat(execute.valid & (control.unit == unit) for unit in UNITS)
        m.d.comb += [
            units.word.eq(fetching.fetched.word),
            units.decodes.eq(decode.leaves),
            units.in_ex.eq(in_ex),
            units.enters.eq(execute.leaves),
            units.move.eq(control.move),
            units.text.eq(self.text),
            units.row.eq(execute.cycles),
            *(getattr(units, name).eq(getattr(execute, name)) for name in ("address", "x", "y", "vl", "last_row")),
            *(getattr(decode, name).eq(getattr(units, name)) for name in ("room", "idle", "complete")),
            execute.first_index.eq(units.first),
            execute.bad_index.eq(units.wrong),
            execute.wrong_index.eq(units.value),
            results.in_ex.eq(Mux(in_ex.any(), control.written, 0)),
            results.enters.eq(execute.leaves),
            *(own.eq(result) for own, result in zip(results.given, units.results, strict=True)),
            *(own.eq(register) for own, register in zip(results.announced, units.announced, strict=True)),
        ]
        return units

    def _connect_caches(
        self, m: Module, fetching: Fetch, execute: Execute, mem: MemoryStage, moves: Any, moving: Value
    ) -> dict[str, Value]:
        """Connect memory through caches; return what they count.

        Accesses of the pipeline and of vectors exclude each other.
        """
        m.submodules.caches = caches = Caches(self.config)
        # The line that is awaited comes from memory, as is known since it has been missed in L2.
        waits_for_line = ~fetching.outside & ~caches.ready & fetching.empty
        data_from_memory, line_from_memory = Signal(), Signal()
        for from_memory, taken, for_data in (
            (data_from_memory, caches.data_missed, 1),
            (line_from_memory, caches.instruction_missed, 0),
        ):
            with m.If(caches.missed & (caches.for_data == for_data)):
                m.d.sync += from_memory.eq(1)
            with m.Elif(taken):
                m.d.sync += from_memory.eq(0)
        wiring.connect(m, caches.axi, wiring.flipped(self.axi))
        now = execute.fetched
        enters = execute.leaves & execute.accesses & ~execute.device
        m.d.comb += [
            caches.store.address.eq(Mux(moves.valid, moves.address.as_value(), mem.store.address.as_value())),
            caches.store.enable.eq(Mux(moves.valid, moves.stores, mem.store.enable)),
            caches.store.word.eq(mem.store.word),
            caches.is_beat.eq(moves.valid),
            caches.mask.eq(moves.mask),
            *(own.eq(word) for own, word in zip(caches.stored, moves.words, strict=True)),
            *(own.eq(word) for own, word in zip(moves.loaded, caches.beat, strict=True)),
            moves.done.eq(caches.done),
            caches.pc.eq(fetching.address),
            caches.outside.eq(fetching.outside),
            caches.certain.eq(fetching.empty & ~execute.valid & ~execute.ended & ~moving),
            caches.read.eq(fetching.enable),
            caches.flush.eq(self.halted),
            self.flushed.eq(caches.flushed),
            fetching.ready.eq(caches.ready),
            fetching.way.eq(caches.way),
            fetching.word.eq(caches.instruction),
            fetching.missing.eq(Cat(waits_for_line, waits_for_line & line_from_memory)),
            caches.executed.eq((execute.commits | execute.trap) & ~now.outside),
            caches.executed_pc.eq(now.pc),
            caches.executed_way.eq(now.way),
            caches.address.eq(Mux(moves.looks, moves.next.as_value(), execute.address.as_value())),
            caches.enters.eq(moves.looks | enters),
            caches.valid.eq(moves.valid | mem.accesses),
            mem.at_once.eq(caches.comes),
            mem.done.eq(caches.done),
            mem.soon.eq(caches.soon),
            mem.from_memory.eq(data_from_memory),
            mem.memory.eq(caches.loaded),
            execute.bus_failed.eq(caches.failed),
            execute.bus_address.eq(caches.failed_at),
        ]
        return {
            "ICACHE_MISSES": caches.instruction_missed,
            "DCACHE_MISSES": caches.data_missed,
            "L2_MISSES": caches.missed,
        }

    def _connect_coupled(self, m: Module, fetching: Fetch, execute: Execute, mem: MemoryStage, moves: Any) -> None:
        """Connect tightly coupled memory."""
        m.d.comb += [
            self.fetch.address.eq(fetching.address),
            self.fetch.enable.eq(fetching.enable),
            fetching.ready.eq(1),
            fetching.word.eq(self.fetch.word),
            self.load.address.eq(execute.address),
            self.load.enable.eq(execute.leaves & execute.reads & ~execute.device),
            mem.done.eq(1),
            mem.memory.eq(self.load.word),
        ]
        wiring.connect(m, mem.store, wiring.flipped(self.store))
        if self.config.units.vector:
            wiring.connect(m, moves, wiring.flipped(self.moves))
