"""Folder of a training run, which is up to date at any moment of the run.

| file | holds | written |
|---|---|---|
| `config.json` | everything that determines the run, and the command | at the start, and when it goes on |
| `steps.jsonl` | one line for each record, the start included | after each record |
| `checkpoints/STEP.safetensors` | all to go on from, see `checkpoint`; the newest two | when due, at the end |
| `weights.safetensors` | visible weights NAME, latent words NAME.latent | at each tenth of the run, and at the end |
| `result.json` | the results, and the reason if the run ended early | at the end |
| `fitness.png` or `bits.png`, `weights.png`, `health.png` | the figures of `pentary.runs.plots` | at the end |

All but `steps.jsonl` are written atomically, and checkpoints durably, after the records before them. If the folder
cannot be written at the end, because the disk is full or somebody has deleted it, the files go to a new temporary
folder.
"""

import json
import re
import shutil
import tempfile
import traceback
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from pentary.numbers.word import PentaryError
from pentary.runs import lock, resuming
from pentary.runs.checkpoints import Checkpoints
from pentary.runs.past import Past
from pentary.runs.records import Records
from pentary.runs.run import Record, Run
from pentary.runs.schedule import Schedule
from pentary.support.display import say
from pentary.support.extras import MissingLibraryError, extra
from pentary.support.files import write_new, write_whole, writing
from pentary.support.messages import told
from pentary.support.signals import deferred


def claim(out: Path | None, task: str, seed: int) -> Path:
    """Make the folder of a run, or accept an empty one.

    Args:
        out: the folder to make, or to use if it is empty; None takes the first free one of runs/TASK-seedSEED,
            runs/TASK-seedSEED-2, ...
        task, seed: of the run.

    Returns:
        The folder.

    Raises:
        PentaryError: `out` is a file or is not empty, or the folder cannot be made.
    """
    if out is None:
        name = re.sub(r"[^\w.-]+", "-", Path(task).name)
        return _first_free(Path("runs") / f"{name}-seed{seed}")
    check_free(out)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    return out


def check_free(out: Path | None) -> None:
    """Raise an error if a run cannot use a folder; for a check before any work is done.

    Args:
        out: as for `claim`.

    Raises:
        PentaryError: it is a file, or is not empty.
    """
    if out is None or not out.exists():
        return
    if not out.is_dir():
        raise PentaryError(f"{out} is a file: the output needs a folder")
    with writing(out):
        taken = any(out.iterdir())
    if taken:
        raise _taken(out, "another run" if (out / "config.json").exists() else "other files")


def _taken(out: Path, holds: str) -> PentaryError:
    return PentaryError(f"{out} holds {holds}, and nothing is overwritten: give another folder")


def _first_free(path: Path) -> Path:
    for number in count(1):
        candidate = path if number == 1 else path.with_name(f"{path.name}-{number}")
        with writing(candidate):
            try:
                candidate.mkdir(parents=True)  # making it claims it, even against a run that starts at this moment
                return candidate
            except FileExistsError:
                continue
    raise AssertionError("there is always a greater number")


