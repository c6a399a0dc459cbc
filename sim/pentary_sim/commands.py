"""The commands `run`, `profile` and `debug`.

Modules that compile the model are imported only when a command runs, so that `pentary --help` stays fast.
"""

import json
import re
from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pentary.cli.console import exit_status
from pentary.cli.machine import engine_option, machine_options, max_cycles_option, set_up
from pentary.cli.options import FILE, json_option
from pentary.isa.program import Fault
from pentary.numbers.word import PentaryError
from pentary.support.signals import deferred, exit_code

if TYPE_CHECKING:
    from pentary_sim.profile import By
    from pentary_sim.simulator import Simulator


def _cycles(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[float, float] | None:
    """Parse FIRST:LAST, of which either may be omitted; None if the option is not given."""
    if text is None:
        return None
    match = re.fullmatch("([0-9]{0,18}):([0-9]{0,18})", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is not FIRST:LAST, such as 5000:6000, :6000 or 5000:")
    first, last = int(match[1] or 0), int(match[2]) if match[2] else inf
    if first > last:
        raise click.BadParameter(f"{text!r} ends before it begins")
    return first, last


@click.command()
@machine_options
@engine_option
@max_cycles_option
@click.option("--show", "shown", metavar="WHAT", multiple=True, help="Show WHAT after the run; may be repeated.")
@click.option("--trace", type=FILE, metavar="FILE", help="File of every instruction: .kanata, .vcd or .json.")
@click.option(
    "--trace-cycles",
    "cycles",
    metavar="FIRST:LAST",
    callback=_cycles,
    help="Trace these cycles only; either end may be left out.",
)
@click.option("--quiet", is_flag=True, help="Print what the program writes to the console, and nothing else.")
@json_option()
def run(
    program: Path,
    config: Path | None,
    defines: dict[str, int],
    input: Path | None,
    interrupts: tuple[int, ...],
    engine: str,
    max_cycles: int | None,
    shown: tuple[str, ...],
    trace: Path | None,
    cycles: tuple[float, float] | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run PROGRAM on the cycle-level model, or on the core's Verilog.

    PROGRAM is a source (.s) or an object file, or - for either from standard input. The output lists the cycles by
    cause, the hit rates, and the registers that are not 0. What the program writes to the console comes first, and the
    exit status is the one that it has stored to EXIT. If it faults without a handler, or does not halt, the state of
    the machine goes to standard error.

    \b
    WHAT is one of
      p3, v2, f0, acc, vl, KEY     a register, also a control register
      pc, flags                    the program counter, the flags that are set
      NAME                         a constant, or the word at a label
      LABEL:COUNT, ADDRESS:COUNT   words of memory
      x:ROW                        a row of the crossbar

    \b
    Examples:
      pentary run pentary/programs/target.s -D STEPS=3 --show weights:64
      pentary run prog.s --config machine.toml --trace prog.kanata
      generate | pentary run -
      pentary run filter.s --input in.txt --quiet > out.txt
      pentary run prog.s --config small.toml --engine core
    """
    with exit_status():
        from pentary.machine.console import Console
        from pentary_sim import report
        from pentary_sim.drive import drive
        from pentary_sim.show import show
        from pentary_sim.trace import open_trace

        if cycles and not trace:
            raise PentaryError("--trace-cycles says which cycles go to the file of --trace, and there is none")
        if engine != "sim":
            if trace:
                raise PentaryError(f"--trace is of the model: pentary trace --engine {engine} writes retire records")
            from pentary_sim.other import run_on

            run_on(engine, set_up(program, config, defines, input, interrupts), max_cycles, shown, quiet, as_json)
            return
        machine = new_machine(program, config, defines, input, interrupts, trace is not None)
        console = Console(shown=not as_json)
        for what in shown:
            show(machine, what)  # fails before a long run, not after it
        with ExitStack() as stack:
            with deferred():  # a signal between the opening of the file and the `with` would leave it behind
                writer = stack.enter_context(open_trace(trace, machine.program, cycles)) if trace else None
            ending = drive(machine, max_cycles, trace=writer, console=console)
        if not quiet:
            console.end_line()
        found = {what: show(machine, what) for what in shown}
        if as_json:
            told = report.as_json(machine, ending, report.problem(machine, ending, max_cycles))
            told["console"] = console.text
            click.echo(json.dumps({**told, "shown": {what: part.values for what, part in found.items()}}))
        else:
            parts = [part.text for part in found.values()]
            if ending == "halt" and not quiet:
                halted = f"halted at {machine.program.place(machine.pc)}"
                parts = [halted, report.figures(machine), report.registers(machine), *parts]
            if parts:
                click.echo("\n\n".join(parts))
        _conclude(machine, ending, max_cycles)


@click.command()
@machine_options
@max_cycles_option
@click.option("--by", type=click.Choice(["label", "line", "address"]), default="label", show_default=True, help="Rows.")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Rows before one for the rest.")
@click.option("--picture", type=FILE, metavar="FILE.png", help="Draw the profile by label, too.")
@click.option(
    "--calls", type=FILE, metavar="FILE.svg", help="Draw a flame graph of the calls; or FILE.folded, its lines."
)
@click.option("--between", nargs=2, metavar="FIRST LAST", help="Count only from the place FIRST until LAST is reached.")
@json_option()
def profile(
    program: Path,
    config: Path | None,
    defines: dict[str, int],
    input: Path | None,
    interrupts: tuple[int, ...],
    max_cycles: int | None,
    by: "By",
    top: int,
    picture: Path | None,
    calls: Path | None,
    between: tuple[str, str] | None,
    as_json: bool,
) -> None:
    """Run PROGRAM, a file or - for standard input, and show where its cycles went.

    The rows are labels, lines of the source or addresses, the longest first. A program that faults, or does not halt,
    gets its profile up to there. What it writes to the console goes to standard error. FIRST and LAST are labels,
    LABEL+N, addresses or FILE:LINE.

    \b
    Examples:
      pentary profile pentary/programs/target.s -D STEPS=3 --picture target.png
      pentary profile prog.s --by line --between kernel kernel_end --calls prog.svg
    """
    with exit_status():
        from pentary.asm.objectfile import STANDARD_INPUT, is_standard_input
        from pentary.machine.console import Console
        from pentary_sim import calls as call_profiles
        from pentary_sim import profile as profiles
        from pentary_sim.drive import drive, drive_between
        from pentary_sim.show import instruction

        if picture and picture.suffix.lower() != ".png":
            raise PentaryError(f"cannot draw {picture}: pictures are PNG, so the name must end in .png")
        if calls:
            call_profiles.check_name(calls)
        machine = new_machine(program, config, defines, input, interrupts, calls is not None)
        console = Console(error=True)
        profiles.rows(machine.program, machine.profile, by)  # fails before a long run, not after it
        tree = call_profiles.CallProfile(machine.program) if calls else None
        if between:
            first, last = (instruction(machine.program, place) for place in between)
            ending, counted, entered = drive_between(machine, first, last, max_cycles, tree, console)
            if not entered and ending == "halt":
                raise PentaryError(f"the program halts, but never reaches {between[0]}")
        else:
            ending, counted = drive(machine, max_cycles, trace=tree, console=console), machine.profile
        console.end_line()
        if as_json:
            click.echo(json.dumps(profiles.as_json(machine.program, counted, by)))
        else:
            click.echo(profiles.table(machine.program, counted, by, top), nl=False)
        name = STANDARD_INPUT.name if is_standard_input(program) else program.name
        if picture:
            profiles.picture(picture, machine.program, counted, name)
        if calls and tree:
            call_profiles.write(calls, tree.root, name)
        _conclude(machine, ending, max_cycles)


@click.command()
@machine_options
def debug(
    program: Path,
    config: Path | None,
    defines: dict[str, int],
    input: Path | None,
    interrupts: tuple[int, ...],
) -> None:
    """Run PROGRAM in the debugger, with commands from standard input.

    `help` lists the commands. Ctrl-C stops a running program, but does not leave the debugger.
    """
    with exit_status():
        from pentary.asm.objectfile import is_standard_input
        from pentary_sim.debugger import Debugger

        if is_standard_input(program):
            raise PentaryError("commands are read from standard input, so the program cannot be: give it as a file")
        if input is not None and is_standard_input(input):
            raise PentaryError("commands are read from standard input, so the input cannot be: give it as a file")
        Debugger(new_machine(program, config, defines, input, interrupts)).converse()


def new_machine(
    path: Path,
    config: Path | None,
    defines: dict[str, int],
    input: Path | None,
    interrupts: tuple[int, ...],
    trace: bool = False,
) -> "Simulator":
    """Return a machine with a program, for the options of `machine_options`.

    Raises:
        PentaryError: a file cannot be read, or is wrong.
    """
    from pentary_sim.simulator import Simulator

    setup = set_up(path, config, defines, input, interrupts)
    return Simulator(setup.program, setup.config, trace, setup.input, setup.interrupts)


def _conclude(machine: "Simulator", ending: str | Fault, max_cycles: int | None) -> None:
    """Exit with the program's status; report an error or interrupt, if any, with the machine state and its status."""
    from pentary_sim import report

    problem = report.problem(machine, ending, max_cycles)
    if problem is None:
        raise click.exceptions.Exit(machine.exit_status)
    if ending == "halt":
        raise PentaryError(problem)
    told = f"{problem}\n\n{report.state(machine, ending)}"
    if ending != "interrupt":
        raise PentaryError(told)
    click.echo(told, err=True)
    raise click.exceptions.Exit(exit_code())
