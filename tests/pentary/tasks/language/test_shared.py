"""A language model whose population workers read with: the same digests and hidden states, whoever is lost."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np
import pytest

from pentary.distributed import Executors
from pentary.distributed.worker import serve
from pentary.nets.lm.evolve import Engine, Parameters, State, init
from pentary.nets.lm.model import Model
from pentary.nets.products import NUMPY
from pentary.numbers.word import PentaryError
from pentary.tasks.language import shared
from pentary.tasks.language.shared import SharedReading

MODEL, PARAMETERS = Model(1, 16), Parameters(population=24, tokens=3, steps=8, seed=2)
TEXT = np.frombuffer(b"a pair stays with its worker, and moves only when the worker is lost. " * 9, np.uint8)


def states(trainer: Any, before: State | None = None) -> Iterator[State]:
    state = before or init(MODEL, PARAMETERS)
    while state.step < PARAMETERS.steps:
        state = trainer.tell(state, *trainer.evaluate(state))
        yield state


@pytest.fixture(scope="module")
def expected() -> list[State]:
    return list(states(Engine(MODEL, PARAMETERS, TEXT, NUMPY)))


def reading(launcher: Any, state: State | None = None) -> SharedReading:
    own = Engine(MODEL, PARAMETERS, TEXT, NUMPY)
    return SharedReading(own, TEXT, state or init(MODEL, PARAMETERS), launcher)


def check(trainer: SharedReading, expected: list[State], gather: Callable[[int], bool], first: int = 0) -> None:
    """Compare digests after every step, and hidden states after some."""
    with closing(trainer):
        start = expected[first - 1] if first else None
        for state, right in zip(states(trainer, start), expected[first:], strict=True):
            assert state.digest() == right.digest()
            if gather(state.step):
                assert np.array_equal(trainer.hidden(state), right.hidden)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("every", [1, 3, 8])
def test_digests_and_hidden_states_are_those_of_one_process(count: int, every: int, expected: list) -> None:
    with ThreadPoolExecutor(count) as threads:
        check(reading(Executors(threads, count)), expected, lambda step: step % every == 0 or step == 8)


@pytest.mark.parametrize("gathered", [0, 2, 4])
def test_the_pairs_of_a_lost_worker_are_read_again_from_what_is_known(cast: Any, gathered: int, expected: list) -> None:
    play = cast.Cast(serve, cast.odd(cast.dies_in(5)))
    check(reading(play), expected, lambda step: step in (gathered, 8))


def test_the_pairs_of_a_lost_worker_go_to_one_that_has_come_later(cast: Any, expected: list) -> None:
    read: list[tuple[int, slice]] = []
    play = cast.Cast(serve, cast.odd(cast.dies_in(5)))
    trainer = reading(play)

    def come(step: int) -> bool:
        if step == 2:
            play.enter(cast.odd(lambda replica, part: read.append((replica.step + 1, part))))
            time.sleep(0.3)
        return step == 8

    check(trainer, expected, come)
    assert [step for step, _ in read] == [5, 6, 7, 8] and len({part.start for _, part in read}) == 1


def test_pairs_leave_a_worker_that_is_much_slower(cast: Any, expected: list, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("pentary.distributed.scheduling.SLOW_FACTOR", 3.0)
    monkeypatch.setattr("pentary.distributed.scheduling.SLOW_SECONDS", 0.3)
    monkeypatch.setattr("pentary.distributed.scheduling.FIRST", 0.3)
    began = time.monotonic()
    check(reading(cast.Cast(serve, cast.odd(cast.delay(3.0)))), expected, lambda step: step == 8)
    assert time.monotonic() - began < 12 and "is much slower than the others; its members" in capsys.readouterr().err


def test_hidden_states_are_known_although_all_workers_have_gone(cast: Any, expected: list) -> None:
    trainer = reading(cast.Cast(cast.odd(cast.dies_in(6))))
    with closing(trainer):
        run = states(trainer)
        *_, state = islice(run, 5)
        time.sleep(0.3)
        assert state.step == 5 and np.array_equal(trainer.hidden(state), expected[4].hidden)


def test_hidden_states_are_known_although_a_signal_broke_off_the_reading(
    cast: Any, expected: list, monkeypatch: Any
) -> None:
    trainer = reading(cast.Cast(serve, cast.odd(cast.dies_in(5))))
    recover, calls = trainer._recover, []

    def broken_off(part: slice, step: int) -> bytes:
        calls.append(step)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return recover(part, step)

    trainer._scheduling._recover = broken_off
    with closing(trainer):
        run = states(trainer)
        found: list[State] = []
        with pytest.raises(KeyboardInterrupt):
            found.extend(run)
        before = found[-1]
        assert before.step == 4 and np.array_equal(trainer.hidden(before), expected[3].hidden)


def test_hidden_states_are_known_although_a_worker_does_not_answer(
    cast: Any, expected: list, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr("pentary.distributed.coordinator.REPLY_SECONDS", 0.3)
    trainer = reading(cast.Cast(serve, cast.odd(lambda replica, part: time.sleep(2 * (replica.step == 5)))))
    with closing(trainer):
        *_, state = islice(states(trainer), 5)
        began = time.monotonic()
        assert np.array_equal(trainer.hidden(state), expected[4].hidden)
        assert time.monotonic() - began < 1.9 and "does not answer" in capsys.readouterr().err


def test_hidden_states_are_known_after_an_error_of_all_workers(cast: Any, expected: list) -> None:
    def fails(replica: Any, part: slice) -> None:
        if replica.step == 5:
            raise PentaryError("no more")

    trainer = reading(cast.Cast(cast.odd(fails), cast.odd(fails)))
    with closing(trainer):
        run = states(trainer)
        *_, state = islice(run, 5)
        with pytest.raises(PentaryError, match="no more"):
            next(run)
        assert np.array_equal(trainer.hidden(state), expected[4].hidden)


def test_hidden_states_of_the_state_before_the_last_are_known(expected: list) -> None:
    with ThreadPoolExecutor(2) as threads, closing(reading(Executors(threads, 2))) as trainer:
        run = states(trainer)
        *_, state = islice(run, 4)
        trainer.evaluate(state)  # a signal comes before it is told
        assert np.array_equal(trainer.hidden(state), expected[3].hidden)


def test_a_run_goes_on_with_workers(expected: list) -> None:
    with ThreadPoolExecutor(2) as threads:
        check(reading(Executors(threads, 2), expected[2]), expected, lambda step: step in (4, 8), first=3)


def test_hidden_states_are_gathered_now_and_then(expected: list, monkeypatch: Any) -> None:
    monkeypatch.setattr(shared, "GATHERING", 3)
    with ThreadPoolExecutor(2) as threads:
        trainer = reading(Executors(threads, 2))
        check(trainer, expected, lambda step: False)
    assert list(trainer.coordinator._history) == [7, 8], "what is before the last gathering is forgotten"


def test_messages_of_a_step_take_64_bytes_and_one_for_each_member_at_most(monkeypatch: Any) -> None:
    own = Parameters(population=400, tokens=10, steps=12)
    engine = Engine(MODEL, own, TEXT, NUMPY)
    with (
        ThreadPoolExecutor(2) as threads,
        closing(SharedReading(engine, TEXT, init(MODEL, own), Executors(threads, 2))) as trainer,
    ):
        state, sizes = init(MODEL, own), []
        for _ in range(own.steps):
            state = trainer.tell(state, *trainer.evaluate(state))
            sizes.append(trainer.coordinator.sent + trainer.coordinator.received)
    assert (np.diff(sizes) / 2).max() <= 64 + own.population
