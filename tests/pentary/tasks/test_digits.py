from dataclasses import replace

import numpy as np
import pytest

from pentary import es
from pentary.es.loop import train
from pentary.es.strategy import Parameters
from pentary.nets.products import backend
from pentary.numbers.word import PentaryError
from pentary.tasks import digits
from pentary.tasks.digits import BATCH, MARGIN, NETWORK, Digits


def test_the_split_is_fixed_stratified_and_disjoint() -> None:
    train_part, test_part = digits.load()
    assert train_part.images.shape == (1347, 64)
    assert test_part.images.shape == (450, 64)
    assert train_part.images.dtype == np.float32
    assert set(np.unique(train_part.images)) == set(range(17))
    shares = [np.bincount(part.classes) / len(part.classes) for part in (train_part, test_part)]
    assert np.abs(shares[0] - shares[1]).max() < 0.005
    seen = {image.tobytes() for image in train_part.images}
    assert not seen & {image.tobytes() for image in test_part.images}


def test_hinge_loss_counts_what_each_wrong_class_lacks() -> None:
    outputs = np.array([[20, 14, 16], [0, 0, 0], [-312, 312, 0]], np.float32)
    expected = [sum(max(0, MARGIN - (row[0] - row[c])) ** 2 for c in (1, 2)) for row in outputs.astype(int).tolist()]
    assert digits.hinge_loss(outputs, np.array([0, 0, 0])).tolist() == expected


@pytest.mark.parametrize("perturb", ["factored", "quantized"])
def test_members_are_compared_on_the_steps_window_of_training_images(perturb) -> None:
    task = Digits()
    p = Parameters(population=6, rank=2, perturb=perturb)
    state = replace(es.init(p, task.shapes), step=10)
    population = es.ask(p, state)
    got = task.evaluate(population)
    assert got.dtype == np.int64
    window = [(10 * BATCH + i) % 1347 for i in range(BATCH)]
    images, classes = task.train.images[window], task.train.classes[window]
    for pair in range(3):
        part = slice(pair, pair + 1)
        for side, sign in enumerate((1, -1)):
            if perturb == "quantized":
                weights = {name: population.weights(name, part)[side][0] for name in task.shapes}
                outputs = NETWORK.forward(weights, images)
            else:
                outputs = images.astype(np.int64)
                q = p.sigma_shift
                for layer in NETWORK.layers:
                    a, b = (f[0].astype(np.int64) for f in population.factors(layer.name, part))
                    w = population.centre()[layer.name].astype(np.int64) * 5**q + sign * a.T @ b
                    weight = 5 ** (q + layer.shift)
                    outputs = np.clip((outputs @ w + weight // 2) // weight, layer.low, layer.high)
            losses = digits.hinge_loss(outputs.astype(np.float32), classes)
            assert got[pair, side] == -losses.sum()


def test_training_never_reads_the_test_images() -> None:
    p = replace(Digits.defaults, population=32, steps=2)
    task, blind = Digits(), Digits()
    blind.test = digits.Split(blind.test.images[:1] * 0, blind.test.classes[:1])
    assert [r.digest for r in train(task, p)] == [r.digest for r in train(blind, p)]


def test_a_short_run_learns() -> None:
    task = Digits()
    p = replace(Digits.defaults, population=256, steps=60)
    *_, last = train(task, p)
    report = task.report(es.visible_weights(p, last.state.latents))
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
        accuracies.append(task.report(es.visible_weights(p, last.state.latents))["test_accuracy"])
    assert np.mean(accuracies) >= 0.970


def test_quantized_members_are_trained_with_any_numpy_backend_and_no_other() -> None:
    quantized = Parameters(population=6, rank=2, perturb="quantized")
    Digits(type(backend("numpy"))()).check(quantized)
    with pytest.raises(PentaryError, match="quantized members share no weights that the backend int8 could"):
        Digits(backend("int8")).check(quantized)
