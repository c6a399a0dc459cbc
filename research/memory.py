"""Cycles of training and of kernels against the sizes of the memory: line, first level, words in a beat, lanes.

Run `python research/memory.py` to regenerate memory.json, memory.md and memory.png in its folder (two minutes).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pentary.es.strategy import Parameters
from pentary.isa.program import Program
from pentary.machine.config import Config
from pentary.programs.benchmarks import assembled
from pentary.programs.training import Prepared, prepare
from pentary.runs.plots import as_png, new_figure
from pentary.tasks.digits import Digits
from pentary.tasks.target import Target
from pentary_sim.simulator import Simulator

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "memory.json"


Made = Callable[[], tuple[Program, Prepared | None]]
"""Makes a program, with the data of a training."""


def _kernel(name: str, size: int) -> Made:
    return lambda: (assembled(name, size), None)


def _training(task: type[Target] | type[Digits], parameters: Parameters) -> Made:
    def made() -> tuple[Program, Prepared]:
        prepared = prepare(task(), parameters)
        return prepared.program, prepared

    return made


RUNS: Final[dict[str, Made]] = {
    "target": _training(Target, Parameters(population=32, steps=2)),
    "digits": _training(Digits, Parameters(population=8, steps=1, perturb="factored")),
    "quicksort": _kernel("quicksort", 5_000),
    "spmv": _kernel("spmv", 200),
    "jumps": _kernel("jumps", 3_125),
}
"""What is run: two steps of `target` with 32 members, a step of `digits` with 8, and three kernels."""

LINES: Final = {
    "5": "caches.line = 5\nicache.sets = 125\ndcache.sets = 125\nl2.sets = 625",
    "25": "",
    "125": "caches.line = 125\nicache.sets = 5\ndcache.sets = 5\nl2.sets = 25",
    "625": "caches.line = 625\nicache.sets = 1\ndcache.sets = 1\nl2.sets = 5",
}

SWEEPS: Final[dict[str, dict[str, str]]] = {
    "words in a line, caches of the same size": LINES,
    "words in each L1 cache, latency by size": {
        f"{200 * sets:,}": f"icache.sets = {sets}\ndcache.sets = {sets}" for sets in (1, 5, 25, 125, 625)
    },
    "words in a beat from memory": {str(words): f"memory.beat = {words}" for words in (1, 5, 25)},
    "words in a beat from L2": {str(words): f"l2.beat = {words}\nmemory.beat = 25" for words in (1, 5, 25)},
    "words of a vector moved in a cycle": {str(words): f"dcache.beat = {words}" for words in (1, 5, 25)},
}
"""Settings by what they change."""

LANES: Final = (16, 64, 256)

TEXT: Final = """# What memory costs

Written by `python research/memory.py`. The rules are those of [pipeline.md](../architecture/pipeline.md#caches);
settings that are not named have their defaults.

![Cycles against the sizes of the memory](memory.png)

Cycles of two steps of `target` with 32 members, a step of `digits` with 8, and the kernels quicksort, spmv and jumps.
Each row is a setting, and in bold the default.

{tables}

- Longer lines bring more words for a request, which the streams of training and of the sparse matrix use, and the
  random jumps do not: each fill then occupies the ports for longer.
- A larger first level misses less, and answers later: beyond a size, programs that wait for every load or jump get
  slower. Vectors hardly do, since they do not wait for single words.
- Kernels without vectors do not depend on how many words of a vector are moved in a cycle.

## Lanes

Cycles of `target`, by lanes and words in a line. More lanes never take longer.

{lanes}

## A step of `target`, where its cycles go

Two steps with 32 members at the defaults, and with lines that are moved in one cycle on every way, as they were before
beats were modelled.

{causes}
"""


def run(name: str, settings: str) -> Simulator:
    """Run a program to its end on a machine with some settings."""
    program, prepared = RUNS[name]()
    machine = Simulator(program, Config.loads(settings))
    if prepared:
        prepared.write_data(machine.memory)
    assert machine.run() == "halt"
    assert prepared or machine.pc == program.address("passed"), f"{name} finds its result wrong"
    return machine


def measured() -> dict[str, Any]:
    """Return the cycles of all runs."""
    sweeps = {
        title: {value: {name: run(name, settings).cycles for name in RUNS} for value, settings in sweep.items()}
        for title, sweep in SWEEPS.items()
    }
    lanes = {
        line: {str(count): run("target", f"{settings}\nlowrank.lanes = {count}").cycles for count in LANES}
        for line, settings in LINES.items()
    }
    before = "dcache.beat = 625\nl2.beat = 625\nmemory.beat = 625"
    causes = {title: run("target", settings).causes for title, settings in (("default", ""), ("in one cycle", before))}
    return {"sweeps": sweeps, "lanes": lanes, "causes": causes}


def picture(found: dict[str, Any]) -> bytes:
    """Draw the cycles of every sweep, relative to the default."""
    figure = new_figure(11, 6, "Cycles against the sizes of the memory, as a multiple of those at the defaults")
    grid = figure.subplots(2, 3).flat
    for axes, (title, sweep) in zip(grid, found["sweeps"].items(), strict=False):
        places = range(len(sweep))
        for name, base in _defaults(found).items():
            axes.plot(places, [cycles[name] / base for cycles in sweep.values()], marker="o", label=name)
        axes.set_xticks(places, list(sweep))
        axes.set_xlabel(title)
        axes.axhline(1, color="0.8", zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    last = list(figure.axes)[-1]
    for line, counts in found["lanes"].items():
        last.plot(
            range(len(LANES)), [counts[str(count)] / 1e3 for count in LANES], marker="o", label=f"lines of {line}"
        )
    last.set_xticks(range(len(LANES)), [str(count) for count in LANES])
    last.set(xlabel="lanes", ylabel="thousand cycles of target", ylim=(0, None))
    last.spines[["top", "right"]].set_visible(False)
    last.legend(fontsize="small", frameon=False)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
    return as_png(figure)


def document(found: dict[str, Any]) -> str:
    """Return the text of memory.md."""
    tables = []
    for title, sweep in found["sweeps"].items():
        rows = [f"| {title} | {' | '.join(RUNS)} |", "|---:|" + "---:|" * len(RUNS)]
        for value, cycles in sweep.items():
            shown = f"**{value}**" if cycles == _defaults(found) else value
            rows.append(f"| {shown} | {' | '.join(f'{cycles[name]:,}' for name in RUNS)} |")
        tables.append("\n".join(rows))
    lanes = [f"| words in a line | {' | '.join(map(str, LANES))} lanes |", "|---:|" + "---:|" * len(LANES)]
    lanes += [
        f"| {line} | {' | '.join(f'{counts[str(n)]:,}' for n in LANES)} |" for line, counts in found["lanes"].items()
    ]
    one, other = found["causes"].values()
    causes = ["| cause | default | in one cycle |", "|---|---:|---:|"]
    causes += [f"| {name} | {one[name]:,} | {other[name]:,} |" for name in one if one[name] or other[name]]
    causes.append(f"| all | {sum(one.values()):,} | {sum(other.values()):,} |")
    return TEXT.format(tables="\n\n".join(tables), lanes="\n".join(lanes), causes="\n".join(causes))


def _defaults(found: dict[str, Any]) -> dict[str, int]:
    """Return the cycles of each program at the defaults."""
    return found["sweeps"][next(iter(SWEEPS))]["25"]


if __name__ == "__main__":
    found = measured()
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    RECORD.with_suffix(".md").write_text(document(found), encoding="utf-8")
    RECORD.with_suffix(".png").write_bytes(picture(found))
