"""Estimators: scikit-learn's own checks, and what they share with `pentary train`."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from pentary import es
from pentary.estimators import PentaryClassifier, PentaryRegressor
from pentary.nets import Clamp, Dense, Input, Sequential, SquaredError, SquaredHinge
from pentary.numbers.word import PentaryError
from pentary.tasks.described.data import Data, Part
from pentary.tasks.described.task import NetworkTask

QUICK: dict[str, Any] = {"population": 64, "steps": 60}

EXCEPTIONS: dict[str, str] = {}
"""Checks of scikit-learn that an estimator does not pass, and why."""


@parametrize_with_checks(
    [PentaryClassifier(population=64, steps=150), PentaryRegressor(population=64, steps=150)],
    expected_failed_checks=lambda _: EXCEPTIONS,
)
def test_scikit_learn_finds_nothing_wrong(estimator, check) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([PentaryClassifier(), PentaryRegressor()], expected_failed_checks=lambda _: EXCEPTIONS)
def test_scikit_learn_finds_nothing_wrong_with_the_defaults(estimator, check) -> None:
    check(estimator)


def test_a_pipeline_is_cross_validated() -> None:
    x, y = load_wine(return_X_y=True)
    scores = cross_val_score(make_pipeline(StandardScaler(), PentaryClassifier(**QUICK)), x, y, cv=3)
    assert scores.mean() > 0.9


def test_a_regression_explains_what_a_line_does() -> None:
    x, y = load_diabetes(return_X_y=True)
    assert cross_val_score(PentaryRegressor(**QUICK), x, y, cv=3).mean() > 0.3


def test_probabilities_are_those_of_the_cross_entropy() -> None:
    x, y = load_wine(return_X_y=True)
    model = PentaryClassifier(**QUICK).fit(x, y)
    shares = model.predict_proba(x)
    assert shares.shape == (len(x), 3)
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.array_equal(model.classes_[shares.argmax(axis=1)], model.predict(x))


def test_training_is_that_of_the_command_line() -> None:
    x, y = load_wine(return_X_y=True)
    model = PentaryClassifier(**QUICK, random_state=7).fit(x, y)
    order = np.random.RandomState(0).permutation(len(x))
    part = Part(model.inputs_(x).astype(np.float32)[order], y[order])
    task = NetworkTask("wine", model.network_, Data(part, part, model.inputs_, None, ()))
    *_, last = es.train(task, es.Parameters(**QUICK, rank=1, perturb="factored", seed=7))
    assert last.digest == model.digest_


def hinge(features: int, results: int) -> Sequential:
    return Sequential(Input(features), Dense(8), Clamp(62), Dense(results), Clamp(312), loss=SquaredHinge())


def test_a_network_of_ones_own_is_trained() -> None:
    x, y = load_wine(return_X_y=True)
    model = PentaryClassifier(network=hinge, **QUICK).fit(x, y)
    assert model.network_ == hinge(13, 3)
    assert model.score(x, y) > 0.9
    with pytest.raises(PentaryError, match="CrossEntropy"):
        model.predict_proba(x)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (PentaryRegressor(network=hinge), "is none for 1 targets"),
        (PentaryClassifier(network=lambda features, results: hinge(features, 1)), "is none for 3 classes"),
        (
            PentaryClassifier(network=lambda features, results: hinge(2, results)),
            "the network takes 2 in .* 13 features",
        ),
        (PentaryClassifier(population=3), "population 3 is odd"),
        (PentaryClassifier(backend="cuda"), "unknown backend 'cuda'"),
        (PentaryClassifier(hidden=(0,)), "a width of 0"),
    ],
)
def test_what_makes_no_sense_is_refused(model, told: str) -> None:
    with pytest.raises(PentaryError, match=told):
        model.fit(*load_wine(return_X_y=True))


def test_several_targets_have_each_their_result() -> None:
    x = np.random.default_rng(0).normal(size=(200, 3))
    model = PentaryRegressor(
        population=128,
        steps=200,
        network=lambda features, results: Sequential(
            Input(features), Dense(16), Clamp(62, "relu"), Dense(results), Clamp(312), loss=SquaredError()
        ),
    ).fit(x, x[:, :2] * [1, 100])
    assert model.predict(x).shape == (200, 2)
    assert model.score(x, x[:, :2] * [1, 100]) > 0.7
