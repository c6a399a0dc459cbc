"""Networks of integers: exact matrix products and their backends, the perceptron, and the language model in `lm`."""

from pentary.nets.perceptron import Layer, Mlp
from pentary.nets.products import NAMES, Gemm, backend

__all__ = ["NAMES", "Gemm", "Layer", "Mlp", "backend"]
