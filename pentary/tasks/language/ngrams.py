"""Cross-entropy of n-gram models: what the figures of a language model are to be compared with.

Fitted on the training part and measured on the held-out part: a model fitted on the text that it is measured on knows
its rare sequences by heart. Smoothing after Witten and Bell (The zero-frequency problem, IEEE Transactions on
Information Theory 37, 1991): with T different bytes seen after a context that occurred n times,

    p(byte | context) = (count(context byte) + T p(byte | shorter context)) / (n + T).
"""

import numpy as np
from numpy.typing import NDArray

from pentary.tasks.language.corpus import Bytes, Corpus

NAMES = ("unigram", "bigram", "trigram")

_BLOCK = 2**22  # bytes that are counted at a time


def bits_per_byte(corpus: Corpus) -> dict[str, float]:
    """Return the cross-entropy of the uni-, bi- and trigram model on the held-out part, in bits/byte, by name.

    The first bytes of the part are predicted from the end of the training part.

    >>> text = np.frombuffer(b"abababab" * 50, np.uint8)
    >>> {name: round(bits, 3) for name, bits in bits_per_byte(Corpus("ab", text, text[:99])).items()}
    {'unigram': 1.007, 'bigram': 0.004, 'trigram': 0.0}
    """
    joined = np.concatenate([corpus.train[-(len(NAMES) - 1) :], corpus.held_out])
    probability = np.full(len(corpus.held_out), 1 / 256)
    bits = {}
    for length, name in enumerate(NAMES):
        wanted = _grams(joined, length)[-len(probability) :]
        probability = _interpolate(*_count(corpus.train, length), wanted, probability)
        bits[name] = float(-np.log2(probability).mean())
    return bits


def _grams(text: Bytes, length: int) -> NDArray[np.int64]:
    """Number every sequence of `length` bytes and the one that follows: context * 256 + byte."""
    number = np.zeros(len(text) - length, np.int64)
    for place in range(length + 1):
        number = number * 256 + text[place : len(text) - length + place]
    return number


def _count(text: Bytes, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the sequences of a text, a block at a time: different ones in ascending order, and how many of each."""
    starts = range(0, len(text) - length, _BLOCK)
    blocks = [np.unique(_grams(text[start : start + _BLOCK + length], length), return_counts=True) for start in starts]
    grams, place = np.unique(np.concatenate([grams for grams, _ in blocks]), return_inverse=True)
    counts = np.zeros(len(grams), np.int64)
    np.add.at(counts, place, np.concatenate([counts for _, counts in blocks]))
    return grams, counts


def _interpolate(
    grams: NDArray[np.int64], counts: NDArray[np.int64], wanted: NDArray[np.int64], shorter: NDArray[np.float64]
) -> NDArray[np.float64]:
    contexts, first = np.unique(grams // 256, return_index=True)
    totals = np.add.reduceat(counts, first)
    kinds = np.diff(np.append(first, len(grams)))
    count = _look_up(grams, counts, wanted)
    total = _look_up(contexts, totals, wanted // 256)
    kind = _look_up(contexts, kinds, wanted // 256)
    known = total > 0
    return np.where(known, (count + kind * shorter) / np.maximum(total + kind, 1), shorter)


def _look_up(keys: NDArray[np.int64], values: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the value of each wanted key, 0 for missing keys."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
