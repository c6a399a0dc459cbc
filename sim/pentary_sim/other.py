"""Programs on another engine than the model, with the report of a run."""

import json
from collections.abc import Sequence

import click

from pentary.machine import engines
from pentary.machine.console import Console
from pentary.machine.engines import Setup
from pentary.numbers.word import PentaryError
from pentary.support.columns import table
from pentary.support.signals import collected, exit_code
from pentary_sim import report
from pentary_sim.show import show
from pentary_sim.simulator import Simulator


def run_on(engine: str, setup: Setup, max_cycles: int | None, shown: Sequence[str], quiet: bool, as_json: bool) -> None:
    """Run a program on an engine, print what the command `run` prints, and exit with the program's status.

    Only cycles, instructions, scalar registers and memory are known of it.

    Raises:
        PentaryError: the engine cannot run the program, or the program does not end well.
    """
    machine = Simulator(setup.program, setup.config)  # never runs: it takes the state at the end, to be shown
    for what in shown:
        show(machine, what)  # fails before a long run, not after it
    console = Console(shown=not as_json)
    with engines.engine(engine).start(setup, max_cycles) as execution, collected() as pressed:
        for _ in execution:
            console.write(execution.take_output())
            if pressed:
                break
    if pressed:
        click.echo("Interrupted", err=True)
        raise click.exceptions.Exit(exit_code())
    outcome = execution.outcome
    machine.registers[:], machine.memory[:] = outcome.registers, outcome.memory
    found = {what: show(machine, what) for what in shown}
    figures = {
        "cycles": outcome.cycles,
        "instructions": outcome.instructions,
        "cpi": outcome.cycles / outcome.instructions if outcome.instructions else None,
        "traps": outcome.traps,
    }
    if as_json:
        told = {"engine": engine, "ended": outcome.ending, "error": outcome.error, **figures}
        told |= {"registers": outcome.registers.tolist(), "exit_status": outcome.exit_status, "console": console.text}
        click.echo(json.dumps({**told, "shown": {what: part.values for what, part in found.items()}}))
    elif outcome.ending == "halt" and not quiet:
        console.end_line()
        rows = [("cycles", f"{outcome.cycles:,}"), ("instructions", f"{outcome.instructions:,}")]
        if outcome.instructions:
            rows.append(("CPI", f"{figures['cpi']:.3f}"))
        if outcome.traps:
            rows.append(("traps", f"{outcome.traps:,}"))
        halted = f"halted at {setup.program.place(outcome.pc)}"
        click.echo(
            "\n\n".join(
                [
                    halted,
                    table(rows),
                    report.scalar_registers(outcome.registers),
                    *(part.text for part in found.values()),
                ]
            )
        )
    if outcome.error:
        raise PentaryError(outcome.error)
    raise click.exceptions.Exit(outcome.exit_status)
