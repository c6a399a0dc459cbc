"""A million operations of the low-rank ALU in each simulator, against its software twin: writes verification.md.

    python research/verification.py                 some hours on two cores
    python research/verification.py --operations 1000 --only icarus

A line is written as soon as its run is done; lines of other runs stay.
"""

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

from pentary.lralu import LowRankParameters
from pentary_hdl.verify import check

HERE = Path(__file__).parent
RUNS = {
    "icarus": ("icarus", LowRankParameters(max_rank=1, max_size=16), 1.0),
    "verilator": ("verilator", LowRankParameters(), 1.0),
    "verilator-64": ("verilator", LowRankParameters(lanes=64, max_rank=4, max_size=128, rounds_per_cycle=4), 0.1),
    "verilator-256": ("verilator", LowRankParameters(lanes=256, max_rank=2, max_size=256, rounds_per_cycle=8), 0.05),
}
"""Simulator, hardware, and the share of the operations that the run is to have."""

TEXT = """# The low-rank ALU against its software twin

Written by `python research/verification.py`. Each line is a run of the bench that `pentary verify` runs: directed
cases, then random commands with random stalls and resets. All that the unit answers is compared with the twin, and when
it comes.

| simulator | lanes | rank | size | rounds | seed | operations | cycles | mismatches | coverage | hours |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", choices=RUNS, action="append", help="this run; may be repeated")
    options = parser.parse_args()
    for name in options.only or RUNS:
        simulator, parameters, share = RUNS[name]
        began = time.monotonic()
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pentary" / "verify"
        report, _ = check(simulator, parameters, options.seed, int(options.operations * share), False, print, folder)
        hit, bins = (sum(group[i] for group in report.coverage.values()) for i in (0, 1))
        write(
            name,
            {
                "simulator": simulator,
                **asdict(parameters),
                "seed": options.seed,
                "operations": sum(report.cases.values()),
                "cycles": report.cycles,
                "mismatches": len(report.differences),
                "coverage": f"{hit} of {bins}",
                "hours": round((time.monotonic() - began) / 3600, 2),
            },
        )


def write(name: str, line: dict[str, object]) -> None:
    store = HERE / "verification.json"
    lines = json.loads(store.read_text()) if store.exists() else {}
    lines[name] = line
    store.write_text(json.dumps({name: lines[name] for name in RUNS if name in lines}, indent=1) + "\n")
    rows = (
        " | ".join(f"{v:,}" if k in ("operations", "cycles") else str(v) for k, v in row.items())
        for row in lines.values()
    )
    (HERE / "verification.md").write_text(TEXT + "".join(f"| {row} |\n" for row in rows))


if __name__ == "__main__":
    main()
