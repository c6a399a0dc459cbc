"""Steps of POPAVG: its datapaths, and what they take and give for a beat."""

from amaranth import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import OPERAND
from pentary_hdl.core import conversion
from pentary_hdl.core import word as w
from pentary_hdl.lowrank.generation import digits_in, pents_of
from pentary_hdl.lralu.twin import LATENT_BITS, LowRankParameters
from pentary_hdl.lralu.update import ELEMENTS, GAIN_PENTS, STEP_BITS, Update
from pentary_hdl.vector.arithmetic import picked, saturated


class Steps(wiring.Component):
    """Steps for the elements of a beat.

    Args:
        parameters: of the unit.

    Members:
        gain, set_gain: In; with `set_gain`: GAIN.
        active: In; a slot of POPAVG is at age 1.
        last_beat: In; with `active`: it belongs to the row's last beat.
        words, take: In; with `take`: a beat of totals, before the datapaths look at the first of them.
        steps, round_up: Out; three cycles after the last slot of a beat is at age 0, until the next beat's first step:
            its steps, each rounded down, and whether to add 1.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the datapaths."""
        self._parameters = parameters
        count = parameters.beat_elements
        super().__init__(
            {
                "gain": In(w.WORD),
                "set_gain": In(1),
                "active": In(1),
                "last_beat": In(1),
                "words": In(w.WORD).array(count),
                "take": In(1),
                "steps": Out(signed(STEP_BITS)).array(count),
                "round_up": Out(count),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Convert the totals when a datapath looks at them, and keep the steps."""
        m = Module()
        m.submodules.update = update = Update(self._parameters)
        m.d.comb += [
            update.set_gain.eq(self.set_gain),
            update.gain.eq(pents_of(list(self.gain)[:GAIN_PENTS])),
            update.active.eq(self.active),
            update.last_beat.eq(self.last_beat),
        ]
        # A datapath looks at one of its four totals at a time, so only that one is in binary.
        looked = Signal(range(ELEMENTS))
        with m.If(update.look):
            m.d.sync += looked.eq(looked + 1)
        for unit in range(self._parameters.generators):
            places = range(ELEMENTS * unit, ELEMENTS * (unit + 1))
            totals = [Signal(OPERAND * w.DIGIT_BITS, name=f"total_{place}") for place in places]
            with m.If(self.take):
                for own, place in zip(totals, places, strict=True):
                    m.d.sync += own.eq(saturated(self.words[place].as_value(), OPERAND))
            number = Signal(signed(LATENT_BITS), name=f"number_{unit}")
            m.d.sync += number.eq(conversion.to_binary(m, digits_in(picked(totals, looked))))
            for n, place in enumerate(places):
                m.d.comb += update.totals[place].eq(number)
                with m.If(update.ready & (update.lane == n)):
                    m.d.sync += [
                        self.steps[place].eq(update.steps[unit]),
                        self.round_up[place].eq(update.round_up[unit]),
                    ]
        return m
