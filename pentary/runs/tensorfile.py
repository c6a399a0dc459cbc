"""Arrays as safetensors: the one place where they become the bytes of a file.

The bytes are read back and compared before anyone has them, and are the same for the same arrays and metadata.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from pentary import es
from pentary.lowrank.operations import Latents
from pentary.numbers.word import PentaryError

Arrays = Mapping[str, NDArray[Any]]

_LENGTH: Final = struct.Struct("<Q")  # of the header, in front of it
_ALIGNMENT: Final = 8  # of the data


def to_bytes(tensors: Arrays, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a safetensors file.

    Args:
        tensors: arrays by name, one at least, of any strides and order of bytes in memory.
        metadata: text by name; what is no Unicode, in the name of a file, is spelled with backslashes.

    Returns:
        The content, with the metadata in the order of their names.

    Raises:
        PentaryError: what is read back from it is not what was to be written.
    """
    # safetensors takes the bytes from where an array begins, whatever its strides.
    whole = {name: np.asarray(values, values.dtype.newbyteorder("<"), order="C") for name, values in tensors.items()}
    texts = {name: text.encode(errors="backslashreplace").decode() for name, text in metadata.items()}
    content = _in_order(save(whole, texts))
    _compare(content, tensors, texts)
    return content


def weights_to_bytes(visible: Arrays, latents: Arrays, digest: str, metadata: Mapping[str, str]) -> bytes:
    """Return the content of the file of what was trained: visible numbers NAME, latent words NAME.latent.

    Args:
        visible: (rows, cols) each, by name.
        latents: (rows, cols) each, integers of any type that holds them, in the order of the digest.
        digest: of the latent words, as `es.State.digest` returns it.
        metadata: further text by name.

    Returns:
        The content; the digest is in its metadata.

    Raises:
        PentaryError: the digest is not that of the latent words that are read back from it, or other numbers are not
            those that were to be written.
    """
    words = {f"{name}.latent": values for name, values in latents.items()}
    content = to_bytes({**visible, **words}, {**metadata, "digest": digest})
    tensors = load(content)
    read: dict[str, Latents] = {name: tensors[f"{name}.latent"].astype(np.int64) for name in latents}
    if (found := es.State(0, read).digest()) != digest:
        raise _contradiction(f"latent words of digest {found} in place of {digest}")
    return content


def _in_order(content: bytes) -> bytes:
    """Put the metadata, which safetensors writes in any order, in the order of their names."""
    header, data = _split(content)
    ordered = {"__metadata__": dict(sorted(header.pop("__metadata__", {}).items())), **header}
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return _LENGTH.pack(len(text)) + text + data


def _split(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the header and the data of a file."""
    (length,) = _LENGTH.unpack_from(content)
    return json.loads(content[_LENGTH.size : _LENGTH.size + length]), content[_LENGTH.size + length :]


def _compare(content: bytes, tensors: Arrays, metadata: Mapping[str, str]) -> None:
    read, header = load(content), _split(content)[0]
    if header["__metadata__"] != metadata or read.keys() != tensors.keys():
        raise _contradiction("other names")
    for name, values in tensors.items():
        same_type = read[name].dtype == values.dtype.newbyteorder("=")
        # A NaN has no equal, and is still what was to be written.
        if not (same_type and np.array_equal(read[name], values, equal_nan=values.dtype.kind == "f")):
            raise _contradiction(f"other numbers in {name}")


def _contradiction(what: str) -> PentaryError:
    return PentaryError(
        f"what is to be written as safetensors reads back with {what}, so it is not kept: this is a fault of pentary, "
        "of a library, or of this computer's memory"
    )
