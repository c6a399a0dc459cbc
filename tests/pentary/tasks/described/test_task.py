"""Training of described networks: learns, whatever the loss and the perturbation, and refuses what cannot work."""

from dataclasses import replace

import numpy as np
import pytest

from pentary import es
from pentary.es.loop import train
from pentary.nets import Clamp, CrossEntropy, Dense, Input, MinGRU, Sequential, SquaredError, SquaredHinge
from pentary.nets.products import backend
from pentary.numbers.word import PentaryError
from pentary.tasks.described.data import Part, prepare
from pentary.tasks.described.task import NetworkTask

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 6))
CLASSES = (X[:, 0] + X[:, 1] > 0).astype(int) + 2 * (X[:, 2] > 0)


def network(loss, results: int = 4) -> Sequential:
    return Sequential(Input(6), Dense(24), Clamp(62, "relu"), Dense(results), Clamp(312), loss=loss)


@pytest.mark.parametrize("perturb", ["factored", "quantized"])
@pytest.mark.parametrize("loss", [CrossEntropy(), SquaredHinge()])
def test_classes_are_learned(loss, perturb) -> None:
    task = NetworkTask("mine", network(loss), prepare(network(loss), {"x": X, "y": CLASSES}), batch=100)
    p = replace(task.defaults, population=128, steps=120, perturb=perturb)
    *_, last = train(task, p)
    report = task.report(es.visible_weights(p, last.state))
    assert report["train_accuracy"] > 0.8
    assert report["test_accuracy"] > 0.7


def test_numbers_are_learned() -> None:
    own = network(SquaredError(), 1)
    task = NetworkTask("mine", own, prepare(own, {"x": X, "y": np.abs(X[:, 0]) + X[:, 1]}))
    p = replace(task.defaults, population=128, steps=120)
    *_, last = train(task, p)
    report = task.report(es.visible_weights(p, last.state))
    assert report["train_r2"] > 0.7
    assert report["test_r2"] > 0.6


def test_sequences_are_learned() -> None:
    x = RNG.normal(size=(300, 6, 1))
    own = Sequential(Input((6, 1)), MinGRU(12), Clamp(125), Dense(2), Clamp(312), loss=CrossEntropy())
    task = NetworkTask("mine", own, prepare(own, {"x": x, "y": (x.sum(axis=(1, 2)) > 0).astype(int)}), batch=64)
    p = replace(task.defaults, population=128, steps=80)
    *_, last = train(task, p)
    assert task.report(es.visible_weights(p, last.state))["train_accuracy"] > 0.85


def test_figures_are_those_of_the_centre() -> None:
    own = network(SquaredError(), 1)
    data = prepare(own, {"x": X, "y": X[:, 0]})
    task = NetworkTask("mine", own, data)
    p = task.defaults
    weights = es.visible_weights(p, es.init(p, task.tensors))
    hidden = np.clip(np.rint((data.train.x @ weights["dense1"] + weights["dense1.bias"]) / 5), 0, 62)
    assert [getattr(operation, "shift", None) for operation in own.operations] == [1, 1]
    results = np.clip(np.rint((hidden @ weights["dense2"] + weights["dense2.bias"]) / 5), -312, 312)
    errors = results - data.train.y
    assert task.centre_fitness(weights) == pytest.approx(-np.square(errors).mean() / 62**2)
    variance = np.square(data.train.y - data.train.y.mean()).mean()
    assert task.report(weights)["train_r2"] == pytest.approx(1 - np.square(errors).mean() / variance)


def test_the_test_part_is_never_read_in_training() -> None:
    own = network(CrossEntropy())
    data = prepare(own, {"x": X, "y": CLASSES})
    blind = replace(data, test=Part(data.test.x[:1] * 0, data.test.y[:1]))
    p = replace(NetworkTask.defaults, population=16, steps=3)
    digests = [[step.digest for step in train(NetworkTask("mine", own, each), p)] for each in (data, blind)]
    assert digests[0] == digests[1]


def test_backends_train_to_the_same_digests() -> None:
    own = network(CrossEntropy())
    data, p = prepare(own, {"x": X, "y": CLASSES}), replace(NetworkTask.defaults, population=16, steps=3)
    tasks = [NetworkTask("mine", own, data, gemm=backend(name)) for name in ("numpy", "int8")]
    digests = [[step.digest for step in train(task, p)] for task in tasks]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("batch", [0, 301])
def test_a_batch_is_no_larger_than_the_training_part(batch: int) -> None:
    own = network(CrossEntropy())
    with pytest.raises(PentaryError, match=rf"a batch of {batch} examples is not in 1\.\.300"):
        NetworkTask("mine", own, prepare(own, {"x": X, "y": CLASSES}), batch=batch)
