"""Text in aligned columns."""

from collections.abc import Iterable


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Align rows in columns; the last cell of a row does not affect the column widths.

    >>> print(table([("pc", "12 loop"), ("flags", "Z", "x")]))
    pc     12 loop
    flags  Z  x
    """
    rows = list(rows)
    widths: dict[int, int] = {}
    for row in rows:
        for column, cell in enumerate(row[:-1]):
            widths[column] = max(widths.get(column, 0), len(cell))
    padded = ([*(cell.ljust(widths[n]) for n, cell in enumerate(row[:-1])), row[-1]] for row in rows)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)
