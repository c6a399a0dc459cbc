"""The computer's side of a board: loads a program through the serial port, and takes what it writes to the console."""

import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

import serial
from serial.tools import list_ports

from pentary.isa.program import Program
from pentary.numbers.word import PentaryError
from pentary.support.messages import some
from pentary_hdl.fpga.protocol import BAUD, BREAK_SECONDS, VERSION, Answer, Status, body, divide, header

PATIENCE: Final = 5.0
"""Seconds until a board is silent."""

_MOMENT: Final = 0.05  # seconds
_CHUNK: Final = 240  # bytes that are written at once: few enough to show progress
_FRAME_BITS: Final = 10
_ENDS: Final = (Status.ENDED, Status.FAULTED)

_WRONG: Final = {
    Status.TOO_LARGE: "the program takes {size:,} words, but the board has memory for {memory:,}",
    Status.WRONG_CRC: "the board has not received what was sent: its CRC is wrong; check the cable, and load again",
    Status.UNKNOWN_VERSION: f"the board's loader does not know version {VERSION} of the protocol: make its bitstream "
    "with this version of pentary",
}


class Board:
    """A board at a serial port: a context manager that closes the port on exit.

    Args:
        port: name of the port, such as /dev/ttyUSB0.
        baud: bits per second on the line.

    Raises:
        PentaryError: the port cannot be opened; in the methods, it is lost.
    """

    def __init__(self, port: str, baud: int = BAUD) -> None:
        """Open the port."""
        self._name, self._baud = port, baud
        self._received = b""
        try:
            self._port = serial.Serial(port, baud, timeout=_MOMENT, write_timeout=PATIENCE, exclusive=True)
        except (OSError, ValueError) as error:
            raise PentaryError(_refusal(port, error)) from error

    def __enter__(self) -> "Board":
        """Return the board."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the port."""
        self._port.close()

    def load(self, program: Program, sent: Callable[[int], None]) -> int:
        """Stop what runs on the board, load a program and start it.

        Args:
            program: the program.
            sent: called with the share of its words that has been sent, in percent.

        Returns:
            Number of words of the board's memory.

        Raises:
            PentaryError: the board is silent, or refuses the program.
        """
        self._break()
        self._write(header(program))
        self._await(Status.READY, program, PATIENCE)
        content = body(program)
        for first in range(0, len(content), _CHUNK):
            self._write(content[first : first + _CHUNK])
            sent(100 * first // len(content))
        # Much of it may still wait in the port.
        return self._await(Status.STARTED, program, PATIENCE + len(content) * _FRAME_BITS / self._baud)

    def console(self, show: Callable[[bytes], None]) -> Answer:
        """Wait for the end of the program that has been loaded.

        Args:
            show: called with what it writes to the console.

        Returns:
            The answer that tells the end.
        """
        while True:
            text, answer, self._received = divide(self._received)
            if text:
                show(text)
            if answer and answer.status in _ENDS:
                return answer
            if not answer:
                self._received += self._read()

    def _break(self) -> None:
        """Make the board wait for a header, and drop what has come from it before."""
        with suppress(OSError):  # not every port can send a break; without it the program must have ended
            self._port.break_condition = True
        try:
            time.sleep(BREAK_SECONDS)
        finally:
            with suppress(OSError):
                self._port.break_condition = False
        self._read()

    def _await(self, expected: Status, program: Program, patience: float) -> int:
        """Return the word of an answer, after what else may still come."""
        until, heard = time.monotonic() + patience, False
        while True:
            text, answer, self._received = divide(self._received)
            heard = heard or bool(text)
            if answer and answer.status == expected:
                return answer.word
            if answer and answer.status in _WRONG:
                raise PentaryError(_WRONG[answer.status].format(size=program.size, memory=answer.word))
            if time.monotonic() > until:
                raise self._silence(heard)
            if not answer:
                self._received += self._read()

    def _read(self) -> bytes:
        try:
            return self._port.read(1 << 16)  # what comes in a moment
        except OSError as error:
            raise self._loss(error) from error

    def _write(self, content: bytes) -> None:
        try:
            self._port.write(content)
        except serial.SerialTimeoutException:
            raise self._silence(False) from None
        except OSError as error:
            raise self._loss(error) from error

    def _silence(self, heard: bool) -> PentaryError:
        what = "what comes is not from a loader" if heard else f"no answer in {PATIENCE:g} seconds"
        return PentaryError(
            f"{self._name}: {what}; check that it is the board's port, that {self._baud} baud are its rate, and that "
            "its bitstream is one of pentary fpga --unit core"
        )

    def _loss(self, error: OSError) -> PentaryError:
        return PentaryError(f"{self._name}: the connection is lost: {error.strerror or error}")


def _refusal(port: str, error: Exception) -> str:
    """Return what to do about a port that cannot be opened."""
    number = getattr(error, "errno", None)
    match number:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            ports = some(sorted(each.device for each in list_ports.comports()))
            return f"there is no port {port}: {f'the ports are {ports}' if ports else 'this computer has none'}"
        case errno.EACCES | errno.EPERM:
            return f"permission denied for {port}: join the group that owns it, often dialout, and log in again"
        case errno.EAGAIN | errno.EBUSY:
            return f"{port} is in use: end the program that has it open"
        case _:
            return f"cannot use {port} as a serial port: {os.strerror(number) if number else error}"
