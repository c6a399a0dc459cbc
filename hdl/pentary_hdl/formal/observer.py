"""The core with any program, and what its retire port tells of one instruction, in the way of riscv-formal.

Every word that is fetched or loaded is an input, and so are interrupts and the devices: the program and its data are
whatever makes a property fail. An instruction is chosen by its number, also an input; a register likewise.
"""

from typing import Any, Final

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import BY_NAME, STACK
from pentary.machine.config import Config
from pentary_hdl.core import word as w
from pentary_hdl.core.core import Core
from pentary_hdl.formal import meaning

CONFIG: Final = Config.loads(
    """
    units = {vector = false, crossbar = false, lowrank = false}
    caches.enabled = false
    predictor = {entries = 0, returns = 0}
    devices.latency = 0
    """
)
"""The scalar pipeline with tightly coupled memory, and without prediction."""

CHOSEN: Final = data.StructLayout({"order": 5, "register": 5, "text": w.WORD})
"""Free constants: number of an instruction and of a register, and the words in the text."""


class Observer(wiring.Component):
    """Base class of properties: the core with any program, and the output `holds`.

    Args:
        config: configuration of the core.

    Members:
        choice: In; of `CHOSEN`, taken in the first cycle.
        fetched, loaded: In; words that memory gives; any three bits stand for some digit.
        input: In; the input has a character.
        external: In; as of the core.
        holds: Out; whether the property does.
    """

    def __init__(self, config: Config = CONFIG) -> None:
        """Create the property."""
        self._config = config
        super().__init__(
            {
                "choice": In(CHOSEN),
                "fetched": In(w.WORD),
                "loaded": In(w.WORD),
                "input": In(1),
                "external": In(1),
                "holds": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Surround the core with its memory, and state the property."""
        m = Module()
        m.submodules.core = core = Core(self._config)
        first, kept = Signal(init=1), Signal(CHOSEN)
        chosen = Signal(CHOSEN)
        m.d.sync += [first.eq(0), kept.eq(chosen)]
        m.d.comb += [
            chosen.eq(Mux(first, self.choice.as_value(), kept.as_value())),
            *w.assign(core.text, _any_word(chosen.text)),
            core.console.ready.eq(1),
            core.input.valid.eq(self.input),
            *w.assign(core.input.word, _any_word(self.loaded)),
            *w.assign(core.input.available, _any_word(self.loaded)),
            core.external.eq(self.external),
        ]
        address = Signal(w.WORD, name="fetched_at")
        with m.If(core.fetch.enable):
            m.d.sync += address.eq(core.fetch.address)
        self._answer(m, core.fetch, self.program(list(address), _any_word(self.fetched)))
        self._answer(m, core.load, _any_word(self.loaded))
        self.core, self.chosen = core, chosen
        self.word = meaning.pents_of(m, core.retired.word)
        holds = self.statement(m)
        m.d.comb += self.holds.eq(holds)
        return m

    def statement(self, m: Module) -> Value:
        """Return whether the property holds in this cycle; of the class that states one."""
        raise NotImplementedError

    def program(self, address: list[Value], given: list[Value]) -> list[Value]:
        """Return the instruction word at an address, given any word: that, unless a property asks for a program."""
        return given

    def _answer(self, m: Module, port: Any, given: list[Value]) -> None:
        """Answer a read with any word in the next cycle, and hold that word until the next read."""
        fresh, held = Signal(), Signal(w.WORD, init=w.biased(0))
        m.d.sync += [fresh.eq(port.enable), held.eq(port.word)]
        m.d.comb += w.assign(port.word, w.chosen(fresh, given, list(held)))

    @property
    def retires_it(self) -> Value:
        """Whether the chosen instruction retires."""
        return self.core.retires & (self.core.retired.order == self.chosen.order)

    @property
    def traps_it(self) -> Value:
        """Whether a trap is taken in its place."""
        return self.core.traps & (self.core.trapped.order == self.chosen.order)

    @property
    def retires_earlier(self) -> Value:
        """Whether an instruction before it retires."""
        return self.core.retires & (self.core.retired.order < self.chosen.order)

    def retires_name(self, *names: str) -> Value:
        """Return whether the record is of one of the instructions of these names."""
        return Cat(meaning.is_(BY_NAME[name], self.word) for name in names).any()

    def names(self, line: str, field: str, number: Value | int) -> Value:
        """Return whether a field of the record's instruction, if it is that one, has a number."""
        return meaning.number(meaning.field(BY_NAME[line], field, self.word)) == number

    def register_before(self, m: Module, register: Value) -> tuple[data.View, Value]:
        """Return the word that instructions before the chosen one have left in a register, as far as they have retired.

        Args:
            m: module to which this is added.
            register: its number, constant.

        Returns:
            The word; and whether it is known: a product is not, nor P30 after POP, nor bits that are no word, which a
            part that is left out may give.
        """
        record, words = self.core.retired, self._config.memory.words
        written, known = Signal(name="written"), Signal(init=1, name="known")
        word = Signal(w.WORD, name="left")
        pops = self.retires_name("POP") & (register == STACK) & (record.register != STACK)
        with m.If(self.retires_earlier & ((record.register == register) | pops)):
            m.d.sync += [written.eq(1), word.eq(record.value)]
            m.d.sync += known.eq(~record.product & ~pops & are_digits(record.value))
        found = Signal(w.WORD, name="before")
        start = w.chosen(register == STACK, w.constant(words), w.constant(0))
        m.d.comb += w.assign(found, w.chosen(register == 0, w.constant(0), w.chosen(written, list(word), start)))
        return found, known | (register == 0)


def digits_of(pents: meaning.Pents) -> list[Value]:
    """Return the biased digits of pents."""
    return [(pent + w.BIAS)[: w.DIGIT_BITS] for pent in pents]


def are_digits(word: data.View) -> Value:
    """Return whether a word consists of digits: what stands for a part that is left out may give any bits."""
    return Cat(digit <= 4 for digit in word).all()


def is_word(word: data.View, pents: meaning.Pents) -> Value:
    """Return whether a word is the one with these pents."""
    return Cat(*word) == Cat(*digits_of(pents))


def _any_word(bits: data.View) -> list[Value]:
    """Return digits of any word, and of each word for some bits: the codes 5..7 stand for the digits 1..3."""
    return [Mux(digit > 4, digit[:2], digit) for digit in bits]
