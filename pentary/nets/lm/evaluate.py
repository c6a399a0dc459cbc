"""Bits per byte of the unperturbed model on a text, which is read in parallel pieces with limited context."""

from itertools import pairwise
from math import fsum
from typing import Final

import numpy as np

from pentary.nets.lm import loss
from pentary.nets.lm.forward import Forward, Weights
from pentary.nets.lm.model import Bytes
from pentary.support.parallel import map_items, slices, workers

STREAMS: Final = 256
"""Largest number of pieces in which a text is read."""

WARM_UP: Final = 64
"""Bytes of context that are read before each piece and not counted; also the least length of a piece."""

_STEPS: Final = 16  # bytes of each piece read between two points at which Ctrl-C takes effect


def bits_per_byte(weights: Weights, text: Bytes) -> float:
    """Return the cross-entropy of the unperturbed model on a text, in bits per byte.

    Every byte of the text counts once. The text begins a document: its first byte is predicted from byte 0 alone. It is
    read in up to `STREAMS` parallel pieces of equal length; a piece starts from a hidden state of zero, `WARM_UP`
    bytes before its first byte. So the bytes of the first piece are predicted from all that comes before them, and the
    others from at least the 64 bytes before them.

    Args:
        weights: of the unperturbed model, filled.
        text: (bytes,) uint8, at least one.

    Returns:
        Bits per byte, computed by `loss.bits` from integer logits: the same for every backend and number of workers.
    """
    length = max(WARM_UP, -(-len(text) // STREAMS))
    pieces = -(-len(text) // length)
    # Zeros before the text: reading byte 0 is what begins a document. Zeros after it fill the last piece.
    padded = np.concatenate([np.zeros(WARM_UP, np.uint8), text, np.zeros(pieces * length - len(text), np.uint8)])
    starts = np.arange(pieces) * length
    bits = np.zeros(pieces)
    parts = slices(pieces, -(-pieces // workers()))
    readers = [(part, Forward(weights, part.stop - part.start)) for part in parts]
    places = range(WARM_UP + length)
    for first in places[:-1:_STEPS]:

        def read(reader: tuple[slice, Forward], first: int = first) -> None:
            part, forward = reader
            for place, following in pairwise(places[first : first + _STEPS + 1]):
                logits = forward.step(padded[starts[part] + place])
                if following >= WARM_UP:
                    lost = loss.bits(logits, padded[starts[part] + following])
                    bits[part] += np.where(starts[part] + following < WARM_UP + len(text), lost, 0)

        map_items(read, readers)
    return fsum(bits) / len(text)
