"""One cell of the table: a command is run under a condition, and what it does is judged."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any, Final

from safetensors import SafetensorError, safe_open

from endings.tables import Command, Condition
from pentary.asm.objectfile import load_program
from pentary.numbers.word import PentaryError

PROGRAM: Final = (sys.executable, "-m", "pentary")
TINY_NETWORK: Final = ("--steps", "1", "--population", "4", "--batch", "8")
TINY_TEXT: Final = ("--steps", "1", "--population", "4", "--dim", "16", "--tokens", "2")

_LOADING: Final = 0.15  # seconds of processor time, of about 0.8 until the command line is there
_PATIENCE: Final = 300  # seconds until a program is said to hang
_SIZE: Final = 64 << 10  # bytes of a disk
_ROOM: Final = 12 << 10  # bytes left on a disk that fills up
_OLD: Final = b"what was there before"
_ENDS: Final = {
    ".kanata": b"\n",
    ".csv": b"\n",
    ".png": b"IEND\xaeB`\x82",
    ".svg": b"</svg>\n",
    ".v": b"endmodule\n",
    ".json": b"}\n",
    ".bin": b"\x01\x06\x00",
    ".s": b"inputs_end:\n",
}
"""How files end that are whole; a trace that was broken off is whole up to there."""

_COMMENTS: Final = re.compile(rb"(/\*[^*]*\*/\n)+\Z")
"""What may follow the end of Verilog."""

_ALLOWED: Final = ("pentary-run-", ".ses")
"""Temporary files that may stay: a run whose folder takes nothing, and a file of onnxruntime, always the same."""

_MARK: Final = "PENTARY_ENDINGS"
_PROGRESS: Final = re.compile(
    r"(Compiling|Building|Counting|Synthesising|Placing|n-grams|\d-grams|about|step) ?.*|\s*", re.IGNORECASE
)
_SOURCE: Final = ".param TURNS, 10\nLI p2, TURNS\nloop: MUL p1, p2, p2\nDEC p2\nBNZ p2, loop\nHALT\n"
_NETS: Final = """\
import numpy as np
from pentary.nets import Clamp, CrossEntropy, Dense, Input, Sequential

NETWORK = Sequential(Input(4), Dense(8), Clamp(62, "relu"), Dense(2), Clamp(312), loss=CrossEntropy())


def data():
    return np.random.default_rng(0).normal(size=(40, 4)), np.arange(40) % 2
