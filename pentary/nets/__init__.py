"""Networks of integers: described by layers and a loss, computed exactly for whole populations; and the language model.

from pentary.nets import Clamp, Dense, Input, Sequential, SquaredHinge

network = Sequential(Input(64, 0, 16), Dense(64), Clamp(62, "relu"), Dense(10), loss=SquaredHinge())
"""

from pentary.nets.layers import (
    Clamp,
    Conv1d,
    Conv2d,
    Dense,
    Embedding,
    Flatten,
    MaxPool,
    MinGRU,
    Norm,
    Residual,
)
from pentary.nets.losses import CrossEntropy, SquaredError, SquaredHinge
from pentary.nets.network import Input, Sequential, Tokens

__all__ = [
    "Clamp",
    "Conv1d",
    "Conv2d",
    "CrossEntropy",
    "Dense",
    "Embedding",
    "Flatten",
    "Input",
    "MaxPool",
    "MinGRU",
    "Norm",
    "Residual",
    "Sequential",
    "SquaredError",
    "SquaredHinge",
    "Tokens",
]
