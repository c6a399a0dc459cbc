"""Bits per byte against a sequential evaluation from the first byte to the last."""

from itertools import pairwise

import numpy as np
import pytest

from pentary.nets import products
from pentary.nets.lm import evaluate, evolve
from pentary.nets.lm.evaluate import STREAMS, WARM_UP, bits_per_byte
from pentary.nets.lm.forward import Forward, Weights
from pentary.nets.lm.model import Model

MODEL = Model(2, 8)
STATE = evolve.init(MODEL, evolve.Parameters(population=2, seed=1))


def weights(backend="numpy", latents=STATE.latents):
    filled = Weights(MODEL, products.backend(backend))
    filled.fill(latents)
    return filled


def text(length, largest=255):
    return np.random.default_rng(length).integers(0, largest, length, np.uint8, endpoint=True)


def plain(text, before=b"\0"):
    """Return the bits of each byte of a text that follows `before`, from a hidden state of 0."""
    forward = Forward(weights(), 1)
    read = bytes(before) + text.tobytes()
    bits = []
    for byte, following in pairwise(read):
        odds = np.exp2(forward.step(np.array([byte], np.uint8))[0].astype(np.float64) / 25)
        bits.append(-np.log2(odds[following] / odds.sum()))
    return np.array(bits[len(before) - 1 :])


@pytest.mark.parametrize("length", [1, 2, 64, 65, 128])
def test_a_short_text_is_read_from_its_beginning(length):
    assert bits_per_byte(weights(), text(length)) == pytest.approx(plain(text(length)).mean(), abs=1e-12)


@pytest.mark.parametrize(("streams", "length"), [(1, 500), (3, 500), (5, 501), (STREAMS, 1000)])
def test_each_piece_is_read_from_64_bytes_before_it(monkeypatch, streams, length):
    monkeypatch.setattr(evaluate, "STREAMS", streams)
    own = text(length)
    size = max(WARM_UP, -(-length // streams))
    bits = []
    for start in range(0, length, size):
        before = own[start - WARM_UP : start] if start >= WARM_UP else b"\0"
        bits.extend(plain(own[start : start + size], before))
    assert len(bits) == length
    assert bits_per_byte(weights(), own) == pytest.approx(np.mean(bits), abs=1e-12)


def test_documents_inside_a_text_are_read_apart():
    parts = [text(60, 200) | np.uint8(1), text(61, 200) | np.uint8(1)]
    joined = np.concatenate([parts[0], np.zeros(1, np.uint8), parts[1]])
    bits = [*plain(np.append(parts[0], np.uint8(0))), *plain(parts[1])]
    assert bits_per_byte(weights(), joined) == pytest.approx(np.mean(bits), abs=1e-12)


def test_a_model_that_knows_nothing_needs_eight_bits():
    nothing = {name: np.zeros_like(words) for name, words in STATE.latents.items()}
    assert bits_per_byte(weights(latents=nothing), text(70_001)) == 8.0


def test_backends_and_numbers_of_workers_agree(monkeypatch):
    own = text(700)
    bits = bits_per_byte(weights(), own)
    for count in (1, 3, 1000):
        monkeypatch.setattr(evaluate, "workers", lambda count=count: count)
        assert bits_per_byte(weights("int8"), own) == bits
