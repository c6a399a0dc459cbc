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


def jobs(*seats: Seat) -> dict[int, list[Job]]:
    found: dict[int, list[Job]] = {}
    for each in seats:
        if each.job is not None:
            found.setdefault(each.job.part.start, []).append(each.job)
    return found


def test_a_worker_gets_as_many_pairs_as_its_pace_says():
    a, b = seat("a", 0.1), seat("b", 0.2)
    assert Free().divide(30, [a, b], 0) == [slice(0, 20), slice(20, 30)]
    new = [seat("new"), seat("b", 0.2), seat("also new")]
    assert Free().divide(30, new, 0) == [slice(0, 10), slice(10, 20), slice(20, 30)]
    assert Free().assign([a, b], [FIRST, slice(5, 30)], {}, [a, b], 0.0) == [(a, slice(5, 30)), (b, FIRST)]


def test_a_free_worker_does_what_nobody_does_and_then_what_takes_somebody_too_long():
    own, free = Free(), seat("free")
    busy = seat("busy", job=Job(3, FIRST, monotonic()))
    assert own.assign([free], [FIRST, SECOND], jobs(busy), [free, busy], 1.0) == [(free, SECOND)]
    assert own.assign([free], [FIRST], jobs(busy), [free, busy], 1.0) == []
    busy.job = Job(3, FIRST, monotonic() - 3)
    assert own.assign([free], [FIRST], jobs(busy), [free, busy], 1.0) == [(free, FIRST)]
    twice = seat("twice", job=Job(3, FIRST, monotonic()))
    assert own.assign([free], [FIRST], jobs(busy, twice), [free, busy, twice], 1.0) == [], "the second is not late"
    twice.job = Job(3, FIRST, monotonic() - 2.5)
    assert own.assign([free], [FIRST], jobs(busy, twice), [free, busy, twice], 1.0) == [(free, FIRST)]


def test_pairs_stay_with_their_worker_and_move_when_it_is_lost():
    read = []
    own = Staying(lambda part, step: read.append((part, step)) or b"states")
    a, b = seat("a"), seat("b")
    assert own.divide(10, [a, b], 0) == [FIRST, SECOND]
    assert own.assign([a], [FIRST, SECOND], {}, [a, b], 0.0) == [(a, FIRST)] and own.content(FIRST, 0) is None
    assert own.assign([a], [SECOND], {}, [a, b], 1.0) == [], "the pairs of another are not for it"
    own.lost(b)
    assert own.owner(SECOND) is None and own.divide(10, [a], 3) == [FIRST, SECOND]
    assert own.assign([a], [SECOND], {}, [a], 1.0) == [(a, SECOND)]
    assert own.content(SECOND, 3) == b"states" and own.owner(SECOND) is None, "it is not sent yet"
    own.carried(SECOND)
    assert own.owner(SECOND) is a and own.content(SECOND, 3) is None and read == [(SECOND, 3)]


def test_a_worker_that_comes_later_takes_over_what_another_has_too_much():
    own = Staying(lambda part, step: b"states")
    a, b, late = seat("a"), seat("b"), seat("late")
    own.divide(10, [a, b], 0)
    assert own.assign([late], [FIRST, SECOND], {}, [a, b, late], 0.0) == []
    own.lost(b)
    assert own.assign([a], [SECOND], {}, [a], 1.0) == [(a, SECOND)]
    assert own.assign([late, a], [FIRST, SECOND], {}, [a, late], 0.0) == [(late, FIRST), (a, SECOND)]
    assert own.owner(FIRST) is None and own.content(FIRST, 5) == b"states"


def test_a_lost_workers_pairs_go_to_one_that_has_none():
    own = Staying(lambda part, step: b"states")
    a, b, spare = seat("a"), seat("b"), seat("spare")
    own.divide(10, [a, b], 0)
    own.lost(b)
    assert own.assign([a], [SECOND], {}, [a, spare], 1.0) == []
    assert own.assign([a, spare], [SECOND], {}, [a, spare], 1.0) == [(spare, SECOND)]


def test_pairs_are_cut_anew_for_other_workers_when_it_is_known_what_they_carry():
    own = Staying(lambda part, step: b"states")
    a, b, c = seat("a"), seat("b"), seat("c")
    assert own.divide(9, [a], 0) == [slice(0, 9)]
    assert own.divide(9, [a, b, c], 5) == [slice(0, 9)], "too many steps would have to be read again"
    own.base = 7
    assert own.divide(9, [a, b, c], 8) == [slice(0, 3), slice(3, 6), slice(6, 9)]
    assert [own.content(part, 8) for part in own.parts] == [b"states"] * 3


@pytest.mark.parametrize(
    ("age", "pace", "late"), [(1.0, 0.1, False), (4.0, 0.1, True), (4.0, None, False), (61.0, None, True)]
)
def test_a_worker_for_whose_pairs_the_others_wait_too_long_is_told(age, pace, late):
    slow = seat("slow", pace, Job(2, FIRST, monotonic() - age))
    assert Staying(lambda part, step: b"").overdue([slow], 2, longest=0.1) == ([slow] if late else [])
    assert Staying(lambda part, step: b"").overdue([slow], 2, longest=0.0) == [], "there is nobody to wait"
    assert Free().overdue([slow], 2, longest=0.1) == []
