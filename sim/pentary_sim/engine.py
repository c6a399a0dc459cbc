"""Engine `sim`, as the command line knows it; `training` is what it does."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pentary.cli.options import MACHINE
from pentary.es.loop import Resumption, Task
from pentary.es.strategy import Parameters
from pentary.machine.config import Config
from pentary.tasks.running.engines import Engine, Reading, Training


def _prepare(
    task: Task, parameters: Parameters, resumption: Resumption | None = None, config: Path | None = None
) -> Training:
    from pentary.programs.training import listing, prepare
    from pentary_sim.training import check, going_on, train_prepared

    machine = Config() if config is None else Config.load(config)
    check(machine)
    prepared, own = going_on(
        resumption and resumption.on(asdict(machine)),
        machine,
        lambda start: prepare(task, parameters, machine.memory.words, start),
    )
    return Training(train_prepared(task, parameters, prepared, machine, own), asdict(machine), listing(prepared))


def _read(
    model: Any, parameters: Any, text: Any, resumption: Resumption | None = None, config: Path | None = None
) -> Reading:
    from pentary_sim.reading import Reader

    machine = Config() if config is None else Config.load(config)
    reader = Reader(model, parameters, text, machine, resumption and resumption.on(asdict(machine)))
    return Reading(reader, asdict(machine), reader.listing())


def _summary(result: Mapping[str, Any]) -> dict[str, str]:
    """Return what the machine has counted, in words."""
    cycles = result["cycles"]
    most = sorted(((count, cause) for cause, count in result["causes"].items() if count), reverse=True)[:4]
    return {
        "cycles": f"{cycles:,} for {result['instructions']:,} instructions, CPI {result['cpi']:.2f}",
        "spent on": ", ".join(f"{cause} {count / cycles:.1%}" for count, cause in most),
        "low-rank unit": f"{result['lanes']} lanes, busy {result['lowrank_busy']:.1%} of the cycles, "
        f"utilization while multiplying {result['lowrank_utilization']:.1%}",
    }


ENGINE: Final = Engine(
    "an assembly program on the cycle-level model of the processor: target, digits, networks and text, with counts of "
    "cycles and events",
    _prepare,
    (MACHINE,),
    _summary,
    read=_read,
)
