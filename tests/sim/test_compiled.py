"""Compiled networks of fully connected layers: random ones train to the digests of numpy on the model, and how fast."""

import random
from dataclasses import replace

import numpy as np
import pytest

from pentary import es
from pentary.asm import assemble_text
from pentary.es.strategy import Parameters
from pentary.nets import Clamp, CrossEntropy, Dense, Input, Sequential, SquaredError, SquaredHinge
from pentary.numbers.word import PentaryError
from pentary.programs.training import listing, memory_map, prepare
from pentary.tasks import digits
from pentary.tasks.described import data
from pentary.tasks.described.task import NetworkTask
from pentary_sim import training

SHARES = 8  # tests among which the networks are divided
NETWORKS = 5  # in each


def drawn(seed: int) -> tuple[NetworkTask, Parameters]:
    """Return a task with random fully connected layers on random data, and parameters of a short run."""
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    layers: list = []
    for _ in range(rng.randint(0, 3)):
        bias = rng.choice([True, False, 3])
        layers.append(Dense(rng.randint(1, 40), bias=bias, gain=rng.choice([1, 0.5, 2])))
        layers.append(Clamp(rng.choice([12, 62, 100, 125, 312]), rng.choice(["relu", "symmetric"])))
    outputs = rng.randint(1, 5)
    layers.append(Dense(outputs, bias=rng.choice([True, False])))
    layers += rng.choice([[], [Clamp(62)], [Clamp(200)], [Clamp(312)]])
    losses = [
        SquaredHinge(rng.choice([5, 12])),
        SquaredError(),
        *([CrossEntropy()] if isinstance(layers[-1], Clamp) else []),
    ]
    loss = rng.choice(losses)
    inputs, count = rng.randint(1, 40), rng.randint(40, 60)
    low, high = rng.choice([(0, 16), (-62, 62)])
    network = Sequential(Input(inputs, low, high), *layers, loss=loss, starts=rng.choice([(1,), (5,), (1, 5)]))
    targets = (
        numbers.normal(size=(count, outputs))
        if loss.goal == "regression"
        else numbers.permutation(np.arange(count) % outputs)
    )
    own = data.prepare(network, {"x": numbers.normal(size=(count, inputs)), "y": targets})
    p = Parameters(
        population=rng.choice([2, 6, 10]),
        rank=rng.choice([1, 2, 5]),
        steps=3,
        seed=seed,
        perturb=rng.choice(["factored", "quantized"]),
        shaping=rng.choice(["sign", "rank"]),
        latent=rng.choice([4, 6]),
    )
    return NetworkTask("drawn", network, own, batch=rng.choice([1, 2, 3, 4, 6, 8, 12, 16, 20])), p


def digests(steps) -> list[str]:
    return [step.digest for step in steps]


@pytest.mark.parametrize("share", range(SHARES))
def test_random_networks_train_to_the_digests_of_numpy(share: int) -> None:
    for seed in range(NETWORKS * share, NETWORKS * (share + 1)):
        task, p = drawn(seed)
        assert digests(training.train(task, p)) == digests(es.train(task, p)), (seed, task.network, task.batch, p)


@pytest.mark.parametrize("perturb", ["factored", "quantized"])
@pytest.mark.parametrize(
    "layers",
    [
        [Dense(5), Clamp(2), Dense(5), Clamp(312)],  # results far within their clamp, greater numbers before them
        [Dense(5), Clamp(2), Dense(5)],
        [Dense(5)],
    ],
)
def test_what_stands_before_the_results_in_memory_has_no_part_in_the_loss(layers, perturb) -> None:
    network, rng = Sequential(Input(250), *layers, loss=SquaredHinge()), np.random.default_rng(0)
    own = data.prepare(network, {"x": rng.normal(size=(40, 250)), "y": np.arange(40) % 5})
    task = NetworkTask("mine", network, own, batch=1)
    p = Parameters(population=8, rank=1, steps=3, perturb=perturb)
    assert digests(training.train(task, p)) == digests(es.train(task, p))


def test_compiled_digits_take_hardly_more_cycles_than_those_written_by_hand() -> None:
    p = Parameters(population=64, rank=1, steps=1, perturb="factored")
    compiled = NetworkTask("digits", digits.NETWORK, digits.load())
    runs = [list(training.train(task, p)) for task in (digits.Digits(), compiled)]
    assert digests(runs[0]) == digests(runs[1])
    hand, own = (steps[1].measured["cycles"] - steps[0].measured["cycles"] for steps in runs)
    assert own <= 1.15 * hand


