"""`pentary load` at a pseudo-terminal, with a board in Python that answers as `architecture/fpga.md` says."""

import os
import signal
import subprocess
import sys
import threading
import tty
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial
from click.testing import CliRunner, Result
from serial.tools.list_ports_common import ListPortInfo

from pentary.asm import assemble_text
from pentary.asm.objectfile import save
from pentary.cli.commands import main
from pentary_hdl.fpga import host

MAGIC = b"\x95PNT"
READY, STARTED, TOO_LARGE, WRONG_CRC, UNKNOWN_VERSION, ENDED, FAULTED = range(1, 8)
SOURCE = ".param N, 2\nstart: li p1, N\nload p2, -1(p1)\nhalt\n.data\n.word -7629394531, 1\n.space 3\n"


def word(number: int) -> bytes:
    raised = number + (5**16 - 1) // 2
    return sum(raised // 5**place % 5 << 3 * place for place in range(16)).to_bytes(6, "little")


def answer(status: int, number: int = 15625) -> bytes:
    return MAGIC + bytes([status]) + word(number)


class Board(threading.Thread):
    """A board that takes parts of so many bytes, and sends something after each.

    Attributes:
        port: its port.
        got: the parts.
    """

    def __init__(self, says: Sequence[tuple[int, bytes]]) -> None:
        super().__init__()
        self._says, (self._line, self._kept) = says, os.openpty()
        tty.setraw(self._kept)
        self.port = os.ttyname(self._kept)
        self.got: list[bytes] = []

    def run(self) -> None:
        for count, says in self._says:
            part = b""
            while len(part) < count:
                part += os.read(self._line, count - len(part))
            self.got.append(part)
            os.write(self._line, says)

    def close(self) -> None:
        os.write(self._kept, bytes(1000))  # what it still waits for
        self.join()
        os.close(self._line)
        os.close(self._kept)


@contextmanager
def board(*says: tuple[int, bytes]) -> Iterator[Board]:
    made = Board(says)
    made.start()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "p.s").write_text(SOURCE)
    return tmp_path / "p.s"


def load(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["load", *map(str, arguments)])


HEADER, BODY = 4 + 1 + 3 * 6 + 4, 5 * 6 + 4


