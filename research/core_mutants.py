"""Mutants of the core: does the default `pentary verify core` see them?

    python research/core_mutants.py                 runs each that has no result yet; what is broken off goes on
    python research/core_mutants.py --only NAME     runs it again

Each mutant is a copy of the sources with one change, of those in core_mutants.toml. The command is run on it as a user
would, with a cache of its own. Results go to core_mutants.json and core_mutants.md beside this file; results of other
sources are forgotten.
"""

import argparse
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Final

import core
import sources
from mutation import UNCHANGED, Mutant, Outcome, Runner, as_code, run_each, tree

HERE: Final = Path(__file__).parent
TABLE, STORE = HERE / "core_mutants.toml", HERE / "core_mutants.json"

SEED: Final = 2026
LEAST, ENOUGH = 40, 39
"""Fewest mutants, and fewest of them that have to be found."""

LONG: Final = 3600
"""Seconds after which a run counts as hanging; one that finds nothing takes a few hundred."""

_COMMAND: Final = """
from contextlib import nullcontext

from pentary.cli.commands import main
from pentary_hdl.bench import core_command
from pentary_hdl.engine import core

core.around = lambda *_: ("", "")
core_command.built_ahead = lambda *_: nullcontext(lambda name: None)
main()
"""
"""The command without the waves around a difference, and without builds of cores that may not be needed."""

_DIFFERENCE: Final = re.compile(r"configuration (\S+), seed \d+, (program \d+): (.*)")
_NEVER: Final = re.compile(r"Error: (\S+): bins that were never hit: (.*)")


def mutants() -> list[Mutant]:
    """Read the table."""
    return [Mutant(**each) for each in tomllib.loads(TABLE.read_text())["mutant"]]


def digest() -> str:
    """Return what tells whether results are of the present sources and mutants."""
    changes = json.dumps([(each.name, each.file, each.old, each.new) for each in mutants()])
    return sources.digest([], f"{core.digest()}{changes}")


def stored() -> dict[str, Any]:
    """Return the record, empty if there is none."""
    return json.loads(STORE.read_text()) if STORE.exists() else {}


def recorded() -> dict[str, Outcome]:
    """Return the results by name, of whatever sources."""
    return {name: Outcome(**each) for name, each in stored().get("mutants", {}).items()}


def shortfall(outcomes: dict[str, Outcome]) -> list[str]:
    """Return what is missing to the goal, a line each; nothing if it is reached."""
    table = {each.name: each for each in mutants()}
    lines = [f"{name} has no result" for name in table if name not in outcomes]
    lines += [f"{name} cannot be built: {each.message}" for name, each in outcomes.items() if each.found == "no mutant"]
    found = sum(bool(each.found) for each in outcomes.values())
    if len(outcomes) < LEAST or found < len(outcomes) - (LEAST - ENOUGH):
        lines.append(f"{found} of {len(outcomes)} mutants are found")
    lost = [name for name, each in outcomes.items() if not each.found and not table[name].reason]
    return lines + [f"{name} is not found, and core_mutants.toml does not say why" for name in lost]


def outcome(runner: Runner, mutant: Mutant) -> Outcome:
    """Run the command on a mutant."""
    began = monotonic()
    with tree(mutant) as folder:
        status, said = runner.run(folder, folder / "cache", "-c", _COMMAND, "verify", "core", "--seed", str(SEED))
    if status is None:
        found = Outcome("hang", "pentary verify core", f"not done after {LONG} s")
    elif status == 0:
        found = Outcome("")
    elif differs := _DIFFERENCE.search(said):
        found = Outcome("verify", f"{differs[1]}, {differs[2]}", differs[3])
    elif never := _NEVER.search(said):
        found = Outcome("verify", f"{never[1]}, coverage", never[2])
    else:
        found = Outcome("no mutant", message=said.strip().splitlines()[-1] if said.strip() else "")
    return replace(found, seconds=round(monotonic() - began))


def run(chosen: Iterable[Mutant], workers: int, say: Callable[[str], None]) -> None:
    """Run mutants and record each as it ends; before the first, see that nothing is found without a change."""
    source, folder = digest(), TemporaryDirectory(prefix="pentary-mutants-")
    known = recorded() if stored().get("sources") == source else {}
    runner = Runner(SEED, Path(folder.name), LONG)
    if not known and (wrong := outcome(runner, UNCHANGED)).found:
        raise SystemExit(f"without a change: {wrong.by}: {wrong.message}")

    def ended(name: str, result: Outcome) -> None:
        known[name] = result
        record(known, source)
        say(f"{name}: found by {result.found or 'NOTHING'} {result.by}, {result.seconds} s")

    with folder:
        run_each(chosen, partial(outcome, runner), workers, runner.stop, ended)


def record(outcomes: dict[str, Outcome], source: str) -> None:
    """Write core_mutants.json and core_mutants.md."""
    table = [each for each in mutants() if each.name in outcomes]
    found = {each.name: asdict(outcomes[each.name]) for each in table}
    STORE.write_text(json.dumps({"sources": source, "mutants": found}, indent=1) + "\n", encoding="utf-8")
    STORE.with_suffix(".md").write_text(report(table, outcomes), encoding="utf-8")


def report(table: list[Mutant], outcomes: dict[str, Outcome]) -> str:
    """Return the text of core_mutants.md."""
    count = Counter(bool(outcomes[each.name].found) for each in table)
    rows = "\n".join(
        f"| {each.name} | {each.kind} | {each.file.removeprefix('hdl/pentary_hdl/')} | {as_code(each.old)} becomes "
        f"{as_code(each.new) if each.new else 'nothing'} | {_told(outcomes[each.name])} |"
        for each in table
    )
    left = [f"- {each.name}: {each.reason or 'a gap'}" for each in table if not outcomes[each.name].found]
    survivors = "\n".join(["\nNot found:\n", *left, ""]) if left else ""
    waiting = len(mutants()) - len(table)
    more = f" {waiting} further ones of the table have no result yet." if waiting else ""
    return f"""# Mutants of the core: what `pentary verify core` sees

Written by `python research/core_mutants.py`. Each mutant of core_mutants.toml is a copy of the sources with one change.
On each the default `pentary verify core --seed {SEED}` was run; it ends at the first difference.

**{count[True]} of {len(table)} are found.**{more}

| mutant | kind | file | change | found by |
|---|---|---|---|---|
{rows}
{survivors}"""


def _told(found: Outcome) -> str:
    return found.by if found.found == "verify" else found.found or "**nothing**"


def main() -> None:
    """Run what has no result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="NAME", help="this mutant, again; may be repeated")
    parser.add_argument("--workers", type=int, default=2, help="how many at a time (2 if not given)")
    options = parser.parse_args()
    known = recorded() if stored().get("sources") == digest() else {}
    table = mutants()
    if unknown := set(options.only or ()) - {each.name for each in table}:
        parser.error(f"core_mutants.toml has no {', '.join(sorted(unknown))}")
    chosen = [each for each in table if (each.name in options.only if options.only else each.name not in known)]
    run(chosen, options.workers, partial(print, flush=True))
    print("\n".join(shortfall(recorded())) or "the goal is reached")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
