"""The page distributed.md of the measurements of `workers.py`."""

from dataclasses import asdict
from typing import Any, Final

from thousand import (
    BITS,
    CORES,
    DIFFERENCE,
    LOST_PER_HOUR,
    MACHINES,
    POPULATION,
    SPREAD,
    STALL,
    Costs,
    Network,
    Parts,
    local,
    simulated,
)

SLOWER: Final = 20.0

CONDITIONS: Final = (
    "1 process",
    "2 processes",
    "Dask, 2 workers",
    "one killed",
    "one joins",
    f"one {SLOWER:g} times slower",
)


def table(header: str, rows: list[list[Any]]) -> str:
    """Return a table."""
    lines = [f"| {header} |", "|" + "---|" * (header.count("|") + 1)]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def models(found: dict[str, Any]) -> dict[str, list[Parts]]:
    """Return the parts of a step of each task against the number of machines."""
    return {name: [simulated(Costs(*own), each) for each in MACHINES] for name, own in found["costs"].items()}


def document(found: dict[str, Any]) -> str:
    """Return the text of distributed.md."""
    digests = table(
        f"after every step | {' | '.join(CONDITIONS)}",
        [
            [f"`{name}`, {next(iter(own.values()))['steps']} steps"]
            + [f"{each['differences']} ({each['workers']})" for each in own.values()]
            for name, own in found["digests"].items()
        ],
    )
    wire = table(
        "task | population | workers | bytes | 64 + population",
        [
            [f"`{b['task']}`", f"{b['population']:,}", b["workers"], f"{b['bytes']:,}", f"{b['limit']:,}"]
            for b in found["bytes"]
        ],
    )
    speeds = []
    for name, own in found["seconds"].items():
        first = own.get("threads", own["1 process"])
        speeds.append(
            [
                name,
                *(f"{own[k] * 1e3:.1f}" if k in own else "" for k in ("threads", "1 process", "2 processes")),
                f"{first / own['2 processes']:.2f}",
            ]
        )
    checked = []
    for name, own in found["costs"].items():
        for label, count in (("1 process", 1), ("2 processes", 2)):
            says, is_so = local(Costs(*own), found["populations"][name] // 2, count, 2), found["seconds"][name][label]
            checked.append([name, count, f"{says * 1e3:.1f}", f"{is_so * 1e3:.1f}", f"{says / is_so:.2f}"])
    own = models(found)
    at = MACHINES.index(1000)
    thousand = table(
        "task | evaluate | wait | update | send | a step, s | members a second",
        [
            [
                name,
                *(f"{value:.3f}" for value in asdict(parts[at]).values()),
                f"{parts[at].total:.2f}",
                f"{POPULATION / parts[at].total:,.0f}",
            ]
            for name, parts in own.items()
        ],
    )
    pairs = table(
        "task | a pair evaluated, µs | a pair in an update, µs | the record of a step, ms",
        [[name, f"{e * 1e6:.1f}", f"{m * 1e6:.1f}", f"{r * 1e3:.1f}"] for name, (e, m, r) in found["costs"].items()],
    )
    gigabits = Network().bandwidth * 8 / 1e9
    return f"""# Members evaluated by workers

Made by `python research/workers.py`, on {found["processor"]}, two cores.

## The same digests

Steps whose digest differs from that of a run without workers, and in parentheses how many workers took part:

{digests}

## Bytes on the wire

The greatest number of bytes of a step after the first, for each worker, both directions, counted by a proxy:

{wire}

## Speed on this machine

Milliseconds of a step (medians, the best of three turns), and how many times as fast two processes are as threads, for
the black box as one process:

{table("task | threads | 1 process | 2 processes | ratio", speeds)}

Each process moves its own copy by all pairs, which threads do once. So threads stay the default for tasks whose
evaluation is vectorised; processes are for functions of the user's, and for other machines.

## A thousand machines

On one core of this processor:

{pairs}

The model: a machine evaluates its share and moves its copy by all pairs; {CORES} cores share both. The run's machine
sends {BITS} bits for each pair to every machine, and gets {DIFFERENCE} bits for each pair once, at {gigabits:g} Gbit/s.
A machine's time varies by {SPREAD:.0%}; in one of {1 / STALL[0]:,.0f} steps it takes {STALL[1]:g} times as long, and
{LOST_PER_HOUR:.0%} of the machines are lost in an hour; their pairs are evaluated again. On one machine, workers share
its cores with the run. Against what was measured above:

{table("task | processes | model, ms | measured, ms | ratio", checked)}

Costs are the least of six trials, and the model takes two cores for twice one. With two processes, three compete for
two cores; of that it knows only the sum of their work.

With {POPULATION:,} members on 1,000 machines:

{thousand}

![seconds of a step against the number of machines](distributed.png)

Evaluation is no longer what takes the time: every machine takes all pairs into its update, and the run's machine sends
all shaped fitness to every machine. More machines pay off for tasks whose pairs cost far more to evaluate than to add;
for others, sums of parts of the update would have to be exchanged in place of fitness, which costs as many bytes as
there are weights.
"""
