"""Runs that are killed, lose power or find their files altered: they go on bit for bit, or say why not.

    python research/resuming.py     writes resuming.json and .md in its folder; a quarter of an hour

A run is killed (SIGKILL) at random moments and goes on from its newest checkpoint, of which there is one after every
step. Its digest, its results and all its records are then those of an undisturbed run, but for the time that they took.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Final
from unittest.mock import patch

from click.testing import CliRunner, Result

import sources
from pentary.cli.commands import main as pentary
from pentary.numbers.word import PentaryError
from pentary.runs import checkpoint, resuming
from pentary.runs.folder import RunFolder
from pentary.tasks.running.run import TaskRun
from powerloss import Disk, recorded

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "resuming.json"
SEED: Final = 16

RUNS: Final = {
    "target": (100, ("target", "--shape", "16x16", "--population", "20", "--steps", "2000")),
    "text": (100, ("text", "--dim", "8", "--population", "16", "--steps", "1500")),
    "sim": (20, ("target", "--engine", "sim", "--shape", "16x16", "--population", "20", "--steps", "400")),
}
"""Numbers of kills, and runs."""

ALTERED: Final = 10_000
"""Folders of which a file is altered."""

LOSSES: Final = 20
"""Power losses after each write."""

TIMES: Final = frozenset(
    (
        "seconds",
        "evaluations_per_second",
        "member_tokens_per_second",
        "gmacs_per_second",
        "out",
        "bits_per_byte_members",
    )
)
"""What differs from run to run; which steps of a language model have records depends on the time, too."""


_MESSAGES: Final = ("Error: ", "Warning: ")


@dataclass(frozen=True)
class Killed:
    """What became of a run.

    Attributes:
        kills: that it has survived.
        in_training: of them, those after which it had made steps since the one before.
        runs: that were needed for as many.
        differences: names of results, and steps, that are not those of the undisturbed run.
    """

    kills: int
    in_training: int
    runs: int
    differences: tuple[str, ...]


def command(*arguments: str | Path) -> list[str]:
    """Return a command line of pentary."""
    return [sys.executable, "-m", "pentary", *map(str, arguments)]


def killed(arguments: tuple[str, ...], kills: int, seed: int, place: Path) -> Killed:
    """Kill a run until it has been killed as often as it has to be, and compare it with one that was left alone."""
    rng, whole = Random(seed), place / "whole"
    began = monotonic()
    alone = _done(command("train", *arguments, "--out", whole, "--checkpoint", "1", "--json"))
    lasts = monotonic() - began
    began = monotonic()
    _done(command("train", "--resume", whole, "--json"))
    start = monotonic() - began  # the time before and after the training
    done, moved, runs, different = 0, 0, 0, set[str]()
    while done < kills:
        runs += 1
        folder, before = place / str(runs), -1
        begin = command("train", *arguments, "--out", folder, "--checkpoint", "1", "--json")
        while True:
            goes_on = bool(checkpoint.files(folder))
            if not goes_on:
                shutil.rmtree(folder, ignore_errors=True)
            line = command("train", "--resume", folder, "--checkpoint", "1", "--json") if goes_on else begin
            process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                moment = rng.uniform(start / 3, start + 2 * max(0.0, lasts - start) / kills)
                said, told = process.communicate(timeout=moment if done < kills else None)
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                done += 1
                reached = max((step for step, _ in checkpoint.files(folder)), default=-1)
                moved, before = moved + (reached > before), reached
        if process.returncode:
            raise SystemExit(f"the run ends with status {process.returncode}: {told}")
        result = json.loads(said)
        different |= {name for name in alone if name not in TIMES and alone[name] != result[name]}
        different |= _unlike(whole, folder)
    return Killed(done, moved, runs, tuple(sorted(different)))


def _done(line: list[str]) -> dict[str, Any]:
    return json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)


def _unlike(whole: Path, folder: Path) -> set[str]:
    """Return what differs in the records of the steps that both have, and gaps."""
    ours, theirs = (
        [json.loads(line) for line in (each / "steps.jsonl").read_text().splitlines()] for each in (whole, folder)
    )
    known = {line["step"]: line for line in ours}
    steps = [line["step"] for line in theirs]
    found = {"order of the records"} if steps != sorted(set(steps)) else set[str]()
    if steps[-1] != ours[-1]["step"] or ("fitness" in ours[0] and steps != [line["step"] for line in ours]):
        found.add("steps of the records")
    for line in theirs:
        same = known.get(line["step"], {})
        found |= {name for name in same if name not in TIMES | {"tied", "health"} and line[name] != same[name]}
    return found


def train(*arguments: str | Path) -> Result:
    """Train in this process, without pictures."""
    with patch.object(TaskRun, "pictures", lambda run: iter(())):
        return CliRunner().invoke(pentary, ["train", *map(str, arguments)])


def altered(count: int, seed: int, place: Path) -> dict[str, int]:
    """Alter a file in the folder of a broken-off run, let it go on, and count how that ends.

    Raises:
        SystemExit: it ends neither with the right digest nor with a message.
    """
    rng = Random(seed)
    whole, half = place / "whole", place / "half"
    options = ("--shape", "8x6", "--population", "4", "--steps", "6", "--checkpoint", "1")
    keep = RunFolder.keep

    def keep_and_copy(folder: RunFolder, now: bool = False) -> None:
        keep(folder, now)
        if (whole / checkpoint.FOLDER / checkpoint.name_of(3)).exists() and not half.exists():
            shutil.copytree(whole, half)

    with patch.object(RunFolder, "keep", keep_and_copy):
        train("target", *options, "--out", whole)
    right = _digests(whole)
    counts = {"goes on": 0, "goes on from the checkpoint before": 0, "refused": 0}
    for number in range(count):
        folder = place / "altered"
        shutil.copytree(half, folder)
        what = _alter(folder, rng)
        done = train("--resume", folder, "--checkpoint", "1000")
        case = f"seed {seed}, case {number}, {what}"
        if done.exit_code == 0:
            if _digests(folder) != right and not what.endswith("facts"):
                raise SystemExit(f"{case}: it goes on wrongly")
            counts["goes on from the checkpoint before" if "taken is that" in done.stderr else "goes on"] += 1
        elif (
            done.exit_code == 2 and done.stderr.startswith(("Error: ", "Warning: ")) and "Traceback" not in done.stderr
        ):
            counts["refused"] += 1
        else:
            raise SystemExit(f"{case}: status {done.exit_code}, {done.stderr} {done.exception!r}")
        shutil.rmtree(folder)
    return counts


def _digests(folder: Path) -> list[tuple[int, str]]:
    """Return the steps and digests of a run's records."""
    lines = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
    return [(line["step"], line["digest"]) for line in lines]


