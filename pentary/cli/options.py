"""Options that several commands share."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from pentary.asm.lexer import tokenize
from pentary.isa.table import LOWRANK_HARDWARE
from pentary.support.messages import in_words

FILE: Final = click.Path(path_type=Path)
"""Type of a parameter that is the path of a file or folder."""

MACHINE: Final = click.Option(
    ["--config"], type=FILE, metavar="FILE.toml", help="Settings of the machine of sim and core."
)
"""Option of the engines that train by a program for the processor."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def json_option(help: str = "Print one JSON object.") -> Decorator:
    """Return the option --json, which a command gets as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help)


def lowrank_options(defaults: Mapping[str, int] | None = None) -> Decorator:
    """Return options for the parameters of a low-rank unit in hardware.

    Args:
        defaults: the parameters to choose, and their values if they are not given; None for all of
            `pentary.isa.table.LOWRANK_HARDWARE`, with the values of a preset.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(list(LOWRANK_HARDWARE if defaults is None else defaults)):
            words = in_words(LOWRANK_HARDWARE[name])
            text = f"{words[0].upper()}{words[1:]}"
            flag = f"--{name.replace('_', '-')}"
            if defaults is None:
                command = click.option(flag, type=int, help=f"{text}, instead of the preset's.")(command)
            else:
                command = click.option(flag, type=int, default=defaults[name], show_default=True, help=f"{text}.")(
                    command
                )
        return command

    return decorate


def _defines(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, int]:
    """Return the values of NAME=VALUE options by name; a callback of click."""
    values: dict[str, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        match tokenize(value.removeprefix("-")):
            case [token] if name and token.kind == "number":
                number = -token.value if value.startswith("-") else token.value
                if values.setdefault(name, number) != number:
                    raise click.BadParameter(f"{name} is given two values, {values[name]} and {number}")
            case _:
                raise click.BadParameter(f"{text!r} is not NAME=VALUE with an integer value")
    return values


define_option: Final = click.option(
    "-D",
    "defines",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_defines,
    help="Value for a constant that the source declares with .param.",
)
"""Option of every command that takes a source; the command gets a dict from names to values."""
