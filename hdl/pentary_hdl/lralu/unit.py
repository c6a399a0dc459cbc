"""The low-rank ALU: ports and pipeline.

`architecture/lralu.md` specifies its ports and timing. A command is issued as *slots*, one a cycle and as many as its
occupancy; each slot passes through the same pipeline stages:

    0   the command is decoded, its slots are counted, the factors' memories are addressed
    1   the factors have been read; the generator and POPAVG's datapath start
    2   LRMUL multiplies the pents
    3   it accumulates the products; LRADD and LRACC address the memory of the sums
    4   the sums have been read
    5   they are quantised, after PQUANT
    6   they are multiplied into addends
    7   a beat of the base is taken, and the addends are added
    8   the sums are saturated or rounded, and offered as results; the last slot's response is offered

The generator and POPAVG's datapath run in parallel with the stages while the slots of their command pass. Together with
stages 0 to 7 they form the front end, which stalls while operands are missing; stage 8 drains meanwhile. An output that
is not taken stalls the whole unit.
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
    """Return the layout of a beat of results; `last` marks the last beat of a command."""
    return data.StructLayout({"elements": elements(parameters), "last": unsigned(1)})


class LowRankAlu(wiring.Component):
    """The low-rank ALU: streams of commands and operands in, of results and responses out.

    Members:
        commands: In, stream of `COMMAND`.
        base: In, stream of `elements(parameters)`: the row for LRADD, LRACC and POPAVG.
        totals: In, stream of `totals(parameters)`: the totals for POPAVG.
        results: Out, stream of `results(parameters)`: the row from LRADD, LRACC and POPAVG.
        scalars: Out, stream of 48 bits: the word of PRNG, in pents.
        responses: Out, stream of `RESPONSE`, one for each command in order.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet = PENTARY) -> None:
        """Create a unit for the given parameters and alphabet of the weights."""
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
        """Connect the front end, the mover and the streams, and compute the stalls of the stages."""
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
        inside = thermometer(slot.cols_last[: ceil_log2(self.parameters.beat_elements)])
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
    """Drive valid of an output port, from when its stage advances until the transfer.

    Args:
        m: module.
        port: output stream.
        follows: the stage will hold a payload for the port once it advances.
        moves: clock enable of the stage.

    Returns:
        Whether the stage must stall because its payload has not been taken.
    """
    there = Signal()
    m.d.comb += port.valid.eq(there)
    with m.If(moves):
        m.d.sync += there.eq(follows)
    with m.Elif(port.ready):
        m.d.sync += there.eq(0)
    return there & ~port.ready
