"""Black boxes: arguments and results of the user's function, and the reporting of its failures."""

import sys
from itertools import pairwise

import numpy as np
import pytest

from pentary import es
from pentary.es.loop import train
from pentary.es.strategy import Parameters
from pentary.numbers.word import PentaryError
from pentary.tasks.blackbox import BlackBox, load
from pentary.tasks.running.calls import LARGEST
from pentary.tasks.running.users import UsersCodeError

TINY = Parameters(population=6, rank=2, steps=3)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Change to an empty directory, and restore the module search path after the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluate(function, shape=(8, 8), parameters=TINY):
    task = BlackBox("mine", function, shape)
    return task.evaluate(es.ask(parameters, es.init(parameters, task.tensors)))


def test_members_come_in_order_as_arrays_of_the_users_own():
    seen = []

    def fitness(weights):
        seen.append(weights.copy())
        weights[:] = 99
        return len(seen)

    assert evaluate(fitness, (5, 3)).tolist() == [[1, 2], [3, 4], [5, 6]]
    population = es.ask(TINY, es.init(TINY, {"weights": es.Tensor(5, 3)}))
    members = [side for pair in zip(*population.weights("weights", slice(0, 3)), strict=True) for side in pair]
    assert all(np.array_equal(given, member) for given, member in zip(seen, members, strict=True))
    assert {(weights.dtype, weights.shape) for weights in seen} == {(np.dtype(np.int64), (5, 3))}


def test_what_a_function_does_to_its_arrays_changes_no_run():
    def spoiling(weights):
        total = int(weights.sum())
        weights[:] = 0
        return total

    def runs(function):
        return [step.digest for step in train(BlackBox("mine", function, (8, 8)), TINY)]

    assert runs(spoiling) == runs(lambda weights: int(weights.sum()))


def test_members_split_into_chunks_are_the_same_members(monkeypatch):
    whole = evaluate(lambda weights: int(weights[0] @ weights[1]))
    monkeypatch.setattr("pentary.tasks.blackbox.CHUNK_PENTS", 2 * 64)
    assert np.array_equal(evaluate(lambda weights: int(weights[0] @ weights[1])), whole)


def test_training_improves_the_fitness():
    parameters = Parameters(population=40, rank=2, steps=20)
    fitness = [step.fitness for step in train(BlackBox("mine", lambda w: -int(np.abs(w).sum()), (8, 8)), parameters)]
    assert fitness[-1] > fitness[0] + 20


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (3, np.int64),
        (True + 1, np.int64),
        (np.int8(-128), np.int64),
        (np.uint64(7), np.int64),
        (np.uint64(2**64 - 1), object),
        (-(10**300) + 1, object),
        (-2.5, np.float64),
        (np.float16(1.5), np.float64),
        (np.longdouble(2), np.float64),
        (LARGEST, np.float64),
    ],
)
def test_numbers_are_accepted_and_integers_kept_exactly(value, kind):
    fitness = evaluate(lambda weights: value)
    assert fitness.dtype == kind
    assert fitness.tolist() == [[value, value]] * 3


def test_integers_beyond_the_floats_are_compared_and_recorded_exactly():
    huge, given = 2**60, []

    def fitness(weights):
        given.append(huge + int(weights.sum()))
        return given[-1]

    records = list(train(BlackBox("mine", fitness, (8, 8)), TINY))
    small = list(train(BlackBox("mine", lambda weights: int(weights.sum()), (8, 8)), TINY))
    assert [record.digest for record in records] == [record.digest for record in small]
    centres, members = given[:: TINY.population + 1], [given[n : n + TINY.population] for n in (1, 8, 15)]
    assert [record.fitness for record in records] == centres
    assert [record.best for record in records[1:]] == [max(of_step) for of_step in members]
    assert any(int(float(value)) != value for value in given)


def test_arithmetic_on_the_weights_does_not_wrap():
    def fitness(weights):
        rows = weights.tolist()
        flat = [weight for row in rows for weight in row]
        assert (weights * 100).tolist() == [[100 * weight for weight in row] for row in rows]
        assert (weights @ weights.T).tolist() == [
            [sum(a * b for a, b in zip(left, right, strict=True)) for right in rows] for left in rows
        ]
        assert (weights << 9).sum() == 512 * sum(flat) and (weights**20).max() == max(flat) ** 20
        return 0

    evaluate(fitness, (3, 40))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (True, "returned bool"),
        (np.True_, "returned bool"),
        ("1", "returned str"),
        (None, "returned NoneType"),
        (np.ones(1), "returned ndarray"),
        (np.array(1.0), "returned ndarray"),
        (1j, "returned complex"),
        (float("nan"), "returned nan"),
        (-np.inf, "returned -inf"),
        (np.float32("inf"), "returned inf"),
        (10**400, "returned an integer that is too large"),
        (-(10**301), "returned an integer that is too large"),
        (-2 * LARGEST, r"returned -2e\+300"),
    ],
)
def test_what_is_no_fitness_is_refused_with_the_member_that_it_was_for(value, told):
    with pytest.raises(UsersCodeError, match=f"^mine {told}.* for the minus member of pair 1 in step 1") as refusal:
        answers = iter([0, 0, 0, value])
        evaluate(lambda weights: next(answers))
    assert refusal.value.user_traceback == ""


