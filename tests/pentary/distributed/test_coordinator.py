"""Members evaluated by workers that come, go, are slow, or are wrong: always the same digests."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pentary import es
from pentary.distributed import Coordinator, Executors, Members, train
from pentary.distributed.channel import Kind, Lost, connect
from pentary.distributed.coordinator import WorkerError
from pentary.distributed.members import TaskReplica
from pentary.distributed.worker import serve
from pentary.es import loop
from pentary.es.loop import Resumption
from pentary.numbers.word import PentaryError
from pentary.tasks.blackbox import BlackBox, load
from pentary.tasks.target import Target

TASK = Target(16, 12)
PARAMETERS = es.Parameters(population=40, rank=2, steps=8, seed=5)


def figures(steps: Any) -> list[tuple[Any, ...]]:
    """Return all of each record but the time."""
    return [(s.step, s.fitness, s.population_mean, s.best, s.tied, s.evaluations, s.digest) for s in steps]


@pytest.fixture(scope="module")
def expected() -> list[tuple[Any, ...]]:
    return figures(es.train(TASK, PARAMETERS))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_records_are_those_of_one_process(count: int, expected: list) -> None:
    with ThreadPoolExecutor(count) as threads:
        assert figures(train(TASK, PARAMETERS, Executors(threads, count))) == expected


@pytest.mark.parametrize("perturb", ["factored", "quantized"])
def test_more_workers_than_pairs_are_of_no_harm(perturb: Any) -> None:
    own = es.Parameters(population=4, rank=1, steps=3, perturb=perturb, shaping="sign")
    with ThreadPoolExecutor(5) as threads:
        assert figures(train(TASK, own, Executors(threads, 5))) == figures(es.train(TASK, own))


def test_a_worker_that_dies_is_replaced_by_the_others(cast: Any, expected: list, capsys: Any) -> None:
    play = cast.Cast(serve, cast.odd(cast.dies_in(3)))
    assert figures(train(TASK, PARAMETERS, play)) == expected
    assert "is lost: it has closed the connection; its members are evaluated elsewhere" in capsys.readouterr().err


def test_a_worker_may_come_in_the_middle_when_all_others_have_gone(cast: Any, expected: list) -> None:
    play = cast.Cast(cast.odd(cast.dies_in(4)))
    found = []
    for step in train(TASK, PARAMETERS, play):
        found.append(step)
        if step.step == 3:
            play.enter(serve)
    assert figures(found) == expected


def test_a_worker_that_comes_in_the_middle_is_given_work(cast: Any, expected: list) -> None:
    after: list[int] = []
    play = cast.Cast(cast.odd(cast.delay(0.05)))
    found = []
    for step in train(TASK, PARAMETERS, play):
        found.append(step)
        if step.step == 3:
            play.enter(cast.odd(lambda replica, part: after.append(replica.step)))
            time.sleep(0.3)
    assert figures(found) == expected
    assert after and 3 <= min(after) <= max(after) == 7, "it has evaluated members of the last step"


def test_what_a_slow_worker_has_not_done_is_done_by_another(cast: Any, expected: list) -> None:
    began = time.monotonic()
    play = cast.Cast(serve, cast.odd(cast.delay(2.0)))
    assert figures(train(TASK, PARAMETERS, play)) == expected
    assert time.monotonic() - began < 2.0 * PARAMETERS.steps / 2, "eight steps of two seconds were not waited for"


def test_a_worker_with_other_weights_is_dismissed(cast: Any, expected: list, capsys: Any) -> None:
    play = cast.Cast(serve, cast.odd(cast.lies_in(3)))
    assert figures(train(TASK, PARAMETERS, play)) == expected
    assert "has other weights after step 2, so nothing of it is taken" in capsys.readouterr().err


def test_a_run_goes_on_with_workers_that_begin_with_it(cast: Any, expected: list) -> None:
    *_, third = (step for step in es.train(TASK, PARAMETERS) if step.step <= 3)
    with ThreadPoolExecutor(2) as threads:
        again = figures(train(TASK, PARAMETERS, Executors(threads, 2), Resumption(third.state)))
    assert again == expected[4:]


def test_a_worker_that_is_far_behind_is_sent_the_state(cast: Any, expected: list, monkeypatch: Any) -> None:
    monkeypatch.setattr("pentary.distributed.coordinator.REPLAY", 1)
    play = cast.Cast(serve, cast.odd(cast.delay(0.5)))
    assert figures(train(TASK, PARAMETERS, play)) == expected


def test_an_error_in_a_worker_ends_the_run_with_its_message(cast: Any) -> None:
    play = cast.Cast(cast.odd(cast.fails_with(PentaryError("no such weights"))))
    with pytest.raises(PentaryError, match=r"process \d+ on .*: no such weights"):
        list(train(TASK, PARAMETERS, play))


def test_an_error_of_one_worker_alone_ends_nothing(cast: Any, expected: list, capsys: Any) -> None:
    play = cast.Cast(serve, cast.odd(cast.fails_with(MemoryError("too little"))))
    assert figures(train(TASK, PARAMETERS, play)) == expected
    assert "cannot go on: MemoryError: too little; its members are evaluated elsewhere" in capsys.readouterr().err


def test_an_error_of_all_workers_ends_the_run_with_the_last(cast: Any) -> None:
    play = cast.Cast(*[cast.odd(cast.fails_with(ZeroDivisionError("a fault of ours"))) for _ in range(3)])
    with pytest.raises(WorkerError, match="ZeroDivisionError: a fault of ours") as found:
        list(train(TASK, PARAMETERS, play))
    assert "Traceback" in found.value.user_traceback


def test_a_task_that_cannot_be_sent_is_told_in_one_line() -> None:
    class Local(Target):
        """A class that no worker can import."""

    with ThreadPoolExecutor(1) as threads, pytest.raises(PentaryError, match="cannot be sent to workers: "):
        list(train(Local(4, 4), PARAMETERS, Executors(threads, 1)))


def stranger(*hello: Any) -> Any:
    """Return a worker that says hello in a way of its own, and waits."""

    def play(join_info: Any) -> None:
        own = connect(join_info.address)
        values = [join_info.token if each == "token" else each for each in hello]
        own.send(Kind.HELLO, *values)
        try:
            while True:
                own.receive()
        except Lost:
            own.close()

    return play


def test_a_worker_of_another_version_is_left_out_and_both_are_named(cast: Any, expected: list, capsys: Any) -> None:
    play = cast.Cast(stranger("token", "9.9.9", 7, "there"), serve)
    assert figures(train(TASK, PARAMETERS, play)) == expected
    assert "process 7 on there has pentary 9.9.9, but this is 0.1.0: install the same" in capsys.readouterr().err


@pytest.mark.parametrize("hello", [(b"wrong token", "0.1.0", 7, "there"), ("no token",), ()])
def test_who_is_no_worker_is_not_let_in(cast: Any, hello: tuple, expected: list) -> None:
    play = cast.Cast(stranger(*hello), serve)
    assert figures(train(TASK, PARAMETERS, play)) == expected


HUGE = """
def fitness(weights):
    total = int(weights.sum())
    if total % 5 == 2:
        raise ValueError("three")
    return 2**80 * total if total % 2 else total / 7
