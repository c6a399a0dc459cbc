"""The tables: which commands are tried, under which conditions, and what is expected of them."""

import signal
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Command:
    """A public command as it is tried.

    Attributes:
        arguments: of `pentary`; {place} is the folder that the conditions of folders are about.
        name: of its row, if the arguments are not short enough for that.
        place: what {place} is to it: "folder" of a run, "file" that it writes, or a variable of the environment; or "".
        files: that it writes in {place}; something older stands there before.
        longer: more arguments, with which it works for as long as a late signal needs.
        stdin: what it reads.
        late: when a late signal comes: as soon as there is such a file below {place}; "child": as soon as it has a
            process of its own; after so many seconds of processor time; never, if 0.
        whole: whether it is short enough to be run to its end under each condition.
        expected: exit statuses that differ from those of the condition, by the condition's name.
    """

    name: str
    arguments: tuple[str, ...]
    place: str = ""
    files: tuple[str, ...] = ()
    longer: tuple[str, ...] = ()
    stdin: str = ""
    late: str | float = 3.0
    whole: bool = True
    expected: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def trains(self) -> bool:
        """Whether it leaves the folder of a run."""
        return self.arguments[0] == "train"


@dataclass(frozen=True)
class Condition:
    """What befalls a command.

    Attributes:
        name: heading of its column.
        expected: exit statuses.
        stdout, stderr: "", "closed", "full", or "gone" for a pipe whose reader has left.
        place: "", "missing", "read-only", "full", "filling" (with room for some of what is written) or "deleted".
        number: of a signal.
        when: it comes: "early", as soon as the program catches it; "loading"; "late"; "final", while a run's last files
            are written.
        ignored: whether the program was started to ignore the signal, as nohup does.
        wrong: whether the command line has a mistake.
    """

    name: str
    expected: tuple[int, ...]
    stdout: str = ""
    stderr: str = ""
    place: str = ""
    number: int = 0
    when: str = ""
    ignored: bool = False
    wrong: bool = False


_RUN: Final = ("--out", "{place}/run")
_TINY: Final = ("--steps", "3", "--population", "4", "--rank", "1", "--shape", "16x16", *_RUN)
_READS: Final = (*("--input", "document.txt", "--steps", "2", "--population", "4", "--dim", "16", "--tokens", "2"),)
_LONG: Final = ("--steps", "100000")
_TURNS: Final = ("-D", "TURNS=1000000000")
_MADE: Final = {"folder missing": (0,)}  # as `mkdir -p` would
_ELSEWHERE: Final = {name: (0, 2) for name in ("folder missing", "folder read-only", "disk full", "disk fills up")}
"""Python takes another folder for temporary files if the one that it is told cannot be written."""
_SILENT: Final = {
    name: (2,)
    for name in (
        *("undisturbed", "stdout closed", "stdout full", "stdout gone"),
        *("stderr closed", "stderr full", "stderr gone", "SIGHUP, nohup"),
    )
}
"""No board answers."""


def _training(name: str, *arguments: str, longer: tuple[str, ...] = _LONG) -> Command:
    return Command(name, ("train", *arguments), "folder", longer=longer, late="steps.jsonl", expected=_MADE)


