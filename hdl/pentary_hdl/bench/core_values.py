"""Directed program for the core: what instructions of units make of random operands, read back to the last element."""

from collections.abc import Iterator
from random import Random
from typing import Final

from pentary.asm import assemble_text
from pentary.isa.encoding import operands
from pentary.isa.table import CONTROLS, MAX_VL, Instruction
from pentary.lowrank.operations import MAX_RANK
from pentary.machine.config import Config
from pentary.machine.engines import Setup
from pentary.numbers.word import WORD_MAX, limit
from pentary_hdl.bench.core_coverage import present
from pentary_hdl.bench.core_writer import NAMES
from pentary_hdl.core.faults import MAX_PAIR

_LENGTHS: Final = ((2, 15), (16, 63), (64, MAX_VL - 1))
"""Vector lengths, one of each range."""

_OPERANDS: Final = 8
"""Random vectors in memory."""

_SCRATCH: Final = 6 * MAX_VL
"""Words around the middle of which stores write, with strides of up to 3."""

_UNITS: Final = {"vector", "memory", "crossbar", "lowrank"}

_FRAME: Final = """
        LI      p10, {length}
        SETVL   p10
{body}
        HALT
        .data
{operands}
indices: .word {indices}
scratch: .space {scratch}
results: .space {results}
"""


class _Values:
    """Writer of the program.

    Args:
        config: machine on which it is to run.
        rng: what draws operands.
    """

    def __init__(self, config: Config, rng: Random) -> None:
        """Start a program."""
        self._rng, self._lines, self._results = rng, list[str](), 0
        self._present = [line for line in present(config) if line.unit in _UNITS]
        self._names = {line.name for line in self._present}

    def write(self) -> str:
        """Return the program."""
        for low, high in _LENGTHS:
            for line in self._present:
                if line.name != "LRSET":
                    self._instruction(line, self._rng.randint(low, high))
        words = [self._word() for _ in range(_OPERANDS * MAX_VL)]
        shuffled = self._rng.sample(range(MAX_VL), MAX_VL)
        return _FRAME.format(
            length=MAX_VL,
            body="\n".join(self._lines),
            operands="\n".join(
                f"operand{number}: .word {', '.join(map(str, words[number::_OPERANDS]))}" for number in range(_OPERANDS)
            ),
            indices=", ".join(map(str, shuffled)),
            scratch=_SCRATCH,
            results=self._results,
        )

    def _emit(self, *instructions: str) -> None:
        self._lines += instructions

    def _word(self) -> int:
        """Return a number of a random width."""
        size = self._rng.choice((1, 3, 8, 12, 20))
        return self._rng.randint(-min(limit(size), WORD_MAX), min(limit(size), WORD_MAX))

    def _load(self, register: str, label: str = "") -> None:
        self._emit(f"LA p10, {label or f'operand{self._rng.randrange(_OPERANDS)}'}", f"LOADV {register}, (p10)")

    def _instruction(self, line: Instruction, length: int) -> None:
        """Write an instruction with operands of its own, and store its results."""
        for name in ("vd", "vs", "vt", "vu"):
            self._load(NAMES[name], "indices" if line.name.endswith("VX") and name == "vs" else "")
        if "MATVEC" in self._names and line.unit == "crossbar":
            for row in self._rng.sample(range(MAX_VL), 4):
                self._emit(f"LI p10, {row}", f"LOADX {NAMES['vs' if row % 2 else 'vt']}, p10")
        if "LRGEN" in self._names and line.unit == "lowrank":
            self._sums()
        for name in ("rs", "rt"):
            self._scalar(line, name, length)
        self._emit(f"LI p10, {length}", "SETVL p10", self._written(line), f"LI p10, {MAX_VL}", "SETVL p10")
        for visible in self._visible(line):
            self._store(visible)

    def _sums(self) -> None:
        """Set the control registers of the low-rank unit, generate factors and multiply; sometimes quantise, twice."""
        chosen = {name: self._rng.randint(low, high) for name, (low, high) in CONTROLS.items()}
        for name, value in chosen.items():
            self._emit(f"LI p10, {value}", f"LRSET {name}, p10")
        self._emit(f"LI p10, {self._rng.randint(0, MAX_PAIR)}", "LRGEN p10")
        self._emit(f"LI p10, {self._rng.randrange(chosen['ROWS'])}", "LRMUL p10")
        self._rows = chosen["ROWS"]
        if self._rng.random() < 0.5:
            # Sums that are levels already stay what they are, whatever the rank is by now.
            self._emit("PQUANT", f"LI p10, {self._rng.randint(1, MAX_RANK)}", "LRSET RANK, p10", "PQUANT")

    def _scalar(self, line: Instruction, name: str, length: int) -> None:
        """Write the load of a scalar operand that the instruction takes."""
        value: int | str = self._word()
        match line.name, name:
            case ("VGET", "rt") | ("VSET", "rs"):
                value = self._rng.randrange(length)
            case ("LOADX", "rt"):
                value = self._rng.randrange(MAX_VL)
            case ("LRGEN", "rs"):
                value = self._rng.randint(0, MAX_PAIR)
            case ("LRMUL", "rs"):
                value = self._rng.randrange(self._rows)
            case ("LOADVS" | "STOREVS", "rt"):
                value = self._rng.choice((-3, -1, 2, 3))
            case ("LOADV" | "STOREV" | "LOADVS" | "STOREVS", "rs") | ("LOADVX" | "STOREVX", "rt"):
                value = f"scratch + {_SCRATCH // 2}"
        self._emit(f"LI {NAMES[name]}, {value}")

    def _written(self, line: Instruction) -> str:
        drawn = dict(NAMES)
        for name, operand in operands(line):
            if name in ("k", "w"):
                assert operand.low is not None and operand.high is not None
                drawn[name] = str(self._rng.randint(operand.low, operand.high))
        drawn["i(rs)"] = "0(p5)"
        return f"{line.name} {', '.join(drawn[name] for name in line.operands)}"

    def _visible(self, line: Instruction) -> Iterator[tuple[str, ...]]:
        """Yield instructions that bring results of an instruction to v1."""
        if "rd" in line.operands:
            yield ("VSET v1, zero, p9",)
        elif line.operands[:1] == ("vu",):
            for start in range(0, _SCRATCH, MAX_VL):
                yield f"LA p10, scratch + {start}", "LOADV v1, (p10)"
        elif line.name == "LOADX":
            yield ("MATVEC v1, v3",)
        elif line.name == "POPEVAL":
            yield "FITGET p9, f1", "VSET v1, zero, p9"
        elif line.unit == "lowrank" and "vd" not in line.operands:
            for name in ("LRACC", "LRADD"):
                yield (f"{name} v1, v3, p6",)
        else:
            yield ()

    def _store(self, visible: tuple[str, ...]) -> None:
        """Write the store of v1 to a place of its own."""
        self._emit(*visible, f"LA p10, results + {self._results}", "STOREV v1, (p10)")
        self._results += MAX_VL


def values(config: Config) -> Iterator[Setup]:
    """Yield a program in which each instruction of the units takes random operands and all results are stored."""
    if config.units.vector:
        yield Setup(assemble_text(_Values(config, Random(0)).write()), config)
