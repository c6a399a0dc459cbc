"""A described network on the command line: its options, its data, and its run."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import click
import numpy as np
from numpy.typing import NDArray

from pentary.nets.network import Sequential
from pentary.nets.products import backend
from pentary.numbers.word import PentaryError
from pentary.tasks.described.data import prepare
from pentary.tasks.described.task import BATCH, NetworkTask
from pentary.tasks.running import users
from pentary.tasks.running.options import BACKEND
from pentary.tasks.running.run import TaskRun, start

Arrays = Mapping[str, NDArray[Any]]

OPTIONS: Final = (
    click.Option(["--data"], metavar="FILE", help="Of a network: FILE.npz with x and y, or FILE.py:FUNCTION."),
    click.Option(["--batch"], type=int, help=f"Of a network: examples that compare members; {BATCH} if not given."),
    click.Option(["--split"], type=int, help="Of a network: number that determines the test part; 0 if not given."),
    BACKEND,
)
"""Options of a described network."""


def begin(name: str, network: Sequential, options: Mapping[str, Any]) -> TaskRun:
    """Prepare the run of a network.

    Args:
        name: of the network, as given.
        network: description.
        options: that were given, by name: of OPTIONS, and those that `pentary.tasks.running.run.start` takes.

    Raises:
        PentaryError: there are no data, or they are of no use for the network.
    """
    rest = dict(options)
    source, batch, split = rest.pop("data", None), rest.pop("batch", BATCH), rest.pop("split", 0)
    if source is None:
        raise PentaryError(f"{name} is a network: say by --data what it trains on, FILE.npz or FILE.py:FUNCTION")
    if not 0 <= split < 2**32:
        raise PentaryError(f"--split {split} is not in 0..{2**32 - 1}")
    arrays = load(source)
    data = prepare(network, arrays, split, source)
    gemm = backend(rest.get("backend", "numpy"))
    told = {"source": source, "sha256": digest(arrays), "split": split}
    return start(NetworkTask(name, network, data, batch, gemm, told), rest)


def load(source: str) -> Arrays:
    """Return the arrays of a file, or those that a function returns.

    Args:
        source: FILE.npz, or FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION, which returns x and y, or arrays by name.

    Raises:
        PentaryError: there is no such file or function, or it gives something else.
    """
    if ":" in source and not Path(source).exists():
        return _from_function(source)
    try:
        file = np.load(source, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise PentaryError(f"{source} is one array: save x and y together by numpy.savez")
        with file:
            return {name: file[name] for name in file.files}
    except (OSError, BadZipFile, EOFError) as error:
        raise PentaryError(f"cannot read {source}: {getattr(error, 'strerror', None) or error}") from error
    except ValueError as error:
        if isinstance(error, PentaryError):
            raise
        raise PentaryError(f"{source} is no .npz file of numbers or texts: {error}") from error


def _from_function(source: str) -> Arrays:
    function = users.find(source)
    if not callable(function):
        raise users.UsersCodeError(f"{source} is not a function but {type(function).__name__}")
    try:
        found = function()
    except Exception as error:
        raise users.UsersCodeError(f"{source} raised {type(error).__name__}", error) from error
    if isinstance(found, tuple) and len(found) == 2:
        found = {"x": found[0], "y": found[1]}
    if not isinstance(found, Mapping):
        raise users.UsersCodeError(f"{source} returned {type(found).__name__}, not (x, y) or arrays by name")
    return {str(name): np.asarray(array) for name, array in found.items()}


def digest(arrays: Arrays) -> str:
    """Return the SHA-256 of arrays, with their names, types and shapes, in hexadecimal."""
    sha = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()
