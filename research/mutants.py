"""Mutants of the low-rank ALU, of its software twin and of what both share: does `pentary verify` see them?

    python research/mutants.py                 runs each that has no result yet; what is broken off goes on where it was
    python research/mutants.py --check         elaborates each; tells which are none
    python research/mutants.py --only NAME     runs it again

Each mutant is a copy of the sources with one change, of those in mutants.toml. The command is run on it as a user
would, but with a cache of its own, and it ends at the first case that fails. What it cannot find in the software has to
be found by the tests of the same name. Results go to mutants.json and mutants.md beside this file; results of other
sources are forgotten.
"""

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import equivalence
import sources
from mutation import OTHER_HARDWARE, ROOT, SOFTWARE, UNCHANGED, Mutant, Outcome, Runner, as_code, run_each, tree
from pentary.isa import table as isa
from pentary.isa.table import BY_NAME
from pentary.support.compiled import imported_sources
from pentary_hdl.lralu.twin import OPS

HERE = Path(__file__).parent
TABLE, STORE = HERE / "mutants.toml", HERE / "mutants.json"

SEED: Final = 2026
GATEWARE: Final = (
    *("generator", "digits", "alphabet", "factors", "lanes", "quantiser", "mover", "update"),
    *("decoder", "slots", "front", "unit"),
)
"""Modules of the unit."""

FAULTS: Final = (
    *("digit cell", "counter", "stall", "bound", "threshold", "reset", "valid and ready", "order of registers"),
    *SOFTWARE,
)
"""Kinds of mutants; the last two are of software."""

_MODULES: Final = ("pentary_hdl.bench.lralu_tests", "pentary_hdl.bench.harness", "pentary_hdl.lralu.unit")
"""What a mutant is made of and what runs in it; these and the modules that they import can decide what is found."""

_TOOLS: Final = (
    *("pentary.isa.table", "pentary.support.files", "pentary.support.signals"),
    *("pentary_hdl.tools.processes", "pentary_hdl.tools.toolchain"),
)
"""Those that cannot; of the instruction table, `digest` takes the part that can."""

OF_TABLE: Final = ("ACCUMULATOR", "CONTROLS", "CONTROL_RESET", "LOWRANK_HARDWARE", "OPERAND", "TOTAL")
"""Constants of the instruction table that the unit, its reference model and its bench use."""


def mutants() -> list[Mutant]:
    """Read the table."""
    read = tomllib.loads(TABLE.read_text())["mutant"]
    return [Mutant(**{**each, "tests": tuple(each.get("tests", ()))}) for each in read]


def digest() -> str:
    """Return what tells whether results are of the present sources and mutants."""
    changes = json.dumps([(each.name, each.old, each.new) for each in mutants()])
    lines = [BY_NAME[name] for name in OPS]
    constants = {name: getattr(isa, name) for name in OF_TABLE}
    return sources.digest(needed(), f"{changes}{lines}{constants}")


def needed() -> set[Path]:
    """Return the files whose code decides what is found."""
    files = {file for module in _MODULES for file in imported_sources(module)}
    return files - {imported_sources(tool)[0] for tool in _TOOLS}


def is_stale() -> bool:
    """Return whether mutants.json is of other sources, or of other mutants."""
    return _stored().get("sources") != digest()


def shortfall(outcomes: dict[str, Outcome]) -> list[str]:
    """Return what is missing to the goal, a line each; nothing if it is reached.

    At least 40 mutants of the gateware and 10 of the software, not counting those that are proved to change nothing, of
    which 39 and 10 are found, and the table has a reason for each that is not.
    """
    table = {each.name: each for each in mutants()}
    lines = [f"{name} has no result" for name in table if name not in outcomes]
    lines += [f"{name} cannot be built: {each.message}" for name, each in outcomes.items() if each.found == "no mutant"]
    for which, gateware, least, enough in (("gateware", True, 40, 39), ("software", False, 10, 10)):
        counted = {n: o for n, o in outcomes.items() if table[n].is_gateware == gateware and not o.proved}
        found = sum(bool(each.found) for each in counted.values())
        if len(counted) < least or found < enough:
            lines.append(f"{found} of {len(counted)} mutants of the {which} are found")
        lost = [name for name, each in counted.items() if not each.found and not table[name].reason]
        lines += [f"{name} is not found, and mutants.toml does not say why" for name in lost]
    return lines


def recorded() -> dict[str, Outcome]:
    """Return the results in mutants.json, by name, of whatever sources."""
    return {name: Outcome(**each) for name, each in _stored().get("mutants", {}).items()}


def _stored() -> dict:
    return json.loads(STORE.read_text()) if STORE.exists() else {}


def checked(reference: str, mutant: Mutant) -> str:
    """Return why something is no mutant of the gateware, "" if it is one."""
    with tree(mutant) as folder:
        file = folder / "unit.il"
        if refused := equivalence.elaborated(folder, equivalence.WHOLE, file, "unit"):
            return refused
        return "nothing is different in the hardware" if file.read_text() == reference else ""


def check(chosen: Iterable[Mutant], workers: int) -> bool:
    """Elaborate the gateware of each, and tell which are none; return whether all are."""
    with TemporaryDirectory() as name:
        file = Path(name) / "unit.il"
        equivalence.elaborated(ROOT, equivalence.WHOLE, file, "unit")
        reference = file.read_text()
    gateware = [each for each in chosen if each.is_gateware]
    with ThreadPoolExecutor(workers) as pool:
        wrong = [
            f"{each.name}: {reason}"
            for each, reason in zip(gateware, pool.map(partial(checked, reference), gateware), strict=True)
            if reason
        ]
    print("\n".join([*wrong, f"{len(gateware) - len(wrong)} of {len(gateware)} are mutants"]))
    return not wrong


