"""Interactive debugger for the cycle-level model, with commands from a terminal or a pipe."""

import cmd
import re
import sys
from collections.abc import Collection
from typing import Any, Final, NamedTuple

import click
import numpy as np

from pentary.asm import disassemble_word
from pentary.asm.errors import suggestion
from pentary.asm.expressions import Expression
from pentary.asm.vocabulary import NUMBERS
from pentary.isa.program import Fault
from pentary.isa.system import trap_name
from pentary.isa.table import CALLS, STACK
from pentary.machine.console import Console
from pentary.numbers.word import PentaryError
from pentary.support.columns import table
from pentary.support.messages import shortened
from pentary.support.signals import Terminated, terminated
from pentary_sim import report
from pentary_sim.drive import drive
from pentary_sim.expression import evaluate, read, write
from pentary_sim.show import WHERE, Shown, count, crossbar_row, elements, find, instruction, memory, pents, show
from pentary_sim.simulator import Simulator

_SHORT: Final = {
    "s": "step",
    "n": "next",
    "c": "continue",
    "f": "finish",
    "b": "break",
    "w": "watch",
    "d": "delete",
    "i": "info",
    "l": "list",
    "r": "registers",
    "p": "print",
    "m": "memory",
    "v": "vectors",
    "u": "unit",
    "x": "crossbar",
    "e": "set",
    "t": "stats",
    "a": "restart",
    "h": "help",
    "q": "quit",
}
"""Command names by their one-letter abbreviation, in the order in which `help` lists them."""

_RETURNS: Final = ("RET", "TRET")

_FOOTNOTES: Final = f"An empty line is a step. WHERE is {WHERE}."


class _Condition(NamedTuple):
    """The condition of a breakpoint, as it was written and as it is evaluated."""

    text: str
    expression: Expression


