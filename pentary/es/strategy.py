"""Pentary-EGGROLL: evolution strategies with low-rank perturbations, in integers.

Ask-and-tell interface: `ask` describes the population of a step without storing it: the members are regenerated from
(seed, step, matrix, pair) wherever they are needed. `tell` takes the fitness of every member and updates the latent
words, whose top pents are the weights. After "Evolution Strategies at the Hyperscale", arXiv:2511.16652; the
differences, and the width of every quantity, are in `architecture/training.md`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pentary import lowrank
from pentary.es.fitness import Summary, as_fitness, differences
from pentary.es.tensors import Tensors, Visible
from pentary.lowrank import generator
from pentary.lowrank.operations import GAIN_SHIFT, Latents, Pents
from pentary.numbers.exact import EXACT
from pentary.numbers.word import WORD_MAX, PentaryError, checked_integers, limit, saturate
from pentary.support.parallel import map_chunks

Perturb = Literal["factored", "quantized"]

CHUNK_PENTS: Final = 2**20  # limit on the perturbation elements or factor pents that a worker holds at a time


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Hyperparameters that, with the task, determine a run.

    Attributes:
        population: number of members in a step, even: they come in antithetic pairs.
        rank: number of vectors in each factor of a perturbation.
        steps: updates in the run; the step size falls to zero at the end of it.
        seed: a word.
        perturb: "factored" adds A B^T / 5**q to the weights, unrounded; "quantized" rounds every member to five levels.
        shaping: shaped fitness of a pair: "sign" of its fitness difference, or five-level "rank" among the pairs.
        latent: pents of a latent word, 2..8.
        shift: q of the factored perturbation, 1..3; 0 for that which suits the rank.

    Raises:
        PentaryError: a value is out of its range.
    """

    population: int = 100
    rank: int = 8
    steps: int = 50
    seed: int = 0
    perturb: Perturb = "quantized"
    shaping: Literal["sign", "rank"] = "rank"
    latent: int = 6
    shift: int = 0

    def __post_init__(self) -> None:
        """Raise an error if a value is out of its range, which the message shows."""
        checked_integers(self.population, 2, 2 * generator.MEMBER_MAX, "population")
        if self.population % 2:
            raise PentaryError(f"population {self.population} is odd: members come in antithetic pairs")
        lowrank.check_rank(self.rank)
        checked_integers(self.steps, 1, generator.STEP_MAX, "number of steps")
        checked_integers(self.seed, -WORD_MAX, WORD_MAX, "seed")
        checked_integers(self.latent, 2, 8, "width of the latent word")
        checked_integers(self.shift, 0, 3, "shift of the perturbation")
        if self.shift and self.perturb != "factored":
            raise PentaryError("a shift is for factored perturbations: quantized ones have half a level")
        if self.perturb not in ("factored", "quantized"):
            raise PentaryError(f"perturbation {self.perturb!r} is neither 'factored' nor 'quantized'")
        if self.shaping not in ("sign", "rank"):
            raise PentaryError(f"shaping {self.shaping!r} is neither 'sign' nor 'rank'")

    @property
    def pairs(self) -> int:
        """Number of antithetic pairs in a step."""
        return self.population // 2

    @property
    def sigma(self) -> int:
        """Size of a quantised perturbation in units of the latent word: the largest integer below half a level."""
        return limit(self.latent - 1)

    @property
    def sigma_shift(self) -> int:
        """The q of the factored perturbation A B^T / 5**q, of standard deviation 2 sqrt(rank) / 5**q levels.

        If no shift is given it is 1 up to rank 4 and 2 above: deviations of 0.17 to 0.8.
        """
        return self.shift or (1 if self.rank <= 4 else 2)

    def gain(self, step: int) -> int:
        """Return the gain of POPAVG in a step (1, 2, ...): the integer that multiplies the summed perturbations.

        Under random fitness and with the gain of the first step throughout, the RMS drift of a weight in a run would be
        half the range of its latent word, so longer runs take shorter steps. The gain falls linearly to zero.
        """
        variance = 2 if self.perturb == "quantized" else 4 * self.rank
        first = limit(self.latent) * 5**GAIN_SHIFT // isqrt(self.steps * self.pairs * variance)
        return first * (self.steps - step + 1) // self.steps


