from pentary.cli.benchmark import run
from pentary.es.strategy import Parameters


def test_bench_reports_positive_rates_and_their_ratios() -> None:
    figures = run(rounds=1, parameters=Parameters(population=128, rank=1, perturb="factored"))
    rates = [name for name in figures if name.endswith(("_gmacs", "_per_second"))]
    assert set(rates) == {
        "sgemm_gmacs",
        "plain_forward_gmacs",
        "forward_gmacs",
        "generation_gmacs",
        "prng_pents_per_second",
        "quantized_members_per_second",
    }
    assert all(figures[name] > 0 for name in rates)
    assert abs(figures["forward_over_plain"] - figures["forward_gmacs"] / figures["plain_forward_gmacs"]) < 0.05
