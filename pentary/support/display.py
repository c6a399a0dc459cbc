"""Messages for people; failures to write them are ignored and never end a program."""

from contextlib import suppress
from typing import Final

import click

UNWRITABLE: Final = (OSError, ValueError)
"""Exceptions of writing to a standard stream; ValueError if user code in this process has closed it."""


def say(text: str, nl: bool = True) -> None:
    """Print a message on standard error, if that can be written."""
    with suppress(*UNWRITABLE):
        click.echo(text, err=True, nl=nl)


def show(text: str) -> None:
    """Print a text on standard output, if that can be written."""
    with suppress(*UNWRITABLE):
        click.echo(text)
