"""Who evaluates which pairs."""

from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentary.distributed.sharing import Free, Job, Seat, Staying, divided

FIRST, SECOND = slice(0, 5), slice(5, 10)


def seat(name: str, pace: float | None = None, job: Job | None = None) -> Seat:
    nowhere: Any = None
    return Seat(nowhere, name, pace=pace, job=job)


@given(st.integers(1, 1000), st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20))
def test_slices_cover_all_pairs_and_none_is_empty(pairs, weights):
    found = divided(pairs, weights)
    assert [number for part in found for number in range(part.start, part.stop)] == list(range(pairs))
    assert len(found) <= len(weights) and all(part.stop > part.start for part in found)


def test_a_worker_gets_as_many_pairs_as_its_pace_says():
    assert Free().divide(30, [seat("a", 0.1), seat("b", 0.2)]) == [slice(0, 20), slice(20, 30)]
    assert Free().divide(30, [seat("new"), seat("b", 0.2), seat("also new")]) == [
        slice(0, 10),
        slice(10, 20),
        slice(20, 30),
    ]


def test_a_free_worker_does_what_nobody_does_and_then_what_takes_somebody_too_long():
    own = Free()
    free, busy = seat("free"), seat("busy", job=Job(3, FIRST, monotonic()))
    assert own.choose(free, [FIRST, SECOND], [free, busy], 3, longest=1.0) == SECOND
    assert own.choose(free, [FIRST], [free, busy], 3, longest=1.0) is None
    busy.job = Job(3, FIRST, monotonic() - 3)
    assert own.choose(free, [FIRST], [free, busy], 3, longest=1.0) == FIRST
    twice = seat("twice", job=Job(3, FIRST, monotonic()))
    assert own.choose(free, [FIRST], [free, busy, twice], 3, longest=1.0) is None, "two at it are enough"
    busy.job = Job(2, FIRST, monotonic())
    assert own.choose(free, [FIRST], [free, busy], 3, longest=1.0) == FIRST, "it is at a step that is over"


def test_pairs_stay_with_their_worker_and_move_when_it_is_lost():
    read = []
    own = Staying(lambda part, step: read.append((part, step)) or b"states")
    a, b = seat("a"), seat("b")
    assert own.divide(10, [a, b]) == [FIRST, SECOND]
    assert own.choose(a, [FIRST, SECOND], [a, b], 1, 0.0) == FIRST and own.content(FIRST, 0) is None
    assert own.choose(a, [SECOND], [a, b], 1, 1.0) is None, "the pairs of another are not for it"
    own.lost(b)
    assert own.owner(SECOND) is None
    assert own.choose(a, [SECOND], [a], 4, 1.0) == SECOND
    assert own.content(SECOND, 3) == b"states" and own.content(SECOND, 3) is None and read == [(SECOND, 3)]
    assert own.owner(SECOND) is a


def test_a_worker_that_comes_later_takes_over_what_another_has_too_much():
    own = Staying(lambda part, step: b"states")
    a, b, late = seat("a"), seat("b"), seat("late")
    own.divide(10, [a, b])
    assert own.choose(late, [FIRST, SECOND], [a, b, late], 2, 0.0) is None
    own.lost(b)
    assert own.choose(a, [SECOND], [a], 2, 1.0) == SECOND
    assert own.choose(late, [FIRST, SECOND], [a, late], 3, 0.0) == FIRST and own.owner(FIRST) is None
    assert own.content(FIRST, 2) == b"states" and own.owner(FIRST) is late
    assert own.choose(a, [FIRST, SECOND], [a, late], 3, 0.0) == SECOND


def test_a_lost_workers_pairs_go_to_one_that_has_none():
    own = Staying(lambda part, step: b"states")
    a, b, spare = seat("a"), seat("b"), seat("spare")
    own.divide(10, [a, b])
    own.lost(b)
    assert own.choose(a, [SECOND], [a, spare], 2, 1.0) is None
    assert own.choose(spare, [SECOND], [a, spare], 2, 1.0) == SECOND


@pytest.mark.parametrize(
    ("age", "pace", "late"), [(1.0, 0.1, False), (4.0, 0.1, True), (4.0, None, False), (61.0, None, True)]
)
def test_a_worker_for_whose_pairs_the_others_wait_too_long_is_told(age, pace, late):
    slow = seat("slow", pace, Job(2, FIRST, monotonic() - age))
    assert Staying(lambda part, step: b"").overdue([slow], 2, longest=0.1) == ([slow] if late else [])
    assert Staying(lambda part, step: b"").overdue([slow], 2, longest=0.0) == [], "there is nobody to wait"
    assert Free().overdue([slow], 2, longest=0.1) == []
