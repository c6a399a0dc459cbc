"""The formal proofs hold, and each fails on an injected bug."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary_hdl.bus.axilite import AxiLite
from pentary_hdl.formal import prover
from pentary_hdl.formal.proofs import LOWRANK_PROOFS, PROOFS
from pentary_hdl.formal.prover import Proof, prove
from pentary_hdl.lralu.decoder import Decoder
from pentary_hdl.lralu.digits import PENT, Multiple, add_constant, reaches, reduced
from pentary_hdl.lralu.twin import OPS
from pentary_hdl.lralu.unit import LowRankAlu

DOCUMENT = Path(__file__).parents[3] / "architecture" / "verification.md"


class Bug(NamedTuple):
    """An injected bug: description, and the text replacement that makes it."""

    told: str
    target: str
    replacement: Any


def no_borrow(m: Module, total: Value, base: int = 5) -> tuple[Value, Value]:
    pent, carry = reduced(m, total, base)
    return pent, Mux(carry < 0, 0, carry)


def rounds_up(m: Module, total: Value, base: int = 5) -> tuple[Value, Value]:
    pent, carry = reduced(m, total, base)
    return Mux(pent == -2, 3, pent), Mux(pent == -2, carry - 1, carry)


def no_carries(m: Module, pents: list[Value], constants: list[int], base: int = 5) -> list[Value]:
    sums = zip(pents, constants, strict=True)
    return [digit for pent, constant in sums for digit in add_constant(m, [pent], [constant], base)]


def next_number(number: Value, gap: Value) -> Value:
    return reaches(number, (gap - 1)[: len(gap)])


def one_more(alphabet: object, width: int) -> int:
    return (5**width + 1) // 2


def ties_to_one(rank: int) -> tuple[int, int]:
    return next(s for s in range(99) if 4 * s * s >= rank), next(s for s in range(99) if 4 * s * s >= 9 * rank)


def never_twice(alphabet: object, value: Value) -> Multiple:
    return Multiple(~value.any(), Const(0, 1), value[-1])


class Lenient(Decoder):
    """Bug: LRACC accepts the operand 6, whose low bits are those of -2."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        with m.If((self.command.op == 8) & (self.command.a == 6)):
            m.d.comb += self.error.eq(0)
        return m


class Impatient(LowRankAlu):
    """Bug: a response that is not accepted at once is withdrawn for a cycle (`valid` falls before `ready`)."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        withdrawn = Signal()
        m.d.sync += withdrawn.eq(self.responses.valid & ~self.responses.ready)
        with m.If(withdrawn):
            m.d.comb += self.responses.valid.eq(0)
        return m


class Restless(LowRankAlu):
    """Bug: the payload of a result beat changes while it waits (valid without ready)."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        waits = Signal()
        m.d.sync += waits.eq(self.results.valid & ~self.results.ready)
        m.d.comb += self.results.payload.last.eq(waits)
        return m


class Greedy(LowRankAlu):
    """Bug: commands are accepted when there is no room for them."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.commands.ready.eq(1)
        return m


class Repeating(LowRankAlu):
    """Bug: another beat of the base is accepted after it has been taken already."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        taken = Signal()
        m.d.sync += taken.eq(self.base.valid & self.base.ready)
        with m.If(taken):
            m.d.comb += self.base.ready.eq(1)
        return m


class Hiding(LowRankAlu):
    """Bug: a scalar result is not valid while a command is offered."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        with m.If(self.commands.valid):
            m.d.comb += self.scalars.valid.eq(0)
        return m


class Forgetful(AxiLite):
    """Bug: read and write responses are valid for one cycle only."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        with m.If(self.axi.bvalid):
            m.d.sync += self.axi.bvalid.eq(0)
        with m.If(self.axi.rvalid):
            m.d.sync += self.axi.rvalid.eq(0)
        return m


