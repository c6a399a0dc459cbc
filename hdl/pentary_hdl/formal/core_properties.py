"""Properties of the core with any program: components with an output `holds`, to be proved 1."""

from collections.abc import Collection
from typing import Final

from amaranth import Cat, Module, Signal, Value

from pentary.isa.encoding import encode, operands
from pentary.isa.system import CAUSES
from pentary.isa.table import BY_NAME, LINK
from pentary_hdl.core import word as w
from pentary_hdl.core.system import NUMBERS
from pentary_hdl.formal import meaning
from pentary_hdl.formal.observer import Observer, are_digits, digits_of

BRANCHES: Final = ("BEQ", "BNE", "BLT", "BGT", "BLE", "BGE")


class InOrder(Observer):
    """Each instruction retires or traps, once; those that retire do so in order, and none is left out.

    The chosen instruction has one record at most. It has had one when a later one retires, and AT_MOST cycles after a
    trap is taken in the place of a later one. After HALT, or a fault that ends the program, there is none.
    """

    AT_MOST = 3

    def statement(self, m: Module) -> Value:
        """Count the records of the chosen instruction, and look at those of later ones."""
        core, order = self.core, self.chosen.order
        seen, ended, trapped_later = Signal(name="seen"), Signal(name="ended"), Signal(name="trapped_later")
        waited = Signal(range(self.AT_MOST + 1), name="waited")
        retires_later = core.retires & (core.retired.order > order)
        traps_later = core.traps & (core.trapped.order > order)
        m.d.sync += [seen.eq(seen | self.retires_it | self.traps_it), trapped_later.eq(trapped_later | traps_later)]
        with m.If(trapped_later & (waited != self.AT_MOST)):
            m.d.sync += waited.eq(waited + 1)
        with m.If((self.retires_it & core.retired.halt) | (self.traps_it & core.trapped.fatal)):
            m.d.sync += ended.eq(1)
        once = ~(self.retires_it & self.traps_it) & (~seen | ~(self.retires_it | self.traps_it))
        complete = seen | (~retires_later & (waited != self.AT_MOST))
        return once & complete & (~ended | ~(retires_later | traps_later))


class Alive(Observer):
    """No more than AT_MOST cycles pass without a record, until the program ends: a division takes most of them."""

    AT_MOST = 22

    def statement(self, m: Module) -> Value:
        """Count the cycles since the last record."""
        core = self.core
        since, ended = Signal(range(self.AT_MOST + 2), name="since"), Signal(name="ended")
        with m.If(core.retires | core.traps):
            m.d.sync += since.eq(0)
        with m.Elif(since <= self.AT_MOST):
            m.d.sync += since.eq(since + 1)
        with m.If((core.retires & core.retired.halt) | (core.traps & core.trapped.fatal)):
            m.d.sync += ended.eq(1)
        return (since <= self.AT_MOST) | ended


class Legal(Observer):
    """What retires is an instruction that the machine has, and what is trapped as an illegal one is none."""

    def statement(self, m: Module) -> Value:
        """Compare the words of both kinds of records with the instruction table."""
        core, absent = self.core, self._config.absent
        legal = meaning.is_instruction(self.word, absent)
        trapped = meaning.is_instruction(meaning.pents_of(m, core.trapped.word), absent)
        illegal = Cat(*core.trapped.cause) == Cat(*w.constant(CAUSES["illegal instruction"]))
        return (~core.retires | legal) & (~(core.traps & illegal) | ~trapped)


class Stored(Observer):
    """A store writes what the instructions before it have left in its register, and 0 from register 0."""

    def statement(self, m: Module) -> Value:
        """Compare the datum of the chosen instruction with what its register has been given."""
        record, register = self.core.retired, self.chosen.register
        left, known = self.register_before(m, register)
        stores = self.retires_name("STORE") & self.names("STORE", "d", register)
        pushes = self.retires_name("PUSH") & self.names("PUSH", "a", register)
        return ~self.retires_it | ~(stores | pushes) | ~known | (Cat(*record.data) == Cat(*left))


