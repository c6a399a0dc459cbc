"""Engine `rtl`: training in which the simulated Verilog of the low-rank ALU does every low-rank operation.

The unit draws keys, latent words and factors, computes the members' weights, sums the weighted perturbations and
updates the latent words, with the same operations, in the same number, as the processor's programs. The host does the
rest: it evaluates and shapes the fitness, and stores latent words and sums between commands.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pentary import es
from pentary.es.loop import Resumption, Step, Task, record
from pentary.es.strategy import Parameters, Population, State
from pentary.es.tensors import Tensor, Tensors
from pentary.isa.table import CONTROLS, MAX_VL, OPERAND
from pentary.lowrank.generator import BLOCK_WIDTH, MATRIX_WIDTH
from pentary.lowrank.operations import Latents, Pents, visible
from pentary.numbers.word import PENTS, PentaryError, from_digits, round_shift, saturate
from pentary.tasks.described.task import NetworkTask
from pentary_hdl.engine.verilated import Unit
from pentary_hdl.lralu.twin import CODE_BITS, PENT_BITS, Command, LowRankParameters, command
from pentary_hdl.tools.toolchain import check_installed


def hardware_for(task: Task, parameters: Parameters) -> LowRankParameters:
    """Return the hardware that a run needs: the default, enlarged where it is too small.

    Args:
        task: task to train.
        parameters: parameters of the run.

    Raises:
        PentaryError: a matrix is too large for any hardware.

    >>> from pentary.tasks.target import Target
    >>> hardware_for(Target(70, 20), Parameters(rank=2))
    LowRankParameters(lanes=16, max_rank=8, max_size=80, rounds_per_cycle=1)
    """
    for name, tensor in task.tensors.items():
        if max(tensor.shape) > MAX_VL:
            raise PentaryError(
                f"{name} is {tensor.rows}x{tensor.cols}: the hardware takes matrices of up to {MAX_VL}x{MAX_VL}"
            )
    default = LowRankParameters()
    largest = max(size for tensor in task.tensors.values() for size in tensor.shape)
    return LowRankParameters(
        max_rank=max(default.max_rank, parameters.rank),
        max_size=max(default.max_size, -(-largest // PENTS) * PENTS),
    )


def train(
    task: Task,
    parameters: Parameters,
    hardware: LowRankParameters | None = None,
    say: Callable[[str], None] = print,
    technology: str | None = None,
    resumption: Resumption | None = None,
) -> Iterator[Step]:
    """Train a task on the hardware; yields the records of `pentary.es.loop.train` with the counts of `measured`.

    Args:
        task: task to train: any with quantized members; only target with factored ones.
        parameters: parameters of the run.
        hardware: parameters of the unit; None stands for `hardware_for(task, parameters)`.
        say: called with a message before each slow step.
        technology: what the unit is synthesised to, of `pentary_hdl.netlist.technologies.TECHNOLOGIES`; None for the
            Verilog before synthesis.
        resumption: where to go on, without a record of that step; None for the start.

    Returns:
        Iterator of parameters.steps + 1 records, or of the steps that are left; the hardware runs while it is consumed.

    Raises:
        PentaryError: the hardware cannot train the task with these parameters, or Verilator is not installed; while the
            iterator is consumed, also if the hardware cannot be built or misbehaves.
    """
    task.check(parameters)
    hardware = hardware or hardware_for(task, parameters)
    _check(task, parameters)
    check_installed("verilator")
    if technology:
        check_installed("yosys")
    return _steps(task, parameters, hardware, say, technology, resumption)


def measured(unit: Unit, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the counts of the hardware so far.

    Args:
        unit: the unit that trains.
        before: the counts of the unit that has trained before it; None if there was none.

    Returns:
        `cycles` of its clock; `lanes`; `lowrank_busy_cycles`, those in which a command occupied it; and `operations`,
        the number of operations by name.
    """
    before = before or {"cycles": 0, "lowrank_busy_cycles": 0, "operations": {}}
    return {
        "cycles": before["cycles"] + unit.cycles,
        "lanes": unit.parameters.lanes,
        "lowrank_busy_cycles": before["lowrank_busy_cycles"] + unit.busy_cycles,
        "operations": dict(Counter(before["operations"]) + unit.operations),
    }


def _check(task: Task, parameters: Parameters) -> None:
    if parameters.perturb == "factored" and isinstance(task, NetworkTask):
        raise PentaryError(
            f"factored {task.name} needs LRMULX, which the hardware does not have: --perturb quantized does without"
        )
    gain, largest = parameters.gain(1), CONTROLS["GAIN"][1]
    if gain > largest:
        raise PentaryError(f"the gain {gain} does not fit its register (up to {largest}): take more steps or pairs")


def _steps(
    task: Task,
    parameters: Parameters,
    hardware: LowRankParameters,
    say: Callable[[str], None],
    technology: str | None,
    resumption: Resumption | None,
) -> Iterator[Step]:
    before = resumption.measured if resumption else None
    with Unit(hardware, say, technology) as unit:
        start = perf_counter() - (resumption.seconds if resumption else 0)
        if resumption:
            state = resumption.state
            _set_up(unit, parameters)
        else:
            state = _start(unit, parameters, task.tensors)
            yield record(task, parameters, state, None, start, measured(unit))
        while state.step < parameters.steps:
            keys = _draw_keys(unit, parameters, state.step + 1, task.tensors)
            members = {
                name: _members(unit, parameters, tensor, state.latents[name], keys[name])
                for name, tensor in task.tensors.items()
            }
            population = _Evaluated(parameters, state.step + 1, state, keys, members)
            fitness = task.evaluate(population)
            state = _updated(unit, population, es.shape_fitness(fitness, parameters.shaping))
            yield record(task, parameters, state, fitness, start, measured(unit, before))


