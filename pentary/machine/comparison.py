"""Comparison of a core's retire records with those of the model."""

from pentary.asm import disassemble_word
from pentary.isa.program import Program
from pentary.machine.retire import COLUMNS, Records
from pentary.numbers.word import PentaryError
from pentary.support.columns import table

_SHOWN = 20


class Comparison:
    """Comparison of records, in the order in which the model makes them.

    Args:
        program: the program that runs.
        other: records of a core; only columns that it has are compared.

    Attributes:
        different: which columns of the first record that differs do; empty if none does so far.
    """

    def __init__(self, program: Program, other: Records) -> None:
        """Create a comparison from the first record on."""
        self._program, self._other = program, other
        self._columns = [column for column in COLUMNS if column in other]
        self._length = len(other["pc"])
        self._count = 0
        self._ours: list[dict[str, int]] = []
        self.different: list[str] = []

    def add(self, found: Records) -> None:
        """Compare the model's records of some instructions."""
        if self.different or not len(found["pc"]):
            return
        first, last = self._count, min(self._count + len(found["pc"]), self._length)
        wrong = {column: found[column][: last - first] != self._other[column][first:last] for column in self._columns}
        places = [int(differs.argmax()) for differs in wrong.values() if differs.any()]
        end = min(places) + 1 if places else len(found["pc"])
        rows = range(max(0, end - _SHOWN), end)
        self._ours += [{column: int(found[column][row]) for column in self._columns} for row in rows]
        self._ours = self._ours[-_SHOWN:]
        self._count += end
        if places:
            self.different = [column for column, differs in wrong.items() if differs[end - 1]]

    @property
    def agrees(self) -> bool:
        """Whether all records agree, and there are as many on both sides."""
        return not self.different and self._count == self._length

    @property
    def cycle(self) -> int | None:
        """Cycle of the last record compared, on the side of the model; None if cycles are not compared."""
        return self._ours[-1].get("cycle") if self._ours else None

    def told(self) -> str:
        """Return in words how the records compare."""
        if self.agrees:
            return f"{self._count:,} records agree in {', '.join(self._columns)}"
        if not self.different:
            return f"after {min(self._count, self._length):,} records that agree, {self._missing()}"
        number = self._count - 1
        ours = self._ours[-1]
        what = "; ".join(f"{name} is {self._other[name][number]}, not {ours[name]}" for name in self.different)
        place = self._program.place(ours["pc"])
        return f"record {number:,} differs, at {place}: {what}"

    def around(self) -> str:
        """Return the last records of both sides as a table, theirs below ours where they differ."""
        names = self._program.label_names()
        rows = [("", *self._columns, "instruction")]
        for number, ours in enumerate(self._ours, start=self._count - len(self._ours)):
            pc = ours["pc"]
            text = disassemble_word(int(self._program.image[pc]), pc, names) if 0 <= pc < self._program.text else ""
            rows.append(("model", *(str(ours[column]) for column in self._columns), text))
            theirs = {column: int(self._other[column][number]) for column in self._columns}
            if theirs != ours:
                rows.append(("core", *(str(theirs[column]) for column in self._columns), ""))
        return table(rows)

    def check(self) -> None:
        """Raise PentaryError unless all records agree."""
        if self.different:
            raise PentaryError(f"{self.told()}\n\n{self.around()}")
        if not self.agrees:
            raise PentaryError(self.told())

    def _missing(self) -> str:
        if self._count > self._length:
            return f"the model has {self._count - self._length:,} more"
        return f"the core has {self._length - self._count:,} more"