def test_quantized_digits_are_compiled() -> None:
    p = Parameters(population=4, rank=2, steps=1, perturb="quantized")
    assert digests(training.train(digits.Digits(), p)) == digests(es.train(digits.Digits(), p))


def test_the_memory_map_names_every_part() -> None:
    for seed in range(12):
        task, p = drawn(seed)
        prepared, end = prepare(task, p), 0
        regions = memory_map(prepared)
        for region in regions:
            assert region.first == end
            end += region.words
        assert end == prepared.program.size
        named = {region.name for region in regions}
        data = {name for name in prepared.program.labels if prepared.program.address(name) >= prepared.program.text}
        assert data - named == {"matrices_end", "inputs_end"}
        words = {region.name: region.words for region in regions}
        assert {name: words[f"words.{name}"] for name in task.tensors} == {
            name: tensor.size for name, tensor in task.tensors.items()
        }


def test_a_kept_program_is_whole() -> None:
    for seed in range(4):
        prepared = prepare(*drawn(seed))
        again = assemble_text(listing(prepared)["program.s"])
        assert np.array_equal(again.image, prepared.program.image)


def test_memory_that_is_too_small_is_told_with_what_is_needed() -> None:
    task, p = drawn(0)
    with pytest.raises(PentaryError, match=r"the run takes [\d,]+ words, but the memory has 1,000"):
        prepare(task, p, memory=1000)


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (Sequential(Input(4), Dense(257), Clamp(312), loss=CrossEntropy()), "257 results: the compiled losses take"),
        (
            Sequential(Input(2, 0, 100_000), Dense(3, bias=False), Clamp(312), loss=CrossEntropy()),
            "layer dense1 has operands up to 100,000, and the processor multiplies factors of members by up to 97,656",
        ),
        (
            Sequential(Input(4), Dense(64), Clamp(312), Dense(10, gain=3), loss=SquaredHinge()),
            r"a member can reach [\d,]+, and the machine compares up to 19,073,486,328: clamp the results, or",
        ),
        (Sequential(Input(4, 0, 9), Dense(1), loss=SquaredHinge(margin=195_300)), "POPEVAL squares up to"),
    ],
)
def test_what_the_compiler_does_not_take_is_told(network, told) -> None:
    x = np.random.default_rng(0).normal(size=(40, *network.input.values().shape))
    arrays = {"x": x, "y": np.arange(40) % min(network.outputs.size, 3)}
    task = NetworkTask("mine", network, data.prepare(network, arrays), batch=30)
    with pytest.raises(PentaryError, match=told):
        prepare(task, replace(task.defaults, population=4, steps=2))


def test_data_that_no_memory_holds_are_told_before_anything_is_assembled() -> None:
    network = Sequential(Input(50_000, 0, 1), Dense(1, bias=False, gain=0.1), Clamp(312), loss=SquaredError())
    arrays = {"x": np.zeros((100, 50_000), np.int8), "y": np.arange(100.0)}
    task = NetworkTask("mine", network, data.prepare(network, arrays), batch=8)
    with pytest.raises(PentaryError, match=r"the training data take 3,750,075 words, .* for 1,953,125: take fewer, or"):
        prepare(task, replace(task.defaults, population=4, steps=2))
    with pytest.raises(PentaryError, match=r"layer dense1 takes 50,000 numbers: compiled programs take up to 39,062"):
        prepare(task, replace(task.defaults, population=4, steps=2), memory=5**10)


def test_layers_may_have_names_with_dots() -> None:
    names = ("h", "h.results", "h.member")
    layers = [layer for name in names for layer in (Dense(4, name=name), Clamp(62))]
    network = Sequential(Input(4), *layers, Dense(3), Clamp(312), loss=SquaredHinge())
    own = data.prepare(network, {"x": np.random.default_rng(0).normal(size=(40, 4)), "y": np.arange(40) % 3})
    for perturb in ("factored", "quantized"):
        task, p = NetworkTask("mine", network, own, batch=4), Parameters(population=4, rank=1, steps=1, perturb=perturb)
        assert digests(training.train(task, p)) == digests(es.train(task, p))
