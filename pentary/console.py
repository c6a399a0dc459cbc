"""How every command ends: exit status 0, 2 for a mistake or a failed write, 130 after Ctrl-C."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EPIPE
from typing import IO, Any

import click

from pentary.asm.errors import AssemblyError
from pentary.word import PentaryError


class _Mistake(click.ClickException):
    exit_code = 2


class _Report(_Mistake):
    """Mistakes whose lines begin with file:line:column, as editors want them."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=file is None)


@contextmanager
def exit_status() -> Iterator[None]:
    """Tell what went wrong in one line, after the user's own traceback if there is one.

    Raises:
        click.ClickException: with exit status 2 for a mistake, and click's Exit with 130 after Ctrl-C.
    """
    try:
        yield
    except AssemblyError as error:
        raise _Report(str(error)) from error
    except PentaryError as error:
        # That of a black box has the traceback of the user's code.
        click.echo(getattr(error, "user_traceback", ""), err=True, nl=False)
        raise _Mistake(str(error)) from error
    except MemoryError as error:
        raise _Mistake(f"there is not enough memory: {error}") from error
    except OSError as error:
        if error.errno == EPIPE:  # the reader of our output has left: click ends quietly
            raise
        raise _Mistake(f"cannot write the output: {error.strerror}") from error
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        raise click.exceptions.Exit(130) from None
