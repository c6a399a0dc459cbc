"""Debian's dieharder on exactly uniform 32-bit words derived from pents."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from reference import SEED, Digits
from streams import training_chunks

MISSING = "dieharder is not installed (Debian package: dieharder); the battery is left out"

# (number, ntuple, samples): 0 is dieharder's default, in `-n` and in `-p`. Omitted are the test that dieharder marks
# "Do Not Use" (14), and most of the 33 lagged sums, which alone would read 5.6e10 words.
PLAN = [
    *[(number, 0, 0) for number in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16)],
    (17, 0, 10),
    *[(number, 0, 0) for number in (100, 101, 102)],
    *[(200, ntuple, 20) for ntuple in range(1, 13)],
    *[(201, dimensions, 100) for dimensions in (2, 3, 4, 5)],
    *[(202, ntuple, 0) for ntuple in (2, 3, 4, 5)],
    *[(203, lag, 10) for lag in (0, 1, 3, 7, 15)],
    *[(number, 0, 0) for number in (204, 205, 206, 207, 208, 209)],
]

_HALF = 5**14
_TOP, _BELOW = divmod(2**65, _HALF)


def to_bits(pents: Digits) -> np.ndarray:
    """Convert uniform pents to exactly uniform 32-bit words by rejection sampling: 28 pents make two words.

    28 pents are an integer in [0, 5**28). Values from 2**65 on are rejected, 1 in 101; the others are taken modulo
    2**64, which wraps in uint64 arithmetic.
    """
    groups = pents.reshape(-1)[: pents.size // 28 * 28].reshape(-1, 14) + np.float64(2)
    halves = (groups @ 5.0 ** np.arange(14)).astype(np.uint64).reshape(-1, 2)  # less than 5**14, so exact in float64
    low, high = halves[:, 0], halves[:, 1]
    kept = (high < _TOP) | ((high == _TOP) & (low < _BELOW))
    return (high[kept] * np.uint64(_HALF) + low[kept]).view(np.uint32)


def _words(seed: int, first_step: int) -> Iterator[bytes]:
    for chunk in training_chunks(seed, first_step):
        yield to_bits(chunk).tobytes()


def run_test(number: int, ntuple: int, samples: int, seed: int, first_step: int) -> list[dict[str, Any]]:
    """Run one test of dieharder on the words of a seed from a step on; return a row for each p-value."""
    command = ["dieharder", "-g", "200", "-d", str(number), "-c", ","]
    command += [part for flag, value in (("-n", ntuple), ("-p", samples)) if value for part in (flag, str(value))]
    for field in ("test_name", "ntuple", "tsamples", "psamples", "pvalues", "assessment"):
        command += ["-D", field]
    start, read = time.perf_counter(), 0
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        for chunk in _words(seed, first_step):
            process.stdin.write(chunk)
            read += len(chunk) // 4
        process.stdin.close()
    except BrokenPipeError:  # dieharder has read all it needs
        pass
    rows = []
    for line in process.stdout.read().decode().splitlines():
        name, order, tsamples, psamples, p, assessment = (field.strip() for field in line.split(","))
        sizes = {"ntuple": int(order), "tsamples": int(tsamples), "psamples": int(psamples)}
        rows.append({"test": number, "name": name, **sizes, "p": float(p), "assessment": assessment})
    if process.wait() != 0 or not rows:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode} and {len(rows)} results")
    note = {"seed": seed, "first_step": first_step, "words": read, "seconds": round(time.perf_counter() - start, 1)}
    return [row | note for row in rows]


def measure() -> dict[str, Any] | None:
    """Run all tests of PLAN, and repeat those not PASSED with another seed; None if dieharder is not installed."""
    if shutil.which("dieharder") is None:
        print(MISSING, file=sys.stderr)
        return None
    results, repeats = [], []
    for index, (number, ntuple, samples) in enumerate(PLAN):
        rows = run_test(number, ntuple, samples, SEED, 10_000 * index)
        if any(row["assessment"] != "PASSED" for row in rows):
            repeats += run_test(number, ntuple, samples, SEED + 1, 10_000 * index)
        results += rows
        print(*(f"{row['name']} {row['ntuple']} p={row['p']:.4f} {row['assessment']}" for row in rows), flush=True)
    return {"results": results, "repeats": repeats}
