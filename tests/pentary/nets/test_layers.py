"""Layers: what does not fit together is refused with the layer's name, and what fits has the shapes that users know."""

from typing import Any

import numpy as np
import pytest

from pentary.nets import (
    Clamp,
    Conv1d,
    Conv2d,
    CrossEntropy,
    Dense,
    Embedding,
    Flatten,
    Input,
    MaxPool,
    MinGRU,
    Norm,
    Residual,
    Sequential,
    SquaredError,
    SquaredHinge,
    Tokens,
)
from pentary.nets.layers import windows
from pentary.numbers.word import PentaryError


def shape_after(input: Input | Tokens, *layers) -> tuple[int, ...]:
    """Return the shape that some layers make."""
    network = Sequential(input, *layers, Flatten(), Clamp(312), loss=SquaredError())
    x, builder = input.values(), type(network._built[0])((1, 5))
    for layer in layers:
        x = layer.build(builder, x)
    return x.shape


@pytest.mark.parametrize(
    ("input", "layers", "shape"),
    [
        (Input(7), [Dense(3)], (3,)),
        (Input((5, 2)), [Dense(3)], (5, 3)),
        (Input((40, 1)), [Conv1d(25, 5, 2)], (18, 25)),
        (Input((40, 1)), [Conv1d(25, 5, 1, padding=2)], (40, 25)),
        (Input((28, 20, 3)), [Conv2d(8, 3)], (26, 18, 8)),
        (Input((28, 20, 3)), [Conv2d(8, (1, 5), stride=2, padding=2)], (16, 10, 8)),
        (Input((9, 4)), [MaxPool(2)], (4, 4)),
        (Input((9, 4)), [MaxPool(3, 1)], (7, 4)),
        (Input((8, 6, 2)), [MaxPool(2)], (4, 3, 2)),
        (Input((8, 6, 2)), [Flatten()], (96,)),
        (Input((8, 6)), [MinGRU(5)], (5,)),
        (Input((8, 6)), [MinGRU(5, returns="all")], (8, 5)),
        (Tokens(9), [Embedding(4)], (9, 4)),
        (Input((8, 6)), [Residual(Norm(), Dense(9), Clamp(62), Dense(6))], (8, 6)),
    ],
)
def test_shapes_are_those_of_the_common_libraries(input, layers, shape) -> None:
    assert shape_after(input, *layers) == shape


WRONG: Any = "wrong"

ENDING = [Flatten(), Dense(3), Clamp(312)]


@pytest.mark.parametrize(
    ("input", "layers", "told"),
    [
        (Input(7), [Dense(0)], "layer dense1: a width of 0 is not an integer above 0"),
        (Input(7), [Dense(3, gain=0)], "a gain of 0 is not above 0"),
        (Input(7), [Dense(3, bias=9)], "layer dense1: biases have 2 to 8 pents, not 9"),
        (Input(7), [Conv1d(3, 2)], r"layer conv1: this convolution takes \(length, channels\), not 7 in -62..62"),
        (Input((7, 1)), [Conv1d(3, 9)], "layer conv1: a window of 9 is larger than what it moves over, 7"),
        (Input((7, 1)), [Conv1d(3, 2, stride=0)], "layer conv1: a stride of 0"),
        (Input((7, 1)), [Conv1d(3, 2, padding=-1)], "layer conv1: a padding of -1 is below 0"),
        (Input((7, 7, 1)), [Conv2d(0, 2)], "layer conv1: a width of 0"),
        (Input(7), [MaxPool(2)], "layer pool1: a pool takes"),
        (Input(7), [Clamp(0)], "layer clamp: a limit of 0"),
        (Input(7), [Clamp(9, WRONG)], "layer clamp: kind 'wrong' is neither"),
        (Input(7), [MinGRU(4)], r"layer gru1: a recurrent layer takes \(length, features\), not 7"),
        (Input((3, 7)), [MinGRU(4, returns=WRONG)], "layer gru1: returns 'wrong' is neither"),
        (Input(7), [Embedding(4)], "layer embedding1: an embedding takes tokens"),
        (Tokens(7), [Dense(4)], "layer dense1: it takes numbers, but tokens come: put an Embedding before it"),
        (Input(7), [Residual(Dense(4))], "layer residual1: its inner layers turn 7 in -62..62 into 4 in .*cannot be"),
        (Input(7), [Dense(4, name="a"), Dense(4, name="a")], "two layers are called a"),
        (Input(7), [Dense(4, name="a-b")], "layer 'a-b': a name has letters"),
        (
            Input(60_000),
            [Dense(4, name="wide")],
            "layer wide: sums can reach .*, but float32 is exact only up to 4194304",
        ),
        (Input(7, 0, 300_000), [Norm("n"), Dense(4)], None),
        (Input(7, 0, 3_000_000), [Norm("n")], "layer n: sums can reach 21000000"),
        (Input((3, 60_000)), [MinGRU(4, name="wide")], "layer wide: sums can reach"),
        (Input(()), [Dense(4)], r"input: shape \(\) is none of"),
        (Input(7, 3, 3), [Dense(4)], r"input: the range 3\.\.3 is empty"),
        (Tokens(0), [Embedding(4)], "input: 0 tokens of 256"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(input, layers, told) -> None:
    if told is None:
        Sequential(input, *layers, *ENDING, loss=CrossEntropy())
        return
    with pytest.raises(PentaryError, match=told):
        Sequential(input, *layers, *ENDING, loss=CrossEntropy())


@pytest.mark.parametrize(
    ("layers", "loss", "told"),
    [
        (
            [Dense(3, gain=9)],
            CrossEntropy(),
            r"cross-entropy: the results 3 in .* are outside ±312: end the network with Clamp\(312\)",
        ),
        ([Dense(3)], SquaredHinge(0), "squared hinge: a margin of 0"),
        ([Dense(3)], SquaredError(0), "squared error: a scale of 0"),
        ([], CrossEntropy(), "a network has at least one layer"),
        ([Clamp(2**18)], SquaredHinge(), "squared hinge: the loss of an example can reach"),
        ([Clamp(2**18)], SquaredError(), "squared error: the loss of an example can reach"),
    ],
)
def test_a_loss_refuses_results_that_it_cannot_take(layers, loss, told) -> None:
    with pytest.raises(PentaryError, match=told):
        Sequential(
            Input(7, -(2**20), 2**20) if layers and isinstance(layers[0], Clamp) else Input(7), *layers, loss=loss
        )


def test_a_row_of_results_is_asked_for() -> None:
    with pytest.raises(PentaryError, match=r"cross-entropy: the network ends in 5 x 3 in .*: put a Flatten before"):
        Sequential(Input((5, 2)), Dense(3), Clamp(312), loss=CrossEntropy())


def test_windows_of_two_directions_are_those_of_a_plain_loop() -> None:
    got = windows("conv", (4, 5, 2), (3, 2), stride=2, padding=1)
    for row in range(got.shape[0]):
        for col in range(got.shape[1]):
            for i in range(3):
                for j in range(2):
                    for channel in range(2):
                        y, x = 2 * row - 1 + i, 2 * col - 1 + j
                        inside = 0 <= y < 4 and 0 <= x < 5
                        assert got[row, col, i, j, channel] == (10 * y + 2 * x + channel if inside else -1)
    assert got.shape == (2, 3, 3, 2, 2)
    assert got.dtype == np.int64
