"""Ports of the core to memory and devices, as the core sees them."""

from typing import Final

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary_hdl.core import word as w

READ: Final = wiring.Signature({"address": Out(w.WORD), "enable": Out(1), "word": In(w.WORD)})
"""A read: the word comes in the cycle after `enable`, and stays until the next read."""

WRITE: Final = wiring.Signature({"address": Out(w.WORD), "enable": Out(1), "word": Out(w.WORD)})

CONSOLE: Final = wiring.Signature({"valid": Out(1), "ready": In(1), "word": Out(w.WORD)})
EXIT: Final = wiring.Signature({"valid": Out(1), "word": Out(w.WORD)})
INPUT: Final = wiring.Signature({"valid": In(1), "word": In(w.WORD), "available": In(w.WORD), "taken": Out(1)})
"""Input: `taken` when the word has been read; `available` is how many there are."""
