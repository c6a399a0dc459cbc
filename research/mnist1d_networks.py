"""Networks for mnist1d (arXiv:2011.14439): 4,000 rows of 40 numbers to train on and 1,000 to test, of ten classes.

    pentary train research/mnist1d_networks.py:MLP --data research/mnist1d_networks.py:data

The data set is generated, by the arguments of its authors; `pip install mnist1d requests`.
"""

from typing import Any

from numpy.typing import NDArray

from pentary.nets import Clamp, Conv1d, CrossEntropy, Dense, Flatten, Input, MaxPool, Sequential

MLP = Sequential(
    *(Input(40), Dense(100), Clamp(62, "relu"), Dense(100), Clamp(62, "relu"), Dense(10), Clamp(312)),
    loss=CrossEntropy(),
)

CNN = Sequential(
    Input((40, 1)),
    *(Conv1d(16, 5, stride=2, padding=1), Clamp(62, "relu")),
    *(Conv1d(16, 3, padding=1), Clamp(62, "relu")),
    *(Conv1d(16, 3, padding=1), Clamp(62, "relu")),
    *(MaxPool(19), Flatten()),  # the greatest of all positions: a digit is the same one wherever it stands
    *(Dense(10, gain=2), Clamp(312)),  # with wide logits at the start it learns faster
    loss=CrossEntropy(),
)


def data() -> dict[str, NDArray[Any]]:
    """Return the data set with its own split."""
    from mnist1d.data import get_dataset_args, make_dataset

    made = make_dataset(get_dataset_args())
    return {"x_train": made["x"], "y_train": made["y"], "x_test": made["x_test"], "y_test": made["y_test"]}
