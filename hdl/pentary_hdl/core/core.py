"""The processor's core: five stages that take each instruction in the cycle that `architecture/pipeline.md` says.

    IF   fetch.py      fetch, predict the next address
    ID   decoder.py    decode, read registers; an instruction waits here
    EX   alu.py ...    execute, branch, trap
    MEM  mem.py        memory and devices
    WB   mem.py        retire, with records of retire.py

An instruction that leaves EX is certain to complete. So a scalar result is written to the register file at the end of
EX, and whoever reads it in this cycle takes what is being written: no other forwarding is needed. Only a stage stalls
or drops its own instruction.
"""

from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.system import CAUSES, DEVICES
from pentary.isa.table import BY_NAME, STACK
from pentary.machine.config import Config
from pentary.numbers.word import PENTS
from pentary_hdl.bus.axi import AXI
from pentary_hdl.caches.hierarchy import Caches
from pentary_hdl.core import parameters, retire
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import FLAGS, Alu, Operands, second_operand
from pentary_hdl.core.decoder import UNITS, Kind, Operand, Unit
from pentary_hdl.core.divider import Divider
from pentary_hdl.core.faults import Faults
from pentary_hdl.core.fetch import FETCHED, Fetch
from pentary_hdl.core.lengths import ROWS, Lengths
from pentary_hdl.core.mem import BROUGHT, MemoryStage
from pentary_hdl.core.multiplier import Multiplier
from pentary_hdl.core.ports import CONSOLE, EXIT, INPUT, READ, WRITE, Order
from pentary_hdl.core.ports import moves as moves_port
from pentary_hdl.core.products import Products
from pentary_hdl.core.registers import Registers
from pentary_hdl.core.results import Results
from pentary_hdl.core.retire import Path
from pentary_hdl.core.system import COUNTED, System, flags_as_word
from pentary_hdl.core.units import ACTIVE, RESULTS, Units
from pentary_hdl.crossbar.port import WHOLE, Shape, array_port
from pentary_hdl.vector import gate
from pentary_hdl.vector.parameters import Sizes

DIVISION: Final = int(BY_NAME["DIV"].occupancy)
PRODUCT: Final = int(BY_NAME["MUL"].latency)

