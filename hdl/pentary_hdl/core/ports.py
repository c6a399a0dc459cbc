"""Ports of the core to memory and devices, as the core sees them."""

from typing import Final

from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import MAX_VL, VECTORS
from pentary_hdl.core import word as w

READ: Final = wiring.Signature({"address": Out(w.WORD), "enable": Out(1), "word": In(w.WORD)})
"""A read: the word comes in the cycle after `enable`, and stays until the next read."""

WRITE: Final = wiring.Signature({"address": Out(w.WORD), "enable": Out(1), "word": Out(w.WORD)})

CONSOLE: Final = wiring.Signature({"valid": Out(1), "ready": In(1), "word": Out(w.WORD)})
EXIT: Final = wiring.Signature({"valid": Out(1), "word": Out(w.WORD)})
INPUT: Final = wiring.Signature({"valid": In(1), "word": In(w.WORD), "available": In(w.WORD), "taken": Out(1)})
"""Input: `taken` when the word has been read; `available` is how many there are."""

VECTOR: Final = (VECTORS - 1).bit_length()
"""Width of the number of a vector register."""

ELEMENT_BITS: Final = (MAX_VL - 1).bit_length()
"""Width of VL less 1, and of the number of an element."""


class Order(enum.Enum, shape=2):
    """How the addresses of the elements follow each other."""

    CONSECUTIVE = 0
    STRIDED = 1
    INDEXED = 2


MOVE: Final = data.StructLayout(
    {
        "loads": 1,
        "order": Order,
        "register": VECTOR,  # loaded or stored
        "indices": VECTOR,  # register of the indices
    }
)
"""What an instruction of the unit asks for."""


def moves(beat: int) -> wiring.Signature:
    """Return the signature of the port to memory of the vector load/store unit, as the unit sees it.

    Args:
        beat: words of a beat.

    Members:
        looks: Out; there is an access in the next cycle, at `next`.
        next: Out; address of its first word.
        starts_line: Out; with `looks`, it is the first one to its line, or that of an element.
        valid: Out; there is an access, until it is `done`.
        address: Out; of its first word.
        stores: Out; whether it is a store.
        mask: Out; which words of the beat are moved.
        words: Out; those of a store.
        ends: Out; it is the last one of its instruction.
        done: In; it takes place in this cycle.
        loaded: In; the words of a load, in the next cycle.
    """
    return wiring.Signature(
        {
            "looks": Out(1),
            "next": Out(w.WORD),
            "starts_line": Out(1),
            "valid": Out(1),
            "address": Out(w.WORD),
            "stores": Out(1),
            "mask": Out(beat),
            "words": Out(w.WORD).array(beat),
            "ends": Out(1),
            "done": In(1),
            "loaded": In(w.WORD).array(beat),
        }
    )
