"""Engine `sim`: training by an assembly program on the cycle-level model.

The program does everything: it draws the start, evaluates, shapes, updates. The host loads the data and looks on.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pentary.es.loop import Resumption, Step, Task, record
from pentary.es.strategy import Parameters, State
from pentary.isa.program import Fault
from pentary.machine.config import Config
from pentary.numbers.word import PentaryError
from pentary.programs.training import Prepared, prepare
from pentary.support.display import say
from pentary_sim.drive import drive
from pentary_sim.simulator import Simulator
from pentary_sim.snapshot import SavedMachine

P = TypeVar("P", bound=Prepared)


def train(task: Task, parameters: Parameters, config: Config | None = None) -> Iterator[Step]:
    """Train a task on the machine, giving what `pentary.es.loop.train` yields, and what `measured` tells beside it.

    Args:
        task: what to train: target, digits or a described network.
        parameters: of the run.
        config: of the machine.

    Returns:
        parameters.steps + 1 records; the machine runs as they are taken.

    Raises:
        PentaryError: the machine has no program for the task with these parameters, or too little memory.

    >>> from pentary.tasks.target import Target
    >>> *_, last = train(Target(16, 16), Parameters(population=40, rank=2, steps=3))
    >>> last.measured["cycles"] == sum(last.measured["causes"].values())
    True
    """
    config = config or Config()
    check(config)
    return train_prepared(task, parameters, prepare(task, parameters, config.memory.words), config)


def train_prepared(
    task: Task, parameters: Parameters, prepared: Prepared, config: Config, resumption: Resumption | None = None
) -> Iterator[Step]:
    """Train a task by its program, as `train` does.

    Args:
        task: what is trained.
        parameters: of the run.
        prepared: program of both.
        config: of a machine with enough memory.
        resumption: where to go on, without a record of that step; None for the start. It and the program are from
            `going_on`.
    """
    machine = SavedMachine(prepared.program, config)
    return _steps(task, parameters, prepared, machine, resumption)


def going_on(resumption: Resumption | None, config: Config, make: Callable[[Any], P]) -> tuple[P, Resumption | None]:
    """Return the program by which a training goes on, and from where.

    A machine whose state was saved goes on in the middle of its program. It needs the same one, which may itself have
    begun after some steps of another engine. If it is another one, because the number of steps or the release of
    pentary is another, a new machine goes on from the latent words, and counts its cycles from there.

    Args:
        resumption: where to go on; None for the start.
        config: of the machine.
        make: makes the program from the state after whose step it begins, or from None if it draws the start itself.
    """
    prepared = make(_begun(resumption))
    if resumption is None or not resumption.saved:
        return prepared, resumption
    try:
        SavedMachine(prepared.program, config).take_over(resumption.saved)
    except PentaryError as error:
        say(f"{error}: a new one goes on, with empty caches, and counts its cycles from here.")
        resumption = Resumption(resumption.state, resumption.seconds)
        return make(_begun(resumption)), resumption
    return prepared, resumption


def _begun(resumption: Resumption | None) -> Any:
    """Return the state after whose step the program of a training begins; None if it draws the start itself."""
    first = first_step(resumption)
    return replace(resumption.state, step=first) if resumption and first else None


def first_step(resumption: Resumption | None) -> int:
    """Return after how many steps the program of a training begins; 0 if it draws the start itself."""
    if resumption is None:
        return 0
    return int(resumption.saved["first"][0]) if resumption.saved else resumption.state.step


def begin(machine: SavedMachine, prepared: Prepared, resumption: Resumption | None) -> None:
    """Restore the machine after the last step that was made, or run it to the end of the start."""
    if resumption is not None and resumption.saved:
        machine.take_over(resumption.saved)
        return
    prepared.write_data(machine.memory)
    machine.run(max_instructions=1)  # compiles the model, or loads it: no part of the run
    run_to(machine, (prepared.step_done, prepared.evaluated))


def saved(machine: SavedMachine, first: int) -> dict[str, NDArray[Any]]:
    """Return what a machine takes over to go on, and after how many steps its program has begun."""
    return machine.save() | {"first": np.array([first])}


def check(config: Config) -> None:
    """Raise PentaryError if no program can train on a machine."""
    if config.exceptions.overflow_trap:
        raise PentaryError("training runs without the overflow trap: turn exceptions.overflow_trap off")


def _steps(
    task: Task, parameters: Parameters, prepared: Prepared, machine: SavedMachine, resumption: Resumption | None
) -> Iterator[Step]:
    stops, first = (prepared.step_done, prepared.evaluated), first_step(resumption)

    def after(step: int, fitness: NDArray | None) -> Step:
        state = State(step, prepared.latents(machine.memory), task.tensors)
        return record(task, parameters, state, fitness, clock, measured(machine), saved(machine, first))

    begin(machine, prepared, resumption)
    clock = perf_counter() - (resumption.seconds if resumption else 0)
    if resumption is None:
        yield after(0, None)
    for step in range(resumption.state.step if resumption else 0, parameters.steps):
        run_to(machine, stops)
        fitness = prepared.fitness(machine.memory)
        run_to(machine, stops)
        yield after(step + 1, fitness)


def run_to(machine: Simulator, stops: Collection[int]) -> None:
    """Run a machine until it is about to execute one of some addresses.

    Raises:
        Fault: an instruction cannot be executed.
        KeyboardInterrupt: the run was interrupted.
    """
    ending = drive(machine, stop_at=stops)
    if isinstance(ending, Fault):
        raise ending
    if ending == "interrupt":
        raise KeyboardInterrupt
    if ending == "halt":
        raise PentaryError("the program has come to its end: it has made all its steps")


def measured(machine: Simulator) -> dict[str, Any]:
    """Return the counters of a machine so far.

    Args:
        machine: after one instruction at least.

    Returns:
        `cycles`, `instructions`, `cpi`; `lanes`; `lowrank_utilization`, useful multiply-accumulates over lanes times
        the cycles that LRMUL and LRMULX took; `lowrank_busy`, the share of cycles in which the low-rank unit worked;
        `causes`, the cycles by cause; and `counts`, the events from which energy can be computed.
    """
    counts, cycles, lanes = machine.counts, machine.cycles, machine.config.lowrank.lanes
    multiplying = lanes * counts["lowrank_multiply_cycles"]
    return {
        "cycles": cycles,
        "instructions": machine.instructions,
        "cpi": round(cycles / machine.instructions, 4),
        "lanes": lanes,
        "lowrank_utilization": round(counts["lowrank_macs"] / multiplying, 4) if multiplying else 0.0,
        "lowrank_busy": round(counts["lowrank_busy_cycles"] / cycles, 4),
        "causes": machine.causes,
        "counts": counts,
    }
