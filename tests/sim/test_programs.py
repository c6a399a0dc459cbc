from collections.abc import Iterator
from hashlib import sha256

import numpy as np
import pytest
from numpy.typing import NDArray

from pentary import es
from pentary.asm import AssemblyError, assemble
from pentary.es.loop import Task
from pentary.es.strategy import Parameters
from pentary.interpreter import Interpreter
from pentary.machine.config import Config, LowRank
from pentary.numbers.word import PentaryError
from pentary.programs.training import PROGRAMS, Prepared, memory_map, prepare
from pentary.tasks.blackbox import BlackBox
from pentary.tasks.digits import Digits
from pentary.tasks.target import Target
from pentary_sim.simulator import Simulator

Stop = tuple[str, NDArray[np.int64] | str]


def on_numpy(task: Task, parameters: Parameters, steps: int) -> Iterator[Stop]:
    """Yield the initial digest, then the fitness and the digest of each step, from NumPy."""
    state = es.init(parameters, task.tensors)
    yield "digest", state.digest()
    for _ in range(steps):
        fitness = task.evaluate(es.ask(parameters, state))
        yield "fitness", fitness
        state = es.tell(parameters, state, fitness)
        yield "digest", state.digest()


def on_machine(machine: Interpreter | Simulator, prepared: Prepared) -> Iterator[Stop]:
    """Yield the same as `on_numpy` from a machine, until the program ends."""
    prepared.write_data(machine.memory)
    stops = {prepared.step_done, prepared.evaluated}
    while True:
        if isinstance(machine, Simulator):
            machine.run(stop_at=stops)
        else:
            machine.step()
            while not machine.halted and machine.pc not in stops:
                machine.step()
        if machine.halted:
            return
        if machine.pc == prepared.evaluated:
            yield "fitness", prepared.fitness(machine.memory)
        else:
            yield "digest", es.digest(prepared.latents(machine.memory))


def check(task: Task, parameters: Parameters, engine: str = "interpreter") -> None:
    prepared = prepare(task, parameters)
    if engine == "interpreter":
        machine = Interpreter(prepared.program, overflow_trap=True)  # no result may overflow
    else:
        machine = Simulator(prepared.program)
    expected = on_numpy(task, parameters, parameters.steps)
    for number, (ours, numpy) in enumerate(zip(on_machine(machine, prepared), expected, strict=True)):
        assert ours[0] == numpy[0]
        np.testing.assert_array_equal(ours[1], numpy[1], f"{ours[0]} at stop {number}")


@pytest.mark.parametrize("perturb", ["quantized", "factored"])
@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((8, 8), {"population": 10, "rank": 2, "steps": 3}),
        ((8, 8), {"population": 10, "rank": 2, "steps": 3, "shaping": "sign", "seed": -76_293_945_312}),
        ((20, 17), {"population": 4, "rank": 8, "steps": 2, "seed": 1}),
        ((17, 20), {"population": 4, "rank": 5, "steps": 2, "latent": 7}),
        ((6, 9), {"population": 16, "rank": 4, "steps": 3, "latent": 2}),
        ((1, 1), {"population": 2, "rank": 1, "steps": 4}),
        ((4, 1), {"population": 34, "rank": 3, "steps": 4}),  # pairs 17; few fitness values: many ties
        ((1, 7), {"population": 58, "rank": 64, "steps": 2, "seed": 99}),
        ((3, 2), {"population": 520, "rank": 1, "steps": 2}),  # more pairs than a vector has words
        ((3, 256), {"population": 2, "rank": 2, "steps": 1}),
    ],
)
def test_target_is_trained_as_on_numpy(perturb, shape, settings):
    check(Target(*shape), Parameters(perturb=perturb, **settings))


@pytest.mark.parametrize("diagonal", range(1, 12))
def test_target_knows_diagonals_of_every_length(diagonal):
    check(Target(diagonal, diagonal + 1), Parameters(population=2, rank=1, steps=1))
    check(Target(diagonal + 1, diagonal), Parameters(population=2, rank=1, steps=1))


def test_gain_is_that_of_the_parameters():
    parameters = Parameters(population=2, rank=1, steps=7)
    prepared = prepare(Target(1, 1), parameters)
    machine = Interpreter(prepared.program)
    gains = [machine.controls["GAIN"] for kind, _ in on_machine(machine, prepared) if kind == "digest"]
    assert gains == [0, *(parameters.gain(step) for step in range(1, 8))]


