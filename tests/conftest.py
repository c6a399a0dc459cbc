"""Fixtures for the tests of all packages."""

import hashlib
import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

_BYTES = {"I8": 1, "I16": 2, "I64": 8}


def _digest_of_latents(content: bytes, order: str) -> str:
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    sha = hashlib.sha256()
    for name in json.loads(header["__metadata__"][order]):
        tensor = header[f"{name}.latent"]
        first, last = tensor["data_offsets"]
        size = _BYTES[tensor["dtype"]]
        assert last - first == size * tensor["shape"][0] * tensor["shape"][1]
        for place in range(first, last, size):
            word = int.from_bytes(data[place : place + size], "little", signed=True)
            sha.update(word.to_bytes(8, "little", signed=True))
    return sha.hexdigest()


@pytest.fixture(autouse=True, scope="session")
def quiet_compilation() -> Iterator[None]:
    """Keep the line that announces compilation out of the output of commands, whatever the order of tests."""
    log = logging.getLogger("pentary.support.compiled")
    log.setLevel(logging.WARNING)
    yield
    log.setLevel(logging.NOTSET)


@pytest.fixture
def digest_of_latents() -> Callable[[bytes, str], str]:
    """Return a plain Python function for the digest of the latent words in a weights file.

    Its arguments are the content of the file, and the name of the metadata entry with the order of the matrices.
    """
    return _digest_of_latents


@pytest.fixture(scope="session")
def loaded() -> Callable[[str], ModuleType]:
    """Return a function that loads a module from its path in this folder; the tests are not packages."""

    def load(path: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"loaded_{Path(path).stem}", Path(__file__).parent / path)
        assert spec and spec.loader
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
