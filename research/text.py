"""Experiments with the language model: loss, five levels against 251, step sizes, memory, digests and speed.

Run `python research/text.py` to regenerate text.json, the tables of text.md and the pictures in its folder (about an
hour on two otherwise idle cores); `python research/text.py PART ...` repeats only some parts. The parts are run,
levels, update, memory, digests and bench.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import numpy as np

from pentary.nets.lm import evolve
from pentary.nets.lm.evolve import Parameters
from pentary.nets.lm.model import Model
from pentary.nets.products import backend, installed
from pentary.tasks.language import corpus
from pentary.tasks.language.run import TextRun

HERE = Path(__file__).parent
MARK = "<!-- made by research/text.py from here on -->"

TOKENS = 40_000_000  # member-tokens of each run in a comparison


def pentary(arguments: str) -> dict:
    command = [sys.executable, "-m", "pentary", *arguments.split(), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Variant:
    """Training variant; the default is that of the kit."""

    weights: Literal["pents", "bytes"] = "pents"
    eta: float = evolve.ETA[0] / evolve.ETA[1]
    population: int = 2048
    tokens: int = 10
    sign_only: bool = False
    dim: int = 64


def signs(losses: np.ndarray) -> np.ndarray:
    return np.sign(losses[:, 1] - losses[:, 0]) * evolve.FITNESS_MEAN


def trained(variant: Variant, seed: int = 0) -> float:
    """Train on `TOKENS` member-tokens; return bits/byte on the held-out text."""
    steps = TOKENS // (variant.population * variant.tokens)
    eta = Fraction(variant.eta).limit_denominator(100)
    model = Model(dim=variant.dim, weights=variant.weights)
    parameters = Parameters(population=variant.population, tokens=variant.tokens, steps=steps, seed=seed)
    shape = signs if variant.sign_only else evolve.shape_fitness
    with (
        patch.object(evolve, "ETA", (eta.numerator, eta.denominator)),
        patch.object(evolve, "shape_fitness", shape),
        patch("pentary.tasks.language.run.RECORDING", 1e-9),
    ):
        run = TextRun(corpus.load(), model, parameters, backend("numpy"))
        for _ in run.records():
            pass
    bits = run.result()["bits_per_byte_validation"]
    print(variant, seed, round(bits, 4), flush=True)
    return bits


def measure_run() -> dict:
    """Train from the command line with all defaults."""
    with tempfile.TemporaryDirectory() as folder:
        result = pentary(f"train text --minutes 10 --out {folder}/run")
        for name in ("bits", "weights", "health"):
            shutil.copy(f"{folder}/run/{name}.png", HERE / f"text-{name}.png")
    return {key: value for key, value in result.items() if key not in ("out", "health")}


def measure_levels() -> dict:
    """Compare five levels with 251 at equal member-tokens, each at its best step size.

    Step sizes are searched with seed 0, by factors of two until the best has a worse neighbour on either side; the
    comparison uses other seeds.
    """
    results = {}
    for weights in ("pents", "bytes"):
        tried = {eta: trained(Variant(weights, eta)) for eta in (0.3, 0.6, 1.2)}
        while (best := min(tried, key=lambda eta: tried[eta])) in (least := min(tried), max(tried)):
            eta = best / 2 if best == least else best * 2
            tried[eta] = trained(Variant(weights, eta))
        seeds = [trained(Variant(weights, best), seed) for seed in (1, 2, 3)]
        results[weights] = {"by_eta": {f"{eta:g}": tried[eta] for eta in sorted(tried)}, "best": best, "seeds": seeds}
    return results


UPDATES = {
    "as built": Variant(),
    "sign of the difference only": Variant(sign_only=True),
    "5 bytes in an update": Variant(tokens=5),
    "25 bytes in an update": Variant(tokens=25),
    "population 512": Variant(population=512),
    "population 8192": Variant(population=8192),
    "dim 96": Variant(dim=96),
}


def measure_update() -> dict:
    return {name: trained(variant) for name, variant in UPDATES.items()}


def measure_memory() -> dict:
    """Train a large model for one update from the command line, and measure the peak memory of the process."""
    large = "train text --layers 6 --dim 256 --population 8192"
    peaks = {}
    for length in ("--steps 1", "--minutes 0.01"):
        with tempfile.TemporaryDirectory() as folder:
            arguments = [*large.split(), *length.split(), "--out", f"{folder}/run"]
            code = (
                "import resource; from pentary.cli.commands import main; "
                f"main({arguments}, standalone_mode=False); "
                "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
            )
            done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
        peaks[length] = round(int(done.stdout.splitlines()[-1]) / 1024)
    return {"command": large, "peak_mib": peaks}


def measure_digests() -> dict:
    """Train with every backend and several numbers of workers, and compare the digests."""
    digests = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in (own.name for own in installed(print)):
            for workers in (1, 2, 3):
                arguments = f"train text --steps 20 --backend {name} --out {folder}/{name}-{workers} --json".split()
                # The number of workers is that of BLAS threads, which is limited by the number of processors.
                code = (
                    f"from pentary.support import parallel; parallel.workers = lambda: {workers}; "
                    f"from pentary.cli.commands import main; main({arguments})"
                )
                command = [sys.executable, "-c", code]
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
                digests[f"{name}, {workers}"] = json.loads(done.stdout)["digest"]
    if len(set(digests.values())) != 1:
        raise SystemExit(f"digests differ: {digests}")
    return digests


def measure_bench() -> dict:
    return pentary("bench text")


PARTS: dict[str, Callable[[], dict]] = {
    "run": measure_run,
    "levels": measure_levels,
    "update": measure_update,
    "memory": measure_memory,
    "digests": measure_digests,
    "bench": measure_bench,
}


def page(own: dict) -> str:
    run, levels, bench = own["run"], own["levels"], own["bench"]
    lines = [
        *("## The default run", ""),
        f"`pentary train text --minutes 10`: {run['steps']:,} updates of {run['population']} members, "
        f"{run['member_tokens']:,} member-tokens in {run['seconds']:.0f} s, {run['member_tokens_per_second']:,.0f} a "
        f"second, {run['gmacs_per_second']:.1f} GMAC/s; {run['parameters']:,} parameters. Digest {run['digest']}.",
        *("", "| | bits/byte |", "|---|---|"),
        f"| unigram | {run['unigram_bits']:.3f} |",
        f"| bigram | {run['bigram_bits']:.3f} |",
        f"| trigram | {run['trigram_bits']:.3f} |",
        f"| model, held-out text | {run['bits_per_byte_validation']:.3f} |",
        f"| model, as much training text | {run['bits_per_byte_train']:.3f} |",
        *("", "![Bits per byte](text-bits.png)", "", "![Weights](text-weights.png)", "", "![Health](text-health.png)"),
        *("", "## Five levels against 251", ""),
        f"Held-out bits/byte after {TOKENS:,} member-tokens: step sizes with seed 0; then, with the best of them,",
        "seeds 1, 2 and 3.",
    ]
    for weights, name in (("pents", "five levels"), ("bytes", "251 levels")):
        found = levels[weights]
        etas = ", ".join(f"{bits:.3f} at {eta}" for eta, bits in found["by_eta"].items())
        seeds = ", ".join(f"{bits:.3f}" for bits in found["seeds"])
        spread = f"{np.mean(found['seeds']):.3f} ± {np.std(found['seeds'], ddof=1):.3f}"
        lines += ["", f"- {name}: {etas}. Three seeds at {found['best']:g}: **{spread}** ({seeds})."]
    mean = {weights: float(np.mean(levels[weights]["seeds"])) for weights in levels}
    behind = mean["pents"] - mean["bytes"]
    lines += [
        "",
        f"So five levels are {abs(behind):.3f} bits/byte {'behind' if behind > 0 else 'ahead of'} 251 levels, with "
        "2.3 bits a weight in place of 8.",
    ]
    lines += ["", "## The update rule", "", f"One change at a time, {TOKENS:,} member-tokens, seed 0.", ""]
    lines += ["| rule | held-out bits/byte |", "|---|---|"]
    lines += [f"| {name} | {bits:.3f} |" for name, bits in own["update"].items()]
    peaks = own["memory"]["peak_mib"]
    told = " and ".join(f"{peak:,} MiB with `{length}`" for length, peak in peaks.items())
    lines += ["", "## Memory and digests", "", f"Peak of `pentary {own['memory']['command']}`: {told}."]
    lines += ["", f"One digest after 20 updates with backend, workers = {'; '.join(own['digests'])}."]
    lines += ["", "## What was promised", "", "| what | promised | measured | |", "|---|---|---|---|"]
    promised = [
        ("default run, held-out bits/byte", "at most 3.38", run["bits_per_byte_validation"], 3.38, False),
        ("numpy, 512 wide: forward / ceiling", "0.75", bench["numpy_512_forward_over_ceiling"], 0.75, True),
        ("int8, 512 wide: forward / ceiling", "0.5", bench["int8_512_forward_over_ceiling"], 0.5, True),
        ("int8, 512 wide: forward, GMAC/s", "256", bench["int8_512_forward_gmacs"], 256, True),
        *(
            (
                f"{name}, {dim} wide: generation / forward",
                "0.7",
                bench[f"{name}_{dim}_generation_over_forward"],
                0.7,
                True,
            )
            for name in ("numpy", "int8")
            for dim in (64, 512)
        ),
        ("peak, MiB", "under 2,048", max(peaks.values()), 2048, False),
    ]
    for what, goal, value, bound, at_least in promised:
        kept = value >= bound if at_least else value <= bound
        lines.append(f"| {what} | {goal} | {value:,.6g} | {'kept' if kept else '**missed**'} |")
    if bench["int8_512_ceiling_gmacs"] < 256:
        lines += [
            "",
            f"256 GMAC/s are above what this processor's bytes reach at all: {bench['int8_512_ceiling_gmacs']}.",
        ]
    lines += ["", "## Speed", "", "`pentary bench text`:", "", "| figure | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in bench.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="what to measure anew")
    parts = parser.parse_args().parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}: parts are {', '.join(PARTS)}")
    store = HERE / "text.json"
    own = json.loads(store.read_text()) if store.exists() else {}
    for part in parts:
        own[part] = PARTS[part]()
        store.write_text(json.dumps(own, indent=2) + "\n")
    if missing := set(PARTS) - set(own):
        print(f"not measured yet: {', '.join(missing)}")
        return
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, NumPy {version('numpy')}."
    head, _, _ = (HERE / "text.md").read_text().partition(MARK)
    (HERE / "text.md").write_text(f"{head}{MARK}\n\n{machine}\n\n{page(own)}")


if __name__ == "__main__":
    main()