class Next(Observer):
    """The address of the record after the chosen one is the one to which that goes on.

    That is the next address, the target of a jump, one of both for a branch, the address in the register for a jump
    through one, HANDLER after a trap, and EPC after TRET. It also holds if the later record comes first, which is so if
    a trap is taken there.
    """

    def statement(self, m: Module) -> Value:
        """Keep what the chosen instruction says of the address, and compare it with that of the next record."""
        core, record, order = self.core, self.core.retired, self.chosen.order
        left, known = self.register_before(m, self.chosen.register)
        handler, handler_known = self._csr(m, "HANDLER", left, known)
        epc, epc_known = self._csr(m, "EPC", left, known)

        pc = meaning.pents_of(m, record.pc)
        following, _ = meaning.total(m, pc, meaning.constant(1))
        jumps = self.retires_name("JUMP", "CALL")
        near = meaning.field(BY_NAME["BEQ"], "i", self.word)
        far = [*near, *meaning.field(BY_NAME["JUMP"], "i", self.word)[len(near) :]]
        distance = meaning.chosen(jumps, far, [*near, *meaning.constant(0)[: len(far) - len(near)]])
        target, _ = meaning.total(m, pc, [*distance, *meaning.constant(0)[len(far) :]])
        through = self.retires_name("JUMPR", "CALLR") & self.names("JUMPR", "a", self.chosen.register)
        through |= self.retires_name("RET") & (self.chosen.register == LINK)
        others = self.retires_name("JUMPR", "CALLR", "RET", "TRET", "HALT")

        # What the chosen instruction says: one address or either of two, or nothing.
        one, other, told = Signal(w.WORD, name="one"), Signal(w.WORD, name="other"), Signal(name="told")
        kept = [Signal(w.WORD, name="one_kept"), Signal(w.WORD, name="other_kept"), Signal(name="told_kept")]
        trapped = Signal(name="trapped")
        m.d.comb += [each.eq(old) for each, old in zip((one, other, told), kept, strict=True)]
        m.d.sync += [old.eq(each) for each, old in zip((one, other, told), kept, strict=True)]
        with m.If(self.retires_it):
            m.d.comb += [told.eq(are_digits(record.pc)), *w.assign(one, digits_of(following))]
            m.d.comb += w.assign(other, digits_of(meaning.chosen(self.retires_name(*BRANCHES), target, following)))
            with m.If(jumps):
                m.d.comb += [each for word in (one, other) for each in w.assign(word, digits_of(target))]
            with m.If(through):
                m.d.comb += [told.eq(known), one.eq(left), other.eq(left)]
            with m.Elif(self.retires_name("TRET")):
                m.d.comb += [told.eq(epc_known), one.eq(epc), other.eq(epc)]
            with m.Elif(others):
                m.d.comb += told.eq(0)
        m.d.sync += trapped.eq(trapped | self.traps_it)
        with m.If(trapped):  # all instructions before it have retired when the one after it has its record
            m.d.comb += [told.eq(handler_known), one.eq(handler), other.eq(handler)]

        # The record after it.
        retires, traps = core.retires & (record.order == order + 1), core.traps & (core.trapped.order == order + 1)
        found, seen, seen_kept = Signal(w.WORD, name="found"), Signal(name="seen"), Signal(name="seen_kept")
        found_kept = Signal(w.WORD, name="found_kept")
        m.d.comb += [seen.eq(seen_kept | retires | traps), found.eq(found_kept)]
        m.d.sync += [seen_kept.eq(seen), found_kept.eq(found)]
        with m.If(retires):
            m.d.comb += found.eq(record.pc)
        with m.Elif(traps):
            m.d.comb += found.eq(core.trapped.pc)
        right = (found.as_value() == one.as_value()) | (found.as_value() == other.as_value())
        return ~seen | ~told | right

    def _csr(self, m: Module, name: str, left: Value, known: Value) -> tuple[Signal, Signal]:
        """Return a control and status register as earlier records leave it, and whether it is known."""
        core, record = self.core, self.core.retired
        word = Signal(w.WORD, init=w.biased(0), name=name.lower())
        is_known = Signal(init=1, name=f"{name.lower()}_known")
        writes = self.retires_earlier & self.retires_name("CSRW") & self.names("CSRW", "d", NUMBERS[name])
        if name == "EPC":  # a trap has its record before instructions ahead of it have theirs
            traps = core.traps & (core.trapped.order < self.chosen.order)
            trapped = Signal.like(core.trapped.order, name="trapped_order")
            writes &= record.order >= trapped
            with m.If(traps):
                m.d.sync += [word.eq(core.trapped.pc), is_known.eq(1), trapped.eq(core.trapped.order)]
            writes &= ~traps
        with m.If(writes):
            m.d.sync += [word.eq(left), is_known.eq(known & self.names("CSRW", "a", self.chosen.register))]
        return word, is_known


