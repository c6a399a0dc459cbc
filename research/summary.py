"""The table of results in README.md, taken from the records in this folder.

    python research/summary.py     writes it anew between the two comments that mark its place

A test refuses a README whose table is not that of the records.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

import core_mutants
import mutants
from pentary_hdl.formal.proofs import LOWRANK_PROOFS

HERE: Final = Path(__file__).parent
README: Final = HERE.parent / "README.md"
_PLACE: Final = re.compile(r"(<!-- results: .*? -->\n).*?(<!-- end of results -->)", re.DOTALL)


def table() -> str:
    """Return the table."""
    rows = ["| measured | result | how |", "|---|---|---|"]
    rows += [f"| {what} | {result} | [{Path(link).name}]({link}) |" for what, result, link in _results()]
    return "\n".join(rows) + "\n"


def readme() -> str:
    """Return the text of README.md with the table of the present records."""
    text = README.read_text(encoding="utf-8")
    assert _PLACE.search(text), "README.md has lost the comments around its results"
    return _PLACE.sub(lambda place: f"{place[1]}\n{table()}\n{place[2]}", text)


def _results() -> list[tuple[str, str, str]]:
    accuracy = _cell(HERE / "results.md", r"\| `digits` \| \d+ \| test accuracy \| ([^|]+) \|")
    text = _load("text.json")["run"]
    programs = _cell(HERE / "random_programs.md", r"^\| [\d,]+ \| ([\d,]+) \| 0 \|$")
    unit = _load("alphabets.json")["whole unit"]["pents"]
    runs, machines = _load("verification.json"), _load("core.json")["machines"]
    own = [_load("networks.json")[f"mnist1d-{name}"] for name in ("mlp", "cnn")]
    accuracies, gradients = (
        " and ".join(f"{each['test_accuracy']:.2f}" for each in found)
        for found in (own, [each["gradients"] for each in own])
    )
    operations = {name: sum(part["operations"] for part in run["parts"]) for name, run in runs.items()}
    mismatches = sum(part["mismatches"] for run in runs.values() for part in run["parts"])
    rows = [
        ("handwritten digits, weights of five levels, test accuracy over five seeds", accuracy, "research/results.md"),
        (
            "mnist1d, an MLP and a CNN with weights of five levels, test accuracy",
            f"{accuracies} (gradients in floating point {gradients})",
            "research/networks.md",
        ),
        (
            f"language model of {text['parameters']:,} parameters, {text['seconds'] / 60:.0f} minutes on two cores",
            f"{text['bits_per_byte_validation']:.2f} bits/byte held out (bigrams {text['bigram_bits']:.2f}, trigrams "
            f"{text['trigram_bits']:.2f})",
            "research/text.md",
        ),
        (
            "random programs on random machines: interpreter, cycle-level model, reference of its timing",
            f"{programs} instructions, 0 differences",
            "research/random_programs.md",
        ),
        (
            "low-rank unit, Verilog against its reference model",
            f"{' and '.join(f'{count:,} operations in {name}' for name, count in sorted(operations.items()))}, "
            f"{mismatches} mismatches",
            "research/verification.md",
        ),
        (
            f"the processor, Verilog against the model in every cycle, on {len(machines)} machines",
            f"{sum(each['instructions'] for each in machines.values()):,} instructions, 0 differences",
            "research/core.md",
        ),
        ("properties of the unit proved for all inputs", f"{len(LOWRANK_PROOFS)}", "architecture/verification.md"),
        (
            "low-rank unit, 16 lanes, rank up to 8, after place and route",
            f"ECP5: {_fpga(unit['ecp5-85k'])}; iCE40 HX8K: {_fpga(unit['hx8k'])}",
            "research/alphabets.md",
        ),
    ]
    for what, each in (("the unit and its reference model", mutants), ("the processor", core_mutants)):
        known, table = each.recorded(), each.mutants()
        found = [known[mutant.name] for mutant in table if mutant.name in known]
        if len(found) == len(table):  # else they have not all been measured
            seen = sum(bool(outcome.found) for outcome in found)
            rows.append(
                (f"mutants of {what} that are found", f"{seen} of {len(found)}", f"research/{each.__name__}.md")
            )
    return rows


def _fpga(figures: dict[str, Any]) -> str:
    return f"{figures['luts']:,} LUTs, {min(figures['MHz'].values()):.0f} MHz"


def _load(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def _cell(page: Path, pattern: str) -> str:
    match = re.search(pattern, page.read_text(encoding="utf-8"), re.MULTILINE)
    assert match, f"{page.name} has no line like {pattern}"
    return match[1].strip()


if __name__ == "__main__":
    README.write_text(readme(), encoding="utf-8")