def _alter(folder: Path, rng: Random) -> str:
    """Alter a file, and return how."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    likely = [path for path in files if path.parent.name == checkpoint.FOLDER or path.name == "steps.jsonl"]
    path = rng.choice(likely if rng.random() < 0.8 else files)
    content = bytearray(path.read_bytes())
    kind = rng.choice(("bit", "bytes", "cut", "longer", "gone", "empty", "digit", "facts", "moved"))
    place = rng.randrange(max(1, len(content)))
    match kind:
        case "bit" if content:
            content[place] ^= 1 << rng.randrange(8)
        case "bytes":
            content[place : place + rng.randrange(1, 20)] = rng.randbytes(rng.randrange(20))
        case "cut":
            del content[place:]
        case "longer":
            content += rng.randbytes(rng.randrange(1, 100))
        case "empty":
            content.clear()
        case "digit":
            digits = [at for at, byte in enumerate(content[:2000]) if chr(byte).isdigit()] or [0]
            content[rng.choice(digits) : rng.choice(digits) + 1] = str(rng.randrange(10)).encode()
        case "facts" if path.parent.name == checkpoint.FOLDER:
            content = bytearray(_false(bytes(content), rng))
        case "moved":
            path.rename(path.with_name(f"{rng.randrange(9)}{path.suffix}"))
            return f"{path.name} moved"
        case _:
            path.unlink()
            return f"{path.name} gone"
    path.write_bytes(content)
    return f"{path.name} {kind}"


def _false(content: bytes, rng: Random) -> bytes:
    """Return a checkpoint with a right checksum and a senseless fact, as only ill will makes one."""
    own = checkpoint.unpack(content)
    facts, place = json.loads(json.dumps(own.facts)), []
    part: Any = facts
    while isinstance(part, dict) and part:
        place.append(rng.choice(sorted(part)))
        if rng.random() < 0.3 or not isinstance(part[place[-1]], dict):
            break
        part = part[place[-1]]
    part[place[-1]] = rng.choice((None, -1, 10**30, "x", [], {}, [1], True, 0.5))
    return checkpoint.pack(checkpoint.Checkpoint(own.step, own.tensors, facts))


def _newest(run: Path) -> int:
    """Return the step of the newest sound checkpoint, -1 if there is none."""
    try:
        return resuming.find(run, quiet=True).checkpoint.step
    except PentaryError:
        return -1


def power_losses(losses: int, seed: int, place: Path) -> dict[str, int]:
    """Break a run off by a loss of power after every write, and let it go on from what may be left of its folder.

    Args:
        losses: after each write, beside those that keep all and nothing of what was not synced.
        seed: of what they leave.
        place: empty folder.

    Raises:
        SystemExit: a checkpoint is lost, or a run goes on wrongly.
    """
    rng = Random(seed)
    run, left = place / "run", place / "left"
    options = ("--shape", "8x6", "--population", "4", "--checkpoint", "1")
    with recorded(place) as operations:
        train("target", *options, "--steps", "4", "--out", run)
        train("--resume", run, "--steps", "6", "--checkpoint", "1")
    right = dict(_digests(run))
    counts, disk = {"states": 0, "goes on": 0, "no checkpoint yet": 0}, Disk()
    written = certain = -1
    for number, operation in enumerate(operations):
        disk.make(operation)
        if match := re.fullmatch(r"run/checkpoints/(\d+)\.safetensors", operation.other):
            written = int(match[1])
        elif operation.path == "run/steps.jsonl" and operation.kind == "content":
            certain = written  # the run has gone on after that checkpoint
        for loss in range(losses + 2):
            case = f"seed {seed}, after write {number}, {operation.kind} {operation.path}, loss {loss}"
            shutil.rmtree(left, ignore_errors=True)
            disk.left(left, rng if loss > 1 else None, all=loss == 1)
            counts["states"] += 1
            begins = _newest(left / "run")
            if begins < certain:
                raise SystemExit(f"{case}: the checkpoint of step {certain} was lost, it goes on from {begins}")
            done = train("--resume", left / "run", "--checkpoint", "1000")
            if done.exit_code == 0:
                found = _digests(left / "run")
                steps = [step for step, _ in found]
                if steps != list(range(steps[-1] + 1)) or any(right[step] != digest for step, digest in found):
                    raise SystemExit(f"{case}: it goes on wrongly")
                counts["goes on"] += 1
            elif done.exit_code == 2 and "Traceback" not in done.stderr and begins < 0:
                counts["no checkpoint yet"] += 1
            else:
                raise SystemExit(f"{case}: status {done.exit_code}, {done.stderr} {done.exception!r}")
    return counts


SOURCES: Final = (
    *("pentary/runs/checkpoint.py", "pentary/runs/checkpoints.py", "pentary/runs/folder.py", "pentary/runs/past.py"),
    *("pentary/runs/records.py", "pentary/runs/resuming.py"),
    *("pentary/support/files.py", "pentary/tasks/running/run.py", "pentary/tasks/language/run.py"),
    *("sim/pentary_sim/snapshot.py", "sim/pentary_sim/training.py", "research/resuming.py", "research/powerloss.py"),
)
"""What the record is of."""


def digest() -> str:
    """Return the digest of the sources."""
    return sources.digest(sources.ROOT / file for file in SOURCES)


def document(found: dict[str, Any]) -> str:
    """Return the text of resuming.md."""
    rows = "\n".join(
        f"| {name} | `pentary train {' '.join(RUNS[name][1])}` | {each['kills']} | {each['in_training']} | "
        f"{each['runs']} | {len(each['differences'])} |"
        for name, each in found["killed"].items()
    )
    files, power = found["altered"], found["power"]
    return f"""# Runs that go on

