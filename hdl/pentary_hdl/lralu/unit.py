"""The low-rank ALU: its ports, and how its parts follow each other.

`architecture/lralu.md` describes the unit from outside. A command is worked on in *slots*, one a cycle, as many as its
occupancy; each goes through the same stages:

    0   the command is decoded, its slots are counted, the factors' memories are addressed
    1   the factors are there; the generator and POPAVG's datapath begin
    2   LRMUL multiplies the pents
    3   it accumulates the products; LRADD and LRACC address the memory of the sums
    4   the sums are there
    5   they are quantised, if PQUANT has said so
    6   they become addends
    7   the base is taken, and the addend added
    8   the total is saturated or rounded, and offered; so is the last slot's response

The generator and POPAVG's datapath work beside the stages, while the slots of their command pass. Stages 0 to 7 with
what is beside them are the front: it waits for operands, while what has reached stage 8 goes on. All of the unit waits
while an output has not been taken.
"""

from amaranth import Cat, EnableInserter, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary_hdl.lralu.alphabet import PENTARY, Alphabet
from pentary_hdl.lralu.decoder import COMMAND
from pentary_hdl.lralu.digits import thermometer
from pentary_hdl.lralu.front import Front
from pentary_hdl.lralu.mover import Mover, elements
from pentary_hdl.lralu.twin import CODE_BITS, LowRankParameters
from pentary_hdl.lralu.update import totals

RESPONSE = data.StructLayout({"error": unsigned(1)})


def results(parameters: LowRankParameters) -> data.StructLayout:
    """Give the layout of a beat of results; `last` marks the last beat of a command."""
    return data.StructLayout({"elements": elements(parameters), "last": unsigned(1)})


class LowRankAlu(wiring.Component):
    """The low-rank ALU: streams of commands and operands in, of results and responses out.

    Members:
        commands: In, stream of `COMMAND`.
        base, totals: In, streams of `elements(parameters)` and `totals(parameters)`.
        results: Out, stream of `results(parameters)`.
        scalars: Out, stream of 48 bits, a word in pents.
        responses: Out, stream of `RESPONSE`, one for each command in order.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet = PENTARY) -> None:
        """Take the parameters that the hardware is made from, and the alphabet of the weights."""
        self.parameters, self._alphabet = parameters, alphabet
        super().__init__(
            {
                "commands": In(stream.Signature(COMMAND)),
                "base": In(stream.Signature(elements(parameters))),
                "totals": In(stream.Signature(totals(parameters))),
                "results": Out(stream.Signature(results(parameters))),
                "scalars": Out(stream.Signature(unsigned(CODE_BITS))),
                "responses": Out(stream.Signature(RESPONSE)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the front with what is behind it, and both with the streams."""
        m = Module()
        front, mover = Front(self.parameters, self._alphabet), Mover(self.parameters, self._alphabet)
        front_moves, back_moves = Signal(), Signal()
        m.submodules.front = EnableInserter(front_moves)(front)
        m.submodules.mover = EnableInserter(back_moves)(mover)

        # Stages 7 and 8.
        slot = front.slot
        last, error = Signal(), Signal()
        with m.If(back_moves):
            m.d.sync += [last.eq(slot.respond), error.eq(slot.error)]
        inside = thermometer(slot.cols_last[: ceil_log2(self.parameters.movers)])
        m.d.comb += [
            mover.move.eq(slot.move),
            mover.mask.eq(Mux(slot.last_beat, inside, ~0)),
            mover.base.eq(self.base.payload),
            mover.addends.eq(front.addends),
            mover.carries.eq(front.carries),
            self.results.payload.elements.eq(mover.results),
            self.results.payload.last.eq(last),
            self.scalars.payload.eq(front.scalar),
            self.responses.payload.error.eq(error),
        ]
        waiting = [
            _offer(m, self.results, slot.gives & front_moves, back_moves),
            _offer(m, self.responses, slot.respond & front_moves, back_moves),
            _offer(m, self.scalars, front.scalar_follows, front_moves),
        ]
        base_there = ~slot.gives | self.base.valid
        totals_there = ~front.look_totals | self.totals.valid
        m.d.comb += [
            back_moves.eq(~Cat(waiting).any()),
            front_moves.eq(back_moves & base_there & totals_there),
            front.command.eq(self.commands.payload),
            front.valid.eq(self.commands.valid),
            front.totals.eq(self.totals.payload),
            self.commands.ready.eq(front.accept & front_moves),
            self.base.ready.eq(slot.gives & back_moves & totals_there),
            self.totals.ready.eq(front.take_totals & back_moves & base_there),
        ]
        return m


def _offer(m: Module, port: stream.Interface, follows: Value, moves: Value) -> Value:
    """Offer what comes into a stage when it moves, until it is taken; give whether the stage must wait for that."""
    there = Signal()
    m.d.comb += port.valid.eq(there)
    with m.If(moves):
        m.d.sync += there.eq(follows)
    with m.Elif(port.ready):
        m.d.sync += there.eq(0)
    return there & ~port.ready
