"""The command `trace`."""

from pathlib import Path

import click

from pentary.cli.console import exit_status
from pentary.cli.options import FILE
from pentary.isa.program import Fault
from pentary.numbers.word import PentaryError
from pentary.support.signals import exit_code
from pentary_sim.commands import machine_options, max_cycles_option, new_machine


@click.command()
@machine_options
@max_cycles_option
@click.option("--out", type=FILE, metavar="FILE.csv", help="File of the model's records.")
@click.option("--against", type=FILE, metavar="FILE.csv", help="Records of a core, to be compared with the model's.")
def trace(
    program: Path,
    config: Path | None,
    defines: dict[str, int],
    input: Path | None,
    interrupts: tuple[int, ...],
    max_cycles: int | None,
    out: Path | None,
    against: Path | None,
) -> None:
    """Run PROGRAM on the model, and write or compare a record of each instruction.

    A record has the address and the word of the instruction, the register, memory and flags that it writes, the trap
    taken in its place, and the cycle: architecture/retire.md. A core that writes such records for the same program is
    checked against the model; only the columns that its file has are compared.

    \b
    Examples:
      pentary trace prog.s --out model.csv
      pentary trace prog.s --against core.csv
    """
    with exit_status():
        from pentary_sim import report
        from pentary_sim.console import Console
        from pentary_sim.drive import drive
        from pentary_sim.retire import RetireFile, read
        from pentary_sim.retire.compare import Comparison

        if (out is None) == (against is None):
            raise PentaryError("say either --out FILE.csv or --against FILE.csv")
        other = read(against) if against else None
        machine = new_machine(program, config, defines, input, interrupts, trace=True)
        recorder = Comparison(machine.program, other) if other is not None else None
        file = RetireFile(out, machine.program) if out else None
        console = Console(error=True)
        try:
            ending = drive(machine, max_cycles, trace=recorder or file, console=console)
        except BaseException:
            if file:
                file.discard()
            raise
        console.end_line()
        if file:
            file.close()
        problem = report.problem(machine, ending, max_cycles)
        if ending == "interrupt":
            click.echo(problem, err=True)
            raise click.exceptions.Exit(exit_code())
        if recorder:
            recorder.check()
            click.echo(recorder.told())
        elif problem and not isinstance(ending, Fault):
            raise PentaryError(problem)
        else:
            click.echo(f"{machine.instructions:,} instructions in {machine.cycles:,} cycles: {problem or 'halted'}")