"""
_BOX: Final = "import time\n\ndef slow(weights):\n    time.sleep(0.02)\n    return int(weights.sum())\n"


class Skipped(Exception):
    """This computer does not allow the condition."""


@dataclass
class Outcome:
    """What a command did.

    Attributes:
        status: its exit status, as a shell gives it.
        told: the lines on standard error that are no progress.
        kept: whether a run that was broken off is in a folder, with weights, result and reason.
        broken: the rules that it breaks, in words.
    """

    status: int
    told: list[str]
    kept: bool = False
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """What stands in the table."""
        lines = len(self.told) if len(self.told) > 1 and self.broken else bool(self.told)
        told = ["", ", a line", f", {lines} lines"][min(int(lines), 2)]
        return f"{self.status}{told}{', kept' if self.kept else ''}{' **broken**' if self.broken else ''}"


def prepare(folder: Path) -> None:
    """Make what the commands read: sources, a language model, and a trained network."""
    write_sources(folder)
    for arguments in (
        ("text", "--input", "document.txt", *TINY_TEXT, "--out", "text"),
        ("nets.py:NETWORK", "--data", "nets.py:data", *TINY_NETWORK, "--out", "trained"),
    ):
        subprocess.run([*PROGRAM, "train", *arguments], cwd=folder, check=True, capture_output=True)


def write_sources(folder: Path) -> None:
    """Write what most of the commands read."""
    (folder / "short.s").write_text(_SOURCE)
    (folder / "mine.py").write_text(_BOX)
    (folder / "nets.py").write_text(_NETS)
    (folder / "document.txt").write_text("".join(f"{n} times {n} is {n * n}.\n" for n in range(3000)))


def run(command: Command, condition: Condition, inputs: Path) -> Outcome:
    """Run a command under a condition.

    Args:
        command: of the table.
        condition: that applies to it.
        inputs: from `prepare`.

    Raises:
        Skipped: this computer does not allow the condition.
    """
    sandbox = Path(mkdtemp(prefix="pentary-endings-"))
    try:
        shutil.copytree(inputs, sandbox, dirs_exist_ok=True)
        place = sandbox / "place"
        temporary = sandbox / "temporary"
        temporary.mkdir()
        with _place(place, condition.place, command.files):
            environment = {**os.environ, "TMPDIR": str(temporary), _MARK: str(sandbox)}
            if command.place.isupper():
                environment[command.place] = str(place)
            outcome = _run(command, condition, sandbox, environment)
            _judge(outcome, command, condition, sandbox)
        return outcome
    finally:
        shutil.rmtree(sandbox, ignore_errors=True)


@contextmanager
def _place(place: Path, state: str, files: tuple[str, ...]) -> Iterator[None]:
    """Make the folder in which something is written; older files are in it, unless it is missing."""
    if state == "missing":
        yield
        return
    place.mkdir()
    mounted = state in ("read-only", "full", "filling")
    if mounted and _mount("-t", "tmpfs", "-o", f"size={_SIZE}", "pentary", str(place)):
        raise Skipped("only root can mount a disk to be filled")
    try:
        for name in files:
            (place / name).write_bytes(_OLD)
        if state == "read-only":
            _mount("-o", "remount,ro", str(place))
        elif mounted:
            filler = place / "filler"
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            if state == "filling":
                os.truncate(filler, filler.stat().st_size - _ROOM)
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=False)


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], stderr=subprocess.DEVNULL, check=False).returncode


def _run(command: Command, condition: Condition, sandbox: Path, environment: dict[str, str]) -> Outcome:
    place = sandbox / "place"
    arguments = [each.replace("{place}", "place") for each in command.arguments]
    if condition.when == "late" or (condition.place == "deleted" and command.trains):
        arguments += command.longer
    if condition.wrong:
        arguments.append("--no-such-option")
    begin = f"trap '' {condition.number}; " if condition.ignored else ""
    closing = "".join(f" {n}>&-" for n, how in ((1, condition.stdout), (2, condition.stderr)) if how == "closed")
    (sandbox / "stdin").write_text(command.stdin)
    with ExitStack() as streams:
        process = subprocess.Popen(
            ["sh", "-c", f'{begin}exec "$@"{closing}', "sh", *PROGRAM, *arguments],
            cwd=sandbox,
            env=environment,
            stdin=streams.enter_context((sandbox / "stdin").open()),
            stdout=streams.enter_context(_stream(condition.stdout, sandbox / "stdout")),
            stderr=streams.enter_context(_stream(condition.stderr, sandbox / "stderr")),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores it
            start_new_session=True,
        )
    try:
        if condition.number:
            _await(process, condition.when, command, place)
            # A terminal sends Ctrl-C and its end to all of a job; `kill` ends one process.
            send = os.kill if condition.number == signal.SIGTERM else os.killpg
            with suppress(ProcessLookupError):
                send(process.pid, condition.number)
        elif condition.place == "deleted":
            _await(process, "late" if command.late in ("child", "steps.jsonl") else "loading", command, place)
            _delete(place)
        status = process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return Outcome(137, [], broken=["hangs"])
    told = (sandbox / "stderr").read_text(errors="replace") if not condition.stderr else ""
    return Outcome(status if status >= 0 else 128 - status, _message(told))


def _delete(place: Path) -> None:
    """Delete a folder even while a command is writing into it."""
    while place.exists():
        shutil.rmtree(place, ignore_errors=True)


def _stream(how: str, path: Path) -> IO[bytes]:
    """Open what a standard stream goes to; the file if nothing befalls it."""
    if how != "gone":
        return Path("/dev/full" if how == "full" else path).open("wb")
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "wb")


def _await(process: subprocess.Popen[bytes], when: str, command: Command, place: Path) -> None:
    """Wait for the moment of a signal, or for the end of the process."""

    def exists(name: str) -> bool:
        return any(path.stat().st_size for path in place.glob(f"**/{name}"))

    moments: dict[str, Callable[[], bool]] = {
        "early": lambda: _catches(process.pid),
        "loading": lambda: _catches(process.pid) and _busy(process.pid) > _LOADING,
        "final": lambda: exists("result.json"),
    }
    reached = moments.get(when, lambda: True)
    if when == "late":
        match command.late:
            case "child":
                reached = lambda: bool(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())  # noqa: E731
            case str(name):
                reached = lambda: exists(name)  # noqa: E731
            case seconds:
                reached = lambda: _busy(process.pid) > seconds  # noqa: E731
    until = time.monotonic() + _PATIENCE
    while process.poll() is None:
        with suppress(OSError):  # it has ended in the meantime
            if reached():
                return
        if time.monotonic() > until:
            raise subprocess.TimeoutExpired("pentary", _PATIENCE)
        time.sleep(0.005)


def _catches(pid: int) -> bool:
    """Return whether a process catches SIGTERM: whether its own program has begun, and not only Python."""
    caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(caught and int(caught[1], 16) >> signal.SIGTERM - 1 & 1)


def _busy(pid: int) -> float:
    """Return the seconds of processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _message(told: str) -> list[str]:
    """Return the lines that are no progress, up to the state of a machine, which follows an empty line."""
    lines = told.splitlines()
    message = [line for line in lines if not _PROGRESS.fullmatch(line)]
    if message and message[0] in lines and "" in (after := lines[lines.index(message[0]) :]):
        message = [line for line in after[: after.index("")] if not _PROGRESS.fullmatch(line)]
    if message and message[0].startswith("Usage: "):  # two lines, and the third tells what is wrong
        message = message[-1:]
    return message


