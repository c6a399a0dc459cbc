"""What a board and a computer send each other when a program is loaded: `architecture/fpga.md` has the table.

Nothing here needs Amaranth: the hardware takes its constants from here, and `pentary load` its messages.
"""

import zlib
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pentary.isa.program import Program
from pentary.numbers.word import PENTS, from_digits, to_digits

BAUD: Final = 115_200

MAGIC: Final = b"\x95PNT"
"""Beginning of a header and of an answer; its first byte is a control character of ISO 8859-1 that no text has."""

VERSION: Final = 1

WORD_BYTES: Final = 6
"""Bytes of a word: three bits for each pent, plus 2, the lowest pent in the lowest bits of the first byte."""

CRC_BYTES: Final = 4

BREAK_BITS: Final = 256
"""A line that is 0 for as many bits is a break; of a byte at 4800 baud it is 0 for at most 216 bits of 115200 baud."""

BREAK_SECONDS: Final = 0.1
"""Length of the break that is sent."""

_DIGIT_BITS: Final = 3
_BIAS: Final = 2


class Status(IntEnum):
    """What an answer says; its word is the exit status after ENDED and FAULTED, else the words of the memory."""

    READY = 1
    """The header is good: the words may come."""

    STARTED = 2
    """The words are good: the program is in memory and runs."""

    TOO_LARGE = 3
    """The program takes more words than there are."""

    WRONG_CRC = 4
    """The header or the words are not what was sent."""

    UNKNOWN_VERSION = 5
    """The header is of another version."""

    ENDED = 6
    """The program that was loaded has ended with HALT."""

    FAULTED = 7
    """It has ended by a fault without a handler."""


class Answer(NamedTuple):
    """An answer of the board."""

    status: Status
    word: int


ANSWER_BYTES: Final = len(MAGIC) + 1 + WORD_BYTES


def header(program: Program) -> bytes:
    """Return the header of a program: what it takes, and how many words follow."""
    sizes = _words([program.size, len(program.image), program.text])
    return MAGIC + _with_crc(bytes([VERSION]) + sizes)


def body(program: Program) -> bytes:
    """Return the words of a program."""
    return _with_crc(_words(program.image))


def answer(given: Answer) -> bytes:
    """Return the bytes of an answer."""
    return MAGIC + bytes([given.status]) + _words([given.word])


def divide(received: bytes) -> tuple[bytes, Answer | None, bytes]:
    r"""Return what a board has written to the console, the first answer after it, and the rest.

    Args:
        received: bytes from a board. A last part that may be the beginning of an answer belongs to the rest.

    >>> divide(b"ab" + answer(Answer(Status.ENDED, -7)) + b"c")
    (b'ab', Answer(status=<Status.ENDED: 6>, word=-7), b'c')
    >>> divide(b"ab\x95PN")
    (b'ab', None, b'\x95PN')
    """
    first = received.find(MAGIC)
    while first >= 0:
        content = received[first + len(MAGIC) : first + ANSWER_BYTES]
        if len(content) < ANSWER_BYTES - len(MAGIC):
            return received[:first], None, received[first:]
        if content[0] in tuple(Status):
            return received[:first], Answer(Status(content[0]), _number(content[1:])), received[first + ANSWER_BYTES :]
        first = received.find(MAGIC, first + 1)
    begun = next(length for length in reversed(range(len(MAGIC))) if received.endswith(MAGIC[:length]))
    return received[: len(received) - begun], None, received[len(received) - begun :]


def _words(numbers: ArrayLike) -> bytes:
    codes = (to_digits(numbers).astype(np.int64) + _BIAS) << _DIGIT_BITS * np.arange(PENTS)
    return codes.sum(axis=-1).astype("<i8").view(np.uint8).reshape(-1, 8)[:, :WORD_BYTES].tobytes()


def _number(content: bytes) -> int:
    code = int.from_bytes(content, "little")
    digits = [(code >> _DIGIT_BITS * place & 7) - _BIAS for place in range(PENTS)]
    return from_digits(np.clip(digits, -_BIAS, _BIAS)).item()


def _with_crc(content: bytes) -> bytes:
    return content + zlib.crc32(content).to_bytes(CRC_BYTES, "little")
