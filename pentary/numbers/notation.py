"""Pents as text, most significant pent first, in either of two alphabets.

    pent       -2  -1   0  +1  +2
    glyphs      ⊖   -   0   +   ⊕
    ASCII       =   -   0   1   2

Each ASCII character can be typed; this alphabet is known as SNAFU. No character means one pent in the one alphabet and
another pent in the other, so reading accepts both, even mixed.
"""

from typing import Any, Final, overload

import numpy as np
from numpy.typing import ArrayLike

from pentary.numbers.word import PENTS, PentaryError, to_digits

GLYPHS: Final = "⊖-0+⊕"
"""The symbols of -2, -1, 0, +1, +2."""

ASCII_GLYPHS: Final = "=-012"
"""The same with characters that can be typed."""

_MINUS_SIGN: Final = "\N{MINUS SIGN}"  # what word processors make of a hyphen

_PENT_OF: Final = {
    character: pent
    for alphabet in (GLYPHS, ASCII_GLYPHS, GLYPHS.replace("-", _MINUS_SIGN))
    for pent, character in enumerate(alphabet, start=-2)
}


@overload
def format_pents(values: int | np.integer, width: int = PENTS, ascii: bool = False) -> str: ...
@overload
def format_pents(values: ArrayLike, width: int = PENTS, ascii: bool = False) -> Any: ...
def format_pents(values: ArrayLike, width: int = PENTS, ascii: bool = False) -> Any:
    """Spell each number as exactly `width` pents, most significant first.

    values: integers of any shape, each of `width` pents.
    width: pents, 1 to 27.
    ascii: whether to use the alphabet `=-012` instead of `⊖-0+⊕`.
    Returns: a str for one number, else an array of str of the same shape.
    Raises: PentaryError if a value is not an integer or does not fit.

    >>> format_pents(-7, width=4), format_pents(-7, width=4, ascii=True)
    ('00-⊖', '00-=')
    >>> format_pents([12, -12], width=2)
    array(['⊕⊕', '⊖⊖'], dtype='<U2')
    """
    pents = to_digits(values, width)[..., ::-1]
    characters = np.array(list(ASCII_GLYPHS if ascii else GLYPHS))[pents + 2]
    texts = np.ascontiguousarray(characters).view(f"U{width}")[..., 0]
    return texts if texts.ndim else texts.item()


@overload
def parse_pents(text: str) -> int: ...
@overload
def parse_pents(text: ArrayLike) -> Any: ...
def parse_pents(text: ArrayLike) -> Any:
    """Read the number that each text spells, most significant pent first.

    text: a str, or an array of str of any shape; 1 to 16 pents from either alphabet (or U+2212 for -1), with single
    underscores between them where wanted.
    Returns: an int for one text, else an int64 array of the same shape.
    Raises: PentaryError if something is not a text or a text does not spell a word; positions count from 0.

    >>> parse_pents("-⊖"), parse_pents("1_0000_0000")
    (-7, 390625)
    >>> parse_pents(["⊕⊕", "=="])
    array([ 12, -12])
    """
    if isinstance(text, str):
        return _parse_word(text)
    texts = np.asarray(text)
    return np.array([_parse_word(item) for item in texts.ravel().tolist()], dtype=np.int64).reshape(texts.shape)


def _parse_word(text: object) -> int:
    if not isinstance(text, str):
        raise PentaryError(f"pents are read from text, not from {type(text).__name__} {text!r}")
    value = count = 0
    for position, character in enumerate(text):
        if character == "_" and {text[position - 1 : position], text[position + 1 : position + 2]} <= _PENT_OF.keys():
            continue
        if character not in _PENT_OF:
            raise PentaryError(f"{character!r} at position {position} of {text!r} is not a pent")
        value = value * 5 + _PENT_OF[character]
        count += 1
    if not 1 <= count <= PENTS:
        raise PentaryError(f"{text!r} has {count} pents, a word has 1 to {PENTS}")
    return value
