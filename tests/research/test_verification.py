"""The record of a million operations in each simulator belongs to the present hardware."""

import pytest

import verification


@pytest.mark.parametrize("name", verification.stored())
def test_the_recorded_runs_are_of_this_hardware(name: str) -> None:
    _, parameters, parts = verification.RUNS[name]
    done = verification.recorded(name, verification.hardware(parameters))
    assert len(done) >= parts, f"the record is stale: python research/verification.py --only {name}"
    assert sum(part["mismatches"] for part in done) == 0
