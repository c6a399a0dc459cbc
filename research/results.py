"""Reference results of the kit, measured through its command line.

Run `python research/results.py` to regenerate results.md, digits.png and digits-weights.png in its folder (ten minutes
on two otherwise idle cores). Every number comes from `pentary train ... --json` or `pentary bench --json`.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MARK = "<!-- made by research/results.py from here on -->"

TARGET = "target --perturb quantized --population 100 --rank 8"


def pentary(arguments: str, threads: int | None = None) -> dict:
    env = dict(os.environ)
    if threads is not None:
        env |= {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "pentary", *arguments.split(), "--json"]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout)


def spread(values: list[float], decimals: int) -> str:
    return f"{np.mean(values):.{decimals}f} ± {np.std(values, ddof=1):.{decimals}f}"


def train_row(what: str, runs: list[dict], key: str, decimals: int) -> str:
    values = [run[key] for run in runs]
    return (
        f"| `{what}` | {len(runs)} | {key.replace('_', ' ')} | {spread(values, decimals)} | "
        f"{min(values):.{decimals}f} .. {max(values):.{decimals}f} | {max(run['seconds'] for run in runs):.1f} |"
    )


def main() -> None:
    work = Path(tempfile.mkdtemp())

    def train(arguments: str, seed: int, threads: int | None = None) -> dict:
        out = work / f"{len(list(work.iterdir()))}"
        return pentary(f"train {arguments} --seed {seed} --out {out}", threads)

    benches = [pentary("bench") for _ in range(2)]
    rows = []
    short = [train(f"{TARGET} --steps 50", seed) for seed in range(10)]
    rows.append(train_row(f"{TARGET} --steps 50", short, "fitness_last", 4))
    long = [train(f"{TARGET} --steps 1000", seed) for seed in range(10)]
    rows.append(train_row(f"{TARGET} --steps 1000", long, "fitness_last", 4))
    factored = [train("target --perturb factored", seed) for seed in range(10)]
    rows.append(train_row("target --perturb factored", factored, "fitness_last", 4))
    digits = [train("digits", seed) for seed in range(5)]
    rows.append(train_row("digits", digits, "test_accuracy", 4))
    rows.append(train_row("digits", digits, "train_accuracy", 4))

    same = {train(TARGET, 3, threads)["digest"] for threads in (1, 2, 3)}
    same_digits = {train("digits --steps 20", 3, threads)["digest"] for threads in (1, 2, 3)}

    picture = Path(digits[0]["out"])
    shutil.copy(picture / "fitness.png", HERE / "digits.png")
    shutil.copy(picture / "weights.png", HERE / "digits-weights.png")

    head = (HERE / "results.md").read_text().partition(MARK)[0]
    lines = [
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{benches[0]['workers']} workers.",
        "",
        "| `pentary train ...`, seeds from 0 | runs | figure | mean ± standard deviation | range | longest run, s |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"Different digests with 1, 2 and 3 BLAS threads: target {len(same)}, digits {len(same_digits)} (1 is right).",
        "",
        "`pentary bench`, two runs:",
        "",
        "| figure | first | second |",
        "|---|---|---|",
        *(f"| {name} | " + " | ".join(str(bench[name]) for bench in benches) + " |" for name in benches[0]),
        "",
        "![Fitness of a digits run](digits.png)",
        "![Weights of a digits run](digits-weights.png)",
    ]
    (HERE / "results.md").write_text(head + MARK + "\n\n" + "\n".join(lines) + "\n")
    print("\n".join(lines))
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
