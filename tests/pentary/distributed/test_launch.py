"""Workers in processes of this machine, and through executors of the user's."""

import os
import signal
import time
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context
from typing import Any

import pytest

from pentary import es
from pentary.distributed import Executors, Local, Members, train
from pentary.es import loop
from pentary.numbers.word import PentaryError
from pentary.tasks.target import Target

TASK, PARAMETERS = Target(16, 12), es.Parameters(population=40, rank=2, steps=40, seed=5)


@pytest.fixture(scope="module")
def expected() -> list[str]:
    return [step.digest for step in es.train(TASK, PARAMETERS)]


def test_a_process_that_is_killed_is_replaced(expected: list[str]) -> None:
    members, seen, found = Members.of(TASK, PARAMETERS, Local(2)), set(), []
    with closing(members.coordinator):
        for step in loop.train(TASK, PARAMETERS, evaluate=members):
            found.append(step.digest)
            seen |= {*members.coordinator.workers}
            if step.step == 3:
                os.kill(int(members.coordinator.workers[0].split()[1]), signal.SIGKILL)
            if 3 < step.step < 30:
                time.sleep(0.15)  # so that the new one comes in the middle
    assert found == expected and len(seen) == 3


def test_any_executor_will_do(expected: list[str]) -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        assert [step.digest for step in train(TASK, PARAMETERS, Executors(processes, 2))] == expected


class Broken:
    """An executor whose calls fail."""

    def submit(self, *call: Any) -> "Future[None]":
        future: Future[None] = Future()
        future.set_exception(OSError("no route to host"))
        return future


def test_workers_that_never_come_end_the_run_with_the_reason() -> None:
    executor: Any = Broken()
    with pytest.raises(PentaryError, match="workers end as soon as they start: no route to host"):
        list(train(TASK, PARAMETERS, Executors(executor, 2)))


def test_an_executor_whose_process_has_died_is_told() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        with pytest.raises(BrokenProcessPool):
            processes.submit(os._exit, 1).result()
        with pytest.raises(PentaryError, match=r"workers end as soon as they start: .*terminated"):
            list(train(TASK, PARAMETERS, Executors(processes, 2)))


def test_an_address_that_is_not_this_machines_is_told() -> None:
    executor: Any = Broken()
    with pytest.raises(PentaryError, match=r"workers cannot connect to 192\.0\.2\.1: "):
        Executors(executor, 1, "192.0.2.1").listener()
