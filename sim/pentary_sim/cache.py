"""Set-associative caches with least-recently-used replacement: two L1 caches over one L2."""

from typing import Final

from pentary_sim import opcodes as o
from pentary_sim.compiled import compiled
from pentary_sim.layout import L2, Record

CLEAN: Final = -1


@compiled
def access(s: Record, caches: "Record", first: int, line: int, write: bool) -> int:
    """Access a line through L1 and L2, and update the access and miss counts.

    Args:
        s: machine state; its counts are updated.
        caches: the three caches (L1 instruction, L1 data, L2), updated.
        first: index of the L1 cache, ICACHE or DCACHE.
        line: line number.
        write: whether the access is a write.

    Returns:
        0 for a hit in L1, 1 for a hit in L2, 2 for memory.
    """
    accesses = o.ICACHE_ACCESSES + 2 * first
    s.counts[accesses] += 1
    hit, evicted = _lookup(caches[first], line, write)
    if hit:
        return 0
    s.counts[accesses + 1] += 1
    s.counts[o.L2_ACCESSES] += 1
    hit, lost = _lookup(caches[L2], line, False)
    if not hit:
        s.counts[o.L2_MISSES] += 1
        s.counts[o.MEMORY_READS] += 1
        s.counts[o.MEMORY_WRITES] += lost != CLEAN
    if evicted != CLEAN:
        s.counts[o.L2_ACCESSES] += 1
        _, lost = _lookup(caches[L2], evicted, True)
        s.counts[o.MEMORY_WRITES] += lost != CLEAN
    return 1 if hit else 2


@compiled
def _lookup(cache: Record, line: int, write: bool) -> tuple[bool, int]:
    """Look up a line and allocate it on a miss; return whether it hit, and the dirty line evicted (CLEAN if none)."""
    start = line % cache.sets * cache.ways
    lines, used, dirty = cache.lines, cache.used, cache.dirty
    cache.clock += 1
    oldest = start
    for place in range(start, start + cache.ways):
        if lines[place] == line + 1:
            used[place] = cache.clock
            dirty[place] |= write
            return True, CLEAN
        if used[place] < used[oldest]:
            oldest = place
    evicted = lines[oldest] - 1 if dirty[oldest] else CLEAN
    lines[oldest] = line + 1
    used[oldest] = cache.clock
    dirty[oldest] = write
    return False, evicted


assert o.DCACHE_ACCESSES == o.ICACHE_ACCESSES + 2 and o.DCACHE_MISSES == o.ICACHE_MISSES + 2