COMMANDS: Final = (
    _training("train target", "target", *_TINY),
    _training("train target sim", "target", "--engine", "sim", *_TINY),
    _training("train target rtl", "target", "--engine", "rtl", *_TINY),
    _training("train digits", "digits", "--steps", "2", "--population", "4", *_RUN),
    _training("train text", "text", *_READS, *_RUN),
    _training("train text sim", "text", "--engine", "sim", *_READS, *_RUN),
    _training("train FILE.py", "mine.py:slow", *_TINY),
    _training(
        "train network",
        *("nets.py:NETWORK", "--data", "nets.py:data", "--steps", "2", "--population", "4", "--batch", "8", *_RUN),
    ),
    Command("export", ("export", "trained", "-o", "{place}/net.s"), "file", ("net.s",), late=0),
    Command("status", ("status", "trained"), late=0),
    Command("run", ("run", "short.s"), longer=_TURNS),
    Command(
        "run --trace",
        ("run", "short.s", "--trace", "{place}/trace.kanata"),
        "file",
        ("trace.kanata",),
        longer=_TURNS,
    ),
    Command(
        "trace",
        ("trace", "short.s", "--out", "{place}/records.csv"),
        "file",
        ("records.csv",),
        longer=_TURNS,
    ),
    Command(
        "profile",
        ("profile", "short.s", "--picture", "{place}/profile.png", "--calls", "{place}/calls.svg"),
        "file",
        ("profile.png", "calls.svg"),
        longer=_TURNS,
    ),
    Command(
        "debug",
        ("debug", "short.s"),
        longer=_TURNS,
        stdin="step\ncontinue\n",
        expected={"SIGINT late": (0,)},  # it stops the program, not the debugger
    ),
    Command("asm", ("asm", "short.s", "-o", "{place}/program.pob"), "file", ("program.pob",), late=0),
    Command("disasm", ("disasm", "short.s"), late=0),
    Command("sample", ("sample", "text"), longer=("--bytes", "10000000")),
    Command("eval", ("eval", "text", "document.txt"), late=1.5),
    Command("bench", ("bench",), whole=False),
    Command("bench sim", ("bench", "sim"), whole=False),
    Command("bench text", ("bench", "text"), whole=False),
    Command("bench kernels", ("bench", "kernels"), whole=False),
    Command(
        "verilog",
        ("verilog", "lralu", "--max-rank", "1", "--max-size", "16", "-o", "{place}/unit.v"),
        "file",
        ("unit.v", "unit.v.json", "unit_tb.v"),
        late=1.5,
    ),
    Command(
        "verify",
        (
            "verify",
            "--simulator",
            "icarus",
            "--max-rank",
            "1",
            "--max-size",
            "16",
            "--seed",
            "1",
            "--operations",
            "0",
        ),
        "TMPDIR",
        late="log.txt",
        whole=False,
        expected=_ELSEWHERE,
    ),
    Command(
        "verify, first time",
        ("verify", "--max-rank", "1", "--max-size", "16", "--operations", "0"),
        "XDG_CACHE_HOME",
        late="*.mk",
        whole=False,
    ),
    Command(
        "train rtl, first time",
        ("train", "target", "--engine", "rtl", *_TINY[:-1], "run"),
        "XDG_CACHE_HOME",
        late="*.mk",
        whole=False,
    ),
    Command("prove", ("prove", "digit-adder"), "TMPDIR", late="child", expected=_ELSEWHERE),
    Command(
        "fpga",
        ("fpga", "hx8k", "--max-rank", "1", "--max-size", "16", "-o", "{place}/unit.bin"),
        "file",
        ("unit.bin",),
        late="child",
        whole=False,
    ),
    Command("load", ("load", "/dev/ptmx", "short.s"), late=0, expected=_SILENT),
    Command("--help", ("--help",), late=0),
    Command("--version", ("--version",), late=0),
)

_SIGNALS: Final = {each.name: each.value for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
_TAKEN: Final = 128 + signal.SIGPIPE

CONDITIONS: Final = (
    Condition("undisturbed", (0,)),
    Condition("stdout closed", (2,), stdout="closed"),
    Condition("stdout full", (2,), stdout="full"),
    Condition("stdout gone", (_TAKEN,), stdout="gone"),
    Condition("stderr closed", (0,), stderr="closed"),
    Condition("stderr full", (0,), stderr="full"),
    Condition("stderr gone", (0,), stderr="gone"),
    Condition("mistake, stderr full", (2,), stderr="full", wrong=True),
    Condition("folder missing", (2,), place="missing"),
    Condition("folder read-only", (2,), place="read-only"),
    Condition("disk full", (2,), place="full"),
    Condition("disk fills up", (0, 2), place="filling"),
    Condition("folder deleted", (2,), place="deleted"),
    *(
        Condition(f"{name} {when}", (128 + number,), number=number, when=when)
        for when in ("early", "loading", "late", "final")
        for name, number in _SIGNALS.items()
    ),
    Condition("SIGHUP, nohup", (0,), number=signal.SIGHUP, when="loading", ignored=True),
)


def applies(command: Command, condition: Condition) -> bool:
    """Return whether a condition can befall a command."""
    if condition.when == "late" and not command.late:
        return False
    if condition.when == "final":
        return command.trains and command.whole
    if condition.place:
        # What takes long is not run to its end; but a folder that does not take the first file ends it soon.
        return bool(command.place) and (command.whole or condition.place in ("read-only", "full"))
    return command.whole or bool(condition.number and not condition.ignored) or condition.wrong
