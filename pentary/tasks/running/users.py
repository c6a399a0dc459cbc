"""Code of the user's: files and modules, what is looked up in them, and how their failures are told."""

import importlib
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

import pentary
from pentary.numbers.word import PentaryError
from pentary.support.usersfile import execute, look_first_in, module_name

_PENTARY: Final = str(Path(pentary.__file__).parent)


class UsersCodeError(PentaryError):
    """Code of the user's cannot be found, fails, or gives something that is of no use.

    Attributes:
        user_traceback: of the exception in the user's code, without our own frames; empty if there was none.
    """

    def __init__(self, message: str, cause: BaseException | None = None, traceback: str = "") -> None:
        """Keep the message, and the user's part of the traceback, given or of the exception that caused it."""
        super().__init__(message)
        self.user_traceback = traceback if cause is None else users_part(cause)


def find(name: str) -> Any:
    """Find what a user has defined.

    As with `python FILE.py` and `python -m MODULE`, imports of the user's code are looked up in the file's folder or
    in the current one before all that is installed, now and later, and in processes that it starts.

    Args:
        name: FILE.py:NAME or PACKAGE.MODULE:NAME.

    Returns:
        What has this name.

    Raises:
        UsersCodeError: file, module or name is not found, or importing fails.
    """
    place, _, attribute = name.rpartition(":")
    module = _from_file(Path(place)) if place.endswith(".py") else _from_module(place)
    if not hasattr(module, attribute):
        where = "" if place.endswith(".py") else f", which is {getattr(module, '__file__', 'built in')},"
        raise UsersCodeError(f"{place}{where} has no function {attribute!r}")
    return getattr(module, attribute)


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsersCodeError(f"there is no file {path}")
    look_first_in(path.parent)
    module = module_name(path)
    try:
        return execute(module, path)
    except (Exception, SystemExit) as error:
        _refuse_import(path, error)


def _from_module(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise UsersCodeError(f"{name!r} is neither a file that ends in .py nor a module's name")
    look_first_in(Path())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # The module itself or a package around it is missing; or else something that it imports is.
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise UsersCodeError(f"there is no module {name} in this folder or among the installed ones") from error
        _refuse_import(name, error)
    except (Exception, SystemExit) as error:
        _refuse_import(name, error)


def _refuse_import(place: object, error: BaseException) -> NoReturn:
    raise UsersCodeError(f"importing {place} raised {type(error).__name__}", error) from error


def users_part(error: BaseException) -> str:
    """Return the traceback of an exception from the first frame in the user's code on."""
    frames = error.__traceback__
    while frames is not None and _is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _is_ours(file: str) -> bool:
    return file.startswith((_PENTARY, "<frozen importlib")) or file == importlib.__file__
