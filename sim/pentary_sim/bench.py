"""Simulation speed of the cycle-level model on the host."""

from itertools import islice
from statistics import median
from time import perf_counter
from typing import Final

from pentary.asm import assemble
from pentary.programs.training import PROGRAMS
from pentary.tasks.target import Target
from pentary_sim.simulator import Simulator
from pentary_sim.training import train

INSTRUCTIONS: Final = 20_000_000
STEPS: Final = 10
ROUNDS: Final = 5


def run(instructions: int = INSTRUCTIONS, steps: int = STEPS, rounds: int = ROUNDS) -> dict[str, float | int]:
    """Measure the model's simulation speed, with caches, branch prediction and timing enabled.

    Args:
        instructions: instructions of the scalar loop simulated per round.
        steps: training steps of `target` with its default parameters per round.
        rounds: number of rounds, of which the median is reported.

    Returns:
        `warm_up_seconds`: time until the first thousand instructions have executed, including compilation or loading of
        compiled code from disk; `instructions`, as given; `instructions_per_second` and `es_steps_per_second`,
        excluding the warm-up.
    """
    start = perf_counter()
    program = assemble(PROGRAMS / "scalar.s")
    Simulator(program).run(max_instructions=1000)
    warm_up = perf_counter() - start
    rates, step_rates = [], []
    for _ in range(rounds):
        machine = Simulator(program)
        start = perf_counter()
        machine.run(max_instructions=instructions)
        rates.append(instructions / (perf_counter() - start))
        records = train(Target(), Target.defaults)
        next(records)
        start = perf_counter()
        done = sum(1 for _ in islice(records, steps))
        step_rates.append(done / (perf_counter() - start))
    return {
        "warm_up_seconds": round(warm_up, 2),
        "instructions": instructions,
        "instructions_per_second": round(median(rates)),
        "es_steps_per_second": round(median(step_rates), 2),
    }
