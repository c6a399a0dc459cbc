"""The record of the kernels: of the present programs and the present model."""

import json

import kernels
from pentary.programs.benchmarks import SIZES
from pentary_sim.kernels import figures, measure


def test_the_record_has_the_cycles_of_the_present_model() -> None:
    recorded = json.loads(kernels.RECORD.read_text())
    assert {name: [own["size"] for own in runs] for name, runs in recorded.items()} == {
        name: list(sizes) for name, sizes in SIZES.items()
    }
    for name, runs in recorded.items():
        for own in runs[:2]:  # the largest ones take long
            assert own == figures(measure(name, own["size"])), "stale: python research/kernels.py"


def test_the_page_is_made_of_the_record() -> None:
    page = kernels.RECORD.with_suffix(".md").read_text(encoding="utf-8")
    assert page == kernels.document(json.loads(kernels.RECORD.read_text()))
    assert set(kernels.TELLS) == set(SIZES)
