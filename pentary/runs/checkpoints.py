"""The checkpoints of a run: written when they are due, the newest of them kept."""

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from pentary.numbers.word import PentaryError
from pentary.runs import checkpoint, resuming
from pentary.runs.checkpoint import Checkpoint
from pentary.runs.records import Records
from pentary.runs.run import Run
from pentary.runs.schedule import Schedule
from pentary.support.display import say
from pentary.support.files import sync, write_durably, writing


class Checkpoints:
    """Writer of the checkpoints of a run.

    Args:
        run: that is trained.
        records: of the run, in whose folder the checkpoints are.
        config: of the run, as in `config.json`.
        schedule: says when they are due.
        last: step of the last one; -1 if there is none.
    """

    def __init__(self, run: Run, records: Records, config: Mapping[str, Any], schedule: Schedule, last: int) -> None:
        """Write nothing yet."""
        self._run, self._records, self._config, self._schedule = run, records, config, schedule
        self._last = last
        self._warned = False

    def keep(self, now: bool = False) -> None:
        """Write one if it is due; if it cannot be written, say so once, and leave the last one.

        Args:
            now: whether it is due anyway, unless the last one is of this step.
        """
        if not (now or self._schedule.is_due(self._run.step)):
            return
        if not self._records.path.exists():  # somebody has deleted the folder: the next record tells it
            return
        own = self._run.checkpoint()
        if own.step == self._last:
            return
        began = perf_counter()
        try:
            self._write(own)
        except PentaryError as error:
            if self._records.path.exists() and not self._warned:
                say(f"Warning: there is no checkpoint of step {own.step:,}: {error}")
                self._warned = True
            self._schedule.done(own.step, perf_counter() - began, failed=True)
        else:
            self._last, self._warned = own.step, False
            self._schedule.done(own.step, perf_counter() - began)

    def _write(self, own: Checkpoint) -> None:
        path = self._records.run / checkpoint.FOLDER / checkpoint.name_of(own.step)
        with writing(path):
            if not path.parent.exists():
                _make(path.parent)
            records = self._records.synced()
        whole = Checkpoint(own.step, own.tensors, {"config": self._config, "records": records, "run": own.facts})
        write_durably(path, checkpoint.pack(whole))
        with writing(path):
            resuming.prune(self._records.run, whole)


def _make(folder: Path) -> None:
    """Make the folder of the checkpoints, which is there after a power loss, with that of the run."""
    folder.mkdir()
    for changed in (folder.parent.parent, folder.parent):
        sync(changed)