_EX: Final = data.StructLayout(
    {
        "fetched": FETCHED,
        "x": w.WORD,
        "y": data.ArrayLayout(w.DIGIT, PENTS + 1),
        "late": w.WORD,  # the datum of a store
        "late_comes": 1,  # it comes in the first cycle in EX
        "met": retire.MET,
    }
)


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
        """Connect the stages."""
        m = Module()
        config = self.config
        overflow_trap = config.exceptions.overflow_trap

        m.submodules.fetching = fetching = Fetch(config)
        given = RESULTS if config.units.vector else 0
        m.submodules.registers = registers = Registers(3 + given, 2, config.memory.words)
        m.submodules.alu = alu = Alu()
        m.submodules.multiplier = multiplier = Multiplier()
        m.submodules.divider = divider = Divider()
        m.submodules.products = products = Products()
        m.submodules.results = results = Results(given)
        m.submodules.system = system = System()
        m.submodules.lengths = lengths = Lengths(config)
        m.submodules.faults = faults = Faults(config)
        m.submodules.mem = mem = MemoryStage(config)

        ended = Signal()
        flags = Signal(FLAGS)
        order = Signal(retire.ORDER_BITS)

        ex, ex_valid, ex_first, ex_count = Signal(_EX), Signal(), Signal(), Signal(5)
        ex_leaves, commits, committed = Signal(), Signal(), Signal()
        ex_may_leave = Signal()  # it leaves EX if it does not trap
        access_comes = Signal(init=1)  # its access to memory takes place in its first cycle in MEM
        trap, late_trap, redirect = Signal(), Signal(), Signal()
        index_trap, wrong_index = Signal(), Signal(w.WORD)  # by an address of LOADVX or STOREVX

        # ID
        fetched, control = fetching.fetched, fetching.fetched.control
        leaves = Signal()  # to EX; unless all in ID and before is dropped, which is known late in the cycle
        m.d.comb += [
            fetching.text.eq(self.text),
            fetching.leaves.eq(leaves),
            registers.numbers[0].eq(control.x),
            registers.numbers[1].eq(control.y | control.late),
        ]
        y = list(registers.words[1])
        choices = {
            kind: second_operand(kind, list(registers.words[0]), y, list(control.immediate)) for kind in Operands
        }
        operand = Signal(data.ArrayLayout(w.DIGIT, PENTS + 1))
        with m.Switch(control.operands):
            for kind, digits in choices.items():
                with m.Case(kind):
                    m.d.comb += w.assign(operand, digits)

        ex_control = ex.fetched.control
        ex_loads = ex_valid & ((ex_control.kind == Kind.LOAD) | (ex_control.kind == Kind.POP))
        claimed = Mux(commits, ex_control.written, 0)  # the register that is given a new value in program order
        # The same, if it is to be certain in this cycle: else no instruction enters EX, for which alone it counts.
        uncommitted = ex_valid & ~committed
        to_claim = Mux(uncommitted, ex_control.written, 0)

        def load_waits(number: Value) -> Value:
            """Return whether a word loaded for a register comes in a later cycle."""
            own = ex_loads & (ex_control.written == number) & (number != 0)
            return own | mem.waits(number, to_claim)

        def path(number: Value) -> Value:
            """Return where the word of a register comes from."""
            found: Value = Const(Path.FILE.value, Path)
            paths = (Path.EX, Path.PRODUCT, Path.LOAD, *[Path.UNIT] * given)
            for passes, own in reversed(list(zip(registers.passes, paths, strict=True))):
                found = Mux(passes == number, own.value, found)
            return Mux(number == 0, Path.NONE.value, found)

        own_late = ex_loads & (ex_control.written == control.late) & (control.late != 0)
        own_late = own_late & ~(ex_may_leave & mem.comes_next(faults.device, access_comes))
        waits_for_index, waits_for_moves, waits_for_room, waits_for_units = (Signal() for _ in range(4))
        numbers = (control.x, control.y, control.written)
        waits = {
            "load_use": load_waits(control.x)
            | load_waits(control.y)
            | own_late
            | mem.waits_late(control.late, to_claim),
            "multiply_use": Cat(products.waits(number) for number in numbers).any()
            | products.waits_late(control.late)
            | (control.reads_flags & products.flags_wait)
            | (control.reads_acc & products.acc_wait),
            "unit_result": Cat(results.waits(number) for number in numbers).any()
            | results.waits_late(control.late)
            | waits_for_index,
            "memory_order": waits_for_moves | (control.counts_accesses & (ex_valid | mem.busy)),
            "queue": waits_for_room,
            "sync": waits_for_units,
        }
        may_leave = fetching.valid & (~ex_valid | ex_may_leave)
        m.d.comb += leaves.eq(may_leave & ~Cat(waits.values()).any())

        # ID: what the instruction has waited for, for its record
        waited, before = Signal(len(retire.WAITS)), Signal(len(retire.WAITS))  # in ID, and before
        reasons = {
            **{name: may_leave & holds for name, holds in waits.items()},
            "fetch_l2": leaves & fetched.missed[0],
            "fetch_memory": leaves & fetched.missed[1],
        }
        now = waited | Cat(reasons.get(name, Const(0, 1)) for name in retire.WAITS)
        with m.If(redirect):
            m.d.sync += [waited.eq(0), before.eq(Cat({"flush": ~trap, "trap": trap}.get(n, 0) for n in retire.WAITS))]
        with m.Else():
            m.d.sync += waited.eq(Mux(leaves, 0, now))
            with m.If(leaves):
                m.d.sync += before.eq(0)
        with m.If(leaves):
            m.d.sync += [
                ex.fetched.eq(fetched),
                ex.x.eq(registers.words[0]),
                ex.y.eq(operand),
                ex.late.eq(registers.words[1]),
                ex.late_comes.eq(load_waits(control.late) | products.waits(control.late) | results.waits(control.late)),
                ex.met.waits.eq(now | before),
                ex.met.x.eq(path(control.x)),
                ex.met.y.eq(path(control.y)),
                ex.met.late.eq(path(control.late)),
                ex_valid.eq(~redirect),
                ex_first.eq(1),
                ex_count.eq(0),
                committed.eq(0),
            ]
        with m.Else():
            m.d.sync += [ex_first.eq(0), committed.eq(committed | commits)]
            with m.If(ex_leaves | trap):
                m.d.sync += ex_valid.eq(0)

        # EX: what the instruction computes
        kind, pc = ex_control.kind, ex.fetched.pc
        of_unit, indexed = ex_control.unit != Unit.NONE, ex_control.moves & (ex_control.move.order == Order.INDEXED)
        multiplies, divides = kind == Kind.MULTIPLY, kind == Kind.DIVIDE
        by_register = ex_control.operands == Operands.RT
        m.d.comb += [
            alu.op.eq(ex_control.op),
            alu.x.eq(ex.x),
            *(own.eq(digit) for own, digit in zip(alu.y, ex.y, strict=False)),
            alu.beyond.eq(ex.y[PENTS]),
            alu.k.eq(Mux(by_register, w.number_of(list(ex.y)[:3]), ex_control.k)),
            alu.acc.eq(multiplier.acc),
            multiplier.x.eq(ex.x),
            multiplier.y.eq(alu.y),
            multiplier.op.eq(ex_control.multiply),
            multiplier.start.eq(ex_valid & ex_first & multiplies & ~faults.happens_early),
            multiplier.drop.eq(late_trap),
            divider.x.eq(ex.x),
            divider.y.eq(alu.y),
            divider.start.eq(ex_valid & ex_first & divides & ~faults.happens_early),
        ]
        divided = w.chosen(ex_control.remainder, list(divider.remainder), list(divider.quotient))

        # EX: faults and interrupts. Addresses have an adder of their own, as their checks take long.
        address, carried = w.add(m, list(ex.x), list(alu.y))
        external, bus_failed, bus_address = Signal(), Signal(), Signal(w.WORD)
        pending = external | self.external
        m.d.comb += [
            faults.control.eq(ex_control),
            faults.outside.eq(ex.fetched.outside),
            faults.pc.eq(pc),
            faults.x.eq(ex.x),
            faults.y.eq(alu.y),
            *w.assign(faults.sum, address),
            faults.beyond.eq(carried != 1),
            faults.overflows.eq(alu.flags.v),
            faults.text.eq(self.text),
            faults.input_valid.eq(self.input.valid),
            faults.bus.eq(bus_failed),
            faults.bus_address.eq(bus_address),
            faults.external.eq(pending & system.enabled),
            faults.timer.eq(system.timer & system.enabled),
            faults.csr_fits.eq(system.fits),
        ]
        taken_external = ex_valid & ex_first & faults.external & ~bus_failed
        m.d.sync += external.eq(pending & ~taken_external)
        m.d.comb += trap.eq((ex_valid & ex_first & faults.happens) | late_trap | index_trap)
        if overflow_trap:
            m.d.comb += late_trap.eq(
                ex_valid & (ex_count == PRODUCT - 1) & ~committed & ex_control.traps_late & multiplier.flags.v
            )

        m.d.comb += [
            lengths.new.eq(ex.x),
            lengths.sets_length.eq(commits & (kind == Kind.SETVL)),
            lengths.sets_rows.eq(commits & (ex_control.checked == Operand.CONTROL) & (ex_control.csr == ROWS)),
            faults.length.eq(lengths.length),
            faults.beyond_length.eq(lengths.beyond),
            faults.rows.eq(lengths.rows),
        ]

        # EX: when it is certain, and when it leaves
        last = Signal(5)
        with m.If(divides):
            m.d.comb += last.eq(DIVISION - 1)
        with m.Elif(kind == Kind.POP):
            m.d.comb += last.eq(1)
        with m.Elif(indexed):
            m.d.comb += last.eq(lengths.last_row)
        if overflow_trap:
            with m.Elif(ex_control.traps_late):
                m.d.comb += last.eq(PRODUCT - 1)
        with m.If(~leaves & (ex_count != last)):
            m.d.sync += ex_count.eq(ex_count + 1)
        at_end = ex_count == last
        m.d.comb += [
            commits.eq(ex_valid & at_end & ~committed & ~trap),
            ex_may_leave.eq(ex_valid & at_end & mem.free),
            ex_leaves.eq(ex_may_leave & ~trap),
        ]
        m.d.sync += order.eq(order + (commits | trap))

        # EX: jumps and branches
        equal, less = alu.equal, alu.less
        holds = (ex_control.relations & Cat(less, equal, ~less & ~equal)).any()
        branches, jumps = kind == Kind.BRANCH, kind == Kind.JUMP
        distance = [*ex_control.immediate, *[w.NOTHING] * (PENTS - len(ex_control.immediate))]
        away, _ = w.add(m, list(pc), distance)
        following, goes = ex.fetched.following, Signal(w.WORD)
        m.d.comb += goes.eq(following)
        with m.If(jumps & ex_control.through_register):
            m.d.comb += goes.eq(ex.x)
        with m.Elif(jumps | holds):
            m.d.comb += w.assign(goes, away)
        mispredicted = (branches | jumps) & (goes.as_value() != ex.fetched.predicted.as_value())
        m.d.comb += [
            fetching.resolve.eq(commits & (branches | jumps)),
            fetching.outcome.pc.eq(pc),
            fetching.outcome.target.eq(goes),
            fetching.outcome.taken.eq(jumps | (goes.as_value() != following.as_value())),
            fetching.outcome.conditional.eq(branches),
            fetching.outcome.calls.eq(ex_control.calls),
            fetching.outcome.returns.eq(ex_control.returns),
            fetching.outcome.following.eq(following),
            redirect.eq(ended | trap | (commits & (mispredicted | (kind == Kind.TRET) | (kind == Kind.HALT)))),
            fetching.redirect.eq(redirect),
            fetching.target.eq(Mux(trap, system.handler, Mux(kind == Kind.TRET, system.epc, goes))),
        ]
        with m.If((commits & (kind == Kind.HALT)) | (trap & ~system.handled)):
            m.d.sync += ended.eq(1)

        # EX: what it writes
        result, given_flags = Signal(w.WORD), Signal(FLAGS)
        m.d.comb += [result.eq(alu.result), given_flags.eq(alu.flags)]
        with m.Switch(kind):
            with m.Case(Kind.JUMP):
                m.d.comb += result.eq(following)
            with m.Case(Kind.CSRR):
                m.d.comb += result.eq(system.value)
            with m.Case(Kind.FLAGS):
                m.d.comb += w.assign(result, flags_as_word(flags))
            with m.Case(Kind.DIVIDE):
                zero, below = w.is_nothing(divided), w.is_less(divided, w.constant(0))
                m.d.comb += w.assign(result, divided)
                m.d.comb += given_flags.as_value().eq(Cat(zero, below, ~zero & ~below))
            with m.Case(Kind.TRET):
                m.d.comb += given_flags.eq(system.old_flags)
        loads = (kind == Kind.LOAD) | (kind == Kind.POP)
        written = Signal(5)
        with m.If(kind == Kind.POP):
            m.d.comb += written.eq(Mux(ex_control.written == STACK, 0, STACK))
        with m.Elif((kind != Kind.LOAD) & ~multiplies & ~of_unit):
            m.d.comb += written.eq(ex_control.written)
        gives_flags = (ex_control.sets_flags & ~multiplies) | (kind == Kind.TRET)
        # A product that may still trap stays in EX until those before it are done, so it has none to overtake.
        sure = ~ex_control.traps_late if overflow_trap else Const(1, 1)
        overtaken = (commits & gives_flags) | (multiplier.start & sure)
        m.d.comb += [
            registers.writes[0].register.eq(Mux(commits, written, 0)),
            registers.writes[0].word.eq(result),
            registers.passes[0].eq(Mux(uncommitted, written, 0)),
            registers.writes[1].register.eq(Mux(products.done & ~late_trap, products.done_register, 0)),
            registers.writes[1].word.eq(multiplier.result),
            registers.passes[1].eq(Mux(products.done, products.done_register, 0)),
            products.start.eq(multiplier.start),
            products.register.eq(ex_control.written),
            products.acc.eq(ex_control.writes_acc),
            products.overtaken.eq(overtaken),
        ]
        flags_now = Signal(FLAGS)  # with those of the product that comes
        m.d.comb += flags_now.eq(flags)
        with m.If(products.done_flags & ~late_trap):
            m.d.comb += flags_now.eq(multiplier.flags)
        m.d.sync += flags.eq(Mux(commits & gives_flags, given_flags, flags_now))

        moves = moves_port(Sizes.of(config).beat).create()  # of the vector load/store unit, to memory
        if not config.caches.enabled and config.units.vector:
            moves = self.moves
        # EX: control and status registers
        access = loads | (kind == Kind.STORE) | (kind == Kind.PUSH)
        moves_line = moves.looks & moves.starts_line
        counted = {
            "INSTRET": commits,
            "BRANCHES": fetching.resolve,
            "MISPREDICTIONS": commits & mispredicted,
            "DCACHE_ACCESSES": (commits & access & ~faults.device) | moves_line,
        }
        if config.caches.enabled:
            m.submodules.caches = caches = Caches(config)
            counted |= {
                "ICACHE_MISSES": caches.instruction_missed,
                "DCACHE_MISSES": caches.data_missed,
                "L2_MISSES": caches.missed,
            }
        late_at_trap = Signal()
        with m.If(trap):
            m.d.sync += late_at_trap.eq(products.flags_wait)
        with m.Elif(products.done_flags):
            m.d.sync += late_at_trap.eq(0)
        m.d.comb += [
            system.number.eq(ex_control.csr),
            system.text.eq(self.text),
            system.new.eq(ex.x),
            system.write.eq(commits & (kind == Kind.CSRW)),
            system.trap.eq(trap & system.handled),
            system.happened.cause.eq(faults.cause),
            system.happened.pc.eq(pc),
            system.happened.value.eq(faults.value),
            system.flags.eq(flags_now),
            system.late_flags.eq(late_at_trap & products.done_flags),
            system.leave.eq(commits & (kind == Kind.TRET)),
            system.counted.eq(Cat(counted.get(name, Const(0, 1)) for name in COUNTED)),
        ]
        if overflow_trap:
            with m.If(late_trap):
                m.d.comb += [
                    *w.assign(system.happened.cause, w.constant(CAUSES["overflow"])),
                    *w.assign(system.happened.value, w.constant(0)),
                ]

        with m.If(index_trap):
            m.d.comb += [
                *w.assign(system.happened.cause, w.constant(CAUSES["memory"])),
                system.happened.value.eq(wrong_index),
            ]

        # MEM
        brought, held, entered = Signal(BROUGHT), Signal(BROUGHT), Signal(w.WORD)
        first_address = Signal(w.WORD)
        with m.If(ex_first):
            m.d.sync += entered.eq(system.cycle)
        moved, late_path = Signal(w.WORD), Signal(Path)  # datum of a store, or word of a device
        m.d.comb += late_path.eq(ex.met.late)
        m.d.comb += w.assign(moved, w.chosen(loads, list(self.input.word), list(ex.late)))
        is_available = Cat(*faults.address) == Cat(*w.constant(DEVICES["AVAILABLE"].address))
        with m.If(loads & is_available):
            m.d.comb += moved.eq(self.input.available)
        with m.If(~loads & ex_first & ex.late_comes):
            is_loaded = mem.register == ex_control.late
            m.d.comb += [
                moved.eq(Mux(is_loaded, mem.loaded, multiplier.result)),
                late_path.eq(Mux(is_loaded, Path.LOAD, Path.PRODUCT)),
            ]
            for port in results.given:
                with m.If(port.register == ex_control.late):
                    m.d.comb += [moved.eq(port.word), late_path.eq(Path.UNIT)]
        stores = access & ~loads
        reading = loads & ~faults.device
        product_outstanding = products.flags_wait & ~(commits & gives_flags)
        record = brought.record
        m.d.comb += [
            brought.eq(held),
            self.input.taken.eq(commits & loads & faults.device & ~is_available),
        ]
        # What an instruction of one cycle does is known in its first one, also if it then waits in EX for MEM.
        with m.If(commits):
            m.d.comb += [
                record.order.eq(order),
                record.execute.eq(Mux(ex_first, system.cycle.as_value(), entered.as_value())),
                record.pc.eq(pc),
                record.word.eq(ex.fetched.word),
                record.register.eq(ex_control.written),
                record.value.eq(result),
                record.accesses.eq(access | ex_control.moves),
                record.address.eq(first_address),
                record.stores.eq(stores),
                record.stores_vector.eq(ex_control.moves & ~ex_control.move.loads),
                record.data.eq(Mux(access, moved.as_value(), Cat(*w.constant(0)))),
                record.flags.eq(Mux(gives_flags, given_flags, flags_now)),
                record.product.eq(multiplies),
                record.of_unit.eq(of_unit),
                record.flags_late.eq(product_outstanding | multiplies),
                record.halt.eq(kind == Kind.HALT),
                record.met.eq(ex.met),
                record.met.late.eq(late_path),
                record.met.waits[retire.WAITS.index("execute")].eq(last != 0),
                brought.loads.eq(Mux(loads, ex_control.written, 0)),
                brought.reads.eq(reading),
                brought.stores.eq(stores),
                brought.device.eq(faults.device),
                brought.exits.eq(Cat(*faults.address) == Cat(*w.constant(DEVICES["EXIT"].address))),
            ]
            m.d.sync += held.eq(brought)
        m.d.comb += [
            mem.enters.eq(ex_leaves),
            mem.brought.eq(brought),
            mem.claimed.eq(claimed),
            registers.writes[2].register.eq(mem.kept),
            registers.writes[2].word.eq(mem.loaded),
            registers.passes[2].eq(mem.register),
        ]
        for name in ("console", "exit"):
            wiring.connect(m, getattr(mem, name), wiring.flipped(getattr(self, name)))

        # Units beside the pipeline
        moving, idle = Signal(), Signal()
        m.d.comb += [first_address.eq(faults.address), idle.eq(1)]
        if not config.units.vector:
            m.d.comb += self.results.as_value().eq(0)
        if config.units.vector:  # no other unit is without it
            units = Units(config, self._shape)
            if self._gated:
                gate.add_gated_clocks(m, units.active)
            m.submodules.units = units if self._gated else gate.without_gates(units, ACTIVE)
            if config.units.crossbar:
                wiring.connect(m, units.array, wiring.flipped(self.array))
            in_ex = Cat(ex_valid & (ex_control.unit == unit) for unit in UNITS)
            room = Cat((control.unit == unit) & ~units.room[place] for place, unit in enumerate(UNITS))
            awaited = control.moves & (control.move.order == Order.INDEXED)
            wiring.connect(m, units.memory, wiring.flipped(moves))
            m.d.comb += [
                units.word.eq(fetched.word),
                units.decodes.eq(leaves),
                units.in_ex.eq(in_ex),
                units.enters.eq(ex_leaves),
                units.move.eq(ex_control.move),
                units.address.eq(faults.address),
                units.x.eq(ex.x),
                units.y.eq(alu.y),
                units.vl.eq(lengths.vl),
                units.last_row.eq(lengths.last_row),
                units.text.eq(self.text),
                units.row.eq(ex_count),
                moving.eq(units.moves),
                idle.eq(units.idle.all()),
                waits_for_room.eq(room.any()),
                waits_for_moves.eq(control.after_moves & ~units.idle[UNITS.index(Unit.MEMORY)]),
                waits_for_units.eq(control.after_units & ~idle),
                waits_for_index.eq(awaited & ~units.complete.bit_select(control.move.indices, 1)),
                index_trap.eq(ex_valid & indexed & at_end & ~committed & units.wrong & ~(ex_first & faults.happens)),
                wrong_index.eq(units.value),
                results.in_ex.eq(Mux(in_ex.any(), ex_control.written, 0)),
                results.enters.eq(ex_leaves),
            ]
            with m.If(indexed):
                m.d.comb += first_address.eq(units.first)
            pairs = zip(units.results, units.announced, strict=True)
            for place, (given_result, coming) in enumerate(pairs):
                m.d.comb += [
                    results.given[place].eq(given_result),
                    results.announced[place].eq(coming),
                    registers.writes[3 + place].eq(given_result),
                    registers.passes[3 + place].eq(given_result.register),
                    self.results[place].eq(given_result),
                ]

        # Memory, through the caches or without them; accesses of the pipeline and of vectors exclude each other.
        if config.caches.enabled:
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
                caches.certain.eq(fetching.empty & ~ex_valid & ~ended & ~moving),
                caches.read.eq(fetching.enable),
                caches.flush.eq(self.halted),
                self.flushed.eq(caches.flushed),
                fetching.ready.eq(caches.ready),
                fetching.way.eq(caches.way),
                fetching.word.eq(caches.instruction),
                caches.executed.eq((commits | trap) & ~ex.fetched.outside),
                caches.executed_pc.eq(pc),
                caches.executed_way.eq(ex.fetched.way),
                caches.address.eq(Mux(moves.looks, moves.next.as_value(), faults.address.as_value())),
                caches.enters.eq(moves.looks | (ex_leaves & access & ~faults.device)),
                access_comes.eq(caches.comes),
                caches.valid.eq(moves.valid | mem.accesses),
                mem.done.eq(caches.done),
                mem.soon.eq(caches.soon),
                mem.from_memory.eq(data_from_memory),
                fetching.missing.eq(Cat(waits_for_line, waits_for_line & line_from_memory)),
                mem.memory.eq(caches.loaded),
            ]
            with m.If(caches.failed):
                m.d.sync += [bus_failed.eq(1), bus_address.eq(caches.failed_at)]
            with m.Elif(ex_valid & ex_first):
                m.d.sync += bus_failed.eq(0)
        else:
            m.d.comb += [
                self.fetch.address.eq(fetching.address),
                self.fetch.enable.eq(fetching.enable),
                fetching.ready.eq(1),
                fetching.word.eq(self.fetch.word),
                self.load.address.eq(faults.address),
                self.load.enable.eq(ex_leaves & reading),
                access_comes.eq(1),
                mem.done.eq(1),
                mem.memory.eq(self.load.word),
            ]
            wiring.connect(m, mem.store, wiring.flipped(self.store))

        # The records
        m.d.comb += [
            self.halted.eq(ended & ~ex_valid & mem.empty & ~mem.retires & idle),
            self.retires.eq(mem.retires),
            self.retired.eq(mem.retired),
            self.traps.eq(trap),
            self.trapped.order.eq(order),
            self.trapped.pc.eq(pc),
            self.trapped.word.eq(ex.fetched.word),
            self.trapped.cause.eq(system.happened.cause),
            self.trapped.flags.eq(flags_now),
            self.trapped.flags_late.eq(products.flags_wait & ~late_trap),
            self.trapped.held.eq(ex_count),
            self.trapped.fatal.eq(~system.handled),
            self.trapped.is_double.eq(system.is_double),
            self.moved.valid.eq(moves.valid & moves.stores & moves.done),
            self.moved.last.eq(moves.ends),
            self.moved.address.eq(moves.address),
            self.moved.mask.eq(moves.mask),
            *(own.eq(word) for own, word in zip(self.moved.words, moves.words, strict=True)),
            self.products.eq(products.done & ~late_trap),
            self.product.value.eq(multiplier.result),
            self.product.flags.eq(multiplier.flags),
            self.stages.id_valid.eq(fetching.valid),
            self.stages.id_pc.eq(fetched.pc),
            self.stages.ex_valid.eq(ex_valid),
            self.stages.ex_pc.eq(pc),
            self.stages.mem_valid.eq(mem.pc_valid),
            self.stages.mem_pc.eq(mem.pc),
            self.stages.wb_valid.eq(self.retires),
            self.stages.wb_pc.eq(self.retired.pc),
        ]
        return m
