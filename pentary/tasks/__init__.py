"""What can be trained: the experiments of the kit, and a user's own function.

To add an experiment, write a class that implements `pentary.es.loop.Task` and give it a name here.
"""

import os

from pentary.es.loop import Task
from pentary.lowrank.operations import check_shape
from pentary.nets import products
from pentary.numbers.word import PentaryError
from pentary.tasks.blackbox import BlackBox, load
from pentary.tasks.digits import Digits
from pentary.tasks.target import Target


def get(name: str, shape: tuple[int, int] | None = None, backend: str = "numpy") -> Task:
    """Find a task by its name.

    Args:
        name: "target", "digits", FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION.
        shape: (rows, cols) of the weight matrix; None takes 64x64. The network of digits has its own shapes.
        backend: that multiplies, one of `pentary.nets.products.NAMES`; only digits takes another than "numpy".

    Returns:
        The task.

    Raises:
        PentaryError: there is no such task, or not of this shape, or not with this backend.

    >>> get("target", (8, 4)).shapes
    {'weights': (8, 4)}
    """
    rows, cols = shape or (64, 64)
    check_shape(rows, cols, rank=1)
    if name == "digits":
        if shape is not None:
            raise PentaryError("the network of digits has a fixed shape: leave the shape out")
        return Digits(products.backend(backend))
    if backend != "numpy" and (name == "target" or ":" in name):
        raise PentaryError(f"{name} has no matrix products for the backend {backend}: use the backend numpy")
    if name == "target":
        return Target(rows, cols)
    if ":" in name:
        printable = os.fsencode(name).decode(errors="backslashreplace")  # names of files need not be UTF-8
        return BlackBox(printable, load(name), (rows, cols))
    raise PentaryError(
        f"unknown task {name!r}: it is target, digits, text, or your own function as FILE.py:FUNCTION or "
        "PACKAGE.MODULE:FUNCTION"
    )
