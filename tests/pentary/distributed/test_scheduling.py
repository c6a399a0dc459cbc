"""Who evaluates which pairs."""

from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentary.distributed.scheduling import DynamicScheduling, Job, StickyScheduling, Worker, divided

FIRST, SECOND = slice(0, 5), slice(5, 10)


def worker(name: str, pace: float | None = None, job: Job | None = None) -> Worker:
    nowhere: Any = None
    return Worker(nowhere, name, pace=pace, job=job)


@given(st.integers(1, 1000), st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20))
def test_slices_cover_all_pairs_and_none_is_empty(pairs, weights):
    found = divided(pairs, weights)
    assert [number for part in found for number in range(part.start, part.stop)] == list(range(pairs))
    assert len(found) <= len(weights) and all(part.stop > part.start for part in found)


def jobs(*workers: Worker) -> dict[int, list[Job]]:
    found: dict[int, list[Job]] = {}
    for each in workers:
        if each.job is not None:
            found.setdefault(each.job.part.start, []).append(each.job)
    return found


def test_a_worker_gets_as_many_pairs_as_its_pace_says():
    a, b = worker("a", 0.1), worker("b", 0.2)
    assert DynamicScheduling().partition(30, [a, b], 0) == [slice(0, 20), slice(20, 30)]
    new = [worker("new"), worker("b", 0.2), worker("also new")]
    assert DynamicScheduling().partition(30, new, 0) == [slice(0, 10), slice(10, 20), slice(20, 30)]
    assert DynamicScheduling().assign([a, b], [FIRST, slice(5, 30)], {}, [a, b], 0.0) == [(a, slice(5, 30)), (b, FIRST)]


def test_a_free_worker_does_what_nobody_does_and_then_what_takes_somebody_too_long():
    own, free = DynamicScheduling(), worker("free")
    busy = worker("busy", job=Job(3, FIRST, monotonic()))
    assert own.assign([free], [FIRST, SECOND], jobs(busy), [free, busy], 1.0) == [(free, SECOND)]
    assert own.assign([free], [FIRST], jobs(busy), [free, busy], 1.0) == []
    busy.job = Job(3, FIRST, monotonic() - 3)
    assert own.assign([free], [FIRST], jobs(busy), [free, busy], 1.0) == [(free, FIRST)]
    twice = worker("twice", job=Job(3, FIRST, monotonic()))
    assert own.assign([free], [FIRST], jobs(busy, twice), [free, busy, twice], 1.0) == [], "the second is not late"
    twice.job = Job(3, FIRST, monotonic() - 2.5)
    assert own.assign([free], [FIRST], jobs(busy, twice), [free, busy, twice], 1.0) == [(free, FIRST)]


def test_pairs_stay_with_their_worker_and_move_when_it_is_lost():
    read = []
    own = StickyScheduling(lambda part, step: read.append((part, step)) or b"states")
    a, b = worker("a"), worker("b")
    assert own.partition(10, [a, b], 0) == [FIRST, SECOND]
    assert (
        own.assign([a], [FIRST, SECOND], {}, [a, b], 0.0) == [(a, FIRST)] and own.pair_state_to_send(FIRST, 0) is None
    )
    assert own.assign([a], [SECOND], {}, [a, b], 1.0) == [], "the pairs of another are not for it"
    own.worker_lost(b)
    assert own.owner(SECOND) is None and own.partition(10, [a], 3) == [FIRST, SECOND]
    assert own.assign([a], [SECOND], {}, [a], 1.0) == [(a, SECOND)]
    assert own.pair_state_to_send(SECOND, 3) == b"states" and own.owner(SECOND) is None, "it is not sent yet"
    own.mark_sent(SECOND)
    assert own.owner(SECOND) is a and own.pair_state_to_send(SECOND, 3) is None and read == [(SECOND, 3)]


def test_a_worker_that_comes_later_takes_over_what_another_has_too_much():
    own = StickyScheduling(lambda part, step: b"states")
    a, b, late = worker("a"), worker("b"), worker("late")
    own.partition(10, [a, b], 0)
    assert own.assign([late], [FIRST, SECOND], {}, [a, b, late], 0.0) == []
    own.worker_lost(b)
    assert own.assign([a], [SECOND], {}, [a], 1.0) == [(a, SECOND)]
    assert own.assign([late, a], [FIRST, SECOND], {}, [a, late], 0.0) == [(late, FIRST), (a, SECOND)]
    assert own.owner(FIRST) is None and own.pair_state_to_send(FIRST, 5) == b"states"


def test_a_lost_workers_pairs_go_to_one_that_has_none():
    own = StickyScheduling(lambda part, step: b"states")
    a, b, spare = worker("a"), worker("b"), worker("spare")
    own.partition(10, [a, b], 0)
    own.worker_lost(b)
    assert own.assign([a], [SECOND], {}, [a, spare], 1.0) == []
    assert own.assign([a, spare], [SECOND], {}, [a, spare], 1.0) == [(spare, SECOND)]


def test_pairs_are_cut_anew_for_other_workers_when_it_is_known_what_they_carry():
    own = StickyScheduling(lambda part, step: b"states")
    a, b, c = worker("a"), worker("b"), worker("c")
    assert own.partition(9, [a], 0) == [slice(0, 9)]
    assert own.partition(9, [a, b, c], 5) == [slice(0, 9)], "too many steps would have to be read again"
    own.base = 7
    assert own.partition(9, [a, b, c], 8) == [slice(0, 3), slice(3, 6), slice(6, 9)]
    assert [own.pair_state_to_send(part, 8) for part in own.parts] == [b"states"] * 3


@pytest.mark.parametrize(
    ("age", "pace", "late"), [(1.0, 0.1, False), (4.0, 0.1, True), (4.0, None, False), (61.0, None, True)]
)
def test_a_worker_for_whose_pairs_the_others_wait_too_long_is_told(age, pace, late):
    slow = worker("slow", pace, Job(2, FIRST, monotonic() - age))
    assert StickyScheduling(lambda part, step: b"").stragglers([slow], 2, longest=0.1) == ([slow] if late else [])
    assert StickyScheduling(lambda part, step: b"").stragglers([slow], 2, longest=0.0) == [], "there is nobody to wait"
    assert DynamicScheduling().stragglers([slow], 2, longest=0.1) == []
