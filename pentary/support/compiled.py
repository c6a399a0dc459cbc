"""Compilation by Numba with a cache on disk.

Numba checks only a function's own file to see whether its cached code is stale, but compiled functions contain others
and constants from other files. So the cache folder is named after the digest of every source that the module imports,
directly or not. Nor does Numba detect damaged files; ours begin with a checksum, and a damaged one is ignored.
"""

import hashlib
import logging
import os
import pickle
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile, NullCache

_KEPT: Final = 2  # newest cache folders to keep: another process may still use that of earlier sources
_CHECKSUM: Final = hashlib.sha256().digest_size  # bytes

_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from (pentary[\w.]*) import (?:\(([^)]*)\)|([^(\n]*))|import (pentary[\w.]*))", re.MULTILINE
)

_log = logging.getLogger(__name__)


class Store:
    """Cache of the compiled code of some sources.

    The first compilation in a process is logged, since it takes a while.

    Args:
        name: identifies the store.
        what: name of the compiled code in the log message.
        sources: files that the code depends on. It is stored in the `__pycache__` beside the first one; if that cannot
            be written, in the user's cache folder; and if that cannot be written either, nowhere.
    """

    def __init__(self, name: str, what: str, sources: Sequence[Path]) -> None:
        """Find or make the cache folder; if it is new, delete old ones."""
        home = sources[0].parent
        digest = hashlib.sha256(numba.__version__.encode())
        for source in sources:
            digest.update(source.read_bytes())
        place = home if os.access(home, os.W_OK) else Path.home() / ".cache" / "pentary"
        self._name, self._what, self._told = f"compiled-{name}", what, False
        self.folder = place / "__pycache__" / f"{self._name}-{digest.hexdigest()[:16]}"
        if not self.folder.exists():
            self.forget_earlier()
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._writable = os.access(self.folder, os.W_OK)

    def forget_earlier(self) -> None:
        """Delete the cache folders of earlier sources, except the newest."""
        with suppress(OSError):  # another process may be deleting, too
            stored = sorted(self.folder.parent.glob(f"{self._name}-*"), key=lambda folder: folder.stat().st_mtime)
            for folder in stored[:-_KEPT]:
                shutil.rmtree(folder, ignore_errors=True)

    def compiled(self, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return a decorator that compiles a function on its first call; options are those of `numba.njit`."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            dispatcher: Any = numba.njit(**options)(function)
            dispatcher._cache = self._cache(function)
            return dispatcher

        return decorate

    def _cache(self, function: Callable[..., Any]) -> NullCache | FunctionCache:
        if not self._writable:
            return _NoCache(self._announce)
        elsewhere = numba.config.CACHE_DIR  # type: ignore[attr-defined]
        numba.config.CACHE_DIR = str(self.folder)  # type: ignore[attr-defined]
        try:
            return _Cache(function, self._announce)
        finally:
            numba.config.CACHE_DIR = elsewhere  # type: ignore[attr-defined]

    def _announce(self) -> None:
        if not self._told:
            self._told = True
            _log.info("Compiling %s: half a minute at most, the first time only.", self._what)


def imported_sources(module: str) -> list[Path]:
    """Return the files of a module, first, and of all modules of this project that it imports, directly or not.

    The `__init__` of a package above a module is among them only if something is imported from it by name.

    Args:
        module: name of the module, which need not have been imported.
    """
    files: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in files:
            files[name] = _file_of(name)
            waiting += _imports(files[name].read_text(encoding="utf-8"))
    return list(files.values())


def _imports(source: str) -> Iterator[str]:
    for package, in_lines, on_line, module in _IMPORT.findall(source):
        if module:
            yield module
        for name in re.findall(r"(\w+)(?:\s+as\s+\w+)?\s*(?:,|$)", re.sub(r"#.*", "", in_lines or on_line)):
            yield f"{package}.{name}" if _is_module(f"{package}.{name}") else package


def _is_module(name: str) -> bool:
    parent, _, own = name.rpartition(".")
    folder = _file_of(parent)
    return folder.name == "__init__.py" and any(map(Path.exists, _places(folder.parent, own)))


def _file_of(name: str) -> Path:
    top, *rest = name.split(".")
    spec = find_spec(top)
    assert spec is not None and spec.origin is not None, f"{top} is not installed"
    file = Path(spec.origin)
    for part in rest:
        file = next(place for place in _places(file.parent, part) if place.exists())
    return file


def _places(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.py", folder / name / "__init__.py"


class _NoCache(NullCache):
    """Cache of a function that stores nothing, where no folder can be written."""

    def __init__(self, announce: Callable[[], None]) -> None:
        self._announce = announce

    def load_overload(self, sig: Any, target_context: Any) -> None:
        self._announce()


class _Cache(FunctionCache):
    """Numba's cache of a function; if its files cannot be used for any reason, the function is compiled again."""

    def __init__(self, function: Callable[..., Any], announce: Callable[[], None]) -> None:
        super().__init__(function)
        own = self._cache_file
        self._cache_file = _CheckedFile(own._cache_path, self._impl.filename_base, own._source_stamp)
        self._announce = announce

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = None
        try:
            found = super().load_overload(sig, target_context)
        except Exception as error:  # unpickling and linking may raise anything
            _log.debug("stored code of %s cannot be used: %s", self._name, error)
        if found is None:
            self._announce()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):  # a full disk: the next process compiles again
            super().save_overload(sig, data)


class _CheckedFile(IndexDataCacheFile):
    """The index and the code of a function, in files that begin with the SHA-256 of what follows."""

    def _load_index(self) -> dict[Any, str]:
        try:
            stamp, overloads = pickle.loads(_read_checked(Path(self._index_path)))
        except (OSError, ValueError):
            return {}
        return overloads if stamp == self._source_stamp else {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write_checked(self._index_path, (self._source_stamp, overloads))

    def _load_data(self, name: str) -> Any:
        return pickle.loads(_read_checked(Path(self._data_path(name))))

    def _save_data(self, name: str, data: Any) -> None:
        self._write_checked(self._data_path(name), data)

    def _write_checked(self, path: str, content: Any) -> None:
        dumped = self._dump(content)
        with self._open_for_write(path) as file:
            file.write(hashlib.sha256(dumped).digest() + dumped)


def _read_checked(path: Path) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content[_CHECKSUM:]).digest() != content[:_CHECKSUM]:
        raise ValueError(f"{path} is damaged")
    return content[_CHECKSUM:]
