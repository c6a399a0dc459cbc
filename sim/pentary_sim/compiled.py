"""The compiled code of the model; results of its functions are those of Python, with int64 for int."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pentary.isa.table
from pentary.compiled import Store

_HERE: Final = Path(__file__).parent
_CONSTANTS: Final = ("config.py", "events.py", "layout.py", "opcodes.py")  # sources whose constants are compiled in


def _sources() -> Iterator[Path]:
    for source in sorted(_HERE.glob("*.py")):
        if b"\n@compiled" in source.read_bytes() or source.name in _CONSTANTS:
            yield source
    yield Path(pentary.isa.table.__file__)


STORE: Final = Store("sim", "the model of the processor", _HERE, _sources())

compiled: Final = STORE.compiled()
