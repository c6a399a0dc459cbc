"""What a program reads and writes as text: its input, and the console."""

import sys
from pathlib import Path
from typing import Final

import click

from pentary.asm.objectfile import is_standard_input
from pentary.numbers.word import PentaryError
from pentary.support.messages import shortened

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


class Console:
    """Text that a program writes to the console.

    Attributes:
        text: all of it so far.
    """

    def __init__(self, shown: bool = True, error: bool = False) -> None:
        """Create a console.

        Args:
            shown: whether the text is also printed as it comes.
            error: whether to standard error instead of standard output.
        """
        self.text = ""
        self._shown, self._error = shown, error

    def write(self, words: list[int]) -> None:
        """Write characters, given by their code points; what is none becomes U+FFFD."""
        text = "".join(map(_character, words))
        self.text += text
        if self._shown and text:
            click.echo(text, nl=False, err=self._error)

    def end_line(self) -> None:
        """End a line that has been begun, and leave an empty one, if anything has been printed."""
        if self._shown and self.text:
            click.echo("\n" if not self.text.endswith("\n") else "", err=self._error)


def _character(word: int) -> str:
    is_character = 0 <= word < 0x110000 and not 0xD800 <= word < 0xE000
    return chr(word) if is_character else _REPLACEMENT


def read_input(path: Path) -> list[int]:
    """Return the characters of a text file, or of standard input ("-"), as code points.

    Raises:
        PentaryError: it cannot be read, or is not UTF-8.
    """
    name = "standard input" if is_standard_input(path) else shortened(str(path))
    try:
        if not is_standard_input(path):
            content = path.read_bytes()
        elif sys.stdin is None:
            raise PentaryError("the input is read from standard input, and it is closed")
        else:
            content = sys.stdin.buffer.read()
        return [ord(character) for character in content.decode()]
    except OSError as error:
        raise PentaryError(f"cannot read the input {name}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise PentaryError(f"{name}: byte {error.start} is not UTF-8; the input must be text") from None
