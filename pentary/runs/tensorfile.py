"""Serialisation of arrays as safetensors, used for every such file.

The bytes are read back and compared before they are returned, and are the same for the same arrays and metadata.
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

_LENGTH: Final = struct.Struct("<Q")  # length of the header, in front of it
_ALIGNMENT: Final = 8  # of the data, in bytes


def to_bytes(tensors: Arrays, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a safetensors file.

    Args:
        tensors: arrays by name, at least one, of any strides and byte order.
        metadata: text by name; bytes of a file name that are not Unicode are escaped with backslashes.

    Returns:
        The content, with the metadata sorted by name.

    Raises:
        PentaryError: what is read back differs from what was to be written.
    """
    # safetensors reads memory from where an array begins, ignoring its strides.
    whole = {name: np.asarray(values, values.dtype.newbyteorder("<"), order="C") for name, values in tensors.items()}
    texts = {name: text.encode(errors="backslashreplace").decode() for name, text in metadata.items()}
    content = _in_order(save(whole, texts))
    _compare(content, tensors, texts)
    return content


def weights_to_bytes(visible: Arrays, latents: Arrays, digest: str, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file of trained weights: visible numbers NAME, latent words NAME.latent.

    Args:
        visible: (rows, cols) each, by name.
        latents: (rows, cols) each, integers of any type that holds them, in the order of the digest.
        digest: of the latent words, as `es.State.digest` returns it.
        metadata: further text by name.

    Returns:
        The content; the digest is in its metadata.

    Raises:
        PentaryError: what is read back differs from what was to be written, or the digest is not that of its latent
            words.
    """
    words = {f"{name}.latent": values for name, values in latents.items()}
    content = to_bytes({**visible, **words}, {**metadata, "digest": digest})
    tensors = load(content)
    read: dict[str, Latents] = {name: tensors[f"{name}.latent"].astype(np.int64) for name in latents}
    if (found := es.digest(read)) != digest:
        raise _contradiction(f"latent words of digest {found} in place of {digest}")
    return content


def _in_order(content: bytes) -> bytes:
    """Return the content with the metadata sorted by name; safetensors writes them in arbitrary order."""
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
        # NaN is not equal to itself, but here it is the same value.
        if not (same_type and np.array_equal(read[name], values, equal_nan=values.dtype.kind == "f")):
            raise _contradiction(f"other numbers in {name}")


def _contradiction(what: str) -> PentaryError:
    return PentaryError(
        f"what is to be written as safetensors reads back with {what}, so it is not kept: this is a fault of pentary, "
        "of a library, or of this computer's memory"
    )
