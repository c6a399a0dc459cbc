"""Differential test of the cycle-level model against the interpreter.

The interpreter has no pipeline and shares no arithmetic with the model, so agreement on the entire architectural state
is evidence that the model implements the instruction set as specified.
"""

from typing import Any

import numpy as np

from pentary.interpreter import Interpreter
from pentary.isa.program import Fault, Program
from pentary.randomprogram import random_program
from pentary_sim.config import Config
from pentary_sim.simulator import Simulator


def compare(program: Program, limit: int, config: Config | None = None) -> tuple[int, list[str]]:
    """Run a program on both, and compare how it ends and the entire architectural state.

    Args:
        program: program that ends within `limit` instructions.
        limit: number of instructions after which both stop.
        config: configuration of the model; None for the default.

    Returns:
        Number of instructions executed, and the names of the parts of the state that differ.
    """
    config = config or Config()
    golden = Interpreter(program, config.memory.words, config.exceptions.overflow_trap)
    model = Simulator(program, config)
    endings = [
        _ending(lambda: golden.run(limit)),
        _ending(lambda: model.run(max_instructions=limit)),
    ]
    differences = [] if endings[0] == endings[1] else [f"ending {endings[0]} and {endings[1]}"]
    pairs: dict[str, tuple[Any, Any]] = {
        "pc": (golden.pc, model.pc),
        "instructions": (golden.instructions, model.instructions),
        "registers": (golden.registers, model.registers),
        "flags": (golden.flags, model.flags),
        "ACC": (golden.acc, model.accumulator),
        "VL": (golden.vl, model.vl),
        "memory": (golden.memory, model.memory),
        "vectors": (golden.vectors, model.vectors),
        "fitness": (golden.fitness, model.fitness),
        "controls": (list(golden.controls.values()), list(model.controls.values())),
        "factor A": (golden.factor_a, model.factor_a),
        "factor B": (golden.factor_b, model.factor_b),
        "sums": ([golden.quantised, *golden.sums], [model.quantised, *model.sums]),
        "crossbar": (golden.crossbar, model.crossbar),
        "cycles": (sum(model.causes.values()), model.cycles if model.instructions else 0),
    }
    differences += [name for name, (one, other) in pairs.items() if not np.array_equal(one, other)]
    return model.instructions, differences


def compare_random(first_seed: int, instructions: int, length: int = 300) -> tuple[int, int]:
    """Compare both on random programs, some of which fault, until enough instructions have been executed.

    Args:
        first_seed: seed of the first program; later programs use consecutive seeds.
        instructions: minimum total number of instructions to execute.
        length: number of words in a program's body.

    Returns:
        Number of programs compared, and number of instructions executed.

    Raises:
        AssertionError: a program ends differently; the message contains its seed and the differences.
    """
    done = seed = 0
    while done < instructions:
        faults, trap = seed % 4 == 3, seed % 8 == 7
        program = random_program(first_seed + seed, length, faults=faults)
        config = Config.loads(f"[exceptions]\noverflow_trap = {str(trap).lower()}\n[memory]\nwords = 78125\n")
        executed, differences = compare(program, program.symbols["BOUND"], config)
        assert not differences, (
            f"seed {first_seed + seed}, faults={faults}, trap={trap}: {', '.join(differences)} differ"
        )
        done += executed
        seed += 1
    return seed, done


def _ending(run: Any) -> tuple[str, int, int | None] | None:
    try:
        run()
    except Fault as fault:
        return fault.kind, fault.pc, fault.origin
    return None
