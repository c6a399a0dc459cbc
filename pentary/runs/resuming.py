"""The newest sound checkpoint of a run's folder, and what was recorded up to it."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from pentary.numbers.word import PentaryError
from pentary.runs import checkpoint, records
from pentary.runs.checkpoint import Checkpoint, Unsound
from pentary.runs.past import Past
from pentary.support.display import say


def find(run: Path, quiet: bool = False) -> Past:
    """Return the past of a run up to its newest sound checkpoint; those after it are told on standard error.

    Args:
        run: folder of the run.
        quiet: whether nothing is told of them.

    Raises:
        PentaryError: it is no folder of a run, a newer release has written it, or no checkpoint is sound.
    """
    check_folder(run)
    found = checkpoint.files(run)
    if not found:
        raise PentaryError(f"the run in {run} has no checkpoint, so nothing goes on from it: begin it anew")
    wrong: list[str] = []
    for step, path in found:
        try:
            past = _read(run, step, path)
        except Unsound as error:
            wrong.append(f"the checkpoint {path} is not sound: {error}")
            continue
        except PentaryError as error:
            raise PentaryError(f"cannot go on from {path}: {error}") from None
        for told in wrong if not quiet else ():
            say(f"Warning: {told}; taken is that of step {step:,}")
        return past
    raise PentaryError(f"{wrong[0]}; there is no other that is: begin the run anew")


def check_folder(run: Path) -> None:
    """Raise PentaryError unless a path is the folder of a run."""
    if not run.exists():
        raise PentaryError(f"there is no folder {run}")
    if not run.is_dir():
        raise PentaryError(f"{run} is a file: give the folder of the run")
    try:
        names = [path.name for path in run.iterdir()]
    except OSError as error:
        raise PentaryError(f"cannot read {run}: {error.strerror}") from None
    if checkpoint.FOLDER not in names and "config.json" not in names:
        raise PentaryError(f"{run} {'holds no run' if names else 'is empty'}: give the folder of the run")


def _read(run: Path, step: int, path: Path) -> Past:
    """Return the past that a checkpoint tells.

    Raises:
        Unsound: the checkpoint or the records before it are not whole.
        PentaryError: a newer release has written it.
    """
    try:
        found = checkpoint.unpack(path.read_bytes())
    except OSError as error:
        raise Unsound(f"it cannot be read: {error.strerror}") from error
    facts = found.facts
    try:
        known, told = facts["records"]["bytes"], facts["records"]["sha256"]
        command = facts["config"]["command"]
        parts = command["task"], command["options"], facts["run"], facts["config"]
        if found.step != step or [type(part) for part in parts] != [str, dict, dict, dict]:
            raise ValueError
        own = facts["run"]
        if not (own["seconds"] >= 0 and isinstance(own["measured"], dict) and isinstance(own["digest"], str)):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise Unsound("it tells no run of this step") from None
    return Past(found, _lines(run / records.NAME, known, told))


def _lines(path: Path, known: Any, told: Any) -> list[dict[str, Any]]:
    """Return the records in the part of a file that a checkpoint knows."""
    try:
        with path.open("rb") as file:
            content = file.read(known)
    except (OSError, TypeError, ValueError, OverflowError) as error:
        raise Unsound(f"{path.name}, with its records, cannot be read: {getattr(error, 'strerror', error)}") from error
    if len(content) < known or sha256(content).hexdigest() != told:
        raise Unsound(f"{path.name} has other records than those before it")
    try:
        lines = [json.loads(line) for line in content.splitlines()]
    except (ValueError, RecursionError) as error:
        raise Unsound(f"{path.name} is damaged: {error}") from error
    if not lines:
        raise Unsound(f"{path.name} has no records")
    return lines


def prune(run: Path, newest: Checkpoint) -> None:
    """Delete the checkpoints after one, and those before it but for the newest ones.

    Raises:
        OSError: they cannot be deleted.
    """
    before = [path for step, path in checkpoint.files(run) if step <= newest.step]
    for step, path in checkpoint.files(run):
        if step > newest.step or path not in before[: checkpoint.KEPT]:
            path.unlink(missing_ok=True)
