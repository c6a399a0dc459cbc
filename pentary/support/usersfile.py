"""A user's Python file as a module that the processes which it starts can import too.

A process that `multiprocessing` spawns gets functions by the name of their module, and looks that up on the search path
of its parent. So the module of a file NAME.py is `blackbox_NAME`, a stub of that name lies in a temporary folder at the
end of the search path, and importing it executes the user's file in its place.
"""

import atexit
import os
import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from multiprocessing import current_process
from pathlib import Path
from types import ModuleType
from typing import Final, NoReturn

from pentary.numbers.word import PentaryError

_STUB: Final = "from pentary.support.usersfile import execute_in_child\nexecute_in_child(__name__, {})\n"


def module_name(path: Path) -> str:
    """Return the name of a file's module, after making it known to child processes.

    Args:
        path: of the file, with any name.

    Raises:
        PentaryError: there is no place for temporary files.
    """
    stem = re.sub(r"\W", "_", path.stem, flags=re.ASCII)  # a dot would make it a part of a package
    content = _STUB.format(ascii(str(path.resolve())))
    try:
        for number in count(1):
            name = f"blackbox_{stem}" if number == 1 else f"blackbox_{stem}_{number}"
            stub = _folder() / f"{name}.py"
            if not stub.exists():
                stub.write_text(content, encoding="ascii")
            if stub.read_text(encoding="ascii") == content:
                return name
    except OSError as error:
        raise PentaryError(f"cannot write a temporary file: {error.strerror or error}; TMPDIR says where") from error
    raise AssertionError("there is always a greater number")


def execute(name: str, path: Path) -> ModuleType:
    """Import a file, anew if it has been imported before.

    Args:
        name: of its module.
        path: of the file.

    Returns:
        The module.

    Raises:
        Exception: whatever the file raises, SystemExit too.
    """
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a file that ends in .py has a loader"
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look it up there, and so does the import of the stub
    spec.loader.exec_module(module)
    return module


def execute_in_child(name: str, path: str) -> None:
    """Execute a user's file instead of its stub, in a process that the user's code has started.

    Args:
        name: of the module that is being imported.
        path: of the file.
    """
    try:
        with _no_processes():
            execute(name, Path(path))
    except (Exception, SystemExit) as error:
        sys.modules[name] = _broken(name, path, error)


def look_first_in(folder: Path) -> None:
    """Let imports be looked up in a folder, from now on and in child processes.

    It comes before all that is installed, as with `python FILE.py`, but after the standard library: no json.py of a
    user takes the place of the one that everybody else imports.
    """
    path = str(folder.resolve())
    if path not in sys.path:
        library = sysconfig.get_path("stdlib")
        own = [number for number, entry in enumerate(sys.path) if entry in (library, f"{library}/lib-dynload")]
        sys.path.insert(max(own, default=-1) + 1, path)


@cache
def _folder() -> Path:
    """Make the folder of the stubs, which is removed at the end of this process."""
    folder = Path(tempfile.mkdtemp(prefix="pentary-"))
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # and not a process that the user has forked
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    sys.path.append(str(folder))
    return folder


@contextmanager
def _no_processes() -> Iterator[None]:
    """Let multiprocessing refuse new processes, as it does while a child imports the main module of its parent.

    A file that starts a pool when it is imported would start another one in each process of the pool, and so on.
    """
    process = current_process()
    before = getattr(process, "_inheriting", None)
    process._inheriting = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if before is None:
            del process._inheriting  # type: ignore[attr-defined]


def _broken(name: str, path: str, error: BaseException) -> ModuleType:
    """Return a module of which every function raises an error when it is called.

    A worker of a pool would die if the error were raised when it looks the function up, and the pool would wait for its
    answer for ever. A call that fails is told to whoever waits.
    """
    error.add_note(
        f"(raised by importing {path} in a process that it has started: what starts processes belongs into a function, "
        "which the import does not call)"
    )

    def fail(*arguments: object, **named: object) -> NoReturn:
        raise error

    module = ModuleType(name)
    module.__getattr__ = lambda name: fail
    return module
