"""Output streams and exit status of all commands.

Exit status: 0 for success; 1 for an internal error of pentary; 2 for a user error or a failed write; 128 plus the
number of the signal that ended it (130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP, 141 if the reader of the output
has closed the pipe).
"""

import codecs
import errno
import io
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Final, NoReturn

import click

from pentary.asm.errors import AssemblyError
from pentary.numbers.notation import ASCII_GLYPHS, GLYPHS
from pentary.numbers.word import PentaryError
from pentary.support import signals
from pentary.support.display import UNWRITABLE, say

_CLOSED_PIPE: Final = 128 + signal.SIGPIPE
_ASCII: Final = "ascii-with-pents"


class _Mistake(click.ClickException):
    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        with suppress(*UNWRITABLE):  # the exit status still reports it
            super().show(file)


class _Report(_Mistake):
    """User errors whose lines begin with file:line:column, as editors expect them."""

    def show(self, file: IO[Any] | None = None) -> None:
        with suppress(*UNWRITABLE):
            click.echo(self.message, file=file, err=file is None)


class UnexpectedError(click.ClickException):
    """Internal error of pentary, reported in one line because its traceback is kept elsewhere."""

    exit_code = 1


@contextmanager
def exit_status() -> Iterator[None]:
    """Turn an exception of the body into a one-line message, after any traceback of user code, and an exit status.

    Raises:
        click.ClickException: with exit status 2 for a user error.
        click.exceptions.Exit: after a signal, or when the reader of the output has closed the pipe.
    """
    try:
        yield
    except AssemblyError as error:
        raise _Report(str(error)) from error
    except PentaryError as error:
        say(getattr(error, "user_traceback", ""), nl=False)  # traceback of a black-box function, which is user code
        raise _Mistake(str(error)) from error
    except MemoryError as error:
        raise _Mistake(f"there is not enough memory: {error}") from error
    except BrokenPipeError:
        raise click.exceptions.Exit(_CLOSED_PIPE) from None
    except OSError as error:
        raise _Mistake(f"cannot write the output: {error.strerror or error}") from error
    except KeyboardInterrupt:
        warnings.simplefilter("ignore")  # of hardware that is only half described, for one
        say("Interrupted.")
        raise click.exceptions.Exit(signals.exit_code()) from None
    except EOFError as error:  # click would take it for an abort by the user
        raise RuntimeError("unexpected end of data") from error


def conduct(command: click.Command) -> NoReturn:
    """Run a command line, and exit with its status; a signal between two commands ends it as one in a command does."""
    try:
        status = command.main(prog_name="pentary", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except click.Abort:
        say("Interrupted.")
        status = signals.exit_code()
    sys.exit(status if isinstance(status, int) else 0)


class _Unwritable(io.TextIOBase):
    """Stand-in for a standard stream that was closed at the start: writing raises an OSError, as for other files."""

    def write(self, text: str) -> NoReturn:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def prepare_streams() -> None:
    """Make the standard streams safe to use.

    Closed standard descriptors are opened on /dev/null, so that no file opened later takes their numbers; pents are
    written in ASCII where the encoding of an output has no glyphs for them.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    sys.stdout, sys.stderr = sys.stdout or _Unwritable(), sys.stderr or _Unwritable()
    spell_pents_in_ascii()


def spell_pents_in_ascii() -> None:
    """Make standard output and standard error replace characters that their encoding lacks: see `_in_ascii`."""
    codecs.register_error("pents", _in_ascii)
    codecs.register(_find_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            plain = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if plain else None, errors="pents")


def _find_ascii(name: str) -> codecs.CodecInfo | None:
    """Return the ASCII codec under another name: click writes UTF-8 to streams whose encoding is called ASCII."""
    if name.replace("_", "-") != _ASCII:
        return None
    ascii = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii.encode,
        ascii.decode,
        ascii.streamreader,
        ascii.streamwriter,
        ascii.incrementalencoder,
        ascii.incrementaldecoder,
        name=_ASCII,
    )


def release_streams() -> None:
    """Discard output that cannot be written, since a second attempt at Python's exit would change the exit status."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # user code may have set them to None
        try:
            stream.flush()
        except UNWRITABLE:
            with suppress(*UNWRITABLE):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Return what replaces characters that cannot be encoded: ASCII for pents, question marks for the others."""
    assert isinstance(error, UnicodeEncodeError)
    ascii_of = dict(zip(GLYPHS, ASCII_GLYPHS, strict=True))
    return "".join(ascii_of.get(glyph, "?") for glyph in error.object[error.start : error.end]), error.end
