"""Random programs on random machines: interpreter, model and reference of the timing agree on two million instructions.

    python research/random_programs.py     writes random_programs.json and .md in its folder; half an hour

Every program is checked by `tests/sim/lockstep.py`: the record of each instruction, all counts and causes of cycles,
and the architectural state at the end. Programs have trap handlers, interrupts in random cycles, counters and devices;
each runs on a machine of its own.
"""

import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import sources
from pentary.support.parallel import workers

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "random_programs.json"
TESTS: Final = HERE.parent / "tests" / "sim"

INSTRUCTIONS: Final = 2_000_000
FIRST_SEED: Final = 1_000_000
LENGTH: Final = 600
PROGRAMS: Final = 40
"""Programs in a task of a worker process."""


def digest() -> str:
    """Return the digest of what was compared: model, interpreter, reference of the timing, and writer of programs."""
    modules = ("pentary_sim.simulator", "pentary.interpreter", "pentary.randomprogram")
    return sources.digest(
        [*sources.imported(modules, but=["pentary.support"]), TESTS / "lockstep.py", TESTS / "reference_timing.py"]
    )


def _module(name: str) -> ModuleType:
    if str(TESTS) not in sys.path:
        sys.path.insert(0, str(TESTS))
    return import_module(name)


def _part(number: int) -> Counter[str]:
    lockstep, reference = _module("lockstep"), _module("reference_timing")
    total: Counter[str] = Counter()
    for seed in range(FIRST_SEED + number * PROGRAMS, FIRST_SEED + (number + 1) * PROGRAMS):
        try:
            total += lockstep.check_random(reference, seed, LENGTH)
        except BaseException as error:
            error.add_note(f"seed {seed}, length {LENGTH}")
            raise
        total["programs"] += 1
    return total


def compared() -> dict[str, Any]:
    """Return the record: how many programs and instructions agreed, and what happened in them."""
    total: Counter[str] = Counter()
    before, number, ahead = digest(), 0, 4 * workers()
    with ProcessPoolExecutor(workers()) as pool:
        while total["instructions"] < INSTRUCTIONS:
            for part in pool.map(_part, range(number, number + ahead)):
                total += part
            number += ahead
            print(f"{total['instructions']:,} of {INSTRUCTIONS:,}", flush=True)
    if digest() != before:
        sys.exit("the sources have changed in the meantime, so nothing was written")
    return {
        "programs": total.pop("programs"),
        "instructions": total.pop("instructions"),
        "traps": {name: total[name] for name in sorted(total) if not name.startswith("ended: ")},
        "endings": {name.removeprefix("ended: "): total[name] for name in sorted(total) if name.startswith("ended: ")},
        "sources": before,
    }


def document(found: dict[str, Any]) -> str:
    """Return the text of random_programs.md."""
    traps = "\n".join(f"| {name} | {count:,} |" for name, count in found["traps"].items())
    endings = {"halt": "HALT", "double": "double fault"} | {name: f"{name} fault" for name in found["traps"]}
    ended = "\n".join(f"| {endings[name]} | {count:,} |" for name, count in found["endings"].items())
    return f"""# Random programs: interpreter, model and reference of the timing

Made by `python research/random_programs.py`. Each program runs on a random machine of its own: line, sets, ways, beats
and latencies of the caches, critical word first or not, predictor, return-address stack, queues, lanes, generator
rounds, latency of devices, and the overflow trap. A fifth have no caches, and a few lack the vector unit, the crossbar
or the low-rank unit. Four fifths have a trap handler, timer and external interrupts in random cycles, counters and
devices.

| programs and machines | instructions | differences |
|---|---|---|
| {found["programs"]:,} | {found["instructions"]:,} | 0 |

Compared are, for every instruction, the cycles in which it enters and leaves the stages and its unit, the word written,
its lost cycles and their cause; at the end all counts, the profile and the architectural state. A difference ends the
comparison with its seed; seeds are from {FIRST_SEED:,} on.

| trap | taken |
|---|---|
{traps}

| programs ended in | programs |
|---|---|
{ended}
"""


def main() -> None:
    """Compare, and write the record."""
    found = compared()
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    RECORD.with_suffix(".md").write_text(document(found), encoding="utf-8")


if __name__ == "__main__":
    main()
