"""Checkpoints: all from which a run goes on, each in a file that is there whole or not at all.

A checkpoint is a safetensors file `checkpoints/STEP.safetensors` in the folder of a run: the state in tensors, and in
its metadata, as text:

| name | |
|---|---|
| `format` | version of this layout, `FORMAT`; a later release reads older ones |
| `step` | updates done |
| `facts` | JSON: the configuration and the command of the run, how much of `steps.jsonl` belongs to it, counters |
| `sha256` | of the whole file, with zeros in this place |

A file whose checksum is not right is never used, and nothing in one is ever executed.
"""

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from pentary.numbers.word import PentaryError
from pentary.runs.tensorfile import to_bytes

FORMAT: Final = 1

FOLDER: Final = "checkpoints"
"""Name of their folder in that of a run."""

KEPT: Final = 2
"""How many stay: the newest ones."""

_ZEROS: Final = "0" * 64
_CHECKSUM: Final = re.compile(rb'"sha256":"([0-9a-f]{64})"')
_NAME: Final = re.compile(r"[0-9]{1,18}\.safetensors")
_LENGTH: Final = struct.Struct("<Q")


class Unsound(Exception):
    """A file that is no checkpoint, or not whole; the message says what is wrong."""


@dataclass(frozen=True)
class Checkpoint:
    """All from which a run goes on.

    Attributes:
        step: updates done.
        tensors: arrays by name.
        facts: JSON values by name.
    """

    step: int
    tensors: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]


def pack(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as the content of its file.

    Raises:
        PentaryError: what is read back differs from what was to be written.
    """
    facts = json.dumps(checkpoint.facts, allow_nan=False)
    told = {"format": str(FORMAT), "step": str(checkpoint.step), "facts": facts, "sha256": _ZEROS}
    content = to_bytes(checkpoint.tensors, told)
    place = _place_of_checksum(content)
    return content[: place.start] + sha256(content).hexdigest().encode() + content[place.stop :]


def unpack(content: bytes) -> Checkpoint:
    """Return the checkpoint that a file holds.

    Args:
        content: of the file.

    Raises:
        Unsound: it is no checkpoint, or has been changed.
        PentaryError: a newer release has written it.

    >>> import numpy as np
    >>> unpack(pack(Checkpoint(3, {"words": np.arange(4)}, {"task": "target"}))).facts
    {'task': 'target'}
    >>> unpack(b"nothing of the kind")
    Traceback (most recent call last):
    pentary.runs.checkpoint.Unsound: it has no checksum
    """
    place = _place_of_checksum(content)
    zeroed = content[: place.start] + _ZEROS.encode() + content[place.stop :]
    if sha256(zeroed).hexdigest().encode() != content[place]:
        raise Unsound("its checksum is not that of its content")
    try:
        (length,) = _LENGTH.unpack_from(content)
        told = json.loads(content[_LENGTH.size : _LENGTH.size + length])["__metadata__"]
        version = int(told["format"])
        if version > FORMAT:
            raise PentaryError(
                f"it is of format {version}, which a newer release has written; this one reads up to {FORMAT}: "
                "pip install --upgrade pentary"
            )
        step, facts = int(told["step"]), json.loads(told["facts"])
        tensors = load(content)
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError, struct.error) as error:
        if isinstance(error, PentaryError):
            raise
        raise Unsound(f"it is no checkpoint: {error or type(error).__name__}") from error
    if not isinstance(facts, dict) or step < 0:
        raise Unsound("it is no checkpoint: it tells no run")
    return Checkpoint(step, tensors, facts)


def name_of(step: int) -> str:
    """Return the name of the file of a checkpoint."""
    return f"{step}.safetensors"


def files(run: Path) -> list[tuple[int, Path]]:
    """Return the steps and files of the checkpoints in the folder of a run, the newest first, whether sound or not."""
    folder = run / FOLDER
    try:
        found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    except OSError:
        return []
    return sorted(((int(path.stem), path) for path in found), reverse=True)


def _place_of_checksum(content: bytes) -> slice:
    """Return where the checksum stands: once, in the header."""
    header = _LENGTH.size + (_LENGTH.unpack_from(content)[0] if len(content) >= _LENGTH.size else 0)
    found = [match.span(1) for match in _CHECKSUM.finditer(content, 0, min(header, len(content)))]
    if len(found) != 1:
        raise Unsound("it has no checksum")
    return slice(*found[0])
