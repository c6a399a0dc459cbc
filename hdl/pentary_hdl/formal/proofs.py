"""Table of the proofs, by name; those of the core are in `core_proofs.py`.

Proofs about the whole unit are for its smallest parameters; larger units come from the same source but are not covered.
"""

from functools import partial
from typing import Final

from amaranth import Cat, Value

from pentary_hdl.bus.axilite import AxiLite
from pentary_hdl.formal import arithmetic, decoder, mover, quantiser, randomness
from pentary_hdl.formal.core_proofs import CORE_PROOFS
from pentary_hdl.formal.prover import Proof
from pentary_hdl.formal.streams import Balanced, Channel, Stable
from pentary_hdl.lralu.twin import OPS, LowRankParameters
from pentary_hdl.lralu.unit import LowRankAlu

_SMALLEST: Final = LowRankParameters(max_rank=1, max_size=16)


def _unit_stable() -> Stable:
    unit = LowRankAlu(_SMALLEST)
    return Stable(unit, [Channel.of(port) for port in (unit.results, unit.scalars, unit.responses)])


def _answered() -> Balanced:
    unit = LowRankAlu(_SMALLEST)
    commands, responses = Channel.of(unit.commands), Channel.of(unit.responses)
    return Balanced(unit, commands.transfer, responses.transfer, _rest(unit))


def _returned() -> Balanced:
    unit = LowRankAlu(_SMALLEST)
    return Balanced(unit, Channel.of(unit.base).transfer, Channel.of(unit.results).transfer, _rest(unit))


def _drawn() -> Balanced:
    unit = LowRankAlu(_SMALLEST)
    asked = unit.commands.payload
    in_pents = Cat(code != bad for operand in (asked.a, asked.b) for code in _codes(operand) for bad in (3, 4, 5)).all()
    entered = Channel.of(unit.commands).transfer & (asked.op == OPS["PRNG"]) & in_pents
    return Balanced(unit, entered, Channel.of(unit.scalars).transfer, _rest(unit))


def _codes(operand: Value) -> list[Value]:
    return [operand[low : low + 3] for low in range(0, len(operand), 3)]


def _rest(unit: LowRankAlu) -> Value:
    """Return whether the unit is ready but gets no command, and all its outputs are ready to be taken."""
    taken = unit.results.ready & unit.scalars.ready & unit.responses.ready
    return unit.commands.ready & ~unit.commands.valid & taken


def _bus_stable() -> Stable:
    unit = AxiLite()
    return Stable(unit, [_bus(unit)[name] for name in ("b", "r")])


def _written() -> Balanced:
    unit = AxiLite()
    address, word, answer = (_bus(unit)[name] for name in ("aw", "w", "b"))
    rest = ~address.valid & ~word.valid & answer.ready
    return Balanced(unit, address.transfer & word.transfer, answer.transfer, rest, kept=(address, word))


def _read() -> Balanced:
    unit = AxiLite()
    address, answer = (_bus(unit)[name] for name in ("ar", "r"))
    return Balanced(unit, address.transfer, answer.transfer, ~address.valid & answer.ready, kept=(address,))


def _bus(unit: AxiLite) -> dict[str, Channel]:
    axi = unit.axi
    return {
        "aw": Channel(axi.awvalid, axi.awready, axi.awaddr),
        "w": Channel(axi.wvalid, axi.wready, Cat(axi.wdata, axi.wstrb)),
        "b": Channel(axi.bvalid, axi.bready, axi.bresp),
        "ar": Channel(axi.arvalid, axi.arready, axi.araddr),
        "r": Channel(axi.rvalid, axi.rready, Cat(axi.rdata, axi.rresp)),
    }


LOWRANK_PROOFS: Final = {
    "reduction": Proof(
        "the cell `reduced` splits every sum of up to 5 bits: total = 5 carry + pent",
        arithmetic.Reduction,
        0,
    ),
    "digit-adder": Proof(
        "a + b + carry_in = 5 carry_out + sum for all pents and carries, which telescopes to any width",
        arithmetic.DigitAdder,
        0,
    ),
    "constant-adder": Proof(
        "a number of 4 pents plus 1, 4 or 16 is right modulo 5^4",
        partial(arithmetic.ConstantAdder, 4, (1, 4, 16)),
        0,
    ),
    "quantiser": Proof(
        "every sum of its width, for every rank of 1..8, becomes round(s / sqrt(rank)) within -2..2, ties to 0",
        partial(quantiser.Quantised, LowRankParameters()),
        None,
    ),
    "quantiser-64": Proof(
        "the same for every rank of 1..64",
        partial(quantiser.Quantised, LowRankParameters(max_rank=64)),
        None,
    ),
    "decoder": Proof(
        "a command is refused unless its code, its control register and all operands are of the specification's ranges",
        partial(decoder.Decided, LowRankParameters()),
        0,
    ),
    "addends": Proof(
        "what is added is sigma times the sum as a pent, or the pent of LRACC times the sum, or POPAVG's step",
        partial(mover.Added, LowRankParameters()),
        None,
    ),
    "mover": Proof(
        "every sum in range becomes the nearest weight, the saturated sum or itself, under every WIDTH",
        partial(mover.Moved, LowRankParameters()),
        1,
    ),
    "generator": Proof(
        "for every key and counter, each of the 8 rounds is that of the specification",
        randomness.Rounds,
        None,
    ),
    "bijection": Proof(
        "a round never makes one word of two: no state of the generator is dead",
        randomness.Bijection,
        0,
    ),
    "recovery": Proof(
        "from any state, a load gives a word of pents after exactly 8 rounds",
        randomness.Recovery,
        randomness.Recovery.SETTLED,
    ),
    "streams-stable": Proof(
        "results, scalars and responses stay as they are until they are taken",
        _unit_stable,
        1,
    ),
    "commands-answered": Proof(
        "exactly one response for each command",
        _answered,
        None,
    ),
    "beats-returned": Proof(
        "exactly one beat of results for each beat of the base",
        _returned,
        None,
    ),
    "scalars-given": Proof(
        "exactly one scalar for each PRNG of pents, and none for other commands",
        _drawn,
        None,
    ),
    "bus-stable": Proof(
        "AXI4-Lite: answers to writes and reads stay as they are until they are taken",
        _bus_stable,
        None,
    ),
    "bus-writes": Proof(
        "AXI4-Lite: exactly one answer for each write, its address and data taken together",
        _written,
        None,
    ),
    "bus-reads": Proof(
        "AXI4-Lite: exactly one answer for each read",
        _read,
        None,
    ),
}
"""Proofs about the low-rank ALU and what it is made of, by name."""

PROOFS: Final = LOWRANK_PROOFS | CORE_PROOFS
"""All proofs by name, in the order in which they are run."""
