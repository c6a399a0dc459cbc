"""First stage of the core, IF: fetches instructions along the predicted path."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.machine.config import Config
from pentary_hdl.core import word as w
from pentary_hdl.core.decoder import CONTROL, Decoder
from pentary_hdl.core.predictor import OUTCOME, ReturnStack, TargetBuffer

FETCHED = data.StructLayout(
    {
        "pc": w.WORD,
        "following": w.WORD,  # the next address
        "predicted": w.WORD,  # the one that is fetched after it
        "outside": 1,  # of the text
        "missed": 2,  # it has waited for L2, and for memory
        "way": 6,  # of the instruction cache, from which it comes
        "word": w.WORD,
        "control": CONTROL,
    }
)
"""An instruction in ID."""


class Fetch(wiring.Component):
    """Stage IF, one or two cycles deep, and the instruction register of ID.

    The target buffer is looked up in the cycle IF(i) of `architecture/pipeline.md`: the first one that an instruction
    is in IF, or, if that is two cycles deep, the one in which it passes to the second.

    Args:
        config: configuration of the machine.

    Members:
        text: In; number of words in the text.
        address: Out; of an instruction.
        enable: Out; the memory is to read it, and to give it from the next cycle on until it is to read again.
        ready: In; the memory can read it in this cycle.
        missing: In; of `FETCHED.missed`: its line is awaited from L2, or from memory, in this cycle.
        way: In; way of the cache from which it is read.
        outside: Out; it is outside the text, and need not be read.
        word: In; what the memory has read.
        empty: Out; there is no instruction that has been read.
        valid: Out; whether there is an instruction in ID.
        fetched: Out; that instruction.
        leaves: In; it leaves ID; with `redirect` of no effect.
        redirect: In; all instructions here are dropped, and the next one is that at `target`.
        target: In; address.
        resolve: In; the jump or branch `outcome` is certain.
        outcome: In; of `OUTCOME`.
    """

    def __init__(self, config: Config) -> None:
        """Create the stage."""
        self._config = config
        super().__init__(
            {
                "text": In(w.WORD),
                "address": Out(w.WORD),
                "enable": Out(1),
                "ready": In(1),
                "missing": In(2),
                "way": In(6),
                "outside": Out(1),
                "word": In(w.WORD),
                "empty": Out(1),
                "valid": Out(1),
                "fetched": Out(FETCHED),
                "leaves": In(1),
                "redirect": In(1),
                "target": In(w.WORD),
                "resolve": In(1),
                "outcome": In(OUTCOME),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Create the program counter, the predictor and the registers between the cycles."""
        m = Module()
        two_cycles = self._config.l1_latency(self._config.icache) == 2
        m.submodules.decoder = decoder = Decoder(self._config.absent)
        pc = Signal(w.WORD, init=w.biased(0))
        following, predicted, held = Signal(w.WORD), Signal(w.WORD), Signal(w.WORD)
        fresh = Signal(init=1)  # no prediction has been made for this address
        may_move, moves, look = Signal(), Signal(), Signal()  # to the second cycle or to ID; the prediction is made now

        # What the memory has read: in ID, or in the second cycle of IF.
        read = Signal(FETCHED)
        read_valid, read_leaves = Signal(), Signal()
        m.d.comb += [
            self.address.eq(pc),
            self.enable.eq(moves),
            self.outside.eq(w.is_less(list(pc), w.constant(0)) | ~w.is_less(list(pc), list(self.text))),
            decoder.word.eq(self.word),
            may_move.eq(~read_valid | read_leaves),
            moves.eq(may_move & self.ready),
            look.eq(fresh & may_move if two_cycles else fresh),
            *w.assign(following, w.next_of(m, list(pc))),
        ]
        missed = Signal(2)
        m.d.sync += missed.eq(Mux(moves | self.redirect, 0, missed | self.missing))
        m.d.sync += [fresh.eq(moves | self.redirect | (fresh & ~look)), held.eq(predicted)]
        with m.If(moves):
            m.d.sync += [
                pc.eq(predicted),
                read.pc.eq(pc),
                read.following.eq(following),
                read.predicted.eq(predicted),
                read.outside.eq(self.outside),
                read.way.eq(self.way),
                read.missed.eq(missed),
                read_valid.eq(1),
            ]
        with m.Elif(read_leaves):
            m.d.sync += read_valid.eq(0)
        with m.If(self.redirect):
            m.d.sync += [pc.eq(self.target), read_valid.eq(0)]

        now = Signal(FETCHED)
        m.d.comb += [now.eq(read), now.word.eq(self.word), now.control.eq(Mux(read.outside, 0, decoder.control))]
        if two_cycles:
            m.d.comb += read_leaves.eq(read_valid & (~self.valid | self.leaves))
            with m.If(read_leaves):
                m.d.sync += [self.fetched.eq(now), self.valid.eq(1)]
            with m.Elif(self.leaves):
                m.d.sync += self.valid.eq(0)
            with m.If(self.redirect):
                m.d.sync += self.valid.eq(0)
        else:
            m.d.comb += [self.fetched.eq(now), self.valid.eq(read_valid), read_leaves.eq(read_valid & self.leaves)]

        m.d.comb += self.empty.eq(~read_valid & ~self.valid)
        self._predict(m, pc, following, predicted, look, now, read_valid)
        with m.If(~fresh):
            m.d.comb += predicted.eq(held)
        return m

    def _predict(
        self, m: Module, pc: Signal, following: Signal, predicted: Signal, look: Signal, read: Signal, valid: Signal
    ) -> None:
        """Choose the address that is fetched after that in pc."""
        settings, outcome = self._config.predictor, self.outcome
        m.d.comb += predicted.eq(following)
        if settings.entries == 0:
            return
        m.submodules.targets = targets = TargetBuffer(settings.entries)
        m.d.comb += [targets.pc.eq(pc), targets.resolve.eq(self.resolve), targets.outcome.eq(outcome)]
        with m.If(targets.known):
            m.d.comb += predicted.eq(targets.target)
        if settings.returns == 0:
            return
        m.submodules.returns = stack = ReturnStack(settings.returns)
        m.d.comb += [
            stack.push.eq(look & valid & read.control.calls),
            stack.pop.eq(look & valid & read.control.returns),
            stack.address.eq(read.following),
            stack.resolved_push.eq(self.resolve & outcome.calls),
            stack.resolved_pop.eq(self.resolve & outcome.returns),
            stack.resolved_address.eq(outcome.following),
            stack.undo.eq(self.redirect),
        ]
        with m.If(targets.known & targets.returns & stack.held):
            m.d.comb += predicted.eq(stack.top)
