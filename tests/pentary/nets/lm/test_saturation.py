import numpy as np
import pytest

from pentary.nets import products
from pentary.nets.lm.forward import Weights
from pentary.nets.lm.model import Model
from pentary.nets.lm.saturation import saturation

LIMITS = {"gates": (0, 624), "hidden": (-312, 312), "mlp": (-125, 125), "stream": (-1562, 1562), "logits": (-312, 312)}


def filled(model: Model, latents: dict[str, np.ndarray], backend: str = "numpy") -> Weights:
    weights = Weights(model, products.backend(backend))
    weights.fill(latents)
    return weights


@pytest.mark.parametrize("backend", products.NAMES)
def test_shares_equal_those_of_the_plain_interpreter(reference, backend: str) -> None:
    if backend == "int8":
        pytest.importorskip("onnxruntime")
    model = Model(2, 8)
    rng = np.random.default_rng(0)
    latents = {t.name: rng.choice([-7812, 0, 7812], (t.rows, t.cols)) for t in model.tensors.values()}
    text = rng.integers(0, 256, 34).astype(np.uint8)
    found = saturation(filled(model, latents, backend), text)

    plain = reference.Reference(2, 8)
    visible = plain.visible({name: words.tolist() for name, words in latents.items()})
    member = reference.Member(plain, visible, 0, [0] * (16 * plain.all_blocks))
    last = []  # values at the last byte of the pieces that begin at 0, 1 and 2
    for start in range(3):
        hidden, seen = [[0] * 8] * 2, {}
        for byte in text[start : start + 32].tolist():
            _, hidden, seen = member.read(hidden, byte)
        last.append(seen)
    starts = [piece * 2 // 63 for piece in range(64)]
    assert set(found) == set(last[0])
    for name, share in found.items():
        ends = LIMITS[name.rpartition(".")[2]]
        marks = [value in ends for start in starts for value in last[start][name]]
        assert share == pytest.approx(sum(marks) / len(marks), abs=5e-7), name
    assert found["0.gates"] > 0


def test_weights_of_zero_saturate_nothing_and_a_text_of_two_bytes_is_enough() -> None:
    model = Model(1, 8)
    latents = {t.name: np.zeros((t.rows, t.cols), np.int64) for t in model.tensors.values()}
    found = saturation(filled(model, latents), np.array([1, 2], np.uint8))
    assert found == dict.fromkeys(["0.gates", "0.hidden", "0.mlp", "stream", "logits"], 0.0)
