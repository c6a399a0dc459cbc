"""Handwritten digits: an integer network 64-64-10 with five-level weights on scikit-learn's 8x8 images.

Pixels are the integers 0..16 of the data set. Members are compared on a window of the training images that moves on
with every step; the test images are never seen in training.
"""

from functools import cache
from typing import Any, Final

import numpy as np

from pentary.nets.layers import Clamp, Dense
from pentary.nets.losses import SquaredHinge
from pentary.nets.network import Input, Sequential
from pentary.nets.products import NUMPY, Gemm, backend
from pentary.support.extras import extra
from pentary.tasks.described.data import Data, Part
from pentary.tasks.described.task import NetworkTask
from pentary.tasks.running.options import BACKEND, EVOLUTION, TaskEntry
from pentary.tasks.running.run import TaskRun, start

MARGIN: Final = 12
"""By how much the right class must lead every other one for a loss of zero, in units of the output."""

NETWORK: Final = Sequential(
    Input(64, 0, 16),
    Dense(64, bias=False, name="hidden"),
    Clamp(62, "relu"),
    Dense(10, bias=False, gain=2, name="output"),
    Clamp(312),
    loss=SquaredHinge(MARGIN),
    starts=(1,),
)


@cache
def load() -> Data:
    """Load the images: scikit-learn's stratified split with its default test share of a quarter.

    Returns:
        1,347 training and 450 test images.
    """
    with extra("digits", "the task digits"):
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

    images, classes = load_digits(return_X_y=True)
    split = train_test_split(images, classes, stratify=classes, random_state=0)
    train, test, train_classes, test_classes = map(np.asarray, split)
    parts = (Part(x.astype(np.float32), y.astype(np.int64)) for x, y in ((train, train_classes), (test, test_classes)))
    return Data(*parts, inputs=None, targets=None, classes=range(10))


class Digits(NetworkTask):
    """Fitness of the network: minus its squared hinge loss.

    Args:
        gemm: the backend of the products with the weights that factored members share; activations fit its operands,
            bytes too. Fitness, and so digests, do not depend on it.
    """

    name = "digits"

    def __init__(self, gemm: Gemm = NUMPY) -> None:
        """Load the images."""
        super().__init__(self.name, NETWORK, load(), gemm=gemm)


def _start(name: str, **options: Any) -> TaskRun:
    return start(Digits(backend(options.get("backend", "numpy"))), options)


TASK: Final = TaskEntry(
    "digits",
    """A network 64-64-10 on images of digits

    1,347 images of 8x8 pixels to train on and 450 to test, from scikit-learn.

    \b
    Examples:
      pentary train digits --seed 7 --out runs/digits-7
      pentary train digits --population 512 --json
    """,
    (*EVOLUTION, BACKEND),
    _start,
)
