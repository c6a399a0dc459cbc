"""Networks as text: what `repr` of a network gives makes it again, without executing anything else."""

import ast
from typing import Any, Final

from pentary.nets import layers, losses, network
from pentary.nets.network import Sequential
from pentary.numbers.word import PentaryError

_MADE: Final = {
    made.__name__: made
    for made in (
        *(network.Sequential, network.Input, network.Tokens),
        *(losses.SquaredHinge, losses.CrossEntropy, losses.SquaredError),
        *(layers.Dense, layers.Conv1d, layers.Conv2d, layers.MaxPool, layers.Flatten, layers.Clamp),
        *(layers.Residual, layers.Norm, layers.Embedding, layers.MinGRU),
    )
}


def parse(text: str) -> Sequential:
    """Return the network that a text describes.

    Raises:
        PentaryError: it describes none; or what the layers raise.

    >>> parse("Sequential(Input(shape=4), Dense(2), Clamp(312), loss=CrossEntropy())").macs
    8
    """
    try:
        found = _made(ast.parse(text, mode="eval").body)
    except (SyntaxError, TypeError, ValueError) as error:
        if isinstance(error, PentaryError):
            raise
        raise PentaryError(f"no description of a network: {error}") from error
    if not isinstance(found, Sequential):
        raise PentaryError(f"no description of a network but of {type(found).__name__}")
    return found


def _made(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MADE:
        named = {each.arg: _made(each.value) for each in node.keywords if each.arg}
        return _MADE[node.func.id](*map(_made, node.args), **named)
    if isinstance(node, ast.Tuple):
        return tuple(map(_made, node.elts))
    return ast.literal_eval(node)
