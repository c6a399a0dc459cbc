"""Independent model of the generator with any number of rounds and any mixing layer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pentary.lowrank import generator
from pentary.numbers.word import PENTS, WORD_MAX, from_digits, to_digits

Digits = NDArray[np.int8]
Words = NDArray[np.int64]

SEED = 2026
STEP, MEMBER = 5**generator.MATRIX_WIDTH, 5**generator.BLOCK_WIDTH


@dataclass(frozen=True)
class Mixing:
    """Linear mixing layer: pent j becomes the sum of the pents stride * j + place (modulo 16) over all places."""

    stride: int
    places: tuple[int, ...]

    def matrix(self) -> NDArray[np.uint8]:
        matrix = np.zeros((PENTS, PENTS), np.uint8)
        for j in range(PENTS):
            matrix[j, [(self.stride * j + place) % PENTS for place in self.places]] = 1
        return matrix

    def __str__(self) -> str:
        return f"{self.stride}j + {{{', '.join(map(str, self.places))}}}"


CHOSEN = Mixing(3, (0, 1, 3))
REJECTED = Mixing(5, (0, 1, 2))  # earlier choice for the generator; see `linear` in structure.py

_CUBE = np.array([0, 1, 3, 2, 4], np.uint8)


@dataclass(frozen=True)
class Generator:
    """Keyed bijection of a counter word; `pents` returns digits (..., 16), least significant first."""

    rounds: int = generator.ROUNDS
    mixing: Mixing = CHOSEN

    def pents(self, key: Words | int, counter: Words | int) -> Digits:
        keys, counters = np.broadcast_arrays(key, counter)
        k, state = (np.moveaxis(to_digits(words) % 5, -1, 0).astype(np.uint8) for words in (keys, counters))
        state = (state + k) % 5
        for number in range(1, self.rounds + 1):
            state = _CUBE[state]
            state = sum(state[[(self.mixing.stride * j + i) % PENTS for j in range(PENTS)]] for i in self.mixing.places)
            state = state + np.roll(k, -number, 0)
            state[0] += number % 5
            state[1] += number // 5
            state %= 5
        return np.moveaxis(np.array([0, 1, 2, -2, -1], np.int8)[state], 0, -1)

    def words(self, key: Words | int, counter: Words | int) -> Words:
        return from_digits(self.pents(key, counter))


def check() -> None:
    """Check this model against the generator of the kit, and exit if they differ."""
    keys, counters = np.random.default_rng(1).integers(-WORD_MAX, WORD_MAX + 1, (2, 1000))
    if not np.array_equal(Generator().words(keys, counters), generator.prng(keys, counters)):
        raise SystemExit("research/randomness/reference.py and pentary/lowrank/generator.py differ")
