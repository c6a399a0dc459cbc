"""The bounded proofs of the core hold, and each fails on an injected bug."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from amaranth import Const, Module, Mux, Signal, Value

from pentary.isa.encoding import Operand, operands
from pentary.isa.table import Instruction
from pentary_hdl.core import alu, decoder
from pentary_hdl.core.mem import MemoryStage
from pentary_hdl.core.registers import Registers
from pentary_hdl.core.system import System
from pentary_hdl.formal.core_proofs import CORE_PROOFS
from pentary_hdl.formal.prover import prove

DOCUMENT = Path(__file__).parents[3] / "architecture" / "verification.md"


class Bug(NamedTuple):
    """An injected bug: description, and the text replacement that makes it."""

    told: str
    target: str
    replacement: Any


class Repeating(MemoryStage):
    """Bug: an instruction retires in two cycles."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        ended = Signal()
        m.d.sync += [ended.eq(self.ends), self.retires.eq(self.ends | ended)]
        return m


class Losing(MemoryStage):
    """Bug: an instruction that enters MEM as another one ends does not retire."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        ended = Signal()
        m.d.sync += [ended.eq(self.ends), self.retires.eq(self.ends & ~ended)]
        return m


class Blind(Registers):
    """Bug: who reads a register that is being written takes the old word."""

    def elaborate(self, platform: object) -> Module:
        self.passes = [Const(0, 5) for _ in self.passes]
        return super().elaborate(platform)


class Nonzero(Registers):
    """Bug: register 0 reads as the result of the instruction in EX."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        with m.If(self.numbers[1] == 0):
            m.d.comb += self.words[1].eq(self.writes[0].word)
        return m


class Astray(System):
    """Bug: a trap goes to the address of the last one."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.handler.eq(self.epc)
        return m


def no_carry(m: Module, digits: list[Value]) -> list[Value]:
    return [Mux(digits[0] == 4, 0, digits[0] + 1)[:3], *digits[1:]]


def wider(line: Instruction) -> tuple[tuple[str, Operand], ...]:
    return tuple(
        (name, each._replace(high=(each.high or 0) + 1) if each.kind == "register" else each)
        for name, each in operands(line)
    )


MINIMUM = alu.INSTRUCTIONS | {"MIN": alu.INSTRUCTIONS["MAX"]}
BUGS = {
    "core-order": [
        Bug("an instruction retires in two cycles", "pentary_hdl.core.core.MemoryStage", Repeating),
        Bug("the second of two instructions does not retire", "pentary_hdl.core.core.MemoryStage", Losing),
    ],
    "core-alive": [Bug("a division takes 20 cycles", "pentary_hdl.core.execute.DIVISION", 20)],
    "core-legal": [Bug("there is a register P32", "pentary_hdl.core.decoder.operands", wider)],
    "core-next": [
        Bug("the next address has no carries", "pentary_hdl.core.word.next_of", no_carry),
        Bug("a trap goes to EPC", "pentary_hdl.core.traps.System", Astray),
    ],
    "core-registers": [
        Bug("what is being written is read a cycle late", "pentary_hdl.core.core.Registers", Blind),
        Bug("register 0 reads as the result in EX", "pentary_hdl.core.core.Registers", Nonzero),
    ],
    "core-results": [
        Bug("MIN gives the greater word", "pentary_hdl.core.alu.INSTRUCTIONS", MINIMUM),
        Bug("minus a word is that word", "pentary_hdl.core.word.negated", list),
    ],
    "core-branches": [
        Bug("BLE stays where both are equal", "pentary_hdl.core.decoder._RELATIONS", decoder._RELATIONS | {"BLE": 1})
    ],
}


@pytest.mark.slow  # half a minute of synthesis each, and some minutes of search
@pytest.mark.parametrize("name", CORE_PROOFS)
def test_it_is_proved(name: str) -> None:
    verdict = prove(CORE_PROOFS[name])
    assert (verdict.proved, verdict.counterexample) == (True, [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "bug"), [pytest.param(name, bug, id=f"{name}: {bug.told}") for name, bugs in BUGS.items() for bug in bugs]
)
def test_it_fails_on_a_bug(name: str, bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bug.target, bug.replacement)
    verdict = prove(CORE_PROOFS[name])
    assert not verdict.proved
    assert verdict.counterexample[-1]["holds"] == "0"


def test_every_proof_has_a_bug() -> None:
    assert list(BUGS) == list(CORE_PROOFS)


def test_the_document_lists_them() -> None:
    rows = [
        f"| `{name}` | {proof.claim} | {proof.kind} | {'; '.join(bug.told for bug in BUGS[name])} |"
        for name, proof in CORE_PROOFS.items()
    ]
    assert "\n".join(rows) in DOCUMENT.read_text(encoding="utf-8")
