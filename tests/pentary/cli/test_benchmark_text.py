import pytest

from pentary.cli.benchmark_text import run
from pentary.nets import products
from pentary.nets.lm.evolve import Parameters
from pentary.numbers.word import PentaryError

RATES = ["ceiling_gmacs", "plain_forward_gmacs", "forward_gmacs", "generation_gmacs"]
RATIOS = ["plain_forward_over_ceiling", "forward_over_ceiling", "generation_over_forward"]
TINY = Parameters(population=12, tokens=2)


def test_every_installed_backend_is_measured_at_every_width() -> None:
    figures = run({8: 0.0, 16: 0.0}, TINY)
    names = {
        f"{b}_{d}_{n}" for b in products.NAMES for d in (8, 16) for n in (*RATES, *RATIOS, "member_tokens_per_second")
    }
    assert set(figures) == names | {"workers", "population", "tokens"}
    assert (figures["population"], figures["tokens"]) == (12, 2)
    assert all(value >= 0 for value in figures.values())


def test_a_backend_that_is_not_installed_is_left_out(monkeypatch) -> None:
    backend = products.backend

    def without_int8(name):
        if name == "int8":
            raise PentaryError("not installed")
        return backend(name)

    monkeypatch.setattr(products, "backend", without_int8)
    figures = run({8: 0.0}, TINY)
    assert {name.split("_")[0] for name in figures if "_8_" in name} == {"numpy"}


def test_ratios_are_those_of_the_rates() -> None:
    figures = run({64: 0.0}, Parameters(population=64, tokens=2))
    for ratio in RATIOS:
        part, whole = ratio.split("_over_")
        rates = [figures[f"numpy_64_{name}_gmacs"] for name in (part, whole)]
        assert figures[f"numpy_64_{ratio}"] == pytest.approx(rates[0] / rates[1], rel=0.05, abs=0.01)