def _judge(outcome: Outcome, command: Command, condition: Condition, sandbox: Path) -> None:
    """Find the rules that are broken."""
    broken, place = outcome.broken, sandbox / "place"
    expected = command.expected.get(condition.name, condition.expected)
    ended = outcome.status == 0 and condition.number and not (condition.when == "late" and command.longer)
    if outcome.status not in expected and not ended and not broken:
        broken.append(f"status {outcome.status}, not {' or '.join(map(str, expected))}")
    if any("Traceback" in line or "Exception ignored" in line for line in outcome.told):
        broken.append("a traceback")
    elif len(ending := [line for line in outcome.told if not line.startswith("Warning: ")]) > 1:
        broken.append(f"{len(ending)} lines")
    if outcome.status == 2 and not outcome.told and not condition.stderr:
        broken.append("no message")
    for name in command.files:
        path = place / name
        content = path.read_bytes() if path.exists() else None
        if condition.place not in ("missing", "deleted") and content != _OLD and not _is_whole(path):
            broken.append(f"{name} is {'gone' if content is None else 'neither the old one nor a whole new one'}")
    left = [path for path in sandbox.glob("**/.pentary-*")] + [path for path in sandbox.glob("**/new-*")]
    left += [path for path in (sandbox / "temporary").iterdir() if not path.name.startswith(_ALLOWED)]
    if command.place == "TMPDIR" and place.exists():
        left += [path for path in place.iterdir() if path.name != "filler"]
    left = [path for path in left if not (path.suffix == ".log" and any(path.name in line for line in outcome.told))]
    if left:
        broken.append(f"left behind: {', '.join(sorted({re.sub('[0-9]+', 'N', path.name) for path in left}))}")
    if survivors := _survivors(sandbox):
        broken.append(f"still running: {', '.join(survivors)}")
    if command.trains:
        _judge_run(outcome, condition, sandbox)


def _judge_run(outcome: Outcome, condition: Condition, sandbox: Path) -> None:
    """See whether what has been trained is kept."""
    folders = {
        path.parent
        for name in ("steps.jsonl", "result.json")
        for path in sandbox.glob(f"**/{name}")
        if path.parent.name not in ("text", "trained")
    }
    found = [folder for folder in folders if (folder / "result.json").exists()]
    for folder in found:
        result: dict[str, Any] = json.loads((folder / "result.json").read_text())
        steps = folder / "steps.jsonl"
        lines = steps.read_text().splitlines() if steps.exists() else []
        try:
            with safe_open(folder / "weights.safetensors", "numpy") as file:
                digest = (file.metadata() or {})["digest"]
        except (OSError, SafetensorError) as error:
            outcome.broken.append(f"no weights: {error}")
            continue
        if digest != result["digest"]:
            outcome.broken.append("the weights are not those of the result")
        elif lines and folder.name == "run" and json.loads(lines[-1])["digest"] != digest:
            outcome.broken.append("the weights are not those of the last step")
        told = {"deleted": "error"}.get(condition.place) or (condition.when == "late" and "interrupted")
        if told and told not in result:
            outcome.broken.append("no reason in the result")
        outcome.kept = outcome.status != 0
    if folders and not found:
        outcome.broken.append("no result")
    if outcome.status == 0 and not any((folder / "health.png").exists() for folder in found):
        outcome.broken.append("no pictures")


def _is_whole(path: Path) -> bool:
    """Return whether a file is complete, judged by its end."""
    if path.suffix == ".pob":
        try:
            return load_program(path).size > 0
        except PentaryError:
            return False
    return path.exists() and _COMMENTS.sub(b"", path.read_bytes()).endswith(_ENDS[path.suffix])


def _survivors(sandbox: Path) -> list[str]:
    """Name the processes that a command has left behind, and end them."""
    names = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{_MARK}={sandbox}\0".encode() in (process / "environ").read_bytes():
                names.append((process / "comm").read_text().strip())
                os.kill(int(process.name), signal.SIGKILL)
    return names
