"""The command `trace`."""

from pathlib import Path

import click

from pentary.cli.console import exit_status
from pentary.cli.machine import engine_option, machine_options, max_cycles_option, set_up
from pentary.cli.options import FILE
from pentary.numbers.word import PentaryError
from pentary.support.signals import collected, deferred, exit_code


@click.command()
@machine_options
@engine_option
@max_cycles_option
@click.option("--out", type=FILE, metavar="FILE.csv", help="File of the records.")
@click.option("--against", type=FILE, metavar="FILE.csv", help="Records of a core, to be compared with these.")
def trace(
    program: Path,
    config: Path | None,
    defines: dict[str, int],
    input: Path | None,
    interrupts: tuple[int, ...],
    engine: str,
    max_cycles: int | None,
    out: Path | None,
    against: Path | None,
) -> None:
    """Run PROGRAM on an engine, and write or compare a record of each instruction.

    A record has the address and the word of the instruction, the register, memory and flags that it writes, the trap
    taken in its place, and the cycle: architecture/retire.md. A core that writes such records for the same program is
    checked against the model; only the columns that its file has are compared.

    \b
    Examples:
      pentary trace prog.s --out model.csv
      pentary trace prog.s --against core.csv
      pentary trace prog.s --config small.toml --engine core --out core.csv
    """
    with exit_status():
        from pentary.machine import engines
        from pentary.machine.comparison import Comparison
        from pentary.machine.console import Console
        from pentary.machine.retire import RetireFile, read

        if (out is None) == (against is None):
            raise PentaryError("say either --out FILE.csv or --against FILE.csv")
        other = read(against) if against else None
        setup = set_up(program, config, defines, input, interrupts)
        comparison = Comparison(setup.program, other) if other is not None else None
        console, file = Console(error=True), None
        try:
            with deferred():  # a signal between the opening of the file and the assignment would leave it behind
                file = RetireFile(out) if out else None
            with engines.engine(engine).start(setup, max_cycles) as execution, collected() as pressed:
                for records in execution:
                    for taker in filter(None, (file, comparison)):
                        taker.add(records)
                    console.write(execution.take_output())
                    if pressed:
                        break
        except BaseException:
            if file:
                file.discard()
            raise
        console.end_line()
        if file:
            file.close()
        if pressed:
            click.echo("Interrupted", err=True)
            raise click.exceptions.Exit(exit_code())
        outcome = execution.outcome
        if comparison:
            comparison.check()
            click.echo(comparison.told())
        elif outcome.error and outcome.ending != "fault":
            raise PentaryError(outcome.error)
        else:
            ran = f"{outcome.instructions:,} instructions in {outcome.cycles:,} cycles"
            click.echo(f"{ran}: {outcome.error or 'halted'}")
