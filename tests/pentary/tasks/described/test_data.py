"""Data: what is given becomes integers, the test part has no say in it, and mistakes are told."""

from fractions import Fraction

import numpy as np
import pytest

from pentary.nets import Clamp, CrossEntropy, Dense, Embedding, Flatten, Input, Sequential, SquaredError, Tokens
from pentary.numbers.word import PentaryError
from pentary.tasks.described.data import SPREAD, fit, prepare


def classifier(classes: int = 3, shape=4, low: int = -62, high: int = 62) -> Sequential:
    return Sequential(Input(shape, low, high), Flatten(), Dense(classes), Clamp(312), loss=CrossEntropy())


REGRESSOR = Sequential(Input(4), Dense(1), Clamp(312), loss=SquaredError())


def blobs(count: int = 60, classes: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(count)
    y = np.arange(count) % classes
    return {"x": rng.normal(size=(count, 4)) + y[:, None], "y": y}


def test_integers_in_range_stay_as_they_are() -> None:
    x = np.random.default_rng(0).integers(0, 17, (40, 4))
    data = prepare(classifier(low=0, high=16), {"x": x, "y": np.arange(40) % 3})
    assert data.inputs is None
    together = np.concatenate([data.train.x, data.test.x])
    assert sorted(map(tuple, together.astype(int).tolist())) == sorted(map(tuple, x.tolist()))


@pytest.mark.parametrize("per_feature", [True, False])
def test_a_quantisation_puts_the_spread_into_the_range(per_feature: bool) -> None:
    x = np.random.default_rng(0).normal(5, 3, (50, 2))
    own = fit(x, 0, 100, per_feature)
    columns = x.T.tolist() if per_feature else [x.reshape(-1).tolist()]
    for column, offset, scale in zip(columns, own.offset.reshape(-1), own.scale.reshape(-1), strict=True):
        exact = [Fraction(value) for value in column]
        mean = sum(exact) / len(exact)
        deviation = float(sum((value - mean) ** 2 for value in exact) / len(exact)) ** 0.5
        assert (float(mean) - offset) * scale == pytest.approx(50)
        assert SPREAD * deviation * scale == pytest.approx(50)
    got = own(x)
    assert got.min() >= 0
    assert got.max() <= 100
    assert (
        np.abs(own.back(got) - np.clip(x, own.back(np.array(0)), own.back(np.array(100)))).max()
        <= 0.5 / own.scale.min() + 1e-9
    )


def test_a_feature_that_does_not_vary_is_the_middle() -> None:
    assert fit(np.full((9, 1), 3.5), -62, 62, per_feature=True)(np.array([[3.5]])).tolist() == [[0]]


def test_the_test_part_has_no_say_in_the_quantisation() -> None:
    whole = blobs()
    given = {"x_train": whole["x"], "y_train": whole["y"], "x_test": whole["x"][:6], "y_test": whole["y"][:6]}
    one, other = (prepare(classifier(), {**given, "x_test": given["x_test"] * by}) for by in (1, 1000))
    assert one.inputs is not None
    assert other.inputs is not None
    assert np.array_equal(one.inputs.scale, other.inputs.scale)
    assert np.array_equal(one.train.x, other.train.x)


def test_the_split_is_stratified_and_follows_its_seed() -> None:
    given = blobs(83)
    one, again, other = (prepare(classifier(), given, seed) for seed in (0, 0, 1))
    assert np.array_equal(one.test.x, again.test.x)
    assert not np.array_equal(one.test.x, other.test.x)
    for data in (one, other):
        assert len(data.test) == 83 // 4
        assert np.ptp(np.bincount(data.test.y)) <= 1
        assert len(data.train) + len(data.test) == 83


def test_a_class_with_one_example_stays_in_the_training_part() -> None:
    given = blobs(40, 2)
    given["y"][7] = 2
    data = prepare(classifier(), given)
    assert 2 in data.train.y
    assert 2 not in data.test.y


@pytest.mark.parametrize("labels", [["b", "a", "c"], [7, -3, 100], [False, True]])
def test_labels_of_any_kind_become_numbers(labels) -> None:
    given = blobs(60, len(labels))
    data = prepare(classifier(), {**given, "y": np.array(labels)[given["y"]]})
    assert list(data.classes) == sorted(labels)
    assert set(data.train.y.tolist()) == set(range(len(labels)))


def test_targets_of_a_regression_have_the_scale_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    data = prepare(REGRESSOR, {"x": rng.normal(size=(80, 4)), "y": rng.normal(100, 5, 80)})
    assert data.targets is not None
    assert data.train.y.shape == (60, 1)
    assert float(data.train.y.std()) == pytest.approx(62, rel=0.02)
    assert abs(float(data.train.y.mean())) < 1


def test_tokens_are_taken_as_they_are() -> None:
    network = Sequential(Tokens(5, 9), Embedding(3), Flatten(), Dense(2), Clamp(312), loss=CrossEntropy())
    x = np.arange(100).reshape(20, 5) % 9
    assert prepare(network, {"x": x, "y": np.arange(20) % 2}).inputs is None
    with pytest.raises(PentaryError, match=r"the data: x has to be tokens, integers in 0\.\.8"):
        prepare(network, {"x": x + 1, "y": np.arange(20) % 2})


BLOBS = blobs()
NAN = BLOBS["x"].copy()
NAN[3, 1] = np.nan


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"x": NAN}, r"x has nan at \(3, 1\): leave such examples out, or fill them"),
        ({"x": BLOBS["x"][:, :3]}, "an example of x is 3, but the network takes 4"),
        ({"x": BLOBS["x"][:, 0]}, "an example of x is one number, but the network takes 4"),
        ({"x": BLOBS["x"][:50]}, "y has 60 targets for 50 examples"),
        ({"x": BLOBS["x"].astype(str)}, "x is of type <U.*, not of numbers"),
        ({"x": BLOBS["x"][:0], "y": BLOBS["y"][:0]}, "x has no examples"),
        ({"x": BLOBS["x"][:1], "y": BLOBS["y"][:1]}, "it has 1 examples, too few"),
        ({"y": BLOBS["y"] + 0.5}, "y has float64 labels, which are no integers"),
        ({"y": np.stack([BLOBS["y"]] * 2, axis=1)}, r"y has the shape \(60, 2\): of classes it takes one label"),
        ({"y": np.arange(60)}, "y has 60 classes, but the network has 3 results"),
        ({"y": BLOBS["x"] + 1j}, "y has the shape"),
    ],
)
def test_mistakes_are_told_with_their_source(change, told) -> None:
    with pytest.raises(PentaryError, match=f"^mine.npz: {told}"):
        prepare(classifier(), {**BLOBS, **change}, source="mine.npz")


def test_a_class_only_in_the_test_part_is_told() -> None:
    given = {"x_train": BLOBS["x"], "y_train": BLOBS["y"] % 2, "x_test": BLOBS["x"], "y_test": BLOBS["y"]}
    with pytest.raises(PentaryError, match="the class 2 is only in the test part"):
        prepare(classifier(), given)


def test_other_names_are_told() -> None:
    with pytest.raises(PentaryError, match="it has images, labels; it takes x and y, or x_train"):
        prepare(classifier(), {"images": BLOBS["x"], "labels": BLOBS["y"]})


def test_targets_of_a_regression_are_as_many_as_results() -> None:
    with pytest.raises(PentaryError, match=r"y has the shape \(60, 2\), but the network has 1 results"):
        prepare(REGRESSOR, {"x": BLOBS["x"], "y": BLOBS["x"][:, :2]})
