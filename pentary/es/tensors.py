"""Trained tensors: their shapes, and the numbers that their latent words stand for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.lowrank import generator
from pentary.lowrank.operations import Latents, visible
from pentary.numbers.word import PENTS, PentaryError, checked_integers, from_digits, round_shift
from pentary.support.parallel import slices

Visible = NDArray[np.integer]
"""Visible numbers of a tensor."""

_DRAWN: Final = 2**16  # latent words that are drawn at a time

STARTS: Final = (0, 1, 5)
"""Permitted values of `Tensor.start`."""


@dataclass(frozen=True)
class Tensor:
    """A trained tensor: five-level weights, or a row of numbers of more pents, such as biases.

    Its *visible number* is `offset` plus the top `pents` pents of a latent word.

    Attributes:
        rows, cols: shape; rows is 1 for biases and gains.
        pents: of the visible number without its offset, 1 for a five-level weight.
        offset: what a latent word of 0 stands for.
        start: of how many uniform words an initial latent word is the mean: 1 gives five equally frequent levels, 5
            makes about half of the weights zero, and 0 gives words of 0.

    Raises:
        PentaryError: a number is out of its range.
    """

    rows: int
    cols: int
    pents: int = 1
    offset: int = 0
    start: int = 1

    def __post_init__(self) -> None:
        """Raise an error if a number is out of its range."""
        checked_integers(self.pents, 1, 8, "number of visible pents")
        if self.pents == 1 and self.offset:
            raise PentaryError("five-level weights have no offset")
        if self.start not in STARTS:
            raise PentaryError(f"a start of {self.start} words is not supported: it is one of {STARTS}")

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.rows, self.cols

    @property
    def size(self) -> int:
        """Number of latent words."""
        return self.rows * self.cols

    @property
    def noise_unit(self) -> int:
        """What a unit of A B^T adds to the visible number, in units of 1 / 5**q: as much of a latent word in any."""
        return 5 ** (self.pents - 1)

    def visible(self, latents: Latents, width: int) -> Visible:
        """Return the visible numbers of latent words.

        Args:
            latents: words of `width` pents, any shape.
            width: pents of a latent word.

        Returns:
            The same shape: five-level weights in int8, other numbers in int32.

        >>> Tensor(1, 4, pents=3, offset=62).visible(np.array([0, 62, 63, -7812]), width=6).tolist()
        [62, 62, 63, 0]
        """
        if self.pents == 1:
            return visible(latents, width)
        if self.pents >= width:
            return (latents * 5 ** (self.pents - width) + self.offset).astype(np.int32)
        return (round_shift(latents, width - self.pents) + self.offset).astype(np.int32)

    def draw(self, key: int, width: int) -> Latents:
        """Return initial latent words.

        A mean of n words takes the low pents of n blocks: those of row i and column j of c are the blocks j, j + c,
        ..., j + (n - 1) c of member i, drawn under the key.

        Args:
            key: of the tensor in step 0.
            width: pents of a latent word.

        Returns:
            (rows, cols) int64.
        """
        total = np.zeros(self.shape, np.int64)
        for rows in slices(self.rows, max(1, _DRAWN // self.cols)):
            members = np.arange(rows.start, rows.stop)
            for part in range(self.start):
                words = generator.pents(key, members, part * self.cols, self.cols)
                total[rows] += from_digits(words.reshape(len(members), self.cols, PENTS)[:, :, :width])
        return round_shift(total, 1) if self.start == 5 else total


Tensors = Mapping[str, Tensor]
"""Tensors by name; their order numbers them."""
