import numpy as np
import pytest

from pentary import es
from pentary.es.loop import train
from pentary.es.strategy import Parameters
from pentary.tasks.target import Target


def test_the_pattern_repeats_along_the_diagonal_and_is_zero_elsewhere() -> None:
    task = Target(7, 9)
    assert np.diag(task.pattern).tolist() == [2, 1, 0, -1, -2, 2, 1]
    assert np.count_nonzero(task.pattern) == 6


def test_fitness_of_members_is_minus_their_squared_distance() -> None:
    for perturb in ("quantized", "factored"):
        p = Parameters(population=10, rank=3, perturb=perturb)
        task = Target(20, 12)
        population = es.ask(p, es.init(p, task.tensors))
        got = task.evaluate(population) / task.unit(p)
        everyone = slice(0, 5)
        if perturb == "quantized":
            members = np.stack(population.weights("weights", everyone), axis=1).astype(float)
        else:
            a, b = (f.astype(float) for f in population.factors("weights", everyone))
            e = np.einsum("pki,pkj->pij", a, b) / 5**p.sigma_shift
            members = population.centre()["weights"] + np.stack([e, -e], axis=1)
        assert np.allclose(got, -((members - task.pattern) ** 2).mean(axis=(2, 3)), rtol=1e-12)


def test_the_pattern_itself_has_fitness_zero() -> None:
    task = Target()
    assert task.centre_fitness({"weights": task.pattern.astype(np.int8)}) == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_the_seeds_setting_learns_in_fifty_steps(seed: int) -> None:
    records = list(train(Target(), Parameters(seed=seed)))
    assert -2.2 < records[0].fitness < -1.9
    assert records[-1].fitness > -1.3


@pytest.mark.slow
@pytest.mark.parametrize("perturb", ["quantized", "factored"])
def test_a_thousand_steps_nearly_reach_the_pattern(perturb) -> None:
    *_, last = train(Target(), Parameters(steps=1000, perturb=perturb))
    assert last.fitness > -0.01
