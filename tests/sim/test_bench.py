from pentary_sim.bench import run


def test_bench_reports_positive_figures() -> None:
    figures = run(instructions=20_000, steps=1, rounds=1)
    assert list(figures) == ["warm_up_seconds", "instructions", "instructions_per_second", "es_steps_per_second"]
    assert figures["instructions"] == 20_000
    assert all(figure > 0 for name, figure in figures.items() if name != "warm_up_seconds")
    assert figures["warm_up_seconds"] >= 0
