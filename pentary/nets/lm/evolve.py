"""Evolution strategy of the language model: `pentary.es.strategy` for a population that reads text.

Every antithetic pair reads its own stream of text, a few bytes in each update, and continues in the next one where it
stopped, with the mean of its members' hidden states. Perturbations are of rank 1 and never stored. Shaped fitness is
proportional to the difference between a pair's members, not only its sign (`research/text.md` compares them).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from queue import SimpleQueue
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary import es
from pentary.es.fitness import Summary
from pentary.lowrank import generator
from pentary.lowrank.operations import GAIN_SHIFT, Latents, Pents
from pentary.nets.lm import kernels
from pentary.nets.lm.forward import Forward, Weights
from pentary.nets.lm.model import LATENT, Model, Tensor
from pentary.nets.products import Gemm
from pentary.numbers.exact import EXACT
from pentary.numbers.word import PENTS, WORD_MAX, PentaryError, checked_integers, limit
from pentary.support.parallel import even_size, map_chunks, map_items, slices, workers

FITNESS_MEAN: Final = 20
"""Mean magnitude of shaped fitness."""

FITNESS_LIMIT: Final = limit(3)
"""Largest magnitude of shaped fitness: 62, three times the mean."""

PAIRS_MAX: Final = EXACT // (4 * FITNESS_LIMIT)
"""Most pairs over which a sum of shaped fitness times perturbation is exact in float32."""

ETA: Final = (6, 10)
"""Step size: RMS drift of a weight in a run under random fitness and constant gain, as a fraction of half its range."""

NOISE_BYTES: Final = 2**23  # limit on the noise that a worker draws at a time
KEPT_BYTES: Final = 2**26  # limit on the noise of a population that is kept from its evaluation to the update

_TILE: Final = 512  # rows and columns of a tile in a sum over the pairs

ROWS: Final = 512  # rows that a worker computes at a time: enough to hide the overhead of Python


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Hyperparameters that, with the model and the text, determine a run.

    Attributes:
        population: number of members in an update, even.
        tokens: bytes that each member reads in an update.
        steps: updates in the run.
        seed: a word.

    Raises:
        PentaryError: a value is out of its range.
    """

    population: int = 2048
    tokens: int = 10
    steps: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise an error if a value is out of its range."""
        checked_integers(self.population, 2, 2 * PAIRS_MAX, "population")
        if self.population % 2:
            raise PentaryError(f"population {self.population} is odd: members come in antithetic pairs")
        checked_integers(self.tokens, 1, 10**6, "number of tokens")
        checked_integers(self.steps, 1, generator.STEP_MAX, "number of steps")
        checked_integers(self.seed, -WORD_MAX, WORD_MAX, "seed")

    @property
    def pairs(self) -> int:
        """Number of antithetic pairs in an update."""
        return self.population // 2

    def gain(self, step: int, squares: int, variance: int) -> int:
        """Return the gain of POPAVG in an update: the integer that multiplies the summed perturbations.

        Args:
            step: number of the update, 1, 2, ...
            squares: sum of the squares of shaped fitness.
            variance: of an element of a perturbation in pents: 4 in a matrix of rank 1, 2 in a vector.

        Returns:
            The gain, constant for the first half of the run and then falling linearly to zero.
        """
        if squares == 0:
            return 0
        first = limit(LATENT) * 5**GAIN_SHIFT * ETA[0] // (ETA[1] * isqrt(self.steps * squares * variance))
        falling = self.steps - self.steps // 2
        return first * min(falling, self.steps - step + 1) // falling


@dataclass(frozen=True)
class State:
    """State of training between two updates.

    Attributes:
        step: updates done.
        latents: (rows, cols) latent words of each tensor by name, int64, in the order of the digest.
        hidden: (pairs, layers, dim) int16, the hidden states from which the pairs continue.
    """

    step: int
    latents: Mapping[str, Latents]
    hidden: NDArray[np.int16]

    def digest(self) -> str:
        """Return the digest of the latent words: see `pentary.es.digest`."""
        return es.digest(self.latents)


def init(model: Model, parameters: Parameters) -> State:
    """Return the initial state: latent words of matrices as `pentary.es.Tensor.draw` draws them, all else is zero."""
    latents = {}
    for number, tensor in enumerate(model.tensors.values()):
        latents[tensor.name] = np.zeros((tensor.rows, tensor.cols), np.int64)
        if tensor.kind == "matrix":
            key = generator.matrix_key(parameters.seed, 0, number)
            latents[tensor.name] = tensor.own.draw(key, LATENT)
    return State(0, latents, np.zeros((parameters.pairs, model.layers, model.dim), np.int16))


def shape_fitness(losses: NDArray[np.int64] | Summary) -> NDArray[np.int64]:
    """Return shaped fitness: integers proportional to the differences of losses in antithetic pairs.

    Args:
        losses: (pairs, 2), of the plus and the minus members, int64; or their summary.

    Returns:
        (pairs,) int64: minus - plus, scaled to a mean magnitude of 20, rounded (halves away from zero), within ±62.

    >>> shape_fitness(np.array([[0, 30], [10, 0], [0, 0], [0, 200]])).tolist()
    [10, -3, 0, 62]
    """
    difference = -Summary.of(losses).differences
    magnitude = np.abs(difference)
    total = max(1, int(magnitude.sum()))
    scaled = (2 * FITNESS_MEAN * len(magnitude) * magnitude + total) // (2 * total)
    return np.sign(difference) * np.minimum(scaled, FITNESS_LIMIT)


def check_text(text: NDArray[np.uint8], parameters: Parameters) -> None:
    """Raise PentaryError if a text is shorter than what a member reads in an update."""
    if len(text) <= parameters.tokens:
        raise PentaryError(
            f"the training text has {len(text)} bytes, fewer than one update needs ({parameters.tokens + 1}): "
            "take more text or fewer tokens"
        )


class Engine:
    """Evaluation of populations and updates of latent words, with buffers kept between updates.

    Args:
        model: to train.
        parameters: of the run.
        text: (bytes,) uint8, the training text.
        gemm: backend of the matrix products; digests do not depend on it.

    Raises:
        PentaryError: the text is shorter than one update.
    """

    def __init__(self, model: Model, parameters: Parameters, text: NDArray[np.uint8], gemm: Gemm) -> None:
        """Allocate the buffers."""
        check_text(text, parameters)
        self.model, self.parameters, self.gemm = model, parameters, gemm
        self._text = np.concatenate([text, text[: parameters.tokens + 1]])
        self._length = len(text)
        largest = max(1, NOISE_BYTES // (PENTS * model.blocks))
        self.chunk = even_size(parameters.pairs, min(ROWS // 2, largest))
        """Number of pairs that a worker processes at a time."""
        self.weights = Weights(model, gemm)
        self._free: SimpleQueue[Forward] = SimpleQueue()
        for _ in range(workers()):
            self._free.put(Forward(self.weights, 2 * self.chunk))
        self._kept: tuple[int, dict[tuple[int, int], Pents]] = (0, {})
        self._totals = np.zeros((workers(), model.parameters), np.float32)
        self._places: dict[Tensor, slice] = {}
        first = 0
        for tensor in model.tensors.values():
            self._places[tensor] = slice(first, first + tensor.rows * tensor.cols)
            first += tensor.rows * tensor.cols

    def evaluate(self, state: State, part: slice | None = None) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        """Evaluate members of the next update's population on their next bytes.

        Args:
            state: before the update.
            part: which pairs; all if None. Of other pairs no hidden states are needed.

        Returns:
            (pairs, 2) losses of the plus and minus members, int64 in units of 1/625 bit, summed over the bytes; and
            the hidden states of the pairs afterwards, (pairs, layers, dim) int16.
        """
        self.weights.fill(state.latents)
        own = self.parameters
        members = part or slice(0, own.pairs)
        key = generator.matrix_key(own.seed, state.step + 1, 0)
        starts = np.arange(own.pairs) * self._length // own.pairs + state.step * own.tokens
        losses = np.empty((members.stop - members.start, 2), np.int64)
        keeps = own.pairs * PENTS * self.model.blocks <= KEPT_BYTES
        self._kept = key, {}
        hidden = np.empty_like(state.hidden[members])

        def read(part: slice) -> None:
            places = (starts[part] % self._length) + np.arange(own.tokens + 1)[:, None]
            tokens = np.repeat(self._text[places], 2, axis=1)
            noise = self._draw(key, part)
            if keeps:
                self._kept[1][part.start, part.stop] = noise
            forward = self._free.get()
            try:
                rows = forward.hidden[:, : tokens.shape[1]].reshape(self.model.layers, -1, 2, self.model.dim)
                rows[...] = state.hidden[part].swapaxes(0, 1)[:, :, None]
                own_rows = slice(part.start - members.start, part.stop - members.start)
                losses[own_rows] = forward.losses(tokens, noise).reshape(-1, 2)
                # The mean of both members, rounded towards zero, approximates the state of the unperturbed model.
                np.trunc(rows.sum(axis=2).swapaxes(0, 1) / 2, out=hidden[own_rows], casting="unsafe")
            finally:
                self._free.put(forward)

        list(map_chunks(read, members, self.chunk))
        return losses, hidden

    def _draw(self, key: int, part: slice) -> Pents:
        """Return the noise of some pairs: (pairs, 16 * blocks)."""
        return generator.pents(key, np.arange(part.start, part.stop), 0, self.model.blocks)

    def tell(self, state: State, losses: NDArray[np.int64] | Summary, hidden: NDArray[np.int16]) -> State:
        """Return the state after an update, by the losses of its members.

        Args:
            state: before the update.
            losses, hidden: returned by `evaluate` for this state.
        """
        return self.move(state, shape_fitness(losses), hidden)

    def move(self, state: State, fitness: NDArray[np.int64], hidden: NDArray[np.int16]) -> State:
        """Return the state after an update: add to the latent words the sum over pairs of fitness times perturbation.

        Args:
            state: before the update.
            fitness: (pairs,), shaped.
            hidden: of the pairs, afterwards.
        """
        own = self.parameters
        step = state.step + 1
        squares = int(np.square(fitness).sum())
        gains = {kind: own.gain(step, squares, 4 if kind == "matrix" else 2) for kind in ("matrix", "bias", "norm")}
        key = generator.matrix_key(own.seed, step, 0)
        kept = self._kept[1] if self._kept[0] == key else {}
        known = [slice(*each) for each in sorted(kept)] or [slice(0, 0)]
        around = slice(0, known[0].start), slice(known[-1].stop, own.pairs)

        shaped = fitness.astype(np.float32)[:, None]
        self._totals[:] = 0
        free: SimpleQueue[NDArray[np.float32]] = SimpleQueue()
        for totals in self._totals:
            free.put(totals)

        def add(part: slice) -> None:
            noise = kept.pop((part.start, part.stop), None)
            noise = self._draw(key, part) if noise is None else noise
            totals = free.get()
            try:
                for tensor, place in self._places.items():
                    _add(tensor, noise, shaped[part], totals[place].reshape(tensor.rows, tensor.cols))
            finally:
                free.put(totals)

        map_items(add, [*known, *(part for rest in around for part in slices(rest, self.chunk))])
        latents = {name: np.empty_like(words) for name, words in state.latents.items()}

        def move(item: tuple[Tensor, slice]) -> None:
            tensor, rows = item
            totals = self._totals[:, self._places[tensor]].reshape(-1, tensor.rows, tensor.cols)
            before, after = state.latents[tensor.name], latents[tensor.name]
            kernels.update_latents(before[rows], totals[:, rows], gains[tensor.kind], after[rows])

        map_items(move, self.model.parts)
        return State(step, latents, hidden)


def _add(tensor: Tensor, noise: Pents, fitness: NDArray[np.float32], total: NDArray[np.float32]) -> None:
    """Add the sum of fitness times perturbation over some pairs to a total of integers, exact up to `PAIRS_MAX` pairs.

    Args:
        tensor: the tensor whose perturbations are summed.
        noise: (pairs, 16 * blocks) pents.
        fitness: (pairs, 1), shaped.
        total: (rows, cols), updated in place.
    """
    # In tiles, so that converted operands and partial products stay in the cache of a core.
    for left in range(0, tensor.cols, _TILE):
        columns = slice(left, min(left + _TILE, tensor.cols))
        b = noise[:, tensor.b + columns.start : tensor.b + columns.stop].astype(np.float32)
        for top in range(0, tensor.rows, _TILE):
            rows = slice(top, min(top + _TILE, tensor.rows))
            a = fitness
            if tensor.kind == "matrix":
                a = noise[:, tensor.a + rows.start : tensor.a + rows.stop].astype(np.float32)
                a *= fitness
            total[rows, columns] += a.T @ b
