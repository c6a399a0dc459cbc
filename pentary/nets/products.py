"""Exact integer matrix products behind one interface, with one backend per library.

| backend | left operand | weights | sums | library |
|---|---|---|---|---|
| `numpy` | float32 | float32 | float32, exact below 2**24 | NumPy's BLAS |
| `int8` | uint8, zero at 128 | int8 | int32 | ONNX Runtime's MatMulInteger, an extra: `pip install 'pentary[int8]'` |

All give the same integers, so digests do not depend on the backend. Both compute on the calling thread:
`pentary.support.parallel` runs one chunk of a population on each core. The choice of ONNX Runtime is explained by
measurements in `research/int8_backend.md`.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pentary.numbers.exact import EXACT, Float32
from pentary.numbers.word import PentaryError
from pentary.support.extras import extra


class Gemm(Protocol):
    """Interface of a matrix-product backend.

    Attributes:
        name: of the backend on the command line.
        operand: dtype of left operands.
        zero: zero point of left operands, the stored value that stands for 0.
        operand_limit: largest magnitude of a left operand.
        weight: dtype of the right operands.
        weight_limit: largest magnitude of a weight for which every product is exact on this processor.
        accumulator: dtype of the sums.
    """

    name: str
    operand: np.dtype
    zero: int
    operand_limit: int
    weight: np.dtype
    weight_limit: int
    accumulator: np.dtype

    def product(self, x: NDArray[Any], weights: NDArray[Any], out: NDArray[Any]) -> Callable[[], object]:
        """Prepare a product of fixed buffers, to be computed whenever the returned function is called.

        Args:
            x: (m, k), dtype `operand`, contiguous.
            weights: (k, n), dtype `weight`, contiguous.
            out: (m, n), dtype `accumulator`, contiguous.

        Returns:
            A function that writes (x - zero) @ weights to `out`.
        """
        ...


class NumpyGemm:
    """float32 BLAS; exact as long as the caller bounds the sums by `EXACT`."""

    name = "numpy"
    operand = weight = accumulator = np.dtype(np.float32)
    zero = 0
    operand_limit = weight_limit = EXACT

    def product(self, x: NDArray[Any], weights: NDArray[Any], out: NDArray[Any]) -> Callable[[], object]:
        """Prepare a product: see `Gemm.product`."""
        return partial(np.matmul, x, weights, out=out)


class Int8Gemm:
    """ONNX Runtime's MatMulInteger of unsigned by signed bytes, for which processors have instructions.

    x86 processors without VNNI add two products in 16 bits with saturation: they are exact only as long as two products
    of 255 and a weight fit, so for weights up to 64. The limit of this processor is found by test products.

    Raises:
        PentaryError: ONNX Runtime is not installed, or not exact even with small weights.
    """

    name = "int8"
    operand = np.dtype(np.uint8)
    weight = np.dtype(np.int8)
    accumulator = np.dtype(np.int32)
    zero = 128
    operand_limit = 127

    def __init__(self) -> None:
        """Create an inference session whose graph is one MatMulInteger, and find the weight limit."""
        with extra("int8", "the backend int8"):
            import onnx
            import onnxruntime
        byte, integer = onnx.TensorProto.UINT8, onnx.TensorProto.INT32
        value = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            [onnx.helper.make_node("MatMulInteger", ["x", "weights", "zero"], ["sums"])],
            "product",
            [value("x", byte, ["m", "k"]), value("weights", onnx.TensorProto.INT8, ["k", "n"])],
            [value("sums", integer, ["m", "n"])],
            [onnx.helper.make_tensor("zero", byte, [], [self.zero])],
        )
        opset = onnx.helper.make_opsetid("", 13)
        model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        limits = [limit for limit in (127, 2**15 // (2 * 255)) if self._is_right_with(limit)]
        if not limits:
            raise PentaryError(
                f"ONNX Runtime {onnxruntime.__version__} multiplies bytes wrongly on this processor: use the backend "
                "numpy"
            )
        self.weight_limit = limits[0]

    def __reduce__(self) -> tuple[Callable[[str], Gemm], tuple[str]]:
        """Pickle the name alone: another processor may have other limits."""
        return backend, (self.name,)

    def _is_right_with(self, limit: int) -> bool:
        """Return whether products of extreme operands with weights of ±limit are exact, for one row and for many."""
        weights = np.full((64, 32), limit, self.weight)
        weights[:, ::2] *= -1
        x = np.repeat(np.array([[0], [255]], self.operand), 64, axis=1)
        for rows in (1, 32):
            for operands in (x[:1], x[1:], x):
                left = np.tile(operands, (rows, 1))
                out = np.empty((len(left), 32), self.accumulator)
                self.product(left, weights, out)()
                if not np.array_equal(out, (left.astype(np.int32) - self.zero) @ weights.astype(np.int32)):
                    return False
        return True

    def product(self, x: NDArray[Any], weights: NDArray[Any], out: NDArray[Any]) -> Callable[[], object]:
        """Prepare a product: see `Gemm.product`."""
        # Binding a non-contiguous operand would copy it once and for all; of the sums only the address is bound.
        assert all(each.flags.c_contiguous for each in (x, weights, out)), "the buffers of a product are contiguous"
        binding = self._session.io_binding()
        binding.bind_cpu_input("x", x)
        binding.bind_cpu_input("weights", weights)
        binding.bind_output("sums", "cpu", 0, np.int32, out.shape, out.ctypes.data)
        return partial(self._run, binding, (x, weights, out))

    def _run(self, binding: Any, buffers: object) -> None:
        """Run a binding; it points into the buffers without keeping them alive, so they are passed along."""
        self._session.run_with_iobinding(binding)


def multiply(gemm: Gemm, x: Float32, weights: NDArray[Any], out: Float32) -> None:
    """Compute x @ weights once, with operands and sums in float32, whatever the types of the backend.

    Args:
        gemm: the backend.
        x: (m, k) integers in float32, contiguous, within ±`gemm.operand_limit`.
        weights: (k, n), dtype `gemm.weight`, contiguous.
        out: (m, n) float32, contiguous.

    >>> out = np.empty((1, 2), np.float32)
    >>> multiply(backend("numpy"), np.array([[3.0]], np.float32), np.array([[2, -1]], np.float32), out)
    >>> out.tolist()
    [[6.0, -3.0]]
    """
    if gemm.operand == x.dtype:
        gemm.product(x, weights, out)()
        return
    sums = np.empty(out.shape, gemm.accumulator)
    gemm.product((x + np.float32(gemm.zero)).astype(gemm.operand), weights, sums)()
    out[:] = sums


def check_operands(gemm: Gemm, largest: int, what: str) -> None:
    """Raise an error if a backend cannot represent left operands.

    Args:
        gemm: the backend.
        largest: magnitude of an operand.
        what: owner of the operands in the message.

    Raises:
        PentaryError: they are out of the backend's range.
    """
    if largest > gemm.operand_limit:
        raise PentaryError(
            f"{what} has operands up to {largest}, but the backend {gemm.name} holds only up to {gemm.operand_limit}: "
            "use the backend numpy"
        )


def check_weights(gemm: Gemm, largest: int, what: str) -> None:
    """Raise an error if a backend's products with some weights could be inexact on this processor.

    Args:
        gemm: the backend.
        largest: magnitude of a weight.
        what: owner of the weights in the message.

    Raises:
        PentaryError: the backend is not exact with such weights.
    """
    if largest > gemm.weight_limit:
        raise PentaryError(
            f"{what} has weights up to {largest}, but the backend {gemm.name} is exact only up to {gemm.weight_limit} "
            "on this processor: use the backend numpy"
        )


_BACKENDS: Final = {"numpy": NumpyGemm, "int8": Int8Gemm}

NAMES: Final = tuple(_BACKENDS)


@cache
def backend(name: str) -> Gemm:
    """Return the backend called `name`; each is created once, at first use.

    Raises:
        PentaryError: there is no such backend, or its library is not installed.
    """
    if name not in _BACKENDS:
        raise PentaryError(f"unknown backend {name!r}: it is one of {', '.join(NAMES)}")
    return _BACKENDS[name]()


NUMPY: Final = backend("numpy")


def fastest() -> Gemm:
    """Return the backend int8 where it is installed, else numpy; `research/text.md` compares their speeds."""
    try:
        return backend("int8")
    except PentaryError:
        return NUMPY


def installed(told: Callable[[str], object]) -> list[Gemm]:
    """Return the backends that work on this machine.

    Args:
        told: called with the reason for each backend that does not.
    """
    found = []
    for name in NAMES:
        try:
            found.append(backend(name))
        except PentaryError as error:
            told(str(error))
    return found