@dataclass(frozen=True)
class State:
    """State of training between two steps.

    Attributes:
        step: updates done.
        latents: (rows, cols) latent words of each tensor by name, int64; their order numbers the tensors.
        tensors: what is trained.
    """

    step: int
    latents: Mapping[str, Latents]
    tensors: Tensors

    def digest(self) -> str:
        """Return the digest of the latent words: see `digest`."""
        return digest(self.latents)


def digest(latents: Mapping[str, Latents]) -> str:
    """Return the SHA-256 digest of latent words in hexadecimal.

    Each word is taken as a little-endian 64-bit two's-complement integer, tensor after tensor, row after row.

    Args:
        latents: (rows, cols) integers of each tensor by name.
    """
    sha = hashlib.sha256()
    for words in latents.values():
        sha.update(np.ascontiguousarray(words, "<i8").data)
    return sha.hexdigest()


@dataclass(frozen=True)
class Population:
    """Description of the members of one step; its size does not depend on their number.

    Attributes:
        parameters: of the run.
        step: number of the step, 1, 2, ...
        state: the centre, the unperturbed model.
        keys: each tensor's key for the generator in this step.
    """

    parameters: Parameters
    step: int
    state: State
    keys: Mapping[str, int]

    def pairs(self, part: slice | None) -> slice:
        """Return which pairs a part is; None is all of them."""
        return part or slice(0, self.parameters.pairs)

    def centre(self) -> dict[str, Visible]:
        """Return the unperturbed visible numbers of each tensor."""
        return visible_weights(self.parameters, self.state)

    def factors(self, name: str, part: slice) -> tuple[Pents, Pents]:
        """Return the factors of some pairs' perturbations of a tensor, as `lowrank.lrgen` does."""
        rows, cols = self.state.tensors[name].shape
        return lowrank.lrgen(self.keys[name], np.arange(part.start, part.stop), rows, cols, self.parameters.rank)

    def weights(self, name: str, part: slice) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the visible numbers of the members of some pairs.

        Args:
            name: of the tensor.
            part: which pairs.

        Returns:
            Those of the plus and of the minus members, each (pairs, rows, cols), in the type of
            `pentary.es.tensors.Tensor.visible`; those of factored pairs in units of 1 / 5**sigma_shift, integers in
            float32.
        """
        own, tensor, latents = self.parameters, self.state.tensors[name], self.state.latents[name]
        s = lowrank.lrmul(*self.factors(name, part))
        if own.perturb == "factored":
            centre = tensor.visible(latents, own.latent) * np.float32(5**own.sigma_shift)
            s *= np.float32(tensor.noise_unit)
            return centre + s, np.subtract(centre, s, out=s)
        e, sizes = lowrank.pquant(s, own.rank), (own.sigma, -own.sigma)
        if tensor.pents == 1:
            plus, minus = (lowrank.lradd(latents, e, sigma, own.latent) for sigma in sizes)
        else:
            words = (saturate(latents + e * np.int64(sigma), own.latent) for sigma in sizes)
            plus, minus = (tensor.visible(each, own.latent) for each in words)
        return plus, minus


def visible_weights(parameters: Parameters, state: State) -> dict[str, Visible]:
    """Return the visible numbers of a state, by tensor: of a weight matrix the top pent of each word, int8."""
    return {name: state.tensors[name].visible(words, parameters.latent) for name, words in state.latents.items()}


def init(parameters: Parameters, tensors: Tensors) -> State:
    """Return the initial state: latent words as `pentary.es.tensors.Tensor.draw` draws them in step 0.

    Args:
        parameters: of the run.
        tensors: what is trained, by name.

    Returns:
        The state before the first step.

    Raises:
        PentaryError: a shape has a zero, or has too many rows or columns for the counters of the generator.
    """
    latents = {}
    for number, (name, tensor) in enumerate(tensors.items()):
        lowrank.check_shape(tensor.rows, tensor.cols, parameters.rank)
        latents[name] = tensor.draw(generator.matrix_key(parameters.seed, 0, number), parameters.latent)
    return State(0, latents, tensors)


def ask(parameters: Parameters, state: State) -> Population:
    """Return the description of the next step's population."""
    step = state.step + 1
    keys = {name: generator.matrix_key(parameters.seed, step, number) for number, name in enumerate(state.latents)}
    return Population(parameters, step, state, keys)