class _Third(Observer):
    """Base class of properties of the third instruction of a program that first loads any words to P1 and P2."""

    LOADS: Final = [encode(BY_NAME["LOAD"], d=register) for register in (1, 2)]

    def program(self, address: list[Value], given: list[Value]) -> list[Value]:
        """Return the two loads at addresses 0 and 1, else any word."""
        for place, word in enumerate(self.LOADS):
            given = w.chosen(Cat(*address) == Cat(*w.constant(place)), w.constant(word), given)
        return given

    @property
    def retires_third(self) -> Value:
        """Whether it retires."""
        return self.core.retires & (self.core.retired.order == len(self.LOADS))

    def loaded_words(self, m: Module) -> meaning.Operands:
        """Return its word, and what P1 and P2 hold."""
        found = []
        for place in range(len(self.LOADS)):
            word = Signal(w.WORD, name=f"p{place + 1}")
            with m.If(self.core.retires & (self.core.retired.order == place)):
                m.d.sync += word.eq(self.core.retired.data)
            found.append(meaning.pents_of(m, word))
        return meaning.Operands(self.word, *found)


class Result(_Third):
    """An instruction delivers the result and the flags that it should, from any words in P1 and P2.

    Args:
        names: of the instructions, of `meaning.OUTCOMES`.
    """

    def __init__(self, names: Collection[str]) -> None:
        """Create the property for some instructions."""
        self._names = names
        super().__init__()

    def statement(self, m: Module) -> Value:
        """Compare the record of the third instruction with the outcome of each instruction that reads P1, or both."""
        record, given = self.core.retired, self.loaded_words(m)
        value = meaning.pents_of(m, record.value)
        right: list[Value] = []
        for name in self._names:
            fields = {operand.field for _, operand in operands(BY_NAME[name])}
            reads = [self.names(name, field, number) for number, field in ((1, "a"), (2, "b")) if field in fields]
            expected = meaning.OUTCOMES[name](m, given, value)
            expected = expected._replace(pents=meaning.signals(m, expected.pents))
            delivers = (record.register == 0) | meaning.equal(value, expected.pents)
            if BY_NAME[name].flags:
                delivers &= record.flags.as_value() == meaning.flags(m, expected)
            right.append(~Cat(self.retires_name(name), *reads).all() | delivers)
        return ~self.retires_third | Cat(right).all()


class Taken(_Third):
    """A branch goes to its target if the words in P1 and P2 are related as it says, else to the next address."""

    TAKEN: Final = {"BEQ": (0,), "BNE": (-1, 1), "BLT": (-1,), "BGT": (1,), "BLE": (-1, 0), "BGE": (0, 1)}

    def statement(self, m: Module) -> Value:
        """Keep where the third instruction goes, and compare it with the address of the fourth."""
        core, given, fourth = self.core, self.loaded_words(m), len(self.LOADS) + 1
        related = meaning.order(m, given.x, given.y)
        reads = self.names("BEQ", "a", 1) & self.names("BEQ", "d", 2)
        takes = Cat(
            self.retires_name(name) & Cat(related == each for each in relations).any()
            for name, relations in self.TAKEN.items()
        ).any()
        away = self.names("BEQ", "i", 1)  # then both addresses are the same
        branched, taken = Signal(name="branched"), Signal(name="taken")
        comes, known = Signal(w.WORD, name="comes"), Signal(name="known")
        with m.If(self.retires_third):
            m.d.sync += [branched.eq(self.retires_name(*self.TAKEN) & reads & ~away), taken.eq(takes)]
        with m.If(core.retires & (core.retired.order == fourth)):
            m.d.sync += [known.eq(1), comes.eq(core.retired.pc)]
        with m.If(core.traps & (core.trapped.order == fourth)):
            m.d.sync += [known.eq(1), comes.eq(core.trapped.pc)]
        on = Cat(*comes) == Cat(*w.constant(fourth))
        return ~branched | ~known | (taken ^ on)
