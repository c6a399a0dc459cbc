"""What every command does with its output and its end.

Exit status: 0; 1 for a fault of pentary itself; 2 for a mistake or a failed write; 128 and the number of the signal
that ended it (130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP, 141 where the reader of the output has left).
"""

import codecs
import errno
import io
import os
import signal
import sys
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
        with suppress(*UNWRITABLE):  # the exit status still tells it
            super().show(file)


class _Report(_Mistake):
    """Mistakes whose lines begin with file:line:column, as editors want them."""

    def show(self, file: IO[Any] | None = None) -> None:
        with suppress(*UNWRITABLE):
            click.echo(self.message, file=file, err=file is None)


class UnexpectedError(click.ClickException):
    """A fault of pentary itself, told in one line because its traceback has been kept elsewhere."""

    exit_code = 1


@contextmanager
def exit_status() -> Iterator[None]:
    """Tell what went wrong in one line, after the user's own traceback if there is one.

    Raises:
        click.ClickException: with exit status 2 for a mistake.
        click.exceptions.Exit: after a signal, or when the reader of the output has left.
    """
    try:
        yield
    except AssemblyError as error:
        raise _Report(str(error)) from error
    except PentaryError as error:
        say(getattr(error, "user_traceback", ""), nl=False)  # that of a black box, whose code is the user's
        raise _Mistake(str(error)) from error
    except MemoryError as error:
        raise _Mistake(f"there is not enough memory: {error}") from error
    except BrokenPipeError:
        raise click.exceptions.Exit(_CLOSED_PIPE) from None
    except OSError as error:
        raise _Mistake(f"cannot write the output: {error.strerror or error}") from error
    except KeyboardInterrupt:
        say("Interrupted.")
        raise click.exceptions.Exit(signals.exit_code()) from None
    except EOFError as error:  # click would take it for the user's wish to leave
        raise RuntimeError("unexpected end of data") from error


class _Unwritable(io.TextIOBase):
    """In place of a standard stream that was closed before we began: writing to it is an error, as for other files."""

    def write(self, text: str) -> NoReturn:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def prepare_streams() -> None:
    """Make the standard streams safe to use.

    Descriptors that are closed are given to nothing, so that no file of ours takes their numbers; pents are spelled in
    ASCII where an output has no glyphs for them.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    sys.stdout, sys.stderr = sys.stdout or _Unwritable(), sys.stderr or _Unwritable()
    spell_pents_in_ascii()


def spell_pents_in_ascii() -> None:
    """Let standard output and standard error replace glyphs that their encoding lacks."""
    codecs.register_error("pents", _in_ascii)
    codecs.register(_find_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            plain = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if plain else None, errors="pents")


def _find_ascii(name: str) -> codecs.CodecInfo | None:
    """Return ASCII under a name of ours: click writes UTF-8 to streams whose encoding is called ASCII."""
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
    """Forget what cannot be written, lest Python tries again at its end and changes the exit status."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # the user's code may have left none
        try:
            stream.flush()
        except UNWRITABLE:
            with suppress(*UNWRITABLE):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Spell pents in ASCII where an output has no glyphs for them; what else it lacks becomes a question mark."""
    assert isinstance(error, UnicodeEncodeError)
    ascii_of = dict(zip(GLYPHS, ASCII_GLYPHS, strict=True))
    return "".join(ascii_of.get(glyph, "?") for glyph in error.object[error.start : error.end]), error.end
