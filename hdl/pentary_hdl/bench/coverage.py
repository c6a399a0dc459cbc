"""Functional coverage: named bins, and which of them have been hit."""

from collections import Counter
from collections.abc import Iterable

Bin = tuple[str | int, ...]


class Coverage:
    """Coverage bins with hit counts.

    The first part of a bin is its group; the others describe the situation.

    >>> coverage = Coverage([("error", "bad pent"), ("error", "unknown code")])
    >>> coverage.hit("error", "bad pent")
    >>> print(coverage.table())
    error            1/2  missing: unknown code
    total            1/2
    """

    def __init__(self, bins: Iterable[Bin]) -> None:
        """Create the coverage with the given bins, none of them hit."""
        self.hits = dict.fromkeys(bins, 0)

    def hit(self, *parts: str | int) -> None:
        """Count a hit of a bin; ignored if there is no such bin."""
        if parts in self.hits:
            self.hits[parts] += 1

    @property
    def missing(self) -> list[Bin]:
        """Bins that were never hit."""
        return [parts for parts, hits in self.hits.items() if not hits]

    def groups(self) -> dict[str, tuple[int, int]]:
        """Return, for each group, the number of bins hit and the number of bins."""
        every = Counter(str(parts[0]) for parts in self.hits)
        never = Counter(str(parts[0]) for parts in self.missing)
        return {group: (bins - never[group], bins) for group, bins in every.items()}

    def table(self, shown: int = 5) -> str:
        """Return a table with a line for each group, naming up to `shown` of its missing bins."""
        lines = []
        for group, (hit, bins) in self.groups().items():
            lacks = [" ".join(map(str, parts[1:])) for parts in self.missing if parts[0] == group]
            more = f" and {len(lacks) - shown} more" if len(lacks) > shown else ""
            told = f"  missing: {', '.join(lacks[:shown])}{more}" if lacks else ""
            lines.append(f"{group:10} {f'{hit}/{bins}':>9}{told}")
        return "\n".join([*lines, f"{'total':10} {f'{len(self.hits) - len(self.missing)}/{len(self.hits)}':>9}"])
