"""Comparison of update rules on `target` and `digits`, with one change to the default at a time.

Run `python research/update_rule.py` to regenerate the table of update_rule.md in its folder (15 minutes; `--quick` uses
two seeds, omits the long runs and writes nothing).
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import isqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pentary import es, lowrank
from pentary.es.loop import Task
from pentary.es.strategy import Parameters, Population, State
from pentary.lowrank.operations import GAIN_SHIFT, Pents
from pentary.numbers.word import limit, round_shift, saturate
from pentary.tasks.digits import Digits
from pentary.tasks.target import Target

HERE = Path(__file__).parent

Gain = Callable[[Parameters, int], int]


@dataclass(frozen=True)
class Rule:
    """Update rule; the default is that of `pentary.es.strategy`."""

    name: str
    change: dict = field(default_factory=dict)
    gain: Gain = Parameters.gain
    shape: Callable[[NDArray, str], Pents] = es.shape_fitness
    momentum: tuple[int, int] = (0, 1)  # numerator and denominator of the momentum coefficient
    normalise: bool = False
    centred_start: bool = False


def first_gain(p: Parameters, reach: int) -> int:
    variance = 2 if p.perturb == "quantized" else 4 * p.rank
    return reach * 5**GAIN_SHIFT // isqrt(p.steps * p.pairs * variance)


def scheduled(share: Callable[[float], float]) -> Gain:
    """Return a gain schedule; `share` maps the remaining fraction of the run to a factor."""
    return lambda p, step: int(first_gain(p, limit(p.latent)) * share((p.steps - step + 1) / p.steps))


def fixed_first(levels: float) -> Gain:
    """Return a gain whose first step has an RMS of `levels` visible levels, independent of the length of the run."""

    def gain(p: Parameters, step: int) -> int:
        variance = 2 if p.perturb == "quantized" else 4 * p.rank
        first = int(levels * 5 ** (p.latent - 1) * 5**GAIN_SHIFT / (p.pairs * variance) ** 0.5)
        return first * (p.steps - step + 1) // p.steps

    return gain


def reaching(factor: float) -> Gain:
    return lambda p, step: int(first_gain(p, int(limit(p.latent) * factor))) * (p.steps - step + 1) // p.steps


def by_mean(fitness: NDArray, _: str) -> Pents:
    """Quantise each difference by the mean magnitude: thresholds at half and one and a half times the mean."""
    d = fitness[:, 0] - fitness[:, 1]
    magnitude, mean = 2 * np.abs(d) * len(d), np.abs(d).sum()
    return (np.sign(d) * ((magnitude > mean).astype(np.int8) + (magnitude > 3 * mean))).astype(np.int8)


RULES = [
    Rule("as built"),
    Rule("shaping: sign", {"shaping": "sign"}),
    Rule("shaping: by the mean magnitude", shape=by_mean),
    Rule("gain: constant", gain=scheduled(lambda left: 0.5)),
    Rule("gain: constant, then falling", gain=scheduled(lambda left: min(1, 2 * left) * 2 / 3)),
    Rule("gain: falling with the square", gain=scheduled(lambda left: left * left * 1.5)),
    Rule("gain: half as large", gain=reaching(0.5)),
    Rule("gain: twice as large", gain=reaching(2)),
    Rule("gain: first step 0.07 levels, any length", gain=fixed_first(0.07)),
    Rule("gain: first step 0.3 levels, any length", gain=fixed_first(0.3)),
    Rule("momentum 1/2", momentum=(1, 2)),
    Rule("momentum 4/5", momentum=(4, 5)),
    Rule("scaling per matrix by its own spread", normalise=True),
    Rule("start: latent words at the middle of a level", centred_start=True),
    Rule("latent word of 2 pents", {"latent": 2}),
    Rule("latent word of 3 pents", {"latent": 3}),
    Rule("latent word of 4 pents", {"latent": 4}),
    Rule("latent word of 5 pents", {"latent": 5}),
    Rule("latent word of 8 pents", {"latent": 8}),
    Rule("rank 1", {"rank": 1}),
    Rule("rank 4", {"rank": 4}),
    Rule("rank 16", {"rank": 16}),
    Rule("the other perturbation", {"perturb": None}),
]


def summed(population: Population, shaped: Pents, name: str) -> NDArray[np.int64]:
    p = population.parameters
    rank = p.rank if p.perturb == "quantized" else None
    parts = [slice(i, min(i + 64, p.pairs)) for i in range(0, p.pairs, 64)]
    return sum(
        (lowrank.weighted_sum(shaped[part], *population.factors(name, part), rank) for part in parts),
        np.zeros(population.state.latents[name].shape, np.int64),
    )


def train(task: Task, p: Parameters, rule: Rule) -> State:
    """Train with a rule; the default rule is step by step that of `pentary.es.strategy`."""
    state = es.init(p, task.tensors)
    if rule.centred_start:
        weights = es.visible_weights(p, state)
        state = State(0, {name: w.astype(np.int64) * 5 ** (p.latent - 1) for name, w in weights.items()}, state.tensors)
    kept = {name: np.zeros(words.shape, np.int64) for name, words in state.latents.items()}
    keep, of = rule.momentum
    while state.step < p.steps:
        population = es.ask(p, state)
        shaped = rule.shape(task.evaluate(population), p.shaping)
        latents = {}
        for name, words in state.latents.items():
            total = summed(population, shaped, name)
            gain = rule.gain(p, population.step)
            if rule.normalise:
                expected = p.pairs * (2 if p.perturb == "quantized" else 4 * p.rank) * 5 // 4
                measured = max(1, int((total**2).mean()))
                gain = gain * isqrt(expected * 10**6 // measured) // 1000
            kept[name] = (kept[name] * keep + total * 5**4 * (of - keep)) // of
            moved = round_shift(kept[name] * gain, GAIN_SHIFT + 4)
            latents[name] = saturate(words + moved, p.latent)
        state = State(population.step, latents, state.tensors)
    return state


def measure(task: Task, p: Parameters, rule: Rule, seeds: range) -> list[dict[str, float]]:
    change = dict(rule.change)
    if "perturb" in change:
        change["perturb"] = "factored" if p.perturb == "quantized" else "quantized"
    results = []
    for seed in seeds:
        own = replace(p, **change, seed=seed)
        weights = es.visible_weights(own, train(task, own, rule))
        results.append({"fitness": task.centre_fitness(weights)} | task.report(weights))
    return results


def cell(values: list[float], decimals: int) -> str:
    spread = np.std(values, ddof=1) if len(values) > 1 else 0
    return f"{np.mean(values):.{decimals}f} ± {spread:.{decimals}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few seeds, short runs, nothing written")
    quick = parser.parse_args().quick
    target, digits = Target(), Digits()
    short = replace(digits.defaults, steps=300)
    runs: list[tuple[str, Task, Parameters, range, tuple[tuple[str, int], ...]]] = [
        ("target, 50 steps", target, target.defaults, range(2 if quick else 10), (("fitness", 3),)),
        ("target, 1000 steps", target, replace(target.defaults, steps=1000), range(2), (("fitness", 4),)),
        ("digits, 300 steps", digits, short, range(2), (("fitness", 3), ("test_accuracy", 3))),
    ]
    runs = runs[: 1 if quick else None]
    columns = [f"{name}: {key.replace('_', ' ')}" for name, *_, keys in runs for key, _ in keys]
    table = ["| rule | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for rule in RULES:
        cells = []
        for _, task, p, seeds, keys in runs:
            results = measure(task, p, rule, seeds)
            cells += [cell([r[key] for r in results], decimals) for key, decimals in keys]
        table.append(f"| {rule.name} | " + " | ".join(cells) + " |")
        print(table[-1], flush=True)
    if not quick:
        text = (HERE / "update_rule.md").read_text()
        head, _, _ = text.partition("<!-- table -->")
        (HERE / "update_rule.md").write_text(head + "<!-- table -->\n\n" + "\n".join(table) + "\n")


if __name__ == "__main__":
    main()
