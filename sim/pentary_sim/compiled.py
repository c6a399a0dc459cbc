"""Compilation by Numba, kept on disk for the next process.

Numba looks only at a function's own file to see whether its stored code is stale, but our functions contain others
from other files. So the code is stored in a folder named after the digest of all sources that it depends on.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numba

_HERE: Final = Path(__file__).parent
_CONSTANTS: Final = ("config.py", "events.py", "layout.py", "opcodes.py")  # sources whose constants are compiled in


def _folder() -> str:
    import pentary.isa.table

    digest = hashlib.sha256(numba.__version__.encode())
    for source in [*sorted(_HERE.glob("*.py")), Path(pentary.isa.table.__file__)]:
        content = source.read_bytes()
        if b"\n@compiled" in content or source.name in _CONSTANTS or source.parent != _HERE:
            digest.update(content)
    home = _HERE if os.access(_HERE, os.W_OK) else Path.home() / ".cache" / "pentary"
    return str(home / "__pycache__" / f"compiled-{digest.hexdigest()[:16]}")


_FOLDER: Final = _folder()


def is_stored() -> bool:
    """Tell whether an earlier process has left its compiled code for this one."""
    return any(Path(_FOLDER).glob("*/kernel.run-*.nbc"))


def _forget_earlier() -> None:
    """Delete what was stored for earlier sources, but for the two newest: another process may still need them."""
    with suppress(OSError):  # that process may be deleting, too
        stored = sorted(Path(_FOLDER).parent.glob("compiled-*"), key=lambda folder: folder.stat().st_mtime)
        for folder in stored[:-2]:
            shutil.rmtree(folder, ignore_errors=True)


if not Path(_FOLDER).exists():
    _forget_earlier()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function on its first call; results are those of Python, with int64 for int."""
    elsewhere = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = _FOLDER  # type: ignore[attr-defined]
    try:
        return numba.njit(cache=True)(function)
    finally:
        numba.config.CACHE_DIR = elsewhere  # type: ignore[attr-defined]
