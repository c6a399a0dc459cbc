"""Random networks of every kind of layer, small enough for plain Python."""

import random

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

KINDS = ("dense", "conv1d", "conv2d", "residual", "mingru", "embedding")


def network(kind: str, rng: random.Random) -> Sequential:
    """Return a network in which a kind of layer is."""

    def dense(units: int, gain: float = 1.0) -> Dense:
        return Dense(units, bias=rng.choice([True, False, 3]), gain=rng.choice([gain, 0.3, 2]))

    def clamp() -> Clamp:
        return Clamp(rng.choice([12, 62, 125]), rng.choice(["relu", "symmetric"]))

    def middle(width: int) -> list:
        return rng.choice([[], [clamp()], [Norm()], [dense(width), clamp()], [clamp(), dense(3)]])

    low, high = rng.choice([(0, 16), (-62, 62), (-3, 9)])
    starts = rng.choice([(1,), (5,), (1, 5)])
    classes = rng.randint(1, 4)
    ending = [Dense(classes, gain=0.4), Clamp(312)]
    loss = rng.choice([SquaredHinge(), CrossEntropy(), SquaredError()])
    if kind == "dense":
        layers = [*middle(4), dense(rng.randint(1, 20)), clamp(), *middle(5)]
        return Sequential(Input(rng.randint(1, 20), low, high), *layers, *ending, loss=loss, starts=starts)
    if kind == "conv1d":
        conv = Conv1d(
            rng.randint(1, 4), rng.randint(1, 3), rng.randint(1, 2), rng.randint(0, 2), gain=rng.choice([1, 2])
        )
        pool = rng.choice([[], [MaxPool(2)], [MaxPool(2, 1)]])
        shape = (rng.randint(6, 9), rng.randint(1, 3))
        layers = [*middle(shape[1]), conv, clamp(), *pool, *middle(2), Flatten()]
        return Sequential(Input(shape, low, high), *layers, *ending, loss=loss, starts=starts)
    if kind == "conv2d":
        kernel = rng.choice([1, 2, (1, 3), (3, 2)])
        conv = Conv2d(rng.randint(1, 3), kernel, rng.randint(1, 2), rng.randint(0, 1), bias=rng.choice([True, False]))
        pool = rng.choice([[], [MaxPool(2, 1)]])
        shape = (rng.randint(5, 6), rng.randint(5, 6), rng.randint(1, 3))
        layers = [conv, clamp(), *pool, *middle(2), Flatten()]
        return Sequential(Input(shape, low, high), *layers, *ending, loss=loss, starts=starts)
    if kind == "residual":
        width = rng.randint(2, 6)
        inner = [Norm(), dense(rng.randint(1, 8)), clamp(), dense(width)]
        first = [dense(width)] if rng.random() < 0.5 else []
        residual = Residual(*inner[rng.randint(0, 1) :], limit=rng.choice([62, 1562]))
        layers = [*first, residual, *middle(width), Residual(clamp())]
        return Sequential(Input(width, low, high), *layers, *ending, loss=loss, starts=starts)
    if kind == "mingru":
        shape = (rng.randint(1, 5), rng.randint(1, 4))
        last = rng.random() < 0.5
        gru = MinGRU(rng.randint(1, 5), "last" if last else "all", bias=rng.choice([True, False]))
        layers = [*rng.choice([[], [Norm()], [dense(3), clamp()]]), gru, *([] if last else [Flatten()])]
        return Sequential(Input(shape, low, high), *layers, *ending, loss=loss, starts=starts)
    width = rng.randint(2, 5)
    inner = rng.choice([[MinGRU(width, "all")], [Norm(), MinGRU(width, "all")], [Dense(width)]])
    layers = [Embedding(width), Residual(*inner), *rng.choice([[Norm()], []]), Flatten()]
    return Sequential(Tokens(rng.randint(1, 5), rng.randint(1, 7)), *layers, *ending, loss=loss, starts=starts)
