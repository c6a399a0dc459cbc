"""An array of digital devices behind the crossbar's unit: exact, and fit for an FPGA if it has few devices."""

from collections.abc import Sequence

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from pentary.machine.config import Config
from pentary_hdl.core import word as w
from pentary_hdl.crossbar.port import STEPS, Shape, array_port
from pentary_hdl.vector import limbs
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.products import saturated

_LEVEL_BITS = 3
"""Bits of a level: whether it is 1 or -1; whether it is 2 or -2; whether it is negative."""

_GREATEST = 2
"""Greatest level."""


class Array(wiring.Component):
    """Digital array.

    Inputs are taken apart into limbs. The cycle after a step adds the products of its inputs with the levels of each
    column to the sums of the column. The cycle after the last one brings the sums into the form of words, first those
    of the first beat, then those of the second one, whose columns get their inputs a cycle later.

    Args:
        config: configuration of the machine.
        shape: of the array.

    Members:
        port: In; of `port.array_port`.
    """

    def __init__(self, config: Config, shape: Shape) -> None:
        """Create an array."""
        self._sizes, self._shape = Sizes.of(config), shape
        super().__init__({"port": In(array_port(self._sizes, shape))})

    def elaborate(self, platform: object) -> Module:
        """Connect the columns of each beat, and what brings their sums into the form of words."""
        m = Module()
        port, shape = self.port, self._shape
        limb_bits = limbs.PLACES * w.DIGIT_BITS
        inputs = [
            limbs.limb(m, word.as_value()[place * limb_bits :][:limb_bits])
            for word in port.words
            for place in range(limbs.COUNT)
        ]
        step, adds = port.step, port.multiplies
        ended = [port.multiplies & (step == STEPS - 1)]
        sums = []
        width = shape.sums(self._sizes)
        for beat in range(shape.beats(self._sizes)):
            if beat:
                step, adds = self._later(m, [step, adds])
            inputs = self._later(m, inputs)
            levels = self._devices(m, range(beat * width, (beat + 1) * width), step)
            sums.append(self._add(m, inputs, levels, *self._later(m, [adds, step == 0])))
        for _ in range(3):
            ended += self._later(m, ended[-1:])
        self._convert(m, sums, ended[-1])
        return m

    def _later(self, m: Module, values: Sequence[Value]) -> list[Signal]:
        """Return values of the cycle before."""
        found = [Signal(value.shape()) for value in values]
        m.d.sync += [own.eq(value) for own, value in zip(found, values, strict=True)]
        return found

    def _devices(self, m: Module, columns: range, step: Value) -> list[list[Value]]:
        """Add the devices of some columns, and return for each column the levels that meet the inputs of a step.

        Args:
            m: module to which they are added.
            columns: which.
            step: number of the step; the levels come in the next cycle.
        """
        port, inputs, count = self.port, self._shape.inputs, self._shape.levels
        place = (inputs - 1).bit_length()  # row r meets input r modulo `inputs` of a step
        coded = Cat(
            Cat((level == 1) | (level == 3), (level == 0) | (level == 4), level < w.BIAS) for level in port.levels
        )
        found: list[list[Value]] = [[] for _ in columns]
        for number in range(inputs):
            here = port.loads & (port.row[:place] == number)
            # Rows of which nothing has been loaded since the reset are 0.
            loaded, there = Signal(STEPS), Signal()
            m.d.sync += there.eq(loaded.bit_select(step, 1))
            with m.If(here):
                m.d.sync += loaded.bit_select(port.row[place:], 1).eq(1)
            for first in columns[::count]:
                devices = memory.Memory(shape=count * _LEVEL_BITS, depth=STEPS, init=[])
                m.submodules[f"devices_{number}_{first}"] = devices
                write, read = devices.write_port(), devices.read_port()
                m.d.comb += [
                    write.addr.eq(port.row[place:]),
                    write.en.eq(here & (port.step == first // count)),
                    write.data.eq(coded),
                    read.addr.eq(step),
                ]
                for column in range(count):
                    level = read.data.word_select(column, _LEVEL_BITS) & there.replicate(_LEVEL_BITS)
                    found[first - columns.start + column].append(level)
        return found

    def _add(
        self, m: Module, inputs: Sequence[Value], levels: list[list[Value]], adds: Value, begins: Value
    ) -> list[list[Signal]]:
        """Return the limbs of the sum of each column.

        Args:
            m: module to which they are added.
            inputs: limbs of each input, one input after the other.
            levels: for each column, those that meet the inputs.
            adds: whether there is a step.
            begins: whether it is the first one.
        """
        sums = []
        for column in levels:
            totals = [Signal(limbs.shape_of(bound)) for bound in self._bounds]
            for place, total in enumerate(totals):
                products = [
                    _product(m, x, level) for x, level in zip(inputs[place :: limbs.COUNT], column, strict=True)
                ]
                with m.If(adds):
                    m.d.sync += total.eq(sum(products, Mux(begins, 0, total)))
            sums.append(totals)
        return sums

    @property
    def _bounds(self) -> list[int]:
        """Greatest magnitude of each limb of a sum."""
        return [self._shape.rows * _GREATEST * limbs.GREATEST] * limbs.COUNT

    def _convert(self, m: Module, sums: list[list[list[Signal]]], second: Value) -> None:
        """Bring sums into the form of words.

        Args:
            m: module to which it is added.
            sums: for each beat, limbs of its columns.
            second: whether to take those of the second beat.
        """
        for column, (word, *beats) in enumerate(zip(self.port.sums, *sums, strict=True)):
            chosen = [Mux(second, limb[-1], limb[0]) for limb in zip(*beats, strict=True)]
            m.submodules[f"digits_{column}"] = digits = limbs.Digits()
            found, _, beyond = limbs.carried(m, *limbs.reduced(m, chosen, self._bounds))
            (above,) = self._later(m, [beyond])
            m.d.comb += [
                *(address.eq(limb) for address, limb in zip(digits.limbs, found, strict=True)),
                word.as_value().eq(saturated(above, list(digits.digits))),
            ]


def _product(m: Module, x: Value, level: Value) -> Value:
    """Return the product of a limb with a level."""
    one, two, negative = level
    product = Signal(signed(limbs.LIMB.width + 1))
    m.d.comb += product.eq(Mux(two, x << 1, Mux(one, x, 0)) ^ negative.replicate(len(product)).as_signed())
    return product + negative
