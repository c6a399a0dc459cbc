"""The low-rank ALU: its ports, and how its parts follow each other.

`architecture/lralu.md` describes the unit from outside. A command is worked on in *slots*, one a cycle, as many as its
occupancy; each goes through the same stages:

    0   the command is decoded, its slots are counted, the factors' memories are addressed
    1   LRMUL multiplies the pents; the memory of the sums is addressed; the generator and POPAVG's datapath begin
    2   the sums are accumulated, quantised, read; the base is taken
    3   base and addend are added; the last slot's response is offered
    4   the sum is saturated or rounded, and offered

The generator and POPAVG's datapath work beside the stages, while the slots of their command pass. Stages 0 to 2 with
what is beside them are the front: it waits for operands, while what has reached the stages after it goes on. All of the
unit waits while an output has not been taken.
"""

from amaranth import Cat, EnableInserter, Module, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from pentary.lralu import CODE_BITS, ELEMENT_BITS, LowRankParameters
from pentary_hdl.decoder import COMMAND
from pentary_hdl.front import FRONT_SLOT, Front
from pentary_hdl.mover import Mover

RESPONSE = data.StructLayout({"error": unsigned(1)})


def elements(lanes: int) -> data.ArrayLayout:
    """Give the layout of a beat of operands: binary numbers, lane 0 in the lowest bits."""
    return data.ArrayLayout(signed(ELEMENT_BITS), lanes)


def results(lanes: int) -> data.StructLayout:
    """Give the layout of a beat of results; `last` marks the last beat of a command."""
    return data.StructLayout({"elements": elements(lanes), "last": unsigned(1)})


class LowRankAlu(wiring.Component):
    """The low-rank ALU: streams of commands and operands in, of results and responses out.

    Members:
        commands: In, stream of `COMMAND`.
        base, totals: In, streams of `elements(lanes)`.
        results: Out, stream of `results(lanes)`.
        scalars: Out, stream of 48 bits, a word in pents.
        responses: Out, stream of `RESPONSE`, one for each command in order.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the parameters that the hardware is made from."""
        self.parameters = parameters
        lanes = parameters.lanes
        super().__init__(
            {
                "commands": In(stream.Signature(COMMAND)),
                "base": In(stream.Signature(elements(lanes))),
                "totals": In(stream.Signature(elements(lanes))),
                "results": Out(stream.Signature(results(lanes))),
                "scalars": Out(stream.Signature(unsigned(CODE_BITS))),
                "responses": Out(stream.Signature(RESPONSE)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the front with what is behind it, and both with the streams."""
        m = Module()
        front, mover = Front(self.parameters), Mover(self.parameters)
        front_moves, back_moves = Signal(), Signal()
        m.submodules.front = EnableInserter(front_moves)(front)
        m.submodules.mover = EnableInserter(back_moves)(mover)

        # Stages 3 and 4.
        third, fourth = Signal(FRONT_SLOT), Signal(FRONT_SLOT)
        with m.If(back_moves):
            m.d.sync += [third.eq(front.slot), fourth.eq(third)]
            with m.If(~front_moves):
                m.d.sync += [third.beat.eq(0), third.respond.eq(0)]
        m.d.comb += [
            mover.move.eq(third.move),
            mover.latents.eq(front.latents),
            mover.addends.eq(front.addends),
            mover.carries.eq(front.carries),
        ]

        m.d.comb += [
            self.results.payload.elements.eq(mover.results),
            self.results.payload.last.eq(fourth.respond),
            self.scalars.payload.eq(front.scalar),
            self.responses.payload.error.eq(third.error),
        ]
        waiting = [
            _offer(m, self.results, fourth.beat, back_moves),
            _offer(m, self.scalars, front.has_scalar, front_moves),
            _offer(m, self.responses, third.respond, back_moves),
        ]
        base_there = ~front.take_base | self.base.valid
        totals_there = ~front.take_totals | self.totals.valid
        m.d.comb += [
            back_moves.eq(~Cat(waiting).any()),
            front_moves.eq(back_moves & base_there & totals_there),
            front.command.eq(self.commands.payload),
            front.valid.eq(self.commands.valid),
            front.base.eq(self.base.payload),
            front.totals.eq(self.totals.payload),
            self.commands.ready.eq(front.accept & front_moves),
            self.base.ready.eq(front.take_base & back_moves & totals_there),
            self.totals.ready.eq(front.last_totals & back_moves & base_there),
        ]
        return m


def _offer(m: Module, port: stream.Interface, there: Value, moves: Value) -> Value:
    """Offer what a stage has to a stream, once until the stage moves; give whether the stage must wait for that."""
    sent = Signal()
    m.d.comb += port.valid.eq(there & ~sent)
    with m.If(moves):
        m.d.sync += sent.eq(0)
    with m.Elif(port.valid & port.ready):
        m.d.sync += sent.eq(1)
    return port.valid & ~port.ready
