"""The record of the described networks: of the present networks and training."""

import pytest

import networks


@pytest.mark.parametrize("name", networks.MEASURES)
def test_the_record_is_of_the_present_training(name: str) -> None:
    assert networks.BEGINNINGS[name]() == networks.recorded()[name]["beginning"], (
        f"stale: python research/networks.py --only {name}"
    )


def test_commands_are_those_of_the_present_networks() -> None:
    for name, case in networks.MNIST1D.items():
        assert networks.recorded()[name]["command"] == f"pentary {case.command()}"


def test_the_page_is_made_of_the_record() -> None:
    page = networks.RECORD.with_suffix(".md").read_text(encoding="utf-8")
    assert page == networks.page(networks.recorded())