def run(chosen: Iterable[Mutant], seed: int, workers: int, say: Callable[[str], None]) -> None:
    """Run mutants and record each as it ends; before the first, see that nothing is found without a change."""
    source, folder = digest(), TemporaryDirectory(prefix="pentary-mutants-")
    known = recorded() if _stored().get("sources") == source and _stored().get("seed") == seed else {}
    runner = Runner(seed, Path(folder.name))
    if not known and (wrong := runner.outcome(UNCHANGED)).found:
        raise SystemExit(f"without a change: {wrong.by}: {wrong.message}")

    def ended(name: str, outcome: Outcome) -> None:
        known[name] = outcome
        record(known, source, seed)
        told = outcome.found or ("nothing, proved to change nothing" if outcome.proved else "NOTHING")
        say(f"{name}: found by {told} {outcome.by}, {outcome.seconds} s")

    with folder:
        run_each(chosen, runner.outcome, workers, runner.stop, ended)


def record(outcomes: dict[str, Outcome], source: str, seed: int) -> None:
    """Write mutants.json and mutants.md."""
    table = [each for each in mutants() if each.name in outcomes]
    found = {each.name: asdict(outcomes[each.name]) for each in table}
    STORE.write_text(json.dumps({"sources": source, "seed": seed, "mutants": found}, indent=1) + "\n")
    STORE.with_suffix(".md").write_text(report(table, outcomes, source, seed))


TEXT = """# Mutants: what the bench of the low-rank ALU sees

Written by `python research/mutants.py`. Each mutant of mutants.toml is a copy of the sources with one change. On each
the default `pentary verify --seed {seed}` was run; it ends at the first case that fails. What it did not find in the
software was looked for by tests; what it did not find in the gateware was compared with the original by Yosys.

Sources (gateware, `pentary` and mutants): SHA-256 {sources}.

| mutants of | all | proved to change nothing | count | found by verify | by its coming to no end | by tests | found |
|---|---:|---:|---:|---:|---:|---:|---:|
"""


def report(table: list[Mutant], outcomes: dict[str, Outcome], source: str, seed: int) -> str:
    """Return the text of mutants.md."""
    lines = [TEXT.format(seed=seed, sources=source)]
    sides = {"gateware": [m for m in table if m.is_gateware], "software": [m for m in table if not m.is_gateware]}
    for side, rows in sides.items():
        results = [outcomes[each.name] for each in rows]
        found, equal = Counter(each.found for each in results), sum(bool(each.proved) for each in results)
        ways = [found[way] for way in ("verify", "hang", "tests")]
        counts = (len(rows), equal, len(rows) - equal, *ways, sum(ways))
        lines.append(f"| {side} | {' | '.join(map(str, counts))} |\n")
    lines.append("\n| mutant | kind | file | change | found by | seconds |\n|---|---|---|---|---|---:|\n")
    for each in table:
        outcome = outcomes[each.name]
        change = f"{as_code(each.old)} becomes {as_code(each.new)}"
        lines.append(f"| {each.name} | {each.kind} | {each.file} | {change} | {_told(outcome)} | {outcome.seconds} |\n")
    left = [each for each in table if not outcomes[each.name].found]
    lines.append("\n## Not found\n\n" if left else "\nAll are found.\n")
    for each in left:
        outcome = outcomes[each.name]
        why = (
            f"changes nothing, as proved of {outcome.proved}" if outcome.proved else each.reason or "a gap of the bench"
        )
        if outcome.elsewhere:
            why += f" (with `--preset {OTHER_HARDWARE}` case {outcome.elsewhere} finds it)"
        lines.append(f"- {each.name}: {why}\n")
    return "".join(lines)


def _told(outcome: Outcome) -> str:
    match outcome.found:
        case "verify":
            return f"case {outcome.by}"
        case "tests":
            return f"`{outcome.by.rpartition('/')[2]}`"
        case "":
            return "**nothing**"
        case way:
            return way


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="NAME", help="this mutant, again; may be repeated")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of `pentary verify` ({SEED} if not given)")
    parser.add_argument("--workers", type=int, default=2, help="how many at a time (2 if not given)")
    parser.add_argument("--list", action="store_true", help="print the names, with their results")
    parser.add_argument("--check", action="store_true", help="elaborate only")
    options = parser.parse_args()
    known = {} if is_stale() or _stored()["seed"] != options.seed else recorded()
    table = mutants()
    try:
        for each in table:
            each.applied((ROOT / each.file).read_text())
    except ValueError as error:
        parser.error(str(error))
    if unknown := set(options.only or ()) - {each.name for each in table}:
        parser.error(f"mutants.toml has no {', '.join(sorted(unknown))}")
    chosen = [each for each in table if (each.name in options.only if options.only else each.name not in known)]
    if options.list:
        results = {name: _told(outcome) for name, outcome in known.items()}
        print("\n".join(f"{each.name:42} {each.kind:20} {results.get(each.name, '')}" for each in table))
    elif options.check:
        sys.exit(0 if check([each for each in table if not options.only or each in chosen], options.workers) else 2)
    else:
        run(chosen, options.seed, options.workers, partial(print, flush=True))
        print("\n".join(shortfall(recorded())) or "the goal is reached")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