class Eager(AxiLite):
    """Bug: addresses are accepted while a response waits."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.sync += [self.axi.awready.eq(self.axi.awvalid & self.axi.wvalid), self.axi.arready.eq(self.axi.arvalid)]
        return m


UNIT, BUS = "pentary_hdl.formal.proofs.LowRankAlu", "pentary_hdl.formal.proofs.AxiLite"
BUGS = {
    "reduction": [
        Bug("negative sums have no carry", "pentary_hdl.lralu.digits.reduced", no_borrow),
        Bug("-2 becomes 3 and a borrow", "pentary_hdl.lralu.digits.reduced", rounds_up),
    ],
    "digit-adder": [Bug("negative sums have no carry", "pentary_hdl.lralu.digits.reduced", no_borrow)],
    "constant-adder": [Bug("carries stay away", "pentary_hdl.lralu.digits.add_constant", no_carries)],
    "quantiser": [
        Bug("ties go away from 0", "pentary_hdl.lralu.alphabet.balanced.pquant_thresholds", ties_to_one),
        Bug("thresholds are one too high", "pentary_hdl.lralu.alphabet.balanced.reaches", next_number),
    ],
    "quantiser-64": [Bug("ties go away from 0", "pentary_hdl.lralu.alphabet.balanced.pquant_thresholds", ties_to_one)],
    "decoder": [
        Bug("LRACC takes 6 too", "pentary_hdl.formal.decoder.Decoder", Lenient),
        Bug("LRADD and LRACC have each other's code", "pentary_hdl.lralu.decoder.OPS", OPS | {"LRADD": 8, "LRACC": 7}),
    ],
    "addends": [Bug("the sum 2 counts as 1", "pentary_hdl.lralu.alphabet.balanced.Balanced._by_sum", never_twice)],
    "mover": [
        Bug("thresholds are one too high", "pentary_hdl.lralu.alphabet.balanced.reaches", next_number),
        Bug("the greatest latent word is one too high", "pentary_hdl.lralu.alphabet.Balanced.most", one_more),
    ],
    "generator": [
        Bug("pents are not cubed", "pentary_hdl.lralu.alphabet.balanced.cube", lambda pent: pent),
        Bug("the mix takes places 0, 1 and 2", "pentary_hdl.lralu.generator._TAPS", (0, 1, 2)),
    ],
    "bijection": [
        Bug("the mix takes places 0, 1 and 9", "pentary_hdl.formal.randomness._TAPS", (0, 1, 9)),
        Bug("the cube is the square", "pentary_hdl.formal.randomness.cube", lambda pent: Mux(pent < 0, -pent, pent)),
    ],
    "recovery": [
        Bug("a word has 7 rounds", "pentary_hdl.lralu.generator.ROUNDS", 7),
        Bug("-2 becomes 3 and a borrow", "pentary_hdl.lralu.digits.reduced", rounds_up),
    ],
    "streams-stable": [
        Bug("a response that waits is withdrawn for a cycle", UNIT, Impatient),
        Bug("`last` changes while a beat waits", UNIT, Restless),
    ],
    "commands-answered": [Bug("commands are taken when there is no room", UNIT, Greedy)],
    "beats-returned": [Bug("a beat too many is taken from the base", UNIT, Repeating)],
    "scalars-given": [Bug("a scalar is hidden by the next command", UNIT, Hiding)],
    "bus-stable": [Bug("answers last a cycle", BUS, Forgetful)],
    "bus-writes": [Bug("addresses are taken while an answer waits", BUS, Eager)],
    "bus-reads": [Bug("addresses are taken while an answer waits", BUS, Eager)],
}

LONG = {"generator", "scalars-given"}
"""Proofs that take long to fail."""


@pytest.mark.parametrize("name", LOWRANK_PROOFS)
def test_it_is_proved(name: str) -> None:
    verdict = prove(LOWRANK_PROOFS[name])
    assert (verdict.proved, verdict.counterexample) == (True, [])


@pytest.mark.parametrize(
    ("name", "bug"),
    [
        pytest.param(name, bug, id=f"{name}: {bug.told}", marks=[pytest.mark.slow] if name in LONG else [])
        for name, bugs in BUGS.items()
        for bug in bugs
    ],
)
def test_it_fails_on_a_bug(name: str, bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bug.target, bug.replacement)
    verdict = prove(LOWRANK_PROOFS[name])
    assert not verdict.proved
    assert verdict.counterexample[-1]["holds"] == "0"


def test_every_proof_has_a_bug() -> None:
    assert list(BUGS) == list(LOWRANK_PROOFS)


def test_the_document_lists_them() -> None:
    rows = [
        f"| `{name}` | {proof.claim} | {proof.kind} | {'; '.join(bug.told for bug in BUGS[name])} |"
        for name, proof in LOWRANK_PROOFS.items()
    ]
    assert "\n".join(rows) in DOCUMENT.read_text(encoding="utf-8")


class Counter(wiring.Component):
    """Counter up to `limit`; the property `holds` is true until it is reached."""

    def __init__(self, limit: int, stops: bool) -> None:
        self.limit, self.stops = limit, stops
        super().__init__({"step": In(1), "word": In(data.ArrayLayout(PENT, 2)), "holds": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = Signal(8)
        with m.If(self.step & (~Const(self.stops) | (count < self.limit - 1))):
            m.d.sync += count.eq(count + 1)
        m.d.comb += self.holds.eq((count < self.limit) | (self.word[1] != -1) | (self.word[0] != 2))
        return m


def test_states_that_are_never_reached_count_only_where_the_kind_says_so() -> None:
    assert prove(Proof("", lambda: Counter(9, stops=True), None)).proved
    assert not prove(Proof("", lambda: Counter(9, stops=True), 1)).proved


def test_a_counterexample_is_the_shortest_and_told_in_pents() -> None:
    verdict = prove(Proof("", lambda: Counter(9, stops=False), None))
    steps = [frame["step"] for frame in verdict.counterexample]
    assert steps[:9] == ["1"] * 9 and len(steps) == 10
    assert verdict.counterexample[-1]["word"] == "[-1 2]"


def test_the_command_tells_each_proof() -> None:
    result = CliRunner().invoke(main, ["prove", "digit-adder", "bus-reads"])
    assert result.exit_code == 0
    assert re.fullmatch(r"(digit-adder|bus-reads) +proved +\d+\.\d s  .*\]", result.stdout.splitlines()[0])
    assert len(result.stdout.splitlines()) == 2


def test_the_command_tells_a_counterexample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pentary_hdl.lralu.digits.reduced", no_borrow)
    result = CliRunner().invoke(main, ["prove", "digit-adder"])
    assert (result.exit_code, result.stderr) == (2, "Error: 1 of 1 do not hold: digit-adder\n")
    told = re.search(r"cycle 0: .*\ba (-?\d), b (-?\d), carry_in (-?\d)", result.stdout)
    assert told is not None
    assert sum(map(int, told.groups())) < -2


def test_the_command_gives_json() -> None:
    result = CliRunner().invoke(main, ["prove", "--json", "reduction"])
    found = json.loads(result.stdout)["reduction"]
    assert (found["proved"], found["kind"], found["counterexample"]) == (True, "every input", [])


def test_an_unknown_proof_is_told_in_one_line() -> None:
    result = CliRunner().invoke(main, ["prove", "adder"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: there is no proof 'adder'; there are {', '.join(PROOFS)}\n"


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prover, "find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["prove", "reduction"])
    assert (result.exit_code, result.stderr) == (2, "Error: proving needs Yosys: pip install 'pentary[fpga]'\n")
