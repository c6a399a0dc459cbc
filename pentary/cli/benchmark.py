"""Benchmark of the NumPy reference: throughputs, and ratios of those in one run.

The workload resembles the one for which the EGGROLL paper gives ratios: wide layers, every member with inputs of its
own, rank-1 perturbations. Only the multiply-accumulates with the shared weights are counted, so what a ratio lacks to
one is the cost of the perturbation. Factors are drawn in the forward pass and again in the update; none are stored.
"""

from collections.abc import Callable, Iterator
from threading import local
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary import es
from pentary.es.strategy import Parameters, Population
from pentary.lowrank import generator
from pentary.nets import Clamp, Dense, Input, Sequential, SquaredError
from pentary.nets.forward import Forward
from pentary.nets.members import Buffers
from pentary.numbers.exact import Float32
from pentary.support.parallel import map_chunks, workers

WIDTH: Final = 512
INPUTS: Final = 32  # input vectors of each member in a step: tokens, say; factors are drawn once for all of them
ROUNDS: Final = 15

NETWORK = Sequential(
    Input(WIDTH, 0, 62),
    *(layer for i in range(2) for layer in (Dense(WIDTH, bias=False, name=f"layer{i}"), Clamp(62, "relu"))),
    loss=SquaredError(),
    starts=(1,),
)
PARAMETERS = Parameters(population=2048, rank=1, steps=1000, perturb="factored")

_PAIRS = 171  # pairs that a worker processes at a time: a sixth of the population


def run(rounds: int = ROUNDS, parameters: Parameters = PARAMETERS) -> dict[str, float | int]:
    """Measure the throughput of the NumPy reference.

    Args:
        rounds: how often every figure is measured, in rotation; the fastest of each counts.
        parameters: of the factored population; the quantised one is 64x64 of rank 8.

    Returns:
        Sizes, then: `sgemm_gmacs`, the ceiling (one float32 BLAS call over all rows of a layer); `plain_forward_gmacs`,
        the population without perturbation; `forward_gmacs`, with it; `generation_gmacs`, a whole training step, all
        three in 1e9 base multiply-accumulates a second; their ratios; `prng_pents_per_second` on one core; and
        `quantized_members_per_second`.
    """
    NETWORK.check(parameters)
    state = es.init(parameters, NETWORK.tensors)
    population = es.ask(parameters, state)
    key = generator.matrix_key(parameters.seed, 0, -1)
    rows = parameters.pairs * 2 * INPUTS
    drawn = generator.pents(key, np.arange(parameters.pairs), 0, 2 * INPUTS * WIDTH // 16)
    x = ((drawn + np.int8(2)) * np.int8(15)).astype(np.float32).reshape(parameters.pairs, 2 * INPUTS, WIDTH)
    weights = {name: w.astype(np.float32) for name, w in population.centre().items()}
    product = np.empty((rows, WIDTH), np.float32)

    seed_population = es.ask(Parameters(), es.init(Parameters(), {"weights": es.Tensor(64, 64)}))
    members = range(2048)
    work: dict[str, tuple[float, Callable[[], object]]] = {
        "sgemm_gmacs": (
            rows * WIDTH * WIDTH / 1e9,
            lambda: np.matmul(x.reshape(rows, WIDTH), weights["layer0"], out=product),
        ),
        "plain_forward_gmacs": (_macs(rows) / 1e9, lambda: _plain(weights, x)),
        "forward_gmacs": (_macs(rows) / 1e9, lambda: _perturbed(population, x)),
        "generation_gmacs": (
            _macs(rows) / 1e9,
            lambda: es.tell(parameters, state, _perturbed(es.ask(parameters, state), x)),
        ),
        "prng_pents_per_second": (len(members) * 1024, lambda: generator.pents(key, members, 0, 64)),
        "quantized_members_per_second": (len(members), lambda: _quantized(seed_population, len(members) // 2)),
    }
    seconds = {name: np.inf for name in work}
    for _ in range(rounds):
        for name, (_, function) in work.items():
            seconds[name] = min(seconds[name], _time(function))
    rates = {name: amount / seconds[name] for name, (amount, _) in work.items()}
    return {
        "workers": workers(),
        "width": WIDTH,
        "layers": len(NETWORK.tensors),
        "population": parameters.population,
        "rank": parameters.rank,
        "inputs_per_member": INPUTS,
        **{name: round(rate, 2) if "gmacs" in name else round(rate) for name, rate in rates.items()},
        "forward_over_plain": round(rates["forward_gmacs"] / rates["plain_forward_gmacs"], 3),
        "forward_over_sgemm": round(rates["forward_gmacs"] / rates["sgemm_gmacs"], 3),
        "generation_over_sgemm": round(rates["generation_gmacs"] / rates["sgemm_gmacs"], 3),
    }


def _macs(rows: int) -> int:
    return rows * NETWORK.macs


def _plain(weights: dict[str, Float32], x: Float32) -> NDArray[np.int64]:
    forward = Forward(NETWORK)
    return _fitness(lambda part, buffers: forward.plain(weights, x[part], buffers), len(x))


def _perturbed(population: Population, x: Float32) -> NDArray[np.int64]:
    forward = Forward(NETWORK)
    scaled = forward.prepare(population)
    return _fitness(lambda part, buffers: forward.members(population, part, x[part], scaled, buffers), len(x))


def _fitness(forward: Callable[[slice, Buffers], Iterator[Float32]], pairs: int) -> NDArray[np.int64]:
    own = local()

    def energy(part: slice) -> NDArray[np.int64]:
        if not hasattr(own, "buffers"):
            own.buffers = Buffers()
        outputs = (z.reshape(-1, 2, INPUTS * WIDTH) for z in forward(part, own.buffers))
        return np.concatenate([-np.einsum("psv,psv->ps", z, z).astype(np.int64) for z in outputs])

    return np.concatenate(list(map_chunks(energy, pairs, _PAIRS)))


def _quantized(population: Population, pairs: int) -> None:
    def weights(part: slice) -> None:
        population.weights("weights", part)

    list(map_chunks(weights, pairs, 64))


def _time(function: Callable[[], object]) -> float:
    """Return the time of the faster of two consecutive calls: the first one finds the caches full of other data."""
    times = []
    for _ in range(2):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return min(times)
