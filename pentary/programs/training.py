"""Assembly programs that train a task on the machine: their choice, constants and memory layout."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pentary.asm import assemble, assemble_text
from pentary.compile.losses import largest
from pentary.compile.pieces import Text
from pentary.compile.plan import WORDS, plan
from pentary.compile.program import training
from pentary.es.loop import Task
from pentary.es.strategy import Parameters, State
from pentary.es.tensors import Tensors
from pentary.isa.program import Program
from pentary.isa.table import CONTROLS, MAX_VL
from pentary.lowrank.operations import Latents
from pentary.numbers.word import WORD_MAX, PentaryError, limit
from pentary.tasks.described.task import NetworkTask
from pentary.tasks.digits import Digits
from pentary.tasks.target import Target

PROGRAMS: Final = Path(__file__).parent

_ADDRESS: Final = limit(10)  # greatest address that LI loads
_BRANCH: Final = limit(7)  # greatest distance of a branch
_LIBRARY: Final = 1000  # more instructions than the files have that a compiled program includes

_SOURCES: Final = {
    (Target, "quantized"): "target.s",
    (Target, "factored"): "target_factored.s",
    (Digits, "factored"): "digits.s",
}


class Region(NamedTuple):
    """A region of memory: its label, first address, number of words, and a description of its content."""

    name: str
    first: int
    words: int
    what: str


@dataclass(frozen=True)
class Prepared:
    """A training program and the layout of its data.

    Attributes:
        program: the assembled program. It reaches the label `step_done` before the first and after each step, the label
            `evaluated` once in each step, and halts after the last step.
        tensors: by name.
        pairs: number of antithetic pairs in a step.
        prefix: with a tensor's name behind it, the label of its latent words.
        contents: by label, what is in a part of memory that `CONTENTS` does not have.
        data: int64 words to be written to memory before the run, by label.
        text: of a compiled program; "" of one that was written by hand.
    """

    program: Program
    tensors: Tensors
    pairs: int
    prefix: str = ""
    contents: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    text: str = ""

    @property
    def step_done(self) -> int:
        """Address of `step_done`; when the machine is about to execute it, `latents` are those of a complete step."""
        return self.program.address("step_done")

    @property
    def evaluated(self) -> int:
        """Address of `evaluated`; when the machine is about to execute it, `fitness` is that of all members."""
        return self.program.address("evaluated")

    def write_data(self, memory: NDArray[np.int64]) -> None:
        """Write the data to a machine's memory, into which the program has been loaded."""
        for label, words in self.data.items():
            _part(memory, self.program.address(label), words.size)[:] = words.reshape(-1)

    def after(self, latents: Mapping[str, Latents]) -> Self:
        """Return the program with these latent words among its data."""
        return replace(self, data={**self.data, **{self.prefix + name: words for name, words in latents.items()}})

    def latents(self, memory: NDArray[np.int64]) -> dict[str, Latents]:
        """Return copies of the latent words of each matrix, (rows, cols), from a machine's memory at `step_done`."""
        parts = ((name, tensor, self.program.address(self.prefix + name)) for name, tensor in self.tensors.items())
        return {name: _part(memory, first, own.size).reshape(own.shape).copy() for name, own, first in parts}

    def fitness(self, memory: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return a copy of the fitness of each member, (pairs, 2), from a machine's memory at `evaluated`."""
        both = _part(memory, self.program.address("fitness"), 2 * self.pairs)
        return both.reshape(2, self.pairs).T.copy()


def prepare(task: Task, parameters: Parameters, memory: int = 5**9, start: State | None = None) -> Prepared:
    """Assemble the program that trains a task.

    Args:
        task: the task to train.
        parameters: training parameters.
        memory: memory size of the machine, in words.
        start: what the program goes on from; None lets it draw the start itself.

    Returns:
        The program and the layout of its data.

    Raises:
        PentaryError: the machine cannot run the task with these parameters; the message says why.

    >>> prepared = prepare(Target(8, 8), Parameters(population=10, rank=2, steps=3))
    >>> prepared.program.symbols["POPULATION"], list(prepared.tensors)
    (10, ['weights'])
    """
    task.check(parameters)
    source = _SOURCES.get((type(task), parameters.perturb))  # type: ignore[arg-type]
    if source is None and not isinstance(task, NetworkTask):
        known = ", ".join(f"{perturb} {kind.name}" for kind, perturb in _SOURCES)
        raise PentaryError(f"the machine has no program for {parameters.perturb} {task.name}; it has some for {known}")
    for name, tensor in task.tensors.items():
        if source and max(tensor.shape) > MAX_VL:
            raise PentaryError(
                f"{name} is {tensor.rows}x{tensor.cols}: the machine takes matrices of up to {MAX_VL}x{MAX_VL}"
            )
    gain, largest = parameters.gain(1), CONTROLS["GAIN"][1]
    if gain > largest:
        raise PentaryError(f"the gain {gain} does not fit its register (up to {largest}): take more steps or pairs")
    if parameters.steps**2 > WORD_MAX:
        raise PentaryError(f"{parameters.steps} steps are too many for the machine: their square must fit a word")
    first = 0 if start is None else start.step
    if source is None:
        assert isinstance(task, NetworkTask), "all else has a source"
        prepared = _compiled(task, parameters, memory, first)
    else:
        prepared = _assembled(source, task, parameters, first)
    check_memory(prepared.program, parameters.population, memory)
    return prepared if start is None else prepared.after(start.latents)


def check_data(words: int, memory: int) -> None:
    """Raise PentaryError if the data alone are more than a machine's memory, or than a program can address."""
    most = min(memory, _ADDRESS)
    if words > most:
        raise PentaryError(
            f"the training data take {words:,} words, and the machine has room for {most:,}: take fewer"
            + (f", or set memory.words in the configuration to more, up to {_ADDRESS:,}" if memory < _ADDRESS else "")
        )


def assembled(written: Text, first: int = 0) -> Program:
    """Assemble a compiled program, to begin after some steps.

    Raises:
        PentaryError: it has more instructions than its branches reach.
    """
    instructions = sum(row.startswith("        ") and row.strip()[:1].isupper() for row in written.text.splitlines())
    if instructions > _BRANCH - _LIBRARY:
        raise PentaryError(
            f"the program has {instructions:,} instructions, and its branches reach {_BRANCH:,}: take fewer layers"
        )
    return assemble_text(written.text, str(PROGRAMS / "compiled.s"), {"FIRST": first})


def check_memory(program: Program, population: int, memory: int) -> None:
    """Raise PentaryError if a training program takes more words than a machine has."""
    if program.size > memory:
        fewest = program.size - population + 2  # `fitness` takes a word for each member
        fewer = ", or take fewer members" if fewest <= memory else ""
        raise PentaryError(
            f"the run takes {program.size:,} words, but the memory has {memory:,}: "
            f"set memory.words in the configuration to {program.size} or more{fewer}"
        )


def _compiled(task: NetworkTask, parameters: Parameters, memory: int, first: int) -> Prepared:
    """Return the compiled program of a described network."""
    train = task.data.train
    check_data(train.x.size + train.y.size, memory)
    own = plan(task.network, parameters, task.batch)
    if 4 * largest(own) > WORD_MAX:
        raise PentaryError(
            f"the fitness of a member can reach {largest(own):,}, and the machine compares up to {WORD_MAX // 4:,}: "
            "clamp the results, or take a smaller batch"
        )
    written = training(own, len(train), task.name)
    program = assembled(written, first)
    contents = {label: what for label, _, what in written.regions}
    data = {
        "inputs": _from(first * task.batch, train.x.astype(np.int64)),
        "targets": _from(first * task.batch, train.y),
    }
    return Prepared(program, task.tensors, parameters.pairs, WORDS, contents, data, written.text)


def _from(example: int, examples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the examples, which a program goes through again and again from the first one, from another one on."""
    return np.roll(examples, -(example % len(examples)), axis=0)


def _assembled(source: str, task: Task, parameters: Parameters, first: int) -> Prepared:
    """Return a program that was written by hand."""
    data: dict[str, NDArray[np.int64]] = {}
    defines = {
        "POPULATION": parameters.population,
        "RANK": parameters.rank,
        "STEPS": parameters.steps,
        "FIRST": first,
        "SEED": parameters.seed,
        "LATENT": parameters.latent,
        "SHAPING": int(parameters.shaping == "rank"),
        "FIRST_GAIN": parameters.gain(1),
    }
    if parameters.perturb == "quantized":
        defines["SIGMA"] = parameters.sigma
    else:
        defines["SIGMA_SHIFT"] = parameters.sigma_shift
    if isinstance(task, Digits):
        x, y, taken = task.data.train.x.astype(np.int64), task.data.train.y, first * task.batch
        data = {"pixels": _from(taken, x), "classes": _from(taken, y)}
        defines["IMAGES"] = len(task.data.train)
    else:
        defines["ROWS"], defines["COLS"] = task.tensors["weights"].shape
    program = assemble(PROGRAMS / source, defines)
    return Prepared(program, task.tensors, parameters.pairs, data=data)


def memory_map(prepared: Prepared) -> list[Region]:
    """Return the memory map of a training run.

    Args:
        prepared: result of `prepare`.

    Returns:
        Contiguous regions in the order of their addresses, from 0. Only `fitness` grows with the population, and
        `states` of programs that read text.
    """
    program, contents = prepared.program, {**CONTENTS, **prepared.contents}
    names = [name for name in program.labels if program.address(name) >= program.text and name in contents]
    ends = [*(program.address(name) for name in names), program.size]
    data = [
        Region(name, first, end - first, contents[name])
        for name, first, end in zip(names, ends, ends[1:], strict=False)  # the last entry only ends a region
    ]
    return [Region("text", 0, program.text, "instructions"), *data]


def listing(prepared: Prepared) -> dict[str, str]:
    """Return what a person may want to read of a training program, as texts by file name: memory map and program."""
    regions = ((region.first, region.words, region.name, region.what) for region in memory_map(prepared))
    rows = [("address", "words", "label", "what"), *(tuple(map(str, row)) for row in regions)]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{row[0]:>{wide[0]}}  {row[1]:>{wide[1]}}  {row[2]:<{wide[2]}}  {row[3]}\n" for row in rows]
    return {"memory.txt": "".join(lines)} | ({"program.s": _whole(prepared.text)} if prepared.text else {})


def _whole(text: str) -> str:
    """Return a program with the files that it includes in place of its directives, but for those of the library."""
    rows = []
    for row in text.splitlines():
        match = re.match(r'\s*\.include\s+"(.+)"', row)
        file = PROGRAMS / match[1] if match else None
        rows.append(_whole(file.read_text(encoding="utf-8")) if file and file.exists() else row)
    return "\n".join(rows) + "\n"


CONTENTS: Final = {
    "fitness": "fitness of each member, a word; then the pent of each pair",
    "scratch": "sums of the update; in programs written by hand the evaluation keeps numbers of a matrix here",
    "matrices": "shape, address and key of each matrix",
    "weights": "latent words",
    "hidden": "latent words of the hidden layer",
    "output": "latent words of the output layer",
    "images": "pixels of 16 images, and their products with the weights that all members share",
    "activations": "of one pair for 16 images",
    "outputs": "of one pair for 16 images",
    "right": "which outputs are those of the right classes",
    "pixels": "training images",
    "classes": "of the training images",
}


def _part(memory: NDArray[np.int64], first: int, words: int) -> NDArray[np.int64]:
    return memory[first : first + words]
