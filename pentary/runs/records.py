"""The file of a run's records, `steps.jsonl`: one line each, of which a checkpoint knows how many belong to it."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pentary.support.files import sync, writing

NAME: Final = "steps.jsonl"


class Records:
    """Writer of the records of a run.

    Args:
        run: folder of the run.
        known: bytes of the file that hold the records so far; what follows them is cut off.

    Raises:
        OSError: a file with records cannot be read or written.
    """

    def __init__(self, run: Path, known: int = 0) -> None:
        """Read the records so far, for their checksum."""
        self.run = run
        """Folder of the run; it may change to one that holds a copy."""
        self._size, self._sum = known, sha256()
        if known:
            with self.path.open("r+b") as file:
                file.truncate(known)
                self._sum.update(file.read())

    @property
    def path(self) -> Path:
        """The file."""
        return self.run / NAME

    def add(self, line: Mapping[str, Any]) -> None:
        """Append a record.

        Raises:
            PentaryError: the file cannot be written.
        """
        content = (json.dumps(line, allow_nan=False) + "\n").encode()
        with writing(self.path), self.path.open("ab") as file:  # closed each time, so no buffer holds anything
            file.truncate(self._size)  # a record of which a full disk has taken a part is no record
            file.write(content)
        self._size += len(content)
        self._sum.update(content)

    def synced(self) -> dict[str, Any]:
        """Return the size of the file and its SHA-256, for a checkpoint, when all of it is on the disk.

        Raises:
            OSError: it cannot be written.
        """
        sync(self.path)
        return {"bytes": self._size, "sha256": self._sum.hexdigest()}
