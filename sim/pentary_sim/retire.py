"""Retire records of the model: what each instruction did and when, made of its trace records.

`architecture/retire.md` describes them.
"""

from typing import Final

import numpy as np

from pentary.interpreter.system import flags_as_word
from pentary.isa.encoding import IllegalInstruction, decode
from pentary.isa.program import Program
from pentary.isa.system import CAUSES
from pentary.isa.table import STACK
from pentary.machine.retire import Records
from pentary_sim.events import FAULTS, NONE, Events

_TRAPS: Final = np.array([CAUSES.get(name, 0) for name in FAULTS])
_FLAG_WORDS: Final = np.array([flags_as_word(flags) for flags in range(64)])
_MOVES: Final = ("LOAD", "STORE", "PUSH", "POP")


class Retired:
    """Retire records of a run, made of its trace records.

    Args:
        program: the program that runs.

    Attributes:
        count: how many there have been so far.

    >>> from pentary.asm import assemble_text
    >>> from pentary_sim.simulator import Simulator
    >>> machine = Simulator(assemble_text("li p1, -7\\npush p1\\nhalt"), trace=True)
    >>> found = (machine.run(), Retired(machine.program).records(machine.take_events()))[1]
    >>> found["register"].tolist(), found["value"].tolist(), found["data"].tolist()
    ([1, 30, 0], [-7, 1953124, 0], [0, -7, 0])
    """

    def __init__(self, program: Program) -> None:
        """Create a converter for a run from its first instruction on."""
        self._program = program
        self._names = np.array([_name(word) for word in program.image[: program.text].tolist()])
        self.count = 0

    def records(self, events: Events) -> Records:
        """Return the records of some instructions, in program order, following those before."""
        rows, image = events.records, self._program.image
        inside = (rows["pc"] >= 0) & (rows["pc"] < self._program.text)
        places = np.where(inside, rows["pc"], 0)
        executed = rows["fault"] == 0
        names = self._names[places]
        moves = executed & np.isin(names, _MOVES)
        pushes = moves & (names == "PUSH")
        register = np.where(pushes, STACK, np.where(executed & (rows["register"] > 0), rows["register"], 0))
        order = self.count + np.arange(len(rows))
        self.count += len(rows)
        return {
            "order": order,
            "cycle": np.where(executed, rows["writeback"], rows["execute"]),
            "execute": rows["execute"],
            "pc": rows["pc"],
            "word": np.where(inside, image[places], 0),
            "trap": _TRAPS[rows["fault"]],
            "register": register.astype(np.int64),
            "value": np.where(pushes, rows["address"], np.where(register > 0, rows["value"], 0)),
            "address": np.where(executed, rows["address"], NONE),
            "data": np.where(moves, rows["value"], 0),
            "flags": _FLAG_WORDS[rows["flags"]],
        }


def _name(word: int) -> str:
    try:
        return decode(word).instruction.name
    except IllegalInstruction:
        return ""
