"""Properties of the mover, stated in integers without thresholds: components with an output `holds`, to be proved 1."""

from amaranth import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from pentary_hdl.bench.lralu_oracle import limit
from pentary_hdl.lralu.alphabet import PENTARY
from pentary_hdl.lralu.mover import Addends, Mover
from pentary_hdl.lralu.twin import LowRankParameters

_WIDTHS = range(2, 9)


class Moved(wiring.Component):
    """Correctness of `Mover`: of base plus addend, LRADD returns the weight, LRACC the sum, POPAVG the saturated sum.

    The weight is the integer nearest to the saturated sum divided by 5^(WIDTH-1), that is
    |2 sum - 2 weight 5^(WIDTH-1)| < 5^(WIDTH-1).
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the property for a mover with the given parameters."""
        self._unit = unit = Mover(parameters, PENTARY)
        super().__init__({**unit.signature.members, "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Compare the mover with integer arithmetic."""
        m = Module()
        m.submodules.mover = unit = self._unit
        for name in ("move", "mask", "base", "addends", "carries"):
            m.d.comb += Value.cast(getattr(unit, name)).eq(Value.cast(getattr(self, name)))
        m.d.comb += Value.cast(self.results).eq(Value.cast(unit.results))

        width, perturbs, accumulates = (
            Signal.like(each, reset_less=True) for each in (self.move.width, self.move.perturb, self.move.accumulate)
        )
        m.d.sync += [width.eq(self.move.width), perturbs.eq(self.move.perturb), accumulates.eq(self.move.accumulate)]
        of_width = range(1 << len(width))
        unit_of_weight = Array(5 ** (w - 1) if w in _WIDTHS else 1 for w in of_width)[width]
        most = Array(limit(w) if w in _WIDTHS else 0 for w in of_width)[width]
        right = []
        for i, result in enumerate(self.results):
            base, addend = self.base[i], self.addends[i] + self.carries[i]
            legal, there = Signal(reset_less=True), Signal(reset_less=True)
            total = Signal.like(self.base[i] + addend, reset_less=True)
            latent = _within(base, limit(8)) & _within(addend, 2 * limit(8))
            with_room = _within(base, limit(12)) & _within(addend, (1 << 27) - 1 - limit(12))
            m.d.sync += [
                total.eq(base + addend),
                there.eq(self.mask[i]),
                legal.eq(Mux(self.move.accumulate, with_room, latent)),
            ]
            kept = Mux(total > most, most, Mux(total < -most, -most, total))
            doubled, weight = Signal.like(2 * kept), Signal(range(-2, 3))
            m.d.comb += [doubled.eq(2 * kept), weight.eq(result)]
            weights = Array(2 * w * unit_of_weight for w in (0, 1, 2, 0, 0, 0, -2, -1))
            apart = doubled - weights[weight.as_unsigned()]
            nearest = (result == weight) & (weight >= -2) & (weight <= 2) & _less(apart, unit_of_weight)
            holds = Mux(accumulates, result == total, Mux(perturbs, nearest, result == kept))
            right.append(~legal | Mux(there, holds, result == 0))
        moved = Signal()
        m.d.sync += moved.eq(1)
        possible = moved & (width >= _WIDTHS[0]) & (width <= _WIDTHS[-1]) & ~(perturbs & accumulates)
        m.d.comb += self.holds.eq(~possible | Cat(right).all())
        return m


class Added(wiring.Component):
    """Correctness of `Addends`: sigma times the sum saturated to a pent, the pent times the sum, or POPAVG's step."""

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the property for addends with the given parameters."""
        self._unit = unit = Addends(parameters, PENTARY)
        super().__init__({**unit.signature.members, "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Compare the addends with integer arithmetic."""
        m = Module()
        m.submodules.addends = unit = self._unit
        for name, member in unit.signature.members.items():
            for ours, theirs in _pairs(getattr(self, name), getattr(unit, name)):
                m.d.comb += theirs.eq(ours) if member.flow is wiring.In else ours.eq(theirs)
        right = []
        pent = self.operand[:3].as_signed()
        is_pent = (pent >= -2) & (pent <= 2)
        loads = self.gives & (self.move.perturb | self.move.accumulate)
        for i, value in enumerate(self.values):
            level = Mux(value > 2, 2, Mux(value < -2, -2, value))
            product = Mux(self.move.accumulate, _times(pent, value), _times(level, self.operand))
            step = self.steps[i // 4] + self.round_up[i // 4]
            total, changes = Signal.like(product, reset_less=True), Signal()
            m.d.sync += changes.eq(Mux(loads, ~self.move.accumulate | is_pent, self.ready & (self.lane == i % 4)))
            m.d.sync += total.eq(Mux(loads, product, step))
            right.append(~changes | (self.addends[i] + self.carries[i] == total))
        m.d.comb += self.holds.eq(Cat(right).all())
        return m


def _times(pent: Value, number: Value) -> Value:
    """Return the product of a pent and a number."""
    multiples = Array([0 * number, number, 2 * number, 0 * number, 0 * number, 0 * number, -2 * number, -number])
    return multiples[pent[:3]]


def _within(number: Value, most: int) -> Value:
    return (number >= -most) & (number <= most)


def _less(number: Value, most: Value) -> Value:
    return (number > -most) & (number < most)


def _pairs(ours: object, theirs: object) -> list[tuple[Value, Value]]:
    if isinstance(ours, list):
        return [pair for both in zip(ours, theirs, strict=True) for pair in _pairs(*both)]
    return [(Value.cast(ours), Value.cast(theirs))]