def test_an_exception_carries_the_users_part_of_the_traceback():
    def inner():
        raise KeyError("lost")

    def fitness(weights):
        inner()

    with pytest.raises(UsersCodeError, match="mine raised KeyError for the plus member of pair 0 in step 1") as failure:
        evaluate(fitness)
    lines = failure.value.user_traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.rpartition(" in ")[2] for line in lines if line.startswith("  File ")] == ["fitness", "inner"]
    assert lines[-1] == "KeyError: 'lost'"


def test_a_function_that_leaves_the_program_is_a_failure_and_ctrl_c_is_not():
    with pytest.raises(UsersCodeError, match="raised SystemExit"):
        evaluate(lambda weights: sys.exit(0))

    def interrupted(weights):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(interrupted)


def test_factored_members_are_refused():
    with pytest.raises(PentaryError, match="use the quantized perturbation"):
        next(train(BlackBox("mine", lambda weights: 0), Parameters(perturb="factored")))


def test_a_file_is_loaded_with_its_neighbours_and_without_taking_a_library_modules_name(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "neighbour_of_json.py").write_text("OFFSET = 7\n")
    (folder / "sub" / "json.py").write_text(
        "import neighbour_of_json\nfrom dataclasses import dataclass\n\n"
        "@dataclass\nclass Score:\n    value: 'int'\n\n"
        "def fitness(weights):\n    return Score(neighbour_of_json.OFFSET).value\n"
    )
    library = sys.modules["json"]
    task = BlackBox("sub/json.py:fitness", load("sub/json.py:fitness"), (4, 4))
    assert task.centre_fitness({"weights": np.zeros((4, 4), np.int8)}) == 7
    assert sys.modules["json"] is library


def test_a_module_is_found_from_the_current_directory(folder):
    (folder / "users_package").mkdir()
    (folder / "users_package" / "scores.py").write_text("def fitness(weights):\n    return 3\n")
    assert load("users_package.scores:fitness")(np.zeros((1, 1), np.int64)) == 3


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none.py:f", "there is no file none.py"),
        ("folder.py:f", "there is no file folder.py"),
        ("no_such.module:f", "there is no module no_such.module"),
        ("pentary.no_such:f", "there is no module pentary.no_such"),
        ("some/module:f", "'some/module' is neither a file that ends in .py nor a module's name"),
        (":f", "'' is neither"),
        ("good.py:", "good.py has no function ''"),
        ("good.py:g", "good.py has no function 'g'"),
        ("good.py:number", "good.py:number is not a function but int"),
    ],
)
def test_what_cannot_be_found_is_told_without_a_traceback(folder, name, told):
    (folder / "folder.py").mkdir()
    (folder / "good.py").write_text("number = 3\n")
    with pytest.raises(UsersCodeError) as refusal:
        load(name)
    assert str(refusal.value).startswith(told)
    assert refusal.value.user_traceback == ""


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import no_such_thing", "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
@pytest.mark.parametrize("form", ["{}.py:f", "{}:f"])
def test_a_failing_import_shows_the_users_file_and_none_of_ours(folder, code, kind, form):
    stem = f"failing_{kind}"
    (folder / f"{stem}.py").write_text(code + "\n")
    with pytest.raises(UsersCodeError, match=f"importing {stem}.* raised {kind}") as failure:
        load(form.format(stem))
    shown = failure.value.user_traceback
    assert f'{stem}.py", line 1' in shown
    assert kind in shown.splitlines()[-1]
    assert "importlib" not in shown and "blackbox.py" not in shown


def test_evaluations_do_not_depend_on_each_other():
    fitness = [step.fitness for step in train(BlackBox("mine", lambda w: int(w.astype(int).sum()), (8, 8)), TINY)]
    again = [step.fitness for step in train(BlackBox("mine", lambda w: int(w.astype(int).sum()), (8, 8)), TINY)]
    assert fitness == again
    assert any(a != b for a, b in pairwise(fitness))
