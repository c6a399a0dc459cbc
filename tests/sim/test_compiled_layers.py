"""Compiled networks of every kind of layer: numpy, the interpreter and the model train them to the same digests."""

import random
from itertools import pairwise

import numpy as np
import pytest

from pentary import es
from pentary.es.strategy import Parameters, Perturb
from pentary.interpreter import Interpreter
from pentary.nets import (
    Clamp,
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
    SquaredHinge,
    Tokens,
)
from pentary.programs.training import Prepared, memory_map, prepare
from pentary.tasks.described import data
from pentary.tasks.described.task import NetworkTask
from pentary_sim import training
from tests.pentary.nets import drawn

NETWORKS = range(34)  # of each kind
EXAMPLES = 40


def task(network: Sequential, seed: int, batch: int) -> NetworkTask:
    """Return the training of a network on random examples."""
    rng, x, outputs = np.random.default_rng(seed), network.input.values(), network.outputs.size
    is_regression = network.loss.goal == "regression"
    targets = rng.normal(size=(EXAMPLES, outputs)) if is_regression else np.arange(EXAMPLES) % min(outputs, 4)
    examples = rng.integers(x.low, x.high + 1, size=(EXAMPLES, *x.shape))
    return NetworkTask("drawn", network, data.prepare(network, {"x": examples, "y": targets}), batch)


def digests(steps) -> list[str]:
    return [step.digest for step in steps]


def interpreted(prepared: Prepared) -> str:
    """Return the digest after the last step on the interpreter."""
    machine = Interpreter(prepared.program, memory=prepared.program.size)
    memory = np.array(machine.memory, np.int64)
    prepared.write_data(memory)
    machine.memory[:] = memory.tolist()
    machine.run(max_instructions=10**7)
    return es.digest(prepared.latents(np.array(machine.memory, np.int64)))


@pytest.mark.parametrize("share", range(2))
@pytest.mark.parametrize("kind", drawn.KINDS)
def test_random_networks_train_to_the_same_digests(kind: str, share: int) -> None:
    for seed in NETWORKS[share::2]:
        rng = random.Random(f"{kind} {seed}")
        own = task(drawn.network(kind, rng), seed, batch=rng.choice([1, 2, 3]))
        perturb: Perturb = ("factored", "quantized")[seed // 2 % 2]
        p = Parameters(
            population=rng.choice([2, 4]),
            rank=rng.choice([1, 2, 5]),
            steps=rng.choice([1, 1, 2]),
            seed=seed,
            perturb=perturb,
            shaping=rng.choice(["sign", "rank"]),
            latent=rng.choice([4, 6]),
            shift=rng.choice([0, 2]) if perturb == "factored" else 0,
        )
        right = digests(es.train(own, p))
        assert digests(training.train(own, p)) == right, (seed, own.network, p)
        assert interpreted(prepare(own, p)) == right[-1], (seed, own.network, p)


ENDING = (Dense(3, gain=0.4), Clamp(312))

WIDE = {
    "rows": Sequential(Input(600), *ENDING, loss=SquaredHinge()),
    "columns": Sequential(Input(3), Dense(520), Clamp(62), *ENDING, loss=CrossEntropy()),
    "norm": Sequential(Input(300), Norm(), Dense(300), Norm(), *ENDING, loss=CrossEntropy()),
    "units of a recurrence": Sequential(Input((2, 2)), MinGRU(260, "all"), Flatten(), *ENDING, loss=CrossEntropy()),
    "more units than half the crossbar": Sequential(Input((3, 2)), MinGRU(130), *ENDING, loss=CrossEntropy()),
    "tokens": Sequential(Tokens(2, 300), Embedding(4), Flatten(), *ENDING, loss=CrossEntropy()),
    "embedding": Sequential(Tokens(1, 5), Embedding(270), Flatten(), *ENDING, loss=CrossEntropy()),
    "windows": Sequential(
        *(Input((5, 5, 40)), Conv2d(5, 3, padding=1), Clamp(62, "relu"), MaxPool(2), Flatten(), *ENDING),
        loss=CrossEntropy(),
    ),
    "operands": Sequential(Input((4, 3)), Residual(Dense(3)), MinGRU(4), *ENDING, loss=CrossEntropy()),
    "classes": Sequential(Input(4), Dense(256), Clamp(312), loss=CrossEntropy()),
}
"""Networks with something that no register, no crossbar, or not the low-rank unit can hold."""


@pytest.mark.parametrize("perturb", ["factored", "quantized"])
@pytest.mark.parametrize("what", WIDE)
def test_what_is_too_wide_for_the_processor_is_computed_in_parts(what: str, perturb: Perturb) -> None:
    own, rank = task(WIDE[what], 0, batch=2), 1 + (len(what) + len(perturb)) % 2
    p = Parameters(population=4, rank=rank, steps=2, perturb=perturb)
    assert digests(training.train(own, p)) == digests(es.train(own, p))


def test_the_sum_of_many_powers_is_taken_in_two_words() -> None:
    # Results of all sizes, in which some sums have fewer than 2^27 and others more than 2^37.
    for high in (1, 40, 300):
        own = task(Sequential(Input(4, 0, high), Dense(40, gain=3), Clamp(312), loss=CrossEntropy()), 0, batch=2)
        p = Parameters(population=6, rank=1, steps=3, perturb="factored")
        assert digests(training.train(own, p)) == digests(es.train(own, p)), high


@pytest.mark.parametrize("kind", drawn.KINDS)
def test_the_memory_map_names_every_part(kind: str) -> None:
    own = task(drawn.network(kind, random.Random(kind)), 0, batch=2)
    prepared, end = prepare(own, Parameters(population=4, rank=1, steps=1, perturb="factored")), 0
    regions = memory_map(prepared)
    assert regions[0].first == 0
    assert all(one.first + one.words == other.first for one, other in pairwise(regions))
    assert regions[-1].first + regions[-1].words == prepared.program.size
    for label in prepared.program.labels:
        end = prepared.program.address(label)
        named = any(region.first <= end < region.first + region.words for region in regions[1:])
        assert named or end < prepared.program.text or label.endswith("_end"), label