@dataclass(frozen=True)
class _Evaluated(Population):
    """A population whose weights the hardware has computed.

    Attributes:
        members: by matrix, the weights of the plus and of the minus members, (pairs, rows, cols) each.
    """

    members: Mapping[str, tuple[NDArray, NDArray]]

    def weights(self, name: str, part: slice) -> tuple[NDArray, NDArray]:
        plus, minus = self.members[name]
        return plus[part], minus[part]


def _set_up(unit: Unit, parameters: Parameters) -> None:
    unit.run([command("LRSET", "RANK", parameters.rank), command("LRSET", "WIDTH", parameters.latent)])


def _start(unit: Unit, parameters: Parameters, tensors: Tensors) -> State:
    """Draw the words of the initial state on the unit, as `es.init` does; their means are of the host."""
    _set_up(unit, parameters)
    latents = {}
    for name, key in _draw_keys(unit, parameters, 0, tensors).items():
        tensor, total = tensors[name], np.zeros(tensors[name].shape, np.int64)
        for first in range(0, tensor.start * tensor.cols, tensor.cols):
            columns = range(first, first + tensor.cols)
            counters = (row * 5**BLOCK_WIDTH + col for row in range(tensor.rows) for col in columns)
            total += from_digits(_draw(unit, key, counters)[:, : parameters.latent]).reshape(tensor.shape)
        latents[name] = round_shift(total, 1) if tensor.start == 5 else total
    return State(0, latents, tensors)


def _draw_keys(unit: Unit, parameters: Parameters, step: int, tensors: Tensors) -> dict[str, int]:
    """Draw the key of each matrix in a step on the unit, as `prng.matrix_key` does."""
    counters = [step * 5**MATRIX_WIDTH + number for number in range(len(tensors))]
    words = from_digits(_draw(unit, parameters.seed, counters))
    return dict(zip(tensors, words.tolist(), strict=True))


def _draw(unit: Unit, key: int, counters: Iterable[int]) -> NDArray[np.int64]:
    """Draw a word for each counter on the unit; returns int64 (words, 16) pents."""
    codes = unit.run([command("PRNG", key, counter) for counter in counters]).scalars
    places = np.arange(0, CODE_BITS, PENT_BITS, dtype=np.uint64)
    return (codes[:, np.newaxis] >> places & np.uint64(7) ^ np.uint64(4)).astype(np.int64) - 4


def _choose(unit: Unit, shape: tuple[int, int], key: int) -> None:
    rows, cols = shape
    unit.run([command("LRSET", "ROWS", rows), command("LRSET", "COLS", cols), command("LRSET", "KEY", key)])


def _perturb(parameters: Parameters, row: int) -> list[Command]:
    """Return the commands that compute a row of the pair's perturbation as row sums, like macro `perturb` of es.s."""
    return [command("LRMUL", row), *([command("PQUANT")] if parameters.perturb == "quantized" else [])]


def _members(unit: Unit, parameters: Parameters, tensor: Tensor, latents: Latents, key: int) -> tuple[NDArray, NDArray]:
    """Compute the visible numbers of all members on the unit, as `es.Population.weights` does.

    LRADD makes five-level weights. Of quantized numbers of more pents the unit computes the perturbation, and the host
    adds it.
    """
    width, five = parameters.latent, tensor.pents == 1
    base, both_sides = np.zeros_like(latents), [command("LRACC", 1), command("LRACC", -1)]
    if parameters.perturb == "factored":
        base, kind = visible(latents, width) * np.int64(5**parameters.sigma_shift), np.float32
    elif five:
        base, kind = latents, np.int8
        both_sides = [command("LRADD", parameters.sigma), command("LRADD", -parameters.sigma)]
    else:
        kind = np.int32
    rows = [each for row in range(len(latents)) for each in (*_perturb(parameters, row), *both_sides)]
    plus, minus = (np.empty((parameters.pairs, *latents.shape), kind) for _ in both_sides)
    _choose(unit, latents.shape, key)
    unit.run([command("LRGEN", 0)])
    for pair in range(parameters.pairs):
        # The next pair's factors are drawn ahead, as in the processor's program; those after the last pair are unused.
        made = unit.run([*rows, command("LRGEN", pair + 1)], np.repeat(base, 2, axis=0)).results
        sides = made[0::2], made[1::2]
        if parameters.perturb == "quantized" and not five:
            words = (saturate(latents + each * parameters.sigma, width) for each in sides)
            sides = tuple(tensor.visible(each, width) for each in words)
        plus[pair], minus[pair] = sides
    return plus, minus


def _updated(unit: Unit, population: Population, shaped: Pents) -> State:
    """Update the latent words on the unit, as `es.tell` does."""
    parameters = population.parameters
    latents = {}
    unit.run([command("LRSET", "GAIN", parameters.gain(population.step))])
    for name, words in population.state.latents.items():
        _choose(unit, words.shape, population.keys[name])
        totals = np.zeros_like(words)
        for pair in np.flatnonzero(shaped).tolist():
            add = command("LRACC", shaped[pair].item())
            rows = [each for row in range(len(words)) for each in (*_perturb(parameters, row), add)]
            totals = unit.run([command("LRGEN", pair), *rows], totals).results
        # Totals fit the 12 pents of LRACC; the processor saturates them to the 8 pents of POPAVG, as is done here.
        latents[name] = unit.run([command("POPAVG")] * len(words), words, saturate(totals, OPERAND)).results
    return State(population.step, latents, population.state.tensors)
