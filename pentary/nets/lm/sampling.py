"""Sampling: bytes drawn from the model in integer arithmetic, reproducible from a seed on every machine.

The odds of a byte depend on how far its logit is below the largest, by the table of `pentary.nets.lm.odds`. Each draw
takes one word of the generator: where the odds of all bytes, in their order, sum to n, it selects the byte in whose
interval of the cumulative odds floor(n (word + 76,293,945,312) / 5**16) lies.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.lowrank import generator
from pentary.nets.lm.forward import Forward, Weights
from pentary.nets.lm.odds import MIN_P, TEMPERATURE, odds
from pentary.numbers.word import PENTS, WORD_MAX, checked_integers

_STREAM: Final = -1  # matrix number that no tensor has; its key in step 0 is for sampling


def generate(
    weights: Weights,
    prompt: bytes = b"",
    count: int = 400,
    *,
    temperature: float = TEMPERATURE,
    min_p: float = MIN_P,
    seed: int = 0,
) -> Iterator[int]:
    """Draw bytes that continue a prompt, which begins a document.

    Byte 0 ends a document and begins the next: the model's hidden states are reset, and drawing continues.

    Args:
        weights: filled; they must not change before the last byte is drawn.
        prompt: bytes that the model reads first.
        count: bytes to draw, 1 or more.
        temperature: 0..100: 1 draws with the model's probabilities, less prefers likely bytes, 0 always takes the
            likeliest (of several, the least).
        min_p: 0..1: bytes less likely than this share of the likeliest's probability, at that temperature, are left
            out.
        seed: a word.

    Returns:
        An iterator over the bytes, 0..255, each as soon as it has been drawn.

    Raises:
        PentaryError: an argument is out of its range.
    """
    checked_integers(count, 1, WORD_MAX, "number of bytes")
    checked_integers(seed, -WORD_MAX, WORD_MAX, "seed")
    return _draws(Forward(weights, 1), prompt, count, odds(temperature, min_p), temperature == 0, seed)


def _draws(
    forward: Forward, prompt: bytes, count: int, table: NDArray[np.int64], greedy: bool, seed: int
) -> Iterator[int]:
    key = generator.matrix_key(seed, 0, _STREAM)
    *before, byte = chain(b"\0", prompt)
    for known in before:
        forward.step(np.array([known], np.uint8))
    for number in range(count):
        logits = forward.step(np.array([byte], np.uint8))[0]
        if greedy:
            byte = int(logits.argmax())
        else:
            limits = table[logits.max() - logits].cumsum()
            place = (generator.prng(key, number).item() + WORD_MAX) * int(limits[-1]) // 5**PENTS
            byte = int(np.searchsorted(limits, place, side="right"))
        yield byte
