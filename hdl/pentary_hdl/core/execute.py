"""Third stage of the core, EX: instructions are executed or trapped."""

from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import BY_NAME, STACK
from pentary.machine.config import Config
from pentary.numbers.word import PENTS
from pentary_hdl.core import retire
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import FLAGS, Alu, Operands
from pentary_hdl.core.branches import Branches
from pentary_hdl.core.brought import BROUGHT, Brought
from pentary_hdl.core.decode import ISSUED
from pentary_hdl.core.decoder import Kind, Unit
from pentary_hdl.core.divider import Divider
from pentary_hdl.core.fetch import FETCHED
from pentary_hdl.core.operands import AWAITED, USED
from pentary_hdl.core.ports import INPUT, Order
from pentary_hdl.core.predictor import OUTCOME
from pentary_hdl.core.products import Products
from pentary_hdl.core.registers import WRITE
from pentary_hdl.core.system import COUNTED, flags_as_word
from pentary_hdl.core.traps import Traps

DIVISION: Final = int(BY_NAME["DIV"].occupancy)
PRODUCT: Final = int(BY_NAME["MUL"].latency)


class Execute(wiring.Component):
    """Stage EX.

    An instruction *commits* in the cycle from which on nothing can prevent it, the last one that it needs here; it
    *leaves* in that cycle or, if MEM is not free, in a later one.

    Args:
        config: configuration of the machine.
        results: scalar results of units that can come in a cycle.

    Members:
        enters, issued: In; an instruction enters in the next cycle, of `decode.ISSUED`; `redirect` drops it.
        free: In; MEM can take an instruction in the next cycle.
        text, external: In; as of the core.
        input: Out; as of the core.
        arrives: In; words for registers that come in this cycle: from memory, then from units.
        first_index, bad_index, wrong_index: In; of the units: address of the first element by indices; whether one of
            the addresses is wrong, known in the last cycle here, and which.
        bus_failed, bus_address: In; memory has answered with an error, at an address.
        counts: In; a bit for each of `system.COUNTED`: it counts 1 for a reason outside this stage.
        used, awaited: In, Out; as `operands.answered` says, for products.
        flags_wait, acc_wait: Out; as of `Products`.
        valid, fetched: Out; whether there is an instruction, and which, of `fetch.FETCHED`.
        cycles: Out; how many cycles it has been here.
        x, y: Out; its operands, words.
        accesses, reads: Out; it is one of LOAD, STORE, PUSH and POP; one of LOAD and POP.
        address, device: Out; what it accesses, and whether that is a device.
        may_leave, leaves: Out; it leaves at the end of this cycle unless it is trapped; it does.
        commits: Out; it commits.
        brought: Out; what it brings to MEM, of `brought.BROUGHT`.
        loads, claimed, claims: Out; as of `mem.MemoryStage`.
        vl, last_row: Out; as of `Lengths`.
        writes, passes: Out; ports of the register file for its result and for products.
        redirect, target: Out; all younger instructions are dropped, and the next one is at this address.
        resolves, outcome: Out; a jump or branch is certain, for the predictor.
        trap, trapped: Out; a trap is taken in its place, of `retire.TRAPPED`.
        products, product: Out; there is a product, of `retire.PRODUCT`.
        ended: Out; the program has ended.
    """

    def __init__(self, config: Config, results: int) -> None:
        """Create the stage."""
        self._overflow_trap = config.exceptions.overflow_trap
        self._alu, self._divider, self._products = Alu(), Divider(), Products()
        self._branches, self._traps, self._brought = Branches(), Traps(config), Brought(2 + results)
        self._ex = Signal(ISSUED, name="ex")
        self._control = self._ex.fetched.control
        self._first, self._committed, self._at_end = Signal(), Signal(), Signal()
        self._order = Signal(retire.ORDER_BITS)
        super().__init__(
            {
                "enters": In(1),
                "issued": In(ISSUED),
                "free": In(1),
                "text": In(w.WORD),
                "external": In(1),
                "input": Out(INPUT),
                "arrives": In(WRITE).array(1 + results),
                "first_index": In(w.WORD),
                "bad_index": In(1),
                "wrong_index": In(w.WORD),
                "bus_failed": In(1),
                "bus_address": In(w.WORD),
                "counts": In(len(COUNTED)),
                "used": In(USED),
                "awaited": Out(AWAITED),
                "flags_wait": Out(1),
                "acc_wait": Out(1),
                "valid": Out(1),
                "fetched": Out(FETCHED),
                "cycles": Out(5),
                "x": Out(w.WORD),
                "y": Out(w.WORD),
                "accesses": Out(1),
                "reads": Out(1),
                "address": Out(w.WORD),
                "device": Out(1),
                "may_leave": Out(1),
                "leaves": Out(1),
                "commits": Out(1),
                "brought": Out(BROUGHT),
                "loads": Out(5),
                "claimed": Out(5),
                "claims": Out(5),
                "vl": Out(self._traps.vl.shape()),
                "last_row": Out(self._traps.last_row.shape()),
                "writes": Out(WRITE).array(2),
                "passes": Out(5).array(2),
                "redirect": Out(1),
                "target": Out(w.WORD),
                "resolves": Out(1),
                "outcome": Out(OUTCOME),
                "trap": Out(1),
                "trapped": Out(retire.TRAPPED),
                "products": Out(1),
                "product": Out(retire.PRODUCT),
                "ended": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the parts of the stage."""
        m = Module()
        m.submodules.alu, m.submodules.divider, m.submodules.products = self._alu, self._divider, self._products
        m.submodules.branches, m.submodules.traps, m.submodules.brought = self._branches, self._traps, self._brought
        control, flags_now = self._control, Signal(FLAGS)  # flags with those of a product that comes
        gives_flags = (control.sets_flags & (control.kind != Kind.MULTIPLY)) | (control.kind == Kind.TRET)
        result, flags = self._compute(m, gives_flags, flags_now)
        self._hold(m)
        self._write(m, result)
        self._trap(m, flags_now)
        self._jump(m)
        last = self._time(m)
        brought = self._brought
        m.d.comb += [
            brought.ex.eq(self._ex),
            brought.first.eq(self._first),
            brought.waited.eq(last != 0),
            brought.commits.eq(self.commits),
            brought.order.eq(self._order),
            brought.cycle.eq(self._traps.cycle),
            brought.address.eq(self._traps.first_address),
            brought.device.eq(self.device),
            brought.arrives[0].register.eq(self.passes[1]),
            brought.arrives[0].word.eq(self._products.result),
            *(own.eq(word) for own, word in zip(list(brought.arrives)[1:], self.arrives, strict=True)),
            brought.result.eq(result),
            brought.gives_flags.eq(gives_flags),
            brought.flags.eq(flags),
            brought.old_flags.eq(flags_now),
            brought.flags_wait.eq(self.flags_wait),
            self.brought.eq(brought.brought),
        ]
        wiring.connect(m, brought.input, wiring.flipped(self.input))
        return m

    def _hold(self, m: Module) -> None:
        """Keep the instruction while it is here."""
        ex, kind = self._ex, self._control.kind
        with m.If(self.enters):
            m.d.sync += [
                ex.eq(self.issued),
                self.valid.eq(~self.redirect),
                self._first.eq(1),
                self.cycles.eq(0),
                self._committed.eq(0),
            ]
        with m.Else():
            m.d.sync += [self._first.eq(0), self._committed.eq(self._committed | self.commits)]
            with m.If(self.leaves | self.trap):
                m.d.sync += self.valid.eq(0)
            with m.If(~self._at_end):
                m.d.sync += self.cycles.eq(self.cycles + 1)
        m.d.sync += self._order.eq(self._order + (self.commits | self.trap))
        m.d.comb += [
            self.fetched.eq(ex.fetched),
            self.reads.eq((kind == Kind.LOAD) | (kind == Kind.POP)),
            self.accesses.eq(self.reads | (kind == Kind.STORE) | (kind == Kind.PUSH)),
            self.x.eq(ex.x),
            *(own.eq(digit) for own, digit in zip(self.y, ex.y, strict=False)),
        ]

    def _time(self, m: Module) -> Signal:
        """Decide when the instruction commits and leaves; return the cycle in which it is ready to."""
        control, last = self._control, Signal.like(self.cycles, name="last")
        with m.If(control.kind == Kind.DIVIDE):
            m.d.comb += last.eq(DIVISION - 1)
        with m.Elif(control.kind == Kind.POP):
            m.d.comb += last.eq(1)
        with m.Elif(control.moves & (control.move.order == Order.INDEXED)):
            m.d.comb += last.eq(self.last_row)
        if self._overflow_trap:
            with m.Elif(control.traps_late):
                m.d.comb += last.eq(PRODUCT - 1)
        m.d.comb += [
            self._at_end.eq(self.cycles == last),
            self.commits.eq(self.valid & self._at_end & ~self._committed & ~self.trap),
            self.may_leave.eq(self.valid & self._at_end & self.free),
            self.leaves.eq(self.may_leave & ~self.trap),
        ]
        return last

    def _compute(self, m: Module, gives_flags: Signal, flags_now: Signal) -> tuple[Signal, Signal]:
        """Return the instruction's word for a register, and the flags that it gives."""
        ex, control, alu, divider, products = self._ex, self._control, self._alu, self._divider, self._products
        starts = self.valid & self._first & ~self._traps.early
        # A product that may still trap stays here until those before it are done, so it has none to overtake.
        sure = ~control.traps_late if self._overflow_trap else Const(1, 1)
        m.d.comb += [
            alu.op.eq(control.op),
            alu.x.eq(ex.x),
            alu.y.eq(self.y),
            alu.beyond.eq(ex.y[PENTS]),
            alu.k.eq(Mux(control.operands == Operands.RT, w.number_of(list(ex.y)[:3]), control.k)),
            alu.acc.eq(products.value),
            divider.x.eq(ex.x),
            divider.y.eq(self.y),
            divider.start.eq(starts & (control.kind == Kind.DIVIDE)),
            products.x.eq(ex.x),
            products.y.eq(self.y),
            products.op.eq(control.multiply),
            products.start.eq(starts & (control.kind == Kind.MULTIPLY)),
            products.register.eq(control.written),
            products.acc.eq(control.writes_acc),
            products.overtaken.eq((self.commits & gives_flags) | (products.start & sure)),
            products.drop.eq(self._traps.late),
            products.used.eq(self.used),
            *(getattr(self, name).eq(getattr(products, name)) for name in ("awaited", "flags_wait", "acc_wait")),
            self.products.eq(products.done & ~self._traps.late),
            self.product.value.eq(products.result),
            self.product.flags.eq(products.flags),
        ]
        result, flags, given_flags = Signal(w.WORD), Signal(FLAGS), Signal(FLAGS)
        m.d.comb += [result.eq(alu.result), given_flags.eq(alu.flags), flags_now.eq(flags)]
        with m.Switch(control.kind):
            with m.Case(Kind.JUMP):
                m.d.comb += result.eq(ex.fetched.following)
            with m.Case(Kind.CSRR):
                m.d.comb += result.eq(self._traps.value)
            with m.Case(Kind.FLAGS):
                m.d.comb += w.assign(result, flags_as_word(flags))
            with m.Case(Kind.DIVIDE):
                divided = w.chosen(control.remainder, list(divider.remainder), list(divider.quotient))
                zero, below = w.is_nothing(divided), w.is_less(divided, w.constant(0))
                m.d.comb += w.assign(result, divided)
                m.d.comb += given_flags.as_value().eq(Cat(zero, below, ~zero & ~below))
            with m.Case(Kind.TRET):
                m.d.comb += given_flags.eq(self._traps.old_flags)
        with m.If(self.products & products.done_flags):
            m.d.comb += flags_now.eq(products.flags)
        m.d.sync += flags.eq(Mux(self.commits & gives_flags, given_flags, flags_now))
        return result, given_flags

    def _write(self, m: Module, result: Signal) -> None:
        """Write registers; POP writes the stack pointer here, and the word that it loads is written later."""
        control, products, written = self._control, self._products, Signal(5)
        with m.If(control.kind == Kind.POP):
            m.d.comb += written.eq(Mux(control.written == STACK, 0, STACK))
        with m.Elif(~self.reads & (control.kind != Kind.MULTIPLY) & (control.unit == Unit.NONE)):
            m.d.comb += written.eq(control.written)
        uncommitted = self.valid & ~self._committed
        m.d.comb += [
            self.writes[0].register.eq(Mux(self.commits, written, 0)),
            self.writes[0].word.eq(result),
            self.passes[0].eq(Mux(uncommitted, written, 0)),
            self.writes[1].register.eq(Mux(self.products, products.done_register, 0)),
            self.writes[1].word.eq(products.result),
            self.passes[1].eq(Mux(products.done, products.done_register, 0)),
            self.loads.eq(Mux(self.valid & self.reads, control.written, 0)),
            self.claimed.eq(Mux(self.commits, control.written, 0)),
            self.claims.eq(Mux(uncommitted, control.written, 0)),
        ]

    def _trap(self, m: Module, flags_now: Signal) -> None:
        """Decide whether the instruction is trapped."""
        traps, products = self._traps, self._products
        counts = {
            "INSTRET": self.commits,
            "BRANCHES": self.resolves,
            "MISPREDICTIONS": self.resolves & self._branches.mispredicted,
            "DCACHE_ACCESSES": self.commits & self.accesses & ~self.device,
        }
        handed = ("text", "external", "first_index", "bad_index", "wrong_index", "bus_failed", "bus_address")
        given = ("trap", "address", "device", "vl", "last_row", "trapped")
        m.d.comb += [
            traps.ex.eq(self._ex),
            traps.y.eq(self.y),
            traps.first.eq(self.valid & self._first),
            traps.last.eq(self.valid & self._at_end & ~self._committed),
            traps.commits.eq(self.commits),
            traps.order.eq(self._order),
            traps.cycles.eq(self.cycles),
            traps.input_valid.eq(self.input.valid),
            traps.overflows.eq(self._alu.flags.v),
            traps.product_overflows.eq(products.flags.v),
            traps.counts.eq(self.counts | Cat(counts.get(name, Const(0, 1)) for name in COUNTED)),
            traps.flags.eq(flags_now),
            traps.flags_wait.eq(products.flags_wait),
            traps.flags_come.eq(products.done_flags),
            *(getattr(traps, name).eq(getattr(self, name)) for name in handed),
            *(getattr(self, name).eq(getattr(traps, name)) for name in given),
        ]

    def _jump(self, m: Module) -> None:
        """Find the next instruction."""
        ex, kind, branches, traps = self._ex, self._control.kind, self._branches, self._traps
        returns, halts = self.commits & (kind == Kind.TRET), self.commits & (kind == Kind.HALT)
        m.d.comb += [
            branches.fetched.eq(ex.fetched),
            branches.x.eq(ex.x),
            branches.less.eq(self._alu.less),
            branches.equal.eq(self._alu.equal),
            self.resolves.eq(self.commits & branches.decides),
            self.outcome.eq(branches.outcome),
            self.redirect.eq(self.ended | self.trap | (self.commits & branches.mispredicted) | returns | halts),
            self.target.eq(Mux(self.trap, traps.handler, Mux(kind == Kind.TRET, traps.epc, branches.goes))),
        ]
        with m.If(halts | (self.trap & ~traps.handled)):
            m.d.sync += self.ended.eq(1)
