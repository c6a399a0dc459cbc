"""Libraries that only some uses need: each belongs to an extra of the package, which is named where one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from pentary.numbers.word import PentaryError


class MissingLibraryError(PentaryError):
    """A library of an extra is not installed."""


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Import libraries of an extra in the body.

    Args:
        name: of the extra.
        what: needs it, as the subject of the message.

    Raises:
        MissingLibraryError: one of them is not installed.

    >>> with extra("int8", "the backend int8"):
    ...     import no_such_library
    Traceback (most recent call last):
    pentary.support.extras.MissingLibraryError: the backend int8 needs no_such_library: pip install 'pentary[int8]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingLibraryError(f"{what} needs {error.name}: pip install 'pentary[{name}]'") from error
