"""How every public command ends, whatever befalls it: writes endings.json and endings.md beside this file.

    python research/endings                         about a quarter of an hour on two cores
    python research/endings --only "train target"   one command; may be repeated

What is broken off goes on where it was, unless a source has changed. Every cell is a process of its own, in a folder of
its own. It needs Linux; root, for the disks that fill up.
"""

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import sources  # noqa: E402
from endings import cell  # noqa: E402
from endings.tables import COMMANDS, CONDITIONS, Command, Condition, applies  # noqa: E402

WORKERS = 2
SOURCES = (
    *("pentary/__main__.py", "pentary/cli/*.py", "pentary/runs/*.py"),
    *("pentary/support/display.py", "pentary/support/extras.py", "pentary/support/files.py"),
    *("pentary/support/messages.py", "pentary/support/signals.py", "pentary/tasks/running/*.py"),
    *("sim/pentary_sim/commands.py", "sim/pentary_sim/drive.py", "sim/pentary_sim/engine.py"),
    "pentary/machine/*.py",
    *("hdl/pentary_hdl/*/command.py", "hdl/pentary_hdl/engine/__init__.py", "hdl/pentary_hdl/tools/*.py"),
)
"""What decides how commands end."""
STORE = HERE / "endings.json"
TEXT = (HERE / "endings.md.in").read_text(encoding="utf-8")


def main() -> None:
    """Try the cells, and record what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[each.name for each in COMMANDS], action="append", help="this command")
    parser.add_argument("--under", choices=[each.name for each in CONDITIONS], action="append", help="this condition")
    options = parser.parse_args()
    digest = digest_of_sources()
    results = recorded(digest)
    chosen = options.only or options.under
    cells = [
        (command, condition)
        for command, condition in product(COMMANDS, CONDITIONS)
        if applies(command, condition)
        and command.name in (options.only or [command.name])
        and condition.name in (options.under or [condition.name])
        and (chosen or condition.name not in results.get(command.name, {}))
    ]
    with TemporaryDirectory(prefix="pentary-endings-") as name, ThreadPoolExecutor(WORKERS) as pool:
        cell.prepare(Path(name))
        outcomes = pool.map(lambda each: tried(each[0], each[1], Path(name)), cells)
        for (command, condition), outcome in zip(cells, outcomes, strict=True):
            results.setdefault(command.name, {})[condition.name] = outcome
            STORE.write_text(json.dumps({"sources": digest, "cells": results}, indent=1) + "\n", encoding="utf-8")
    (HERE / "endings.md").write_text(report(results, digest), encoding="utf-8")


def recorded(digest: str) -> dict[str, dict[str, Any]]:
    """Return the cells that have been tried with these sources."""
    stored = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    return stored["cells"] if stored.get("sources") == digest else {}


_PORT: Final = Lock()


def tried(command: Command, condition: Condition, inputs: Path) -> dict[str, Any]:
    """Try a cell, and return what is recorded of it."""
    try:
        # One program at a time can have the serial port open.
        with _PORT if command.name == "load" else nullcontext():
            outcome = cell.run(command, condition, inputs)
    except cell.Skipped as reason:
        return {"cell": "skipped", "told": str(reason), "broken": []}
    print(f"{command.name}, {condition.name}: {outcome} {'; '.join(outcome.broken)}", flush=True)
    if outcome.broken:
        print("   ", "\n    ".join(outcome.told[-6:]), flush=True)
    return {"cell": str(outcome), "told": "\n".join(outcome.told), "broken": outcome.broken}


def digest_of_sources() -> str:
    """Return the digest of what decides how commands end, and of what is tried."""
    own = (HERE / name for name in ("cell.py", "tables.py"))
    return sources.digest([*(path for name in SOURCES for path in sources.ROOT.glob(name)), *own])


def report(results: dict[str, dict[str, Any]], digest: str) -> str:
    """Return the table, and the list of what breaks a rule."""
    names = [command.name for command in COMMANDS if command.name in results]
    rows = [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for condition in (condition.name for condition in CONDITIONS):
        entries = [results[name].get(condition, {"cell": ""})["cell"] for name in names]
        rows.append(f"| {condition} | {' | '.join(entries)} |")
    broken = [
        f"- {name}, {condition}: {'; '.join(found['broken'])}"
        for name, cells in results.items()
        for condition, found in cells.items()
        if found["broken"]
    ]
    skipped = {found["told"] for cells in results.values() for found in cells.values() if found["cell"] == "skipped"}
    count = sum(map(len, results.values()))
    return TEXT.format(
        table="\n".join(rows),
        broken="\n".join(broken) or "None.",
        skipped="".join(f"\nSkipped: {reason}.\n" for reason in sorted(skipped)),
        count=count,
        digest=digest,
    )


if __name__ == "__main__":
    main()
