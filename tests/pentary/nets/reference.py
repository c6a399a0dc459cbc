"""Networks in plain Python numbers, from the description alone: the independent witness of operations and forward pass.

Weights are fractions, of which no member's are too fine; activations are integers in nested lists.
"""

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Any

from pentary.nets import layers as described
from pentary.nets.network import Sequential

Matrix = list[list[Fraction]]
Rescales = Mapping[str, int]


def run(network: Sequential, weights: Mapping[str, Matrix], shifts: Rescales, x: Any) -> list[int]:
    """Return the results of a network for one example.

    Args:
        network: description.
        weights: numbers of each tensor.
        shifts: pents that the rescale of each matrix drops.
        x: numbers of the example, in lists of the input's shape.
    """
    return _Run(weights, shifts).layers(network.layers, x)


class _Run:
    def __init__(self, weights: Mapping[str, Matrix], shifts: Rescales) -> None:
        self.weights, self.shifts = weights, shifts
        self.counts: dict[str, int] = {}

    def name(self, layer: Any, kind: str) -> str:
        if layer.name:
            return layer.name
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return f"{kind}{self.counts[kind]}"

    def layers(self, some: Any, x: Any) -> Any:
        for layer in some:
            x = getattr(self, type(layer).__name__.lower())(layer, x)
        return x

    def product(self, name: str, x: list[int]) -> list[Fraction]:
        w = self.weights[name]
        assert len(w) == len(x)
        bias = self.weights.get(f"{name}.bias", [[Fraction(0)] * len(w[0])])[0]
        return [sum((x[i] * w[i][j] for i in range(len(x))), bias[j]) for j in range(len(w[0]))]

    def rescaled(self, name: str, x: list[int]) -> list[int]:
        return [round(each / 5 ** self.shifts[name]) for each in self.product(name, x)]

    def dense(self, layer: described.Dense, x: Any) -> Any:
        name = self.name(layer, "dense")

        def everywhere(x: Any) -> Any:
            return [everywhere(each) for each in x] if isinstance(x[0], list) else self.rescaled(name, x)

        return everywhere(x)

    def conv1d(self, layer: described.Conv1d, x: list[list[int]]) -> list[list[int]]:
        name, channels = self.name(layer, "conv"), len(x[0])
        zeros = [[0] * channels for _ in range(layer.padding)]
        x = [*zeros, *x, *zeros]
        starts = range(0, len(x) - layer.kernel + 1, layer.stride)
        return [self.rescaled(name, [v for row in x[at : at + layer.kernel] for v in row]) for at in starts]

    def conv2d(self, layer: described.Conv2d, x: list[list[list[int]]]) -> list[list[list[int]]]:
        name = self.name(layer, "conv")
        high, wide = layer.kernel if isinstance(layer.kernel, tuple) else (layer.kernel, layer.kernel)
        rows, cols, channels, pad = len(x), len(x[0]), len(x[0][0]), layer.padding

        def at(i: int, j: int) -> list[int]:
            return x[i][j] if 0 <= i < rows and 0 <= j < cols else [0] * channels

        return [
            [
                self.rescaled(name, [v for i, j in product(range(high), range(wide)) for v in at(top + i, left + j)])
                for left in range(-pad, cols + pad - wide + 1, layer.stride)
            ]
            for top in range(-pad, rows + pad - high + 1, layer.stride)
        ]

    def maxpool(self, layer: described.MaxPool, x: Any) -> Any:
        self.name(layer, "pool")
        step, size = layer.stride or layer.size, layer.size
        if not isinstance(x[0][0], list):
            x = [x]
            return [
                [max(v) for v in zip(*x[0][at : at + size], strict=True)] for at in range(0, len(x[0]) - size + 1, step)
            ]
        return [
            [
                [
                    max(v)
                    for v in zip(
                        *(x[i][j] for i in range(top, top + size) for j in range(left, left + size)), strict=True
                    )
                ]
                for left in range(0, len(x[0]) - size + 1, step)
            ]
            for top in range(0, len(x) - size + 1, step)
        ]

    def flatten(self, layer: described.Flatten, x: Any) -> list[int]:
        return [v for each in x for v in self.flatten(layer, each)] if isinstance(x, list) else [x]

    def clamp(self, layer: described.Clamp, x: Any) -> Any:
        if isinstance(x, list):
            return [self.clamp(layer, each) for each in x]
        return min(max(x, 0 if layer.kind == "relu" else -layer.limit), layer.limit)

    def norm(self, layer: described.Norm, x: Any) -> Any:
        gains = self.weights[self.name(layer, "norm")][0]

        def everywhere(x: Any) -> Any:
            if isinstance(x[0], list):
                return [everywhere(each) for each in x]
            mean = round(Fraction(len(x) * 5**8, max(len(x), sum(map(abs, x)))))
            return [max(-125, min(125, round(v * g * mean / 5**8))) for v, g in zip(x, gains, strict=True)]

        return everywhere(x)

    def embedding(self, layer: described.Embedding, x: list[int]) -> list[list[int]]:
        rows = self.weights[self.name(layer, "embedding")]
        return [[int(125 * v) for v in rows[token]] for token in x]

    def residual(self, layer: described.Residual, x: Any) -> Any:
        self.name(layer, "residual")
        y = self.layers(layer.layers, x)

        def added(x: Any, y: Any) -> Any:
            if isinstance(x, list):
                return [added(*each) for each in zip(x, y, strict=True)]
            return min(max(x + y, -layer.limit), layer.limit)

        return added(x, y)

    def mingru(self, layer: described.MinGRU, x: list[list[int]]) -> Any:
        name, n = self.name(layer, "gru"), layer.units
        q = 5 ** self.shifts[name]
        h, states = [0] * n, []

        def clamped(value: Fraction) -> int:
            return max(-312, min(312, round(value / q)))

        def operand(v: list[int]) -> list[int]:
            return [round(Fraction(2 * each, 5)) for each in v]

        for step in x:
            u = self.product(name, step)
            forget = self.product(f"{name}.forget", operand(h))
            f = [312 + clamped(u[j] + forget[j]) for j in range(n)]
            e = [round(Fraction(f[j] * h[j], 625)) for j in range(n)]
            own = self.product(f"{name}.candidate", operand(e))
            c = [clamped(u[n + j] + own[j]) for j in range(n)]
            h = [h[j] + round(Fraction(f[j] * (c[j] - h[j]), 625)) for j in range(n)]
            states.append(h)
        return h if layer.returns == "last" else states
