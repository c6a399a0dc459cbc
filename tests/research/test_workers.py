"""The record of research/workers.py is of these sources, its page is that of the record, and it shows what it must."""

import json

import pytest

import workers
from thousand import MACHINES, Costs, Network, local, simulated
from workers_page import CONDITIONS, document


def test_the_record_is_current_and_shows_no_difference() -> None:
    found = json.loads(workers.RECORD.read_text())
    assert found.pop("sources") == workers.digest(), "stale: python research/workers.py"
    assert workers.RECORD.with_suffix(".md").read_text() == document(found)
    for own in found["digests"].values():
        assert tuple(own) == CONDITIONS and not any(each["differences"] for each in own.values())
        assert own["one killed"]["workers"] >= 2 and own["one joins"]["workers"] == 2
    assert all(each["bytes"] <= each["limit"] for each in found["bytes"])


def test_bytes_on_the_wire_are_within_the_limit() -> None:
    found = workers.on_the_wire("target", 200, 2)
    assert 0 < found["bytes"] <= found["limit"] == 264


def test_the_model_is_of_what_pairs_cost() -> None:
    costs = Costs(evaluate=1e-3, move=1e-6)
    assert local(costs, 1000, 1, 2) == pytest.approx(0.501)
    assert local(costs, 1000, 1, 1) == pytest.approx(1.002)
    assert local(costs, 1000, 2, 2) == pytest.approx(0.5015)
    few, many = (simulated(costs, machines, population=10**5) for machines in (10, 1000))
    assert many.evaluate == pytest.approx(few.evaluate / 100) and many.update == few.update
    assert many.send > few.send and many.wait < few.evaluate
    assert simulated(costs, 10, Network(bandwidth=1e6), 10**5).send > 100 * few.send
    assert MACHINES[-1] > 1000
