"""The text: documents, a training part and a held-out part."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from pentary.nets.lm.model import Bytes
from pentary.numbers.word import PentaryError

HELD_OUT: Final = 2**18
"""Most bytes that are held out: enough to measure a model to a hundredth of a bit, and soon read."""


@dataclass(frozen=True)
class Corpus:
    """A text in two parts.

    Attributes:
        name: where it comes from.
        train: (bytes,) uint8, the first nine tenths or more; every document ends with byte 0, and so does what is left
            of the last one.
        held_out: (bytes,) uint8, the last tenth, but at most `HELD_OUT`, which training never reads.
    """

    name: str
    train: Bytes
    held_out: Bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the whole text."""
        return sha256(self.train.tobytes() + self.held_out.tobytes()).hexdigest()


def load(files: Sequence[Path] = (), least: int = 2) -> Corpus:
    """Read a text and split it.

    Args:
        files: one document each; none takes the help texts of Python's language reference (`pydoc_data.topics`), which
            every CPython carries. They differ from version to version of Python.
        least: bytes that each part must have.

    Returns:
        The corpus.

    Raises:
        PentaryError: a file cannot be read or is empty, or the text is too short.
    """
    if files:
        documents = [read(file) for file in files]
        name = ", ".join(map(str, files))
    else:
        from pydoc_data.topics import topics

        documents = [text.encode() for text in topics.values()]
        name = "pydoc_data.topics"
    text = np.frombuffer(b"".join(document + b"\0" for document in documents), np.uint8)
    cut = len(text) - min(-(-len(text) // 10), HELD_OUT)
    corpus = Corpus(name, np.append(text[:cut], np.uint8(0)), text[cut:])
    if len(corpus.held_out) < least:
        raise PentaryError(
            f"{name} has {len(text):,} bytes, of which a tenth is held out: at least {10 * (least - 1) + 1:,} are "
            "needed for one update and an evaluation; take more text or fewer tokens"
        )
    return corpus


def read(file: Path) -> bytes:
    """Read a file that must hold something.

    Raises:
        PentaryError: it is missing, a folder, not readable or empty.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PentaryError(f"cannot read {file}: {error.strerror or error}") from error
    if not content:
        raise PentaryError(f"{file} is empty: there is nothing to read in it")
    return content
