"""Retire port of the core: what each instruction did, for a monitor that compares it with a model.

It is in the spirit of RISC-V's RVFI: a record has a number, `order`, by which a monitor sorts what comes through two
channels, since a trap is known in EX, before the instructions ahead of it have retired. Products come through a third
one, and the scalar results of the units beside the pipeline through a fourth. `architecture/retire.md` describes the
records that are made of them.
"""

from typing import Final

from amaranth.lib import data, enum

from pentary_hdl.core import units
from pentary_hdl.core import word as w
from pentary_hdl.core.alu import FLAGS
from pentary_hdl.core.registers import WRITE

ORDER_BITS: Final = 32

WAITS: Final = (
    "flush",
    "trap",
    "fetch_l2",
    "fetch_memory",
    "load_use",
    "multiply_use",
    "unit_result",
    "memory_order",
    "queue",
    "sync",
    "execute",
    "data_l2",
    "data_memory",
    "device",
)
"""Causes for which an instruction can wait, in the order of their bits; `queue` stands for those of all units."""


class Path(enum.Enum, shape=3):
    """Where an operand comes from."""

    NONE = 0
    FILE = 1
    EX = 2
    PRODUCT = 3
    LOAD = 4
    UNIT = 5


MET: Final = data.StructLayout({"waits": len(WAITS), "x": Path, "y": Path, "late": Path})
"""What an instruction has waited for, and where its operands come from: first and second one, and datum of a store."""

RETIRED: Final = data.StructLayout(
    {
        "order": ORDER_BITS,
        "execute": w.WORD,  # cycle in which it has entered EX, as CYCLE counts
        "pc": w.WORD,
        "word": w.WORD,
        "register": 5,  # scalar register written, 0 for none
        "value": w.WORD,  # written to it, unless `product` is 1
        "accesses": 1,  # memory or a device, at `address`
        "address": w.WORD,
        "stores": 1,  # it is a store of a word
        "stores_vector": 1,  # it stores the next words of `moved`, up to `last`
        "data": w.WORD,  # loaded or stored
        "flags": FLAGS,  # after it, unless `flags_late` is 1
        "product": 1,  # its result is the next of the products
        "of_unit": 1,  # its result is the next one for its register from the units beside the pipeline
        "flags_late": 1,  # the flags after it are those of the newest product, its own included
        "halt": 1,
        "met": MET,
    }
)
"""An instruction that is in WB."""

TRAPPED: Final = data.StructLayout(
    {
        "order": ORDER_BITS,
        "pc": w.WORD,
        "word": w.WORD,
        "cause": w.WORD,
        "flags": FLAGS,
        "flags_late": 1,
        "held": 5,  # cycles that it has been in EX
        "fatal": 1,  # there is no handler, or it was a double fault: the core stops
        "is_double": 1,
    }
)
"""An instruction in whose place a trap is taken, at its last cycle in EX."""

PRODUCT: Final = data.StructLayout({"value": w.WORD, "flags": FLAGS})
"""A result of the multiplier, in the order of the instructions."""

RESULTS: Final = data.ArrayLayout(WRITE, units.RESULTS)
"""Scalar results of the units in a cycle, in the order of the instructions for each register; register 0 for none."""


def moved(beat: int) -> data.StructLayout:
    """Return the layout of the words that the vector load/store unit stores in a cycle.

    Args:
        beat: words of a beat.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "last": 1,  # the instruction has stored all of its words
            "address": w.WORD,  # of the first word that is stored
            "mask": beat,  # which words are stored of the beat in which that is
            "words": data.ArrayLayout(w.WORD, beat),
        }
    )


STAGES: Final = data.StructLayout(
    {f"{name}_{part}": shape for name in ("id", "ex", "mem", "wb") for part, shape in (("valid", 1), ("pc", w.WORD))}
)
"""Addresses of the instructions in the stages; of MEM, in its first cycle."""