def test_digits_are_trained_as_on_numpy_on_the_interpreter():
    check(Digits(), Parameters(population=2, rank=1, steps=1, perturb="factored"))


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        (Target(64, 64), {"steps": 20}),
        (Target(64, 64), {"steps": 20, "perturb": "factored", "rank": 4}),
        (Target(256, 256), {"population": 4, "steps": 1, "rank": 64, "perturb": "factored"}),
        (Digits(), {"population": 64, "steps": 12, "rank": 1, "perturb": "factored"}),  # the images are reused
        (Digits(), {"population": 30, "steps": 2, "rank": 9, "perturb": "factored", "shaping": "sign", "seed": 5}),
    ],
)
def test_full_sizes_are_trained_as_on_numpy_on_the_cycle_level_model(task, settings):
    check(task, Parameters(**settings), "simulator")


@pytest.mark.parametrize("perturb", ["quantized", "factored"])
def test_lanes_are_used(perturb):
    prepared = prepare(Target(), Parameters(perturb=perturb))

    def second_step(lanes: int) -> tuple[int, int]:
        machine = Simulator(prepared.program, Config(lowrank=LowRank(lanes=lanes)))
        seen = []
        for _ in range(3):  # the start, and two steps
            machine.run(stop_at=[prepared.step_done])
            seen.append((machine.cycles, machine.counts["lowrank_busy_cycles"]))
        return seen[2][0] - seen[1][0], seen[2][1] - seen[1][1]

    few, many = second_step(16), second_step(64)
    assert few[0] > 3 * many[0]
    assert many[1] > 0.85 * many[0]


@pytest.mark.parametrize("task", [Target(), Digits()], ids=lambda task: task.name)
def test_only_fitness_grows_with_the_population(task):
    few, many = (memory_map(prepare(task, Parameters(population=n, perturb="factored"))) for n in (100, 20_000))
    grown = {region.name: other.words - region.words for region, other in zip(few, many, strict=True)}
    assert {name: words for name, words in grown.items() if words} == {"fitness": 19_900}


def test_memory_map_has_no_gaps():
    prepared = prepare(Digits(), Digits.defaults)
    end = 0
    for region in memory_map(prepared):
        assert region.first == end
        end += region.words
    assert end == prepared.program.size


@pytest.mark.parametrize("source", ["target", "target_factored", "digits"])
def test_defaults_in_the_sources_are_those_of_the_tasks(source):
    task = Digits() if source == "digits" else Target()
    parameters = task.defaults if source != "target_factored" else Parameters(perturb="factored")
    alone = assemble(PROGRAMS / f"{source}.s")
    assert alone.symbols == prepare(task, parameters).program.symbols


@pytest.mark.parametrize(
    ("defines", "message"),
    [
        ({"POPULATION": 3}, "POPULATION must be even"),
        ({"STEPS": 276_214}, "STEPS is too large"),
        ({"FIRST_GAIN": 15_258_789_063}, "FIRST_GAIN is too large"),
        ({"ROWS": 50_000, "COLS": 50_000}, "a fitness could be too large"),
    ],
)
def test_sources_refuse_what_they_cannot_run(defines, message):
    with pytest.raises(AssemblyError, match=message):
        assemble(PROGRAMS / "target.s", defines)


def black_box(weights):
    return 0


@pytest.mark.parametrize(
    ("task", "settings", "memory", "message"),
    [
        (BlackBox("f", black_box), {}, 5**9, "no program for quantized f; it has some for quantized target"),
        (Target(257, 4), {}, 5**9, "weights is 257x4: the machine takes matrices of up to 256x256"),
        (Target(), {"latent": 8, "population": 2, "steps": 1}, 5**9, "gain .* does not fit its register"),
        (Target(), {"steps": 276_214}, 5**9, "276214 steps are too many"),
        (Target(), {"population": 10_000}, 5**6, "memory has 15,625: set memory.words .* fewer members$"),
        (
            Target(256, 256),
            {"population": 2, "steps": 1},
            5**6,
            "memory has 15,625: set memory.words .* to [0-9]+ or more$",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(task, settings, memory, message):
    with pytest.raises(PentaryError, match=message):
        prepare(task, Parameters(**settings), memory)


def test_with_print_a_program_writes_the_words_of_its_digest() -> None:
    task, parameters = Target(16, 16), Parameters(population=10, rank=2, steps=2, perturb="quantized")
    *_, (_, expected) = on_numpy(task, parameters, 2)
    defines = {"ROWS": 16, "COLS": 16, "POPULATION": 10, "RANK": 2, "STEPS": 2, "PRINT": 1}
    machine = Simulator(assemble(PROGRAMS / "target.s", defines))
    assert machine.run() == "halt"
    lines = "".join(map(chr, machine.take_output())).splitlines()
    assert sha256(np.array(lines, dtype="<i8").tobytes()).hexdigest() == expected
