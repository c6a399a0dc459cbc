"""Where a run stands, from the files in its folder, also while another process writes them."""

import json
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any, Final

from pentary.numbers.word import PentaryError
from pentary.runs import checkpoint, lock, records
from pentary.runs.resuming import check_folder

_TAIL: Final = 2**20
"""Bytes at the end of the records among which the last one is."""


@dataclass(frozen=True)
class Status:
    """Where a run stands.

    Attributes:
        task, engine: of the run.
        state: "running", "done", "interrupted", "failed", or "stopped" if it was killed.
        detail: which process runs it, or the error that has ended it.
        step, steps: updates done, as far as the files tell, and in the run.
        recorded: updates at the last record.
        seconds: that the run took up to there.
        seconds_left: until its end at the present pace; None if it does not run.
        figures: of the last record.
        checkpoint: step of the newest checkpoint; None if there is none.
        checkpoint_age: seconds since it was written.
    """

    task: str
    engine: str
    state: str
    detail: str
    step: int
    steps: int
    recorded: int
    seconds: float
    seconds_left: float | None
    figures: dict[str, Any]
    checkpoint: int | None
    checkpoint_age: float | None


def status(run: Path) -> Status:
    """Return where a run stands.

    Args:
        run: its folder.

    Raises:
        PentaryError: it is no folder of a run, or its files are damaged.
    """
    check_folder(run)
    try:
        config = json.loads((run / "config.json").read_bytes())
        task, engine, steps = str(config["task"]), str(config["engine"]), int(config["parameters"]["steps"])
        last = _last(run / records.NAME)
        recorded, seconds = int(last.get("step", 0)), float(last.get("seconds", 0.0))
        written = (run / records.NAME).stat().st_mtime if last else 0.0
    except OSError as error:
        raise PentaryError(f"cannot read {error.filename}: {error.strerror}") from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise PentaryError(f"the files of the run in {run} are damaged: {type(error).__name__}: {error}") from None
    state, detail = _state(run)
    newest, made = _newest(run)
    step, pace, now = recorded, seconds / max(1, recorded), time()
    since = written
    if newest is not None and made is not None and newest > recorded:
        step, pace, since = newest, (made - written) / (newest - recorded), made
    left = max(0.0, (steps - step) * pace - (now - since)) if state == "running" and step else None
    age = None if made is None else max(0.0, now - made)
    numbers = {name: value for name, value in last.items() if isinstance(value, (int, float))}
    figures = {name: value for name, value in numbers.items() if name not in _ELSEWHERE}
    figures |= {"digest": last["digest"]} if "digest" in last else {}
    return Status(task, engine, state, detail, step, steps, recorded, seconds, left, figures, newest, age)


_ELSEWHERE: Final = ("step", "seconds")


def _last(records: Path) -> dict[str, Any]:
    """Return the last whole record; an empty one if there is none yet."""
    try:
        with records.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            tail = file.read()
    except FileNotFoundError:
        return {}
    whole = tail[: tail.rfind(b"\n") + 1].splitlines()
    return json.loads(whole[-1]) if whole else {}


def _state(run: Path) -> tuple[str, str]:
    holder = lock.holder(run)
    if holder is not None:
        return "running", holder
    try:
        result = json.loads((run / "result.json").read_bytes())
    except FileNotFoundError:
        return "stopped", "it was killed"
    except (OSError, ValueError, RecursionError):
        return "stopped", "its result cannot be read"
    if not isinstance(result, dict):
        return "stopped", "its result cannot be read"
    if "error" in result:
        return "failed", str(result["error"])
    return ("interrupted", "by a signal") if result.get("interrupted") else ("done", "")


def _newest(run: Path) -> tuple[int | None, float | None]:
    """Return the step of the newest checkpoint, and when it was written, in seconds since the epoch."""
    for step, path in checkpoint.files(run):
        try:
            return step, path.stat().st_mtime
        except OSError:  # deleted in this moment: there is a newer one
            continue
    return None, None
