"""Functional coverage: which of the situations that were named beforehand have occurred."""

from collections import Counter
from collections.abc import Iterable

Bin = tuple[str | int, ...]


class Coverage:
    """Bins, and how often each was hit.

    The first part of a bin is its group; the others say what the situation is.

    >>> coverage = Coverage([("error", "bad pent"), ("error", "unknown code")])
    >>> coverage.hit("error", "bad pent")
    >>> print(coverage.table())
    error            1/2  missing: unknown code
    total            1/2
    """

    def __init__(self, bins: Iterable[Bin]) -> None:
        """Name the bins."""
        self.hits = dict.fromkeys(bins, 0)

    def hit(self, *parts: str | int) -> None:
        """Count a situation, if it has a bin."""
        if parts in self.hits:
            self.hits[parts] += 1

    @property
    def missing(self) -> list[Bin]:
        """The bins that were never hit."""
        return [parts for parts, hits in self.hits.items() if not hits]

    def groups(self) -> dict[str, tuple[int, int]]:
        """Give for each group how many of its bins were hit, and how many it has."""
        every = Counter(str(parts[0]) for parts in self.hits)
        never = Counter(str(parts[0]) for parts in self.missing)
        return {group: (bins - never[group], bins) for group, bins in every.items()}

    def table(self, shown: int = 5) -> str:
        """Give a line for each group, with the first of the bins that it lacks."""
        lines = []
        for group, (hit, bins) in self.groups().items():
            lacks = [" ".join(map(str, parts[1:])) for parts in self.missing if parts[0] == group]
            more = f" and {len(lacks) - shown} more" if len(lacks) > shown else ""
            told = f"  missing: {', '.join(lacks[:shown])}{more}" if lacks else ""
            lines.append(f"{group:10} {f'{hit}/{bins}':>9}{told}")
        return "\n".join([*lines, f"{'total':10} {f'{len(self.hits) - len(self.missing)}/{len(self.hits)}':>9}"])
