"""Results as rows of names and values."""

from collections.abc import Mapping


def table(rows: Mapping[str, object]) -> str:
    """Return a line for each name and its value.

    >>> print(table({"steps": 3, "fitness": 0.5}))
    steps    3
    fitness  0.5
    """
    width = max(map(len, rows), default=0)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows.items())
