"""Run a million operations of the low-rank ALU in each simulator against its software twin; write verification.md.

    python research/verification.py                 hours on two cores; an interrupted run resumes
    python research/verification.py --only icarus --parts 1

Each run consists of parts with different seeds. A part is recorded as soon as it is done, with a digest of the
hardware: of Amaranth's netlist, from which the Verilog is written. Records of other hardware are discarded.
"""

import argparse
import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

from amaranth.back import rtlil

from pentary_hdl.bench.command import check
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.lralu.unit import LowRankAlu
from pentary_hdl.tools.toolchain import cache

HERE = Path(__file__).parent
STORE = HERE / "verification.json"
OPERATIONS = 50_000
FIRST_SEED = 2026
RUNS = {
    "icarus": ("icarus", LowRankParameters(max_rank=1, max_size=16), 20),
    "verilator": ("verilator", LowRankParameters(), 20),
    "verilator-64": ("verilator", LowRankParameters(lanes=64, max_rank=4, max_size=128, rounds_per_cycle=4), 1),
    "verilator-256": ("verilator", LowRankParameters(lanes=256, max_rank=2, max_size=256, rounds_per_cycle=8), 1),
}
"""Runs by name: simulator, hardware parameters, and number of parts."""

TEXT = """# The low-rank ALU against its software twin

Written by `python research/verification.py`. Each line is a run of the bench that `pentary verify` runs: directed
cases, then random commands with random stalls and resets; in parts, whose seeds are in verification.json. All that the
unit answers is compared with the twin, and when it comes. A part has all its bins if every situation of the coverage
occurred in it.

| simulator | lanes | rank | size | rounds | parts | with all bins | operations | cycles | mismatches | hours |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=RUNS, action="append", help="this run; may be repeated")
    parser.add_argument("--parts", type=int, help="stop each run when it has so many")
    options = parser.parse_args()
    for name in options.only or RUNS:
        simulator, parameters, parts = RUNS[name]
        digest = hardware(parameters)
        while (done := len(recorded(name, digest))) < (options.parts or parts):
            began, seed = monotonic(), FIRST_SEED + done
            report, _ = check(simulator, parameters, seed, OPERATIONS, False, print, cache("verify"))
            part = {
                "seed": seed,
                "operations": sum(report.cases.values()),
                "cycles": report.cycles,
                "mismatches": len(report.differences),
                "missing": len(report.missing),
                "seconds": round(monotonic() - began),
            }
            record(name, digest, part)


def hardware(parameters: LowRankParameters) -> str:
    """Return the digest of the unit's netlist."""
    return sha256(rtlil.convert(LowRankAlu(parameters), name="lralu", emit_src=False).encode()).hexdigest()


def recorded(name: str, digest: str) -> list[dict[str, Any]]:
    """Return the recorded parts of a run that were done with this hardware."""
    found = stored().get(name, {})
    return found["parts"] if found.get("hardware") == digest else []


def record(name: str, digest: str, part: dict[str, Any]) -> None:
    parts = [*recorded(name, digest), part]
    runs = {**stored(), name: {"hardware": digest, "parts": parts}}
    runs = {name: runs[name] for name in RUNS if name in runs}
    STORE.write_text(json.dumps(runs, indent=1) + "\n")
    rows = [row(name, run["parts"]) for name, run in runs.items()]
    STORE.with_suffix(".md").write_text(TEXT + "".join(rows))
    print(rows[list(runs).index(name)], end="", flush=True)


def row(name: str, parts: list[dict[str, Any]]) -> str:
    simulator, parameters, _ = RUNS[name]
    operations, cycles, mismatches, seconds = (
        sum(part[key] for part in parts) for key in ("operations", "cycles", "mismatches", "seconds")
    )
    complete = sum(part["missing"] == 0 for part in parts)
    counts = (len(parts), complete, operations, cycles, mismatches)
    cells = [simulator, *asdict(parameters).values(), *(f"{count:,}" for count in counts), f"{seconds / 3600:.2f}"]
    return f"| {' | '.join(map(str, cells))} |\n"


def stored() -> dict[str, Any]:
    return json.loads(STORE.read_text()) if STORE.exists() else {}


if __name__ == "__main__":
    main()