def shape_fitness(fitness: ArrayLike, shaping: str) -> Pents:
    """Return the shaped fitness of antithetic pairs, one pent for each.

    Args:
        fitness: (pairs, 2), plus and minus members; integers of any size, or finite floats of a black-box function;
            only compared: two integers as integers, a float with anything as float64.
        shaping: "sign" gives the sign of plus - minus. "rank" orders the pairs by the magnitude of their difference:
            the third with the least gets 0, the fifth with the greatest gets twice the sign, the rest the sign. Equal
            magnitudes keep the order of the pairs.

    Returns:
        (pairs,) int8 in -2..2.

    Raises:
        PentaryError: the shape or type is wrong, or a fitness is not finite.

    >>> shape_fitness([[5, 4], [0, 9], [7, 1], [2, 2], [3, 1]], "rank").tolist()
    [1, -2, 1, 0, 1]
    """
    return shape_differences(differences(as_fitness(fitness)), shaping)


def shape_differences(difference: NDArray[Any], shaping: str) -> Pents:
    """Return the shaped fitness of pairs from their differences, (pairs,), plus - minus: see `shape_fitness`."""
    sign = np.sign(difference).astype(np.int8)
    if shaping == "sign":
        return sign
    pairs = len(sign)
    order = np.argsort(np.abs(difference), kind="stable")
    sign[order[: pairs // 3]] = 0
    sign[order[pairs - pairs // 5 :]] *= 2
    return sign


def tell(parameters: Parameters, state: State, fitness: ArrayLike | Summary) -> State:
    """Return the state after a step, by the fitness of its members.

    Args:
        parameters: of the run.
        state: before the step.
        fitness: (pairs, 2), the fitness of the members of `ask(parameters, state)`.

    Returns:
        The state after the step.

    Raises:
        PentaryError: the fitness has the wrong shape or type, or is not finite.
    """
    return move(parameters, state, shape_differences(Summary.of(fitness).differences, parameters.shaping))


def move(parameters: Parameters, state: State, shaped: Pents) -> State:
    """Return the state after a step: add to the latent words the sum over pairs of shaped fitness times perturbation.

    Args:
        parameters: of the run.
        state: before the step.
        shaped: (pairs,), shaped fitness, see `shape_fitness`.

    Raises:
        PentaryError: it is not of so many pairs.
    """
    if len(shaped) != parameters.pairs:
        raise PentaryError(f"fitness has {len(shaped)} pairs, but the population has {parameters.pairs}")
    population = ask(parameters, state)
    gain = parameters.gain(population.step)
    latents = {}
    for name, words in state.latents.items():
        rows, cols = words.shape
        quantized = parameters.perturb == "quantized"
        size = rows * cols if quantized else parameters.rank * (rows + cols)
        rank = parameters.rank if quantized else None

        def total(part: slice, name: str = name, rank: int | None = rank) -> NDArray[np.int64]:
            return lowrank.weighted_sum(shaped[part], *population.factors(name, part), rank)

        chunk = min(max(1, CHUNK_PENTS // size), EXACT // (8 * parameters.rank))
        summed = sum(map_chunks(total, parameters.pairs, chunk), np.zeros(words.shape, np.int64))
        latents[name] = lowrank.popavg(summed, gain, GAIN_SHIFT, words, parameters.latent)
    return State(population.step, latents, state.tensors)
