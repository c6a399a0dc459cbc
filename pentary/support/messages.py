"""Parts of messages, of limited length: of many items the first are listed and the rest counted."""

import traceback
from collections.abc import Collection, Iterable
from typing import Final

from pentary.numbers.word import PentaryError

MOST: Final = 20
"""Largest number of errors, or names, that one message lists."""

_WIDTH: Final = 200  # characters


def some(texts: Iterable[str], most: int = MOST) -> str:
    """Return the first `most` texts, separated by commas, and how many more there are.

    >>> some("abcde", 3), some("abc", 3)
    ('a, b, c and 2 more', 'a, b, c')
    """
    all_texts = list(texts)
    more = f" and {len(all_texts) - most:,} more" if len(all_texts) > most else ""
    return ", ".join(all_texts[:most]) + more


def in_words(allowed: Collection[int]) -> str:
    """Return in words which values are allowed.

    Args:
        allowed: a range, or values in their order, of which there are two at least.

    >>> in_words((16, 64, 256)), in_words(range(1, 65)), in_words(range(16, 257, 16)), in_words((False, True))
    ('16, 64 or 256', 'an integer in 1..64', 'a multiple of 16 in 16..256', 'true or false')
    """
    if isinstance(allowed, range):
        kind = "an integer" if allowed.step == 1 else f"a multiple of {allowed.step}"
        return f"{kind} in {allowed[0]}..{allowed[-1]}"
    if allowed == (False, True):
        return "true or false"
    *others, last = map(str, allowed)
    return f"{', '.join(others)} or {last}"


def shortened(text: str, width: int = _WIDTH) -> str:
    """Return a text, cut to `width` characters and ended by an ellipsis if it is longer.

    >>> shortened("0123456789", 5), shortened("01234", 5)
    ('0123…', '01234')
    """
    return text if len(text) <= width else f"{text[: width - 1]}…"


def excerpt(text: str, column: int, width: int = _WIDTH) -> tuple[str, int]:
    """Return about `width` characters of a line around a column, and the column in them; columns count from 0.

    >>> excerpt("0123456789", 6, 4), excerpt("0123456789", 1, 4), excerpt("0123", 2, 4)
    (('…4567…', 3), ('0123…', 1), ('0123', 2))
    """
    if len(text) <= width:
        return text, column
    first = min(max(column - width // 2, 0), len(text) - width)
    before, behind = "…" * (first > 0), "…" * (first + width < len(text))
    return f"{before}{text[first : first + width]}{behind}", column - first + len(before)


def told(error: BaseException) -> str:
    """Return one line about an exception: its message if it is a `PentaryError`, otherwise its type and message."""
    if isinstance(error, PentaryError):
        return str(error)
    return "".join(traceback.format_exception_only(error)).strip().replace("\n", " ")
