from dataclasses import replace

import numpy as np
import pytest

from pentary import es
from pentary.es.loop import train
from pentary.es.strategy import Parameters
from pentary.nets.products import backend
from pentary.numbers.word import PentaryError
from pentary.tasks import digits
from pentary.tasks.described.data import Part
from pentary.tasks.described.task import BATCH
from pentary.tasks.digits import MARGIN, Digits

LAYERS = (("hidden", 5**2, 0, 62), ("output", 5, -312, 312))  # name, divisor and clamp, in the words of the documents


def test_the_split_is_fixed_stratified_and_disjoint() -> None:
    data = digits.load()
    assert data.train.x.shape == (1347, 64)
    assert data.test.x.shape == (450, 64)
    assert data.train.x.dtype == np.float32
    assert set(np.unique(data.train.x)) == set(range(17))
    shares = [np.bincount(part.y) / len(part) for part in (data.train, data.test)]
    assert np.abs(shares[0] - shares[1]).max() < 0.005
    seen = {image.tobytes() for image in data.train.x}
    assert not seen & {image.tobytes() for image in data.test.x}


@pytest.mark.parametrize("perturb", ["factored", "quantized"])
def test_members_are_compared_on_the_steps_window_of_training_images(perturb) -> None:
    task = Digits()
    p = Parameters(population=6, rank=2, perturb=perturb)
    state = replace(es.init(p, task.tensors), step=10)
    population = es.ask(p, state)
    got = task.evaluate(population)
    assert got.dtype == np.int64
    window = [(10 * BATCH + i) % 1347 for i in range(BATCH)]
    images, classes = task.data.train.x[window].astype(np.int64), task.data.train.y[window]
    for pair in range(3):
        for side, sign in enumerate((1, -1)):
            outputs = images
            for name, divisor, low, high in LAYERS:
                a, b = (factor[0].astype(np.int64) for factor in population.factors(name, slice(pair, pair + 1)))
                if perturb == "factored":
                    w = population.centre()[name].astype(np.int64) * 5**p.sigma_shift + sign * a.T @ b
                    divisor *= 5**p.sigma_shift
                else:
                    w = population.weights(name, slice(pair, pair + 1))[side][0].astype(np.int64)
                outputs = np.clip((outputs @ w + divisor // 2) // divisor, low, high)
            lacks = [
                max(0, MARGIN - int(row[right] - row[wrong])) ** 2
                for row, right in zip(outputs, classes, strict=True)
                for wrong in range(10)
                if wrong != right
            ]
            assert got[pair, side] == -sum(lacks)


def test_training_never_reads_the_test_images() -> None:
    p = replace(Digits.defaults, population=32, steps=2)
    task, blind = Digits(), Digits()
    blind.data = replace(blind.data, test=Part(blind.data.test.x[:1] * 0, blind.data.test.y[:1]))
    assert [r.digest for r in train(task, p)] == [r.digest for r in train(blind, p)]


def test_a_short_run_learns() -> None:
    task = Digits()
    p = replace(Digits.defaults, population=256, steps=60)
    *_, last = train(task, p)
    report = task.report(es.visible_weights(p, last.state))
    assert report["train_accuracy"] > 0.8
    assert report["test_accuracy"] > 0.75


def test_both_backends_train_to_the_same_digests() -> None:
    p = replace(Digits.defaults, population=64, steps=4)
    digests = [[step.digest for step in train(Digits(backend(name)), p)] for name in ("numpy", "int8")]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 5


def test_quantized_members_have_no_use_for_another_backend() -> None:
    with pytest.raises(PentaryError, match="backend int8 could multiply by: use the backend numpy"):
        next(train(Digits(backend("int8")), Parameters(perturb="quantized")))


@pytest.mark.slow
def test_the_defaults_reach_ninety_seven_percent() -> None:
    task = Digits()
    accuracies = []
    for seed in range(5):
        p = replace(Digits.defaults, seed=seed)
        *_, last = train(task, p)
        accuracies.append(task.report(es.visible_weights(p, last.state))["test_accuracy"])
    assert np.mean(accuracies) >= 0.970


def test_quantized_members_are_trained_with_any_numpy_backend_and_no_other() -> None:
    quantized = Parameters(population=6, rank=2, perturb="quantized")
    Digits(type(backend("numpy"))()).check(quantized)
    with pytest.raises(PentaryError, match="quantized members share no weights that the backend int8 could"):
        Digits(backend("int8")).check(quantized)