@pytest.mark.parametrize("form", ["source", "object"])
def test_a_program_is_sent_and_its_console_is_shown(form: str, source: Path) -> None:
    program = assemble_text(SOURCE, "p.s", {"N": -5} if form == "source" else None)
    given: list[str | Path] = [source, "-D", "N=-5"]
    if form == "object":
        save(program, source.with_suffix(".pob"))
        given = [source.with_suffix(".pob")]
    console = b"caf\xe9 " + MAGIC[:3] + b"\n" + MAGIC + b"\x00\x95"
    ends = console + answer(ENDED, 7) + b"later"
    with board((HEADER, b"stale" + answer(READY)), (BODY, answer(STARTED) + ends)) as made:
        result = load(made.port, *given)
    assert (result.exit_code, result.stdout) == (7, console.decode("latin-1"))
    assert result.stderr == "Loaded 3 instructions, 8 words of 15,625.\n"
    sizes, words = b"\1" + word(8) + word(5) + word(3), b"".join(map(word, program.image.tolist()))
    assert made.got[0] == MAGIC + sizes + zlib.crc32(sizes).to_bytes(4, "little")
    assert made.got[1] == words + zlib.crc32(words).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ([], "no answer in 0.3 seconds; check that it is the board's port, that 9600 baud are its rate, and that"),
        ([(HEADER, b"hello")], "what comes is not from a loader; check that it is the board's port"),
        ([(HEADER, answer(READY)[:9])], "no answer in 0.3 seconds"),
        ([(HEADER, answer(TOO_LARGE, 5))], "the program takes 8 words, but the board has memory for 5"),
        ([(HEADER, answer(WRONG_CRC))], "the board has not received what was sent: its CRC is wrong"),
        ([(HEADER, answer(UNKNOWN_VERSION))], "does not know version 1 of the protocol: make its bitstream"),
        ([(HEADER, answer(READY)), (BODY, b"")], "no answer in 0.3 seconds"),
        ([(HEADER, answer(READY)), (BODY, answer(WRONG_CRC))], "the board has not received what was sent"),
        (
            [(HEADER, answer(READY)), (BODY, answer(STARTED) + answer(FAULTED, 0))],
            "a fault without a handler has ended the program: pentary run tells which one",
        ),
        (
            [(HEADER, answer(READY)), (BODY, answer(STARTED) + answer(ENDED, -1))],
            "the program ends with the exit status -1, outside 0..255",
        ),
    ],
)
def test_what_goes_wrong_on_the_board_is_one_line(
    says: Sequence[tuple[int, bytes]], told: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "PATIENCE", 0.3)
    with board(*says) as made:
        result = load(made.port, source, "--baud", "9600")
    assert (result.exit_code, result.stdout) == (2, "")
    *_, error = result.stderr.splitlines()
    assert error.startswith("Error: ") and told in error
    assert len(result.stderr.splitlines()) == 1 + ("Loaded" in result.stderr)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["INT", "TERM", "HUP"],
)
def test_a_signal_ends_the_command_while_it_waits_for_the_board(number: int, status: int, source: Path) -> None:
    with board((HEADER, b"")) as made:
        process = subprocess.Popen(
            [sys.executable, "-m", "pentary", "load", made.port, str(source)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores it
        )
        made.join()
        process.send_signal(number)
        assert process.communicate() == (b"", b"Interrupted.\n")
    assert process.returncode == status


def test_a_port_that_goes_away_is_told(source: Path) -> None:
    line, port = os.openpty()
    name = os.ttyname(port)

    def leave() -> None:
        os.read(line, HEADER)
        os.close(port)
        os.close(line)

    thread = threading.Thread(target=leave)
    thread.start()
    result = load(name, source)
    thread.join()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {name}: the connection is lost: ") and result.stderr.count("\n") == 1


def test_a_port_that_is_missing_or_none_is_told(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports: list[str] = []
    monkeypatch.setattr(host.list_ports, "comports", lambda: [ListPortInfo(name) for name in ports])
    assert load("nowhere", source).stderr == "Error: there is no port nowhere: this computer has none\n"
    ports += ["/dev/ttyUSB1", "/dev/ttyUSB0"]
    told = "Error: there is no port nowhere: the ports are /dev/ttyUSB0, /dev/ttyUSB1\n"
    assert load("nowhere", source).stderr == told
    for place in (source, source.parent, "/dev/null"):
        result = load(place, source)
        assert result.exit_code == 2 and result.stderr.startswith(f"Error: cannot use {place} as a serial port: ")
        assert result.stderr.count("\n") == 1


def test_a_port_that_may_not_be_used_is_told(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise serial.SerialException(13, "could not open port")

    with board() as made, serial.Serial(made.port, exclusive=True):
        assert load(made.port, source).stderr == f"Error: {made.port} is in use: end the program that has it open\n"
    monkeypatch.setattr(serial, "Serial", refuse)
    told = "Error: permission denied for /dev/x: join the group that owns it, often dialout, and log in again\n"
    assert load("/dev/x", source).stderr == told


def test_a_wrong_program_is_told_before_the_port_is_opened(source: Path) -> None:
    source.write_text("walk p1\n")
    result = load("nowhere", source)
    assert result.exit_code == 2 and "p.s:1:1: " in result.stderr


def test_a_missing_library_is_told_with_its_extra(source: Path) -> None:
    code = (
        "import sys; sys.modules['serial'] = None; from pentary.cli.commands import main; "
        f"main(['load', 'nowhere', {str(source)!r}])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    told = "Error: loading programs needs serial: pip install 'pentary[fpga]'\n"
    assert (result.returncode, result.stderr) == (2, told)


def test_the_bar_shows_how_much_has_been_sent(source: Path) -> None:
    source.write_text("halt\n.data\n" + ".word 7\n" * 1000)
    shares: list[int] = []
    body = 1001 * 6 + 4
    with board((HEADER, answer(READY)), (body, answer(STARTED))) as made, host.Board(made.port) as opened:
        assert opened.load(assemble_text(source.read_text()), shares.append) == 15625
    assert shares == sorted(shares) and shares[0] == 0 and 90 < shares[-1] <= 100 and len(set(shares)) > 20
