"""Engine `sim`: training by an assembly program on the cycle-level model.

The program does everything: it draws the start, evaluates, shapes, updates. The host loads the data and looks on.
"""

from collections.abc import Collection, Iterator
from time import perf_counter
from typing import Any

from numpy.typing import NDArray

from pentary.es.loop import Step, Task, record
from pentary.es.strategy import Parameters, State
from pentary.isa.program import Fault
from pentary.machine.config import Config
from pentary.numbers.word import PentaryError
from pentary.programs.training import Prepared, prepare
from pentary_sim.drive import drive
from pentary_sim.simulator import Simulator


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


def train_prepared(task: Task, parameters: Parameters, prepared: Prepared, config: Config) -> Iterator[Step]:
    """Train a task by its program, as `train` does.

    Args:
        task: what is trained.
        parameters: of the run.
        prepared: program of both.
        config: of a machine with enough memory.
    """
    machine = Simulator(prepared.program, config)
    prepared.write_data(machine.memory)
    return _steps(task, parameters, prepared, machine)


def check(config: Config) -> None:
    """Raise PentaryError if no program can train on a machine."""
    if config.exceptions.overflow_trap:
        raise PentaryError("training runs without the overflow trap: turn exceptions.overflow_trap off")


def _steps(task: Task, parameters: Parameters, prepared: Prepared, machine: Simulator) -> Iterator[Step]:
    machine.run(max_instructions=1)  # compiles the model, or loads it: no part of the run
    start = perf_counter()
    stops = (prepared.step_done, prepared.evaluated)
    fitness: NDArray | None = None
    for step in range(parameters.steps + 1):
        run_to(machine, stops)
        if step > 0:
            fitness = prepared.fitness(machine.memory)
            run_to(machine, stops)
        state = State(step, prepared.latents(machine.memory), task.tensors)
        yield record(task, parameters, state, fitness, start, measured(machine))


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
