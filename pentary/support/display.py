"""Lines for a person that are never what ends a program: a display that cannot be written is done without."""

from contextlib import suppress
from typing import Final

import click

UNWRITABLE: Final = (OSError, ValueError)
"""What writing to a standard stream raises: ValueError if the user's code, in our process, has closed it."""


def say(text: str, nl: bool = True) -> None:
    """Tell something on standard error, such as what takes long; if that cannot be written, nothing is told."""
    with suppress(*UNWRITABLE):
        click.echo(text, err=True, nl=nl)


def show(text: str) -> None:
    """Show on standard output what a run is about; if that cannot be written, the run goes on without."""
    with suppress(*UNWRITABLE):
        click.echo(text)