class RunFolder:
    """Writer of the files of one run.

    Args:
        path: an empty folder, from `claim`; or that of the run, if it goes on.
        run: to be recorded.
        command: that makes the run, for `config.json`: `task`, and `options` as texts by name.
        schedule: of the checkpoints.
        past: of a run that goes on.

    Raises:
        PentaryError: a file cannot be written, or another run has taken the folder in the meantime.
    """

    def __init__(
        self,
        path: Path,
        run: Run,
        command: Mapping[str, Any] | None = None,
        schedule: Schedule | None = None,
        past: Past | None = None,
    ) -> None:
        """Write `config.json`, which claims the folder even against a run that starts at this moment."""
        self.path = path
        self.is_empty = past is None
        """Whether no record has been added, not even the start."""
        self._run = run
        self._added = past.lines[-1]["step"] if past else -1  # step of the last record that was written, or tried to be
        self._kept = self._added * 10 // run.steps if past else 0  # tenth of the run in which weights were written
        self._place = path.absolute()  # a black box may change the working directory
        config = run.config()
        versions = {"pentary": version("pentary"), "numpy": np.__version__}
        leg = {"after": past.checkpoint.step if past else 0, "steps": run.steps, "engine": config["engine"]}
        history = [*(past.checkpoint.facts["config"].get("history", []) if past else []), leg]
        config |= {"versions": versions, "command": command or {}, "history": history}
        self._config = _json(config)
        with writing(self._place):
            self._records = Records(self._place, past.checkpoint.facts["records"]["bytes"] if past else 0)
        last = past.checkpoint.step if past else -1
        self._checkpoints = Checkpoints(run, self._records, config, schedule or Schedule(), last)
        if past is not None:
            self._go_on(past)
            return
        try:
            write_new(self._place / "config.json", self._config)
        except FileExistsError:
            raise _taken(path, "another run") from None

    def _go_on(self, past: Past) -> None:
        """Remove what the run makes again: later checkpoints, and its result."""
        with writing(self._place):
            resuming.prune(self._place, past.checkpoint)
            (self._place / "result.json").unlink(missing_ok=True)
        self._write("config.json", self._config)

    def keep(self, now: bool = False) -> None:
        """Write a checkpoint if one is due; if it cannot be written, say so, and leave the last one.

        Args:
            now: whether it is due anyway, unless the last one is of this step.
        """
        assert self._run.last is not None, "before the start there is nothing to go on from"
        if self._run.last.step == self._added:
            self._checkpoints.keep(now)

    def add(self, record: Record) -> None:
        """Append a record to `steps.jsonl`, and save the weights if a tenth of the run has passed since the last time.

        Raises:
            PentaryError: a file cannot be written.
        """
        self._added = record.step
        self._records.add(record.line)
        self.is_empty = False
        if (tenth := record.step * 10 // self._run.steps) > self._kept:
            self._kept = tenth
            self._write("weights.safetensors", self._run.weights())

    def finish(self, ending: Mapping[str, Any]) -> dict[str, Any]:
        """Write the final files: weights and result before the figures.

        Args:
            ending: entries of the result beyond those of `Run.result`.

        Returns:
            The result, as in `result.json`; `out` is the folder that holds it. If that is a new one, or if figures are
            missing, `unwritten` is the reason.

        Raises:
            PentaryError: a new folder cannot be written either.
        """
        assert not self.is_empty, "an empty run has no result: discard it"
        try:
            result = self._write_end(ending)
        except PentaryError as error:
            self._move()
            result = self._write_end({**ending, "unwritten": str(error)})
        try:
            with extra("plots", "drawing pictures"):
                for name, picture in self._run.pictures():
                    self._write(name, picture)
        except MissingLibraryError as error:
            say(f"There are no pictures: {error}")
        except Exception as error:  # the weights are on disk, and the result is still to be reported
            result.setdefault("unwritten", f"pictures are missing: {told(error)}")
        return result

    def discard(self) -> None:
        """Delete the folder of a run that failed before its first record, so that its name is free again."""
        with suppress(OSError):  # the failure is to be reported, not this
            (self._place / "config.json").unlink()
            (self._place / lock.NAME).unlink(missing_ok=True)
            self._place.rmdir()

    def _write_end(self, ending: Mapping[str, Any]) -> dict[str, Any]:
        with deferred():
            with writing(self._place):
                self._place.mkdir(parents=True, exist_ok=True)
            if not (self._place / "config.json").exists():
                self._write("config.json", self._config)
            if self._run.last is not None and self._run.last.step > self._added:
                self.add(self._run.last)  # a signal came between its making and its writing
            self.keep(now=True)
            result = self._run.result() | {"out": str(self.path)} | dict(ending)
            try:
                weights = self._run.weights()
            except Exception as error:  # internal error: at least the reason is kept, and weights of an earlier tenth
                result = reason(error) | result
            else:
                self._write("weights.safetensors", weights)
            self._write("result.json", _json(result))
        return result

    def _move(self) -> None:
        """Switch to a new temporary folder, with a copy of what can be read of the old one."""
        before = self._place
        with writing(Path("a temporary folder")):
            self._place = self.path = Path(tempfile.mkdtemp(prefix="pentary-run-"))
        with suppress(OSError):
            shutil.copytree(before, self._place, dirs_exist_ok=True)
        self._records.run = self._place

    def _write(self, name: str, content: bytes) -> None:
        write_whole(self._place / name, content)


def reason(failure: BaseException) -> dict[str, str]:
    """Return the entries of a result about a failure: `error`, and for an unforeseen exception `traceback`."""
    if isinstance(failure, (PentaryError, MemoryError, OSError)):
        return {"error": told(failure)}
    return {"error": told(failure), "traceback": "".join(traceback.format_exception(failure))}


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()
