"""Compilation by Numba, kept on disk for the next process.

Numba looks only at a function's own file to see whether its stored code is stale, but compiled functions contain others
and constants from other files. So the code is stored in a folder named after the digest of all sources that it depends
on.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numba

_KEPT: Final = 2  # folders of earlier sources: another process may still need them


class Store:
    """The compiled code of some sources.

    Args:
        name: tells the store from others.
        home: folder of the sources; the code goes to its `__pycache__`, or to the user's cache if it cannot be written,
            or, if that cannot be written either, nowhere.
        sources: files that the code depends on.
    """

    def __init__(self, name: str, home: Path, sources: Iterable[Path]) -> None:
        """Find the folder, and delete what was stored for earlier sources if it is new."""
        digest = hashlib.sha256(numba.__version__.encode())
        for source in sources:
            digest.update(source.read_bytes())
        place = home if os.access(home, os.W_OK) else Path.home() / ".cache" / "pentary"
        self._name = f"compiled-{name}"
        self.folder = place / "__pycache__" / f"{self._name}-{digest.hexdigest()[:16]}"
        if not self.folder.exists():
            self.forget_earlier()
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._writable = os.access(self.folder, os.W_OK)

    def holds(self, function: str) -> bool:
        """Tell whether an earlier process has left the code of MODULE.FUNCTION for this one."""
        return any(self.folder.glob(f"*/{function}-*.nbc"))

    def forget_earlier(self) -> None:
        """Delete what was stored for earlier sources, but for the newest."""
        with suppress(OSError):  # another process may be deleting, too
            stored = sorted(self.folder.parent.glob(f"{self._name}-*"), key=lambda folder: folder.stat().st_mtime)
            for folder in stored[:-_KEPT]:
                shutil.rmtree(folder, ignore_errors=True)

    def compiled(self, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Give a decorator that compiles a function on its first call; options are those of `numba.njit`."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            elsewhere = numba.config.CACHE_DIR  # type: ignore[attr-defined]
            numba.config.CACHE_DIR = str(self.folder)  # type: ignore[attr-defined]
            try:
                return numba.njit(cache=self._writable, **options)(function)
            finally:
                numba.config.CACHE_DIR = elsewhere  # type: ignore[attr-defined]

        return decorate
