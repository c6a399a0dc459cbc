"""N-gram models against dictionaries and Fractions."""

from collections import Counter
from fractions import Fraction
from math import log2

import numpy as np
import pytest

from pentary.tasks.language.corpus import Corpus
from pentary.tasks.language.ngrams import NAMES, bits_per_byte


def plain_probability(train: bytes, context: bytes, byte: int) -> Fraction:
    """Return the Witten-Bell probability: counts, interpolated with the shorter context by the distinct bytes seen."""
    shorter = plain_probability(train, context[1:], byte) if context else Fraction(1, 256)
    size = len(context)
    after = Counter(train[i + size] for i in range(len(train) - size) if train[i : i + size] == context)
    if not after:
        return shorter
    return (after[byte] + len(after) * shorter) / (after.total() + len(after))


def plain_bits(train: bytes, held_out: bytes, size: int) -> float:
    joined = train[-2:] + held_out
    places = range(2, len(joined))
    return -sum(log2(plain_probability(train, joined[i - size : i], joined[i])) for i in places) / len(held_out)


@pytest.mark.parametrize(
    ("train", "held_out"),
    [
        (b"the cat sat on the mat and the rat ran", b"that hat ran then"),
        (b"aaaaaaaaaa", b"aab"),
        (b"abc", b"xyz\xff\0"),
        (bytes(np.random.default_rng(0).integers(0, 4, 300).tolist()), bytes([0, 1, 2, 3, 4, 255])),
    ],
)
def test_ngrams_equal_counting_in_dictionaries(train: bytes, held_out: bytes) -> None:
    corpus = Corpus("x", np.frombuffer(train, np.uint8), np.frombuffer(held_out, np.uint8))
    found = bits_per_byte(corpus)
    assert tuple(found) == NAMES == ("unigram", "bigram", "trigram")
    for size, name in enumerate(NAMES):
        assert found[name] == pytest.approx(plain_bits(train, held_out, size), abs=1e-9)


def test_a_long_text_is_counted_in_blocks(monkeypatch) -> None:
    text = np.random.default_rng(0).integers(0, 9, 1000).astype(np.uint8)
    corpus = Corpus("x", text[:900], text[900:])
    whole = bits_per_byte(corpus)
    for block in (1, 7, 899, 900):
        monkeypatch.setattr("pentary.tasks.language.ngrams._BLOCK", block)
        assert bits_per_byte(corpus) == whole


def test_probabilities_of_all_bytes_add_up_to_one() -> None:
    train = b"abracadabra"
    for context in (b"", b"a", b"br", b"zz"):
        assert sum(plain_probability(train, context, byte) for byte in range(256)) == 1