Made by `python research/resuming.py`, seed {SEED}.

A run with a checkpoint after every step is killed (SIGKILL) at random moments, also while it starts, loads its
checkpoint or writes its last files, and each time goes on by `pentary train --resume`. Its digest, its results and all
its records are compared with those of an undisturbed run; only times may differ.

| run | command | kills | of them after further steps | runs | differences |
|---|---|---:|---:|---:|---:|
{rows}

In {sum(files.values()):,} folders of a run that was broken off, a file was altered: bits, bytes and digits changed,
files cut, made longer, emptied, moved or deleted, and facts of a checkpoint replaced by senseless ones with a right
checksum. {files["goes on"]:,} runs went on to the right digests, {files["goes on from the checkpoint before"]:,} of the
others from the checkpoint before, and {files["refused"]:,} were refused with a message. None went on wrongly, and none
ended with a traceback.

The writes of a run and of its going on were recorded, and the power was cut after each of them: {power["states"]:,}
states of the disk, with all, nothing, or parts of what was not synced. {power["goes on"]:,} runs went on to the right
digests, from the last checkpoint that was written to its end or a later one; in {power["no checkpoint yet"]:,} states
there was none yet, and the command said so.
"""


def main() -> None:
    """Measure, and write the record."""
    before = digest()
    with TemporaryDirectory(prefix="pentary-resuming-") as name:
        place, found = Path(name), dict[str, Any]()
        found["killed"] = {}
        for number, (kind, (kills, arguments)) in enumerate(RUNS.items()):
            (place / kind).mkdir()
            found["killed"][kind] = asdict(killed(arguments, kills, SEED + number, place / kind))
            print(kind, found["killed"][kind], flush=True)
        (place / "altered").mkdir()
        found["altered"] = altered(ALTERED, SEED, place / "altered")
        (place / "power").mkdir()
        found["power"] = power_losses(LOSSES, SEED, place / "power")
    if digest() != before:
        sys.exit("the sources have changed in the meantime, so nothing was written")
    RECORD.write_text(json.dumps({"sources": before, **found}, indent=1) + "\n", encoding="utf-8")
    RECORD.with_suffix(".md").write_text(document(found), encoding="utf-8")


if __name__ == "__main__":
    main()
