import sys

import numpy as np
import pytest

from pentary import gemm
from pentary.gemm import Gemm
from pentary.word import PentaryError


@pytest.fixture(params=gemm.NAMES)
def backend(request: pytest.FixtureRequest) -> Gemm:
    if request.param == "int8":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
    return gemm.backend(request.param)


def buffers(own: Gemm, x: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    out = np.zeros((len(x), weights.shape[1]), own.accumulator)
    return (x + own.zero).astype(own.operand), weights.astype(own.weight), out


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (3, 8, 16), (64, 129, 33), (130, 256, 64), (2, 1024, 7)])
def test_products_are_those_of_integers(backend: Gemm, m: int, k: int, n: int) -> None:
    rng = np.random.default_rng(m)
    for x, weights in (
        (rng.integers(-125, 126, (m, k)), rng.integers(-2, 3, (k, n))),
        (rng.choice([-125, 125], (m, k)), rng.choice([-2, 2], (k, n))),
        (np.full((m, k), 125), np.full((k, n), 2)),
        (np.full((m, k), -125), np.full((k, n), 2)),
    ):
        operands, own, out = buffers(backend, x, weights)
        backend.product(operands, own, out)()
        assert out.astype(np.int64).tolist() == (x @ weights).tolist()


def test_a_product_is_computed_of_what_the_buffers_hold_when_it_is_called(backend: Gemm) -> None:
    x, weights = np.array([[1, 2]]), np.array([[1], [1]])
    operands, own, out = buffers(backend, x, weights)
    product = backend.product(operands, own, out)
    assert out.tolist() == [[0]]
    product()
    assert out.tolist() == [[3]]
    operands[0, 0] += 4
    own[1, 0] = -2
    product()
    assert out.tolist() == [[1]]


def test_products_stay_valid_when_nothing_else_holds_their_weights(backend: Gemm) -> None:
    operands, own, out = buffers(backend, np.full((4, 64), 3), np.full((64, 8), 2))
    product = backend.product(operands, own, out)
    del operands, own
    np.zeros(4096)  # takes memory that was set free
    product()
    assert set(out.reshape(-1).tolist()) == {3 * 64 * 2}


def test_a_backend_is_made_once() -> None:
    assert gemm.backend("numpy") is gemm.backend("numpy")
    assert gemm.backend("numpy").name == "numpy"


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(PentaryError, match=r"^unknown backend 'cuda': it is one of numpy, int8$"):
        gemm.backend("cuda")


@pytest.mark.parametrize("library", ["onnx", "onnxruntime"])
def test_a_missing_library_is_told_in_one_line_with_the_cure(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    if library == "onnxruntime":
        pytest.importorskip("onnx")
    monkeypatch.setitem(sys.modules, library, None)
    gemm.backend.cache_clear()
    with pytest.raises(PentaryError, match=rf"^the backend int8 needs {library}: pip install 'pentary\[int8\]'$"):
        gemm.backend("int8")