class Debugger(cmd.Cmd):
    """Command loop for one machine; the docstring of each `do_` method is the help text of its command.

    Args:
        machine: the machine to run and inspect.
    """

    def __init__(self, machine: Simulator) -> None:
        """Create a debugger without breakpoints, at the machine's next instruction.

        Raises:
            PentaryError: there is no standard input.
        """
        if sys.stdin is None:
            raise PentaryError("commands are read from standard input, and it is closed")
        super().__init__()
        self.prompt = "(pentary) " if sys.stdin.isatty() else ""
        self._machine, self._program = machine, machine.program
        self._breakpoints: dict[int, _Condition | None] = {}
        self._watched: dict[str, Shown] = {}
        self._console, self._traps = Console(), 0

    def converse(self) -> None:
        """Execute commands until `quit` or the end of the input; Ctrl-C does not end the loop.

        Raises:
            PentaryError: the input is not text.
        """
        click.echo(f"{report.counted(self._program.text, 'instruction')}; `help` lists the commands")
        self._show_place()
        while True:
            try:
                return self.cmdloop()
            except Terminated:
                raise
            except KeyboardInterrupt:
                click.echo("\n`quit` leaves")
            except UnicodeDecodeError:
                raise PentaryError("the input is not text") from None

    def precmd(self, line: str) -> str:
        """Expand an abbreviated command, and translate end of file to `quit`."""
        command, argument, _ = self.parseline(line)
        if command in _SHORT:
            return f"{_SHORT[command]} {argument}"
        return "quit" if line == "EOF" else line

    def onecmd(self, line: str) -> bool:
        """Execute one command; an invalid command prints an error and has no effect."""
        try:
            return bool(super().onecmd(line))
        except PentaryError as error:
            click.echo(f"Error: {error}")
            return False

    def emptyline(self) -> bool:
        """Execute `step` for an empty line."""
        return self.onecmd("step")

    def default(self, line: str) -> None:
        """Raise PentaryError for an unknown command."""
        name = line.split()[0]
        raise PentaryError(
            f"there is no command {shortened(name)!r}{suggestion(name, _SHORT.values())}; `help` lists them"
        )

    def completedefault(self, *ignored: Any) -> list[str]:
        """Return the program's symbols that begin with the text typed so far, which is the first argument."""
        return [name for name in self._program.symbols if name.startswith(ignored[0])]

    def do_step(self, arg: str) -> None:
        """step [N]: execute N instructions, or one; a trap ends it"""
        self._go(self._machine.instructions + (count(arg) if arg else 1), also={self._machine.csrs["HANDLER"]} - {0})

    def do_next(self, arg: str) -> None:
        """next: execute one instruction, a call with all that it calls"""
        _nothing(arg)
        back, stack = self._machine.pc + 1, self._machine.registers[STACK].item()
        if self._named(back - 1) not in CALLS:
            return self.do_step("")
        while True:
            ending = self._run(also={back})
            is_back = ending == "breakpoint" and self._machine.pc == back
            # A recursive call returns to the same address, but with a deeper stack.
            if not is_back or self._stops(back) or self._machine.registers[STACK].item() >= stack:
                return self._tell_stop(ending)

    def do_continue(self, arg: str) -> None:
        """continue: run to a breakpoint, to the end or to Ctrl-C"""
        _nothing(arg)
        self._go()

    def do_finish(self, arg: str) -> None:
        """finish: run until the present subroutine or trap handler has returned"""
        _nothing(arg)
        depth = 0
        turns = {pc for pc in range(self._program.text) if self._named(pc) in (*CALLS, *_RETURNS)}
        while True:
            name, traps = self._named(self._machine.pc), self._machine.counts["traps"]
            depth += (name in CALLS) - (name in _RETURNS)
            if depth < 0:
                return self._go(self._machine.instructions + 1)
            ending = self._run(also=turns)
            depth += self._machine.counts["traps"] - traps
            if ending != "breakpoint" or self._machine.pc not in turns or self._stops(self._machine.pc):
                return self._tell_stop(ending)

    def do_break(self, arg: str) -> None:
        """break WHERE [if EXPR]: stop before the instruction there, if EXPR is not 0"""
        where, _, text = (part.strip() for part in arg.partition(" if "))
        address = instruction(self._program, where)
        self._breakpoints[address] = _Condition(text, read(self._machine, text)) if text else None
        click.echo(f"breakpoint at {self._program.place(address)}{f' if {text}' if text else ''}")

    def do_watch(self, arg: str) -> None:
        """watch NAME: stop when what `print` shows changes; this slows the run"""
        self._watched[arg] = show(self._machine, arg)
        click.echo(self._watched[arg].text)

    def do_delete(self, arg: str) -> None:
        """delete [WHERE]: forget the breakpoint there or what is watched, or all"""
        if arg in self._watched:
            del self._watched[arg]
        elif arg:
            address = find(self._program, arg)
            if address not in self._breakpoints:
                raise PentaryError(f"there is no breakpoint at {self._program.place(address)}")
            del self._breakpoints[address]
        else:
            self._breakpoints.clear()
            self._watched.clear()

    def do_info(self, arg: str) -> None:
        """info breaks: list the breakpoints, and what is watched"""
        if arg not in ("", "breaks"):
            raise PentaryError(f"there is no information about {shortened(arg)!r}; `info breaks` lists the breakpoints")
        listed = report.listing(self._program, sorted(self._breakpoints), self._machine.pc)
        conditions = [
            f"{self._program.place(address)} if {condition.text}"
            for address, condition in sorted(self._breakpoints.items())
            if condition
        ]
        watched = [f"watching {name}" for name in self._watched]
        click.echo("\n".join(filter(None, [listed, *conditions, *watched])) or "no breakpoints")

    def do_list(self, arg: str) -> None:
        """list [WHERE]: show the instructions around the next one, or around WHERE"""
        address = instruction(self._program, arg or str(self._machine.pc))
        click.echo(report.around(self._program, address, self._machine.pc))

    def do_registers(self, arg: str) -> None:
        """registers: show all scalar registers, in decimal and pents"""
        _nothing(arg)
        click.echo(report.registers(self._machine, everything=True))

    def do_print(self, arg: str) -> None:
        """print NAME: show p3, v2, f0, pc, flags, acc, vl, KEY, CYCLE, a constant, WHERE:COUNT"""
        click.echo(show(self._machine, arg).text)

    def do_memory(self, arg: str) -> None:
        """memory WHERE [N]: show N words, or ten; those of the program as instructions, too"""
        where, _, number = arg.partition(" ")
        first = find(self._program, where)
        click.echo(memory(self._machine, first, count(number.strip()) if number else None).text)

    def do_vectors(self, arg: str) -> None:
        """vectors [vN]: show a vector register, or all that are not 0"""
        names = [name.lower() for name in NUMBERS["vector"]]
        if arg and arg.lower() not in names:
            raise PentaryError(f"there is no vector register {shortened(arg)!r}; they are {names[0]}..{names[-1]}")
        click.echo(f"VL = {self._machine.vl}")
        for name, vector in zip(names, self._machine.vectors, strict=True):
            if arg.lower() == name or (not arg and vector.any()):
                click.echo(elements(name, vector.tolist()))

    def do_unit(self, arg: str) -> None:
        """unit: show the low-rank unit: controls, factors of the pair, row sums"""
        _nothing(arg)
        controls = self._machine.controls
        click.echo("  ".join(f"{name} {value}" for name, value in controls.items()))
        for name, vectors, length in (
            ("A", self._machine.factor_a, controls["ROWS"]),
            ("B", self._machine.factor_b, controls["COLS"]),
        ):
            for number, vector in enumerate(vectors[: controls["RANK"], :length].tolist()):
                click.echo(f"{f'{name}[{number}]':6} {pents(vector)}")
        click.echo(elements("S", self._machine.sums.tolist()))

    def do_crossbar(self, arg: str) -> None:
        """crossbar [ROW]: show a row of the crossbar, or all rows that are not 0"""
        if arg and not re.fullmatch("[0-9]{1,9}", arg):
            raise PentaryError(f"{shortened(arg)!r} is not the number of a row")
        rows = [int(arg)] if arg else np.flatnonzero(np.any(self._machine.crossbar, axis=1)).tolist()
        click.echo("\n".join(crossbar_row(self._machine, row).text for row in rows) or "all rows are 0")

    def do_set(self, arg: str) -> None:
        """set NAME = EXPR: change p3, f0, pc, vl, KEY, TIMER, or the word at WHERE"""
        name, equals, text = (part.strip() for part in arg.partition("="))
        if not (name and equals):
            raise PentaryError("expected set NAME = EXPRESSION")
        write(self._machine, name, self._number(name, text))
        self._watched = {each: show(self._machine, each) for each in self._watched}
        click.echo(show(self._machine, name).text)

    def _number(self, name: str, text: str) -> int:
        """Return the value of an expression; for what holds an address of the program, a label stands for its own."""
        if name.upper() in ("PC", "HANDLER", "EPC") and text in self._program.labels:
            return self._program.symbols[text]
        return evaluate(self._machine, read(self._machine, text))

    def do_stats(self, arg: str) -> None:
        """stats: show cycles and where they went, so far"""
        _nothing(arg)
        click.echo(report.figures(self._machine))

    def do_restart(self, arg: str) -> None:
        """restart: switch the machine on again; breakpoints and watches stay"""
        _nothing(arg)
        self._machine, self._traps = self._machine.again(), 0
        self._watched = {name: show(self._machine, name) for name in self._watched}
        self._show_place()

    def do_help(self, arg: str) -> None:
        """help [COMMAND]: list the commands"""
        short_of = {name: short for short, name in _SHORT.items()}
        name = _SHORT.get(arg, arg)
        if name and name not in short_of:
            self.default(name)
        helps = [(command, str(getattr(self, f"do_{command}").__doc__)) for command in ([name] if name else short_of)]
        click.echo(table((short_of[command], *text.split(": ", 1)) for command, text in helps))
        if not name:
            click.echo(_FOOTNOTES)

    def do_quit(self, arg: str) -> bool:
        """quit: leave"""
        _nothing(arg)
        return True

    def _go(self, max_instructions: int | None = None, also: Collection[int] = ()) -> None:
        self._tell_stop(self._run(max_instructions, also))

    def _run(self, max_instructions: int | None = None, also: Collection[int] = ()) -> str | Fault:
        """Run to a breakpoint whose condition holds, to an address in `also`, or until something watched changes.

        Returns:
            What `drive` does.

        Raises:
            Terminated: a signal ends the program.
        """
        watch = self._changes if self._watched else None
        while True:
            stops = {*self._breakpoints, *also}
            ending = drive(
                self._machine, max_instructions=max_instructions, stop_at=stops, watch=watch, console=self._console
            )
            if ending == "interrupt" and terminated():
                raise Terminated
            here = self._machine.pc
            if ending != "breakpoint" or here in also or self._stops(here):
                return ending

    def _changes(self) -> bool:
        """Print what has changed of what is watched, and return whether anything has."""
        changed = False
        for name, before in self._watched.items():
            now = show(self._machine, name)
            if now.values != before.values:
                changed = True
                told = f"{name}: {before.values} -> {now.values}" if isinstance(now.values, int) else now.text
                click.echo(told)
                self._watched[name] = now
        return changed

    def _stops(self, address: int) -> bool:
        """Return whether there is a breakpoint whose condition holds, or cannot be evaluated."""
        condition = self._breakpoints.get(address)
        if condition is None:
            return address in self._breakpoints
        try:
            return bool(evaluate(self._machine, condition.expression))
        except PentaryError:
            return True

    def _tell_stop(self, ending: str | Fault) -> None:
        self._console.end_line()
        self._console = Console()
        csrs, traps = self._machine.csrs, self._machine.counts["traps"]
        if traps > self._traps:
            place = report.place(self._program, csrs["EPC"])
            click.echo(f"{trap_name(csrs['CAUSE'])} at {place}{', the last of several' * (traps > self._traps + 1)}")
        self._traps = traps
        problem = report.problem(self._machine, ending)
        if ending == "halt":
            status = self._machine.exit_status
            click.echo(f"the program has halted{f' with exit status {status}' if status else ''}")
        elif problem:
            click.echo(f"Error: {problem}" if isinstance(ending, Fault) else problem)
        elif self._stops(self._machine.pc):
            if condition := self._breakpoints[self._machine.pc]:
                try:
                    evaluate(self._machine, condition.expression)
                except PentaryError as error:
                    click.echo(f"Error: {condition.text}: {error}")
            click.echo("breakpoint")
        self._show_place()

    def _show_place(self) -> None:
        if 0 <= self._machine.pc < self._program.text:
            click.echo(report.listing(self._program, [self._machine.pc], self._machine.pc))

    def _named(self, pc: int) -> str:
        """Return the mnemonic of the instruction at an address, "" if there is none."""
        return disassemble_word(int(self._program.image[pc])).split()[0] if 0 <= pc < self._program.text else ""


def _nothing(argument: str) -> None:
    if argument:
        raise PentaryError(f"nothing was expected after the command, not {shortened(argument)!r}")