"""


def test_fitness_of_a_function_arrives_exactly_and_so_do_its_failures(tmp_path: Path, capsys: Any) -> None:
    name = f"{tmp_path / 'huge.py'}:fitness"
    (tmp_path / "huge.py").write_text(HUGE)
    own = es.Parameters(population=30, rank=1, steps=3)

    def box() -> BlackBox:
        return BlackBox(name, load(name), (4, 4), on_failure="worst")

    with ThreadPoolExecutor(2) as threads:
        found = list(train(box(), own, Executors(threads, 2)))
    told = capsys.readouterr().err
    here = list(es.train(box(), own))
    assert figures(found) == figures(here) and [s.measured for s in found] == [s.measured for s in here]
    assert any(step.measured["failed"] for step in here), "the function fails for some member"
    assert told == capsys.readouterr().err and "ValueError: three" in told


def test_messages_of_a_step_take_64_bytes_and_one_for_each_member_at_most() -> None:
    own = es.Parameters(population=500, rank=1, steps=20)
    with ThreadPoolExecutor(2) as threads:
        coordinator = Coordinator(Executors(threads, 2), partial(TaskReplica, TASK, own), own.pairs)
        with closing(coordinator):
            sizes = []
            for _ in loop.train(TASK, own, evaluate=Members(TASK, coordinator)):
                sizes.append(coordinator.sent + coordinator.received)
            steps = np.diff(sizes)[1:] / 2  # of each worker
    assert steps.max() <= 64 + own.population


def test_nothing_of_a_fleet_is_left_when_a_run_is_broken_off() -> None:
    before = threading.active_count()
    with ThreadPoolExecutor(2) as threads:
        run = train(TASK, PARAMETERS, Executors(threads, 2))
        next(run)
        next(run)
        run.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
