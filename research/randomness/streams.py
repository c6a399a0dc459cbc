"""Streams of pents under test: generator outputs for low-entropy inputs like those of training."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from reference import MEMBER, SEED, STEP, Digits, Generator

from pentary.lowrank import generator

Index = NDArray[np.int64]

WORDS = 2**17  # words in a stream; a member draws at most 195,313 blocks
MEMBERS, BLOCKS = 1024, 8  # where members interleave with steps: 128 pents of each member are drawn at once


def _under_one_key(g: Generator, seed: int, counters: Index) -> Digits:
    return g.pents(g.words(seed, STEP), counters)


def _first_words(g: Generator, seeds: Index | int, counters: Index | int) -> Digits:
    return g.pents(g.words(seeds, counters), 0)


def _matrices(g: Generator, seed: int, i: Index) -> Digits:
    per_step = 2 * generator.MATRIX_MAX + 1
    return _first_words(g, seed, STEP * (i // per_step) + i % per_step - generator.MATRIX_MAX)


_STREAMS: dict[str, tuple[str, Callable[[Generator, int, Index], Digits]]] = {
    "blocks": ("consecutive blocks of member 7", lambda g, seed, i: _under_one_key(g, seed, 7 * MEMBER + i)),
    "members": ("block 0 of consecutive members", lambda g, seed, i: _under_one_key(g, seed, i * MEMBER)),
    "steps": ("member 0, block 0 in consecutive steps", lambda g, seed, i: _first_words(g, seed, STEP * i)),
    "matrices": ("the same of consecutive matrices -7812..7812, step after step", _matrices),
    "seeds": ("the same of consecutive seeds, base + i", lambda g, seed, i: _first_words(g, seed + i, STEP)),
    "keys": ("key base + i, counter 0", lambda g, seed, i: g.pents(seed + i, 0)),
    "diagonal": ("key base + i, counter -i, which cancel", lambda g, seed, i: g.pents(seed + i, -i)),
}
STREAMS = {name: what for name, (what, _) in _STREAMS.items()}


def draw(name: str, generator: Generator, seed: int = SEED) -> Digits:
    """Return the words of a stream as pents (WORDS, 16)."""
    return _STREAMS[name][1](generator, seed, np.arange(WORDS))


def training_chunks(seed: int, first_step: int) -> Iterator[Digits]:
    """Yield pents in the order of training: for each step and each of 3 matrices, 128 pents of each of 1024 members."""
    for step in range(first_step, generator.STEP_MAX + 1):
        for key in generator.prng(seed, step * STEP + np.arange(3)).tolist():
            yield generator.pents(key, np.arange(MEMBERS), 0, BLOCKS)
