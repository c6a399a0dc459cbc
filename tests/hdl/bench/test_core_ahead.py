"""Cores that are built ahead: a build that fails or is not needed keeps nobody waiting."""

import pytest

from pentary_hdl.bench.core_ahead import built_ahead


def test_without_configurations_nothing_is_started() -> None:
    with built_ahead([], None) as wait:
        wait("plain")


@pytest.mark.parametrize("name", ["no such machine"])
def test_a_build_that_fails_ends_the_wait(name: str) -> None:
    with built_ahead([name, "plain"], None) as wait:
        wait(name)
        wait("plain")
