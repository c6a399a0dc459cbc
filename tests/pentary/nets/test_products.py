import sys

import numpy as np
import pytest

from pentary.nets import products
from pentary.nets.lm.forward import Weights
from pentary.nets.lm.model import Model
from pentary.nets.products import Int8Gemm, backend, check_operands, check_weights, installed, multiply
from pentary.numbers.word import PentaryError


@pytest.mark.parametrize("name", products.NAMES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 64, 10), (7, 5, 3), (33, 512, 48), (256, 65, 17)])
def test_products_are_those_of_integers(name, shape) -> None:
    m, k, n = shape
    own = backend(name)
    largest = min(own.weight_limit, 125)
    random = np.random.default_rng(m)
    for x, w in (
        (random.integers(-125, 126, (m, k)), random.integers(-largest, largest + 1, (k, n))),
        (np.full((m, k), 127), np.full((k, n), largest)),
        (np.full((m, k), 127), np.full((k, n), -largest)),
    ):
        operands, weights = (x + own.zero).astype(own.operand), w.astype(own.weight)
        out = np.zeros((m, n), own.accumulator)
        own.product(operands, weights, out)()
        assert np.array_equal(out, x @ w)
        floats = np.empty((m, n), np.float32)
        multiply(own, x.astype(np.float32), weights, floats)
        assert np.array_equal(floats, x @ w)


@pytest.mark.parametrize("name", products.NAMES)
def test_a_prepared_product_reads_its_buffers_when_it_is_called(name) -> None:
    own = backend(name)
    x, weights = np.full((2, 3), own.zero, own.operand), np.ones((3, 4), own.weight)
    out = np.zeros((2, 4), own.accumulator)
    product = own.product(x, weights, out)
    for step in (1, 2):
        x += 1
        product()
        assert (out == 3 * step).all()


def test_bytes_are_exact_up_to_the_limit_that_was_found() -> None:
    own = backend("int8")
    assert own.weight_limit in (64, 127)
    check_weights(own, own.weight_limit, "it")
    with pytest.raises(PentaryError, match=r"^it has weights up to 128, but .* int8 is exact only up to \d+ .*numpy$"):
        check_weights(own, 128, "it")


@pytest.mark.parametrize(("right_up_to", "limit"), [(127, 127), (126, 64), (64, 64)])
def test_the_limit_is_the_greatest_with_which_products_were_right(monkeypatch, right_up_to, limit) -> None:
    monkeypatch.setattr(Int8Gemm, "_is_right_with", lambda self, weight: weight <= right_up_to)
    assert Int8Gemm().weight_limit == limit


def test_a_model_whose_weights_exceed_the_limit_is_refused(monkeypatch) -> None:
    own = backend("int8")
    monkeypatch.setattr(own, "weight_limit", 64)
    Weights(Model(weights="pents"), own)
    with pytest.raises(PentaryError, match=r"^the model of bytes has weights up to 125, but .* use the backend numpy$"):
        Weights(Model(weights="bytes"), own)


def test_a_library_that_multiplies_wrongly_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(Int8Gemm, "_is_right_with", lambda self, weight: False)
    with pytest.raises(PentaryError, match=r"^ONNX Runtime .* wrongly on this processor: use the backend numpy$"):
        Int8Gemm()


@pytest.mark.parametrize("name", products.NAMES)
def test_a_product_keeps_the_buffers_that_it_needs(name) -> None:
    own = backend(name)
    x, weights = np.full((4, 64), own.zero + 3, own.operand), np.full((64, 8), 2, own.weight)
    out = np.zeros((4, 8), own.accumulator)
    product = own.product(x, weights, out)
    del x, weights
    np.zeros(4096)  # reuses memory that was freed
    product()
    assert (out == 3 * 64 * 2).all()


def test_a_backend_is_made_once() -> None:
    assert backend("numpy") is backend("numpy")


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(PentaryError, match=r"^unknown backend 'int4': it is one of numpy, int8$"):
        backend("int4")


@pytest.mark.parametrize("library", ["onnx", "onnxruntime"])
def test_a_missing_library_is_told_in_one_line_with_the_cure(monkeypatch, library) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(PentaryError, match=rf"^the backend int8 needs {library}: pip install 'pentary\[int8\]'$"):
        Int8Gemm()


def test_operands_that_a_backend_cannot_hold_are_refused() -> None:
    check_operands(backend("int8"), 127, "layer up")
    check_operands(backend("numpy"), 2**24, "layer up")
    with pytest.raises(PentaryError, match=r"^layer up has operands up to 128, but .* int8 holds only up to 127: use "):
        check_operands(backend("int8"), 128, "layer up")


def test_installed_backends_are_found_and_the_others_told(monkeypatch) -> None:
    told: list[str] = []
    assert [own.name for own in installed(told.append)] == ["numpy", "int8"] and not told
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    backend.cache_clear()
    assert [own.name for own in installed(told.append)] == ["numpy"]
    assert told == ["the backend int8 needs onnxruntime: pip install 'pentary[int8]'"]


@pytest.mark.parametrize("place", range(3))
def test_buffers_that_are_not_contiguous_are_refused_where_only_their_address_is_taken(place: int) -> None:
    own = backend("int8")
    shapes, kinds = ((3, 4), (4, 5), (3, 5)), (own.operand, own.weight, own.accumulator)
    buffers = [np.zeros(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)]
    own.product(*buffers)()
    buffers[place] = np.asfortranarray(buffers[place])
    with pytest.raises(AssertionError, match="contiguous"):
        own.product(*buffers)


def test_the_fastest_backend_is_that_of_bytes_where_it_is_installed(monkeypatch) -> None:
    assert products.fastest().name == "int8"
    products.backend.cache_clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    try:
        assert products.fastest().name == "numpy"
    finally:
        products.backend.cache_clear()
