"""Warnings about runs that learn nothing because all pairs tie."""

import pytest

from pentary.es.ties import TIED_STEPS, Ties


def told(shares, steps=None):
    """Return the steps with a message, and the warning at the end."""
    ties, news = Ties(steps or len(shares)), []
    for step, share in enumerate(shares, 1):
        ties.add(step, share)
        if ties.news() is not None:
            news.append(step)
    return news, ties.warning()


def test_it_is_told_once_and_at_the_end_with_the_longest_row():
    news, warning = told([0.5] + [1] * (TIED_STEPS + 5) + [0.99] + [1] * (TIED_STEPS + 1) + [0] * 50)
    assert news == [TIED_STEPS + 1]
    assert warning is not None and warning.startswith(f"in {TIED_STEPS + 5} steps in a row, 2 to {TIED_STEPS + 6}, ")


@pytest.mark.parametrize("shares", [[], [0.99] * 100, ([1] * (TIED_STEPS - 1) + [0.9]) * 3, [1] * 3 + [0]])
def test_ties_among_others_and_short_rows_are_none_of_it(shares):
    assert told(shares, max(1, len(shares))) == ([], None)


def test_a_short_run_must_tie_to_its_end():
    assert told([1, 1], steps=3) == ([], None)
    news, warning = told([1, 1, 1])
    assert news == [3] and warning is not None and warning.startswith("in 3 steps in a row, 1 to 3, both members")
    news, warning = told([1])
    assert news == [1] and warning is not None and warning.startswith("in step 1, both members of every pair had")
