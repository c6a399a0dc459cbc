"""Measure the generator; regenerate research/randomness.json, randomness.md and randomness.png."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import alternatives
import battery
import correlation
import digit_tests
import numpy as np
import plot
import report
import structure
import trails
from reference import CHOSEN, REJECTED, SEED, Generator, check
from scipy import stats
from streams import STREAMS, draw
from threadpoolctl import threadpool_limits

from pentary.lowrank import generator

FOLDER = Path(__file__).resolve().parents[1]


def _fingerprint() -> str:
    """Return a digest of the generator's first results, which guards against reports with figures of another one."""
    return hashlib.sha256(generator.prng(SEED, np.arange(1000)).astype("<i8").tobytes()).hexdigest()[:16]


def _smallest(results: dict[str, Any]) -> float:
    """Return the smallest p-value times the number of p-values (Bonferroni), at most 1."""
    p = np.concatenate(list(results.values()))
    return float(min(1, p.min() * p.size))


def _streams() -> dict[str, Any]:
    """Run the digit tests on every stream for each number of rounds; keep all p-values for the full number."""
    smallest: dict[str, list[float]] = {}
    full: dict[str, dict[str, Any]] = {}
    for name in STREAMS:
        results = [digit_tests.battery(draw(name, Generator(number))) for number in structure.ROUNDS]
        smallest[name] = [_smallest(result) for result in results]
        full[name] = results[generator.ROUNDS - 1]
        print(name, *(f"{p:.2g}" for p in smallest[name]), flush=True)
    every = np.concatenate([p for tests in full.values() for p in tests.values()])
    least = min(full, key=lambda name: smallest[name][generator.ROUNDS - 1])
    uniform: Any = stats.kstest(every, "uniform")
    return {
        "smallest": smallest,
        "tests": every.size,
        "least": float(every.min()),
        "uniform": float(uniform.pvalue),
        "least stream": least,
        "least again": [_smallest(digit_tests.battery(draw(least, Generator(), seed))) for seed in (1, 2, 3, 4)],
        "rejected": {name: _smallest(digit_tests.battery(draw(name, Generator(mixing=REJECTED)))) for name in STREAMS},
        "full": {name: {test: p.tolist() for test, p in tests.items()} for name, tests in full.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave dieharder out, and keep its recorded results")
    quick = parser.parse_args().quick
    check()
    record = FOLDER / "randomness.json"
    before = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    found: dict[str, Any] = {"generator": _fingerprint()}
    with threadpool_limits(1):
        found["alternatives"] = alternatives.measure()
        found["repeated"] = alternatives.repeated_words()
        found["streams"] = _streams()
        found["correlation"] = correlation.measure()
        found["avalanche"] = structure.avalanche()
        found["zero sums"] = structure.zero_sums()
        found["linear"] = {str(mixing): structure.linear(mixing) for mixing in (CHOSEN, REJECTED)}
        found["cubes"] = {
            str(mixing): {"differences": trails.active_cubes(mixing), "masks": trails.active_cubes(mixing, masks=True)}
            for mixing in (CHOSEN, REJECTED)
        }
        found["cube"] = trails.cube()
        found["battery"] = None if quick else battery.measure()
    if found["battery"] is None and before.get("generator") == found["generator"]:
        found["battery"] = before["battery"]
    record.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (FOLDER / "randomness.md").write_text(report.text(found), encoding="utf-8")
    plot.figure(found, FOLDER / "randomness.png")


if __name__ == "__main__":
    main()
