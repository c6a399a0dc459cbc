"""Engine `core`: training by an assembly program on the Verilog of the processor, in Verilator.

The object file is that of engine `sim`, and so are the cycles.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pentary.es.loop import Resumption, Step, Task, record
from pentary.es.strategy import Parameters, State
from pentary.machine.config import Config
from pentary.machine.engines import Setup
from pentary.numbers.word import PentaryError
from pentary.programs.training import Prepared, prepare
from pentary.support.display import say
from pentary_hdl.engine.core import CoreRun, Stop, build


def train(
    task: Task,
    parameters: Parameters,
    config: Config | None = None,
    technology: str | None = None,
    resumption: Resumption | None = None,
) -> Iterator[Step]:
    """Train a task on the processor, giving what `pentary.es.loop.train` yields, and what `measured` tells beside it.

    Args:
        task: what to train: target, digits or a described network.
        parameters: of the run.
        config: of the machine.
        technology: what it is synthesised to, of `pentary_hdl.netlist.technologies.TECHNOLOGIES`; None for the Verilog
            before synthesis.
        resumption: where to go on, without a record of that step; None for the start. Cycles and instructions count on
            from those up to there, but the caches are empty again, which takes some cycles more.

    Returns:
        parameters.steps + 1 records, or those of the steps that are left; the processor runs as they are taken.

    Raises:
        PentaryError: there is no program for the task with these parameters, it has too little memory, the hardware
            cannot have the configuration, or a tool that builds it is not installed; while records are taken, the
            program does not come to its end.
    """
    config = config or Config()
    if config.exceptions.overflow_trap:
        raise PentaryError("training runs without the overflow trap: turn exceptions.overflow_trap off")
    prepared = prepare(task, parameters, config.memory.words, resumption and resumption.state)
    image = np.zeros(prepared.program.size, np.int64)
    image[: len(prepared.program.image)] = prepared.program.image
    prepared.write_data(image)
    setup = Setup(replace(prepared.program, image=image), config)
    process = build(config, say, made_of=technology)
    stops = (prepared.step_done, prepared.evaluated)
    run = CoreRun(process, setup, stops=stops, watched=len(image))
    return _steps(task, parameters, prepared, run, resumption)


def _steps(
    task: Task, parameters: Parameters, prepared: Prepared, run: CoreRun, resumption: Resumption | None
) -> Iterator[Step]:
    start = perf_counter() - (resumption.seconds if resumption else 0)
    before = resumption.measured if resumption else {}
    first = resumption.state.step if resumption else 0
    fitness: NDArray | None = None
    with run:
        stops = run.stops()
        for step in range(first, parameters.steps + 1):
            stop = _next(stops, run)
            if step > first:
                fitness = prepared.fitness(stop.memory)
                stop = _next(stops, run)
            if step > first or resumption is None:
                state = State(step, prepared.latents(stop.memory), task.tensors)
                yield record(task, parameters, state, fitness, start, measured(stop, run.setup.config, before))


def _next(stops: Iterator[Stop], run: CoreRun) -> Stop:
    stop = next(stops, None)
    if stop is None:
        raise PentaryError(run.outcome.error or "the program ends before its last step")
    return stop


def measured(stop: Stop, config: Config, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the run has counted so far: `cycles`, `instructions`, `cpi`, and the `lanes` of the machine.

    Args:
        stop: of this processor.
        config: of it.
        before: what was counted before it was started; empty if nothing was.
    """
    cycles, instructions = (before.get(name, 0) + getattr(stop, name) for name in ("cycles", "instructions"))
    return {
        "cycles": cycles,
        "instructions": instructions,
        "cpi": round(cycles / instructions, 4),
        "lanes": config.lowrank.lanes,
    }
