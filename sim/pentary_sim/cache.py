"""Set-associative caches with least-recently-used replacement, two L1 caches over one L2, and when their lines arrive.

The L1 caches share a port to L2, and L2 has one to memory. Their lines are requested in program order, so the fills and
write-backs follow each other in that order, too.
"""

from typing import Final

from pentary_sim import opcodes as o
from pentary_sim.compiled import compiled
from pentary_sim.layout import L2, Record

CLEAN: Final = -1
_SHIFT: Final = 36


def inverse(line_words: int) -> int:
    """Return the factor with which `line_of` divides by the words in a line."""
    return 2**_SHIFT // line_words + 1


@compiled
def line_of(s: Record, address: int) -> int:
    """Return the line number of an address, line k being the addresses nearest to k times the words in a line.

    A product and a shift take the place of a division; they are exact for the addresses of the largest memory.
    """
    return (address + s.line_words // 2) * s.line_inverse >> _SHIFT


@compiled
def access(s: Record, caches: "Record", side: int, address: int, write: bool, now: int, begin: int) -> tuple[int, int]:
    """Access a word through an L1 cache, and update the counts.

    Args:
        s: machine state; the ports and the counts are updated.
        caches: the three caches (L1 instruction, L1 data, L2), updated.
        side: index of the L1 cache, ICACHE or DCACHE.
        address: of the word.
        write: whether the access is a write.
        now: cycle of the access; never earlier than that of the access before.
        begin: cycle from which a line that is missed may be requested.

    Returns:
        The cycles by which the word comes later than in a hit: those of L2, and those of memory.
    """
    line = line_of(s, address)
    place = address + s.line_words // 2 - line * s.line_words
    touch(s, caches, side, line, place, write, begin)
    if now >= s.fill_end[side] or s.fill_line[side] != line:
        return 0, 0
    wait = max(0, arrival(s, side, place) - now)
    own = wait
    if s.fill_from[side] > 1:
        own = min(wait, max(0, s.fill_answered[side] - now))
    return own, wait - own


@compiled
def touch(s: Record, caches: "Record", side: int, line: int, place: int, write: bool, now: int) -> None:
    """Look a line up in an L1 cache; on a miss, request it in cycle `now`, the word at a place in the line first.

    Without caches the access is only counted.
    """
    accesses = o.ICACHE_ACCESSES + 2 * side
    s.counts[accesses] += 1
    if not s.cached:
        return
    hit, evicted = _lookup(caches[side], line, write)
    if hit:
        return
    s.counts[accesses + 1] += 1
    s.counts[o.L2_ACCESSES] += 1
    hit, lost = _lookup(caches[L2], line, False)
    _fill(s, side, line, place, hit, now)
    if not hit:
        s.counts[o.L2_MISSES] += 1
        s.counts[o.MEMORY_READS] += 1
        if lost != CLEAN:
            _write_memory(s, s.memory_free)
    if evicted != CLEAN:
        s.counts[o.L2_ACCESSES] += 1
        beats = s.line_words // s.l2_beat
        s.counts[o.L2_BEATS] += beats
        _, lost = _lookup(caches[L2], evicted, True)
        if lost != CLEAN:  # it goes through a buffer of one line, which the one before has left
            s.l2_free = max(s.l2_free, s.memory_free)
        s.l2_free += beats
        if lost != CLEAN:
            _write_memory(s, s.l2_free)


@compiled
def arrival(s: Record, side: int, place: int) -> int:
    """Return the cycle in which the word at a place of the line that is filled last arrives in an L1 cache."""
    if not s.critical_first:
        return s.fill_end[side] - 1
    beats = s.line_words // s.fill_beat[side]
    later = (place // s.fill_beat[side] - s.fill_place[side] + beats) % beats
    return s.fill_first[side] + later


@compiled
def _fill(s: Record, side: int, line: int, place: int, from_l2: bool, now: int) -> None:
    """Start the transfer of a line to an L1 cache, the word at a place in the line first."""
    answered = max(now, s.l2_free) + s.l2_latency
    first, beat = answered, s.l2_beat
    s.counts[o.L2_BEATS] += s.line_words // s.l2_beat
    if not from_l2:
        first = max(answered, s.memory_free) + s.memory_latency
        beat = min(beat, s.memory_beat)
        s.counts[o.MEMORY_BEATS] += s.line_words // s.memory_beat
    s.fill_line[side], s.fill_from[side], s.fill_answered[side] = line, (1 if from_l2 else 2), answered
    s.fill_first[side], s.fill_beat[side], s.fill_place[side] = first, beat, place // beat
    s.fill_end[side] = s.l2_free = first + s.line_words // beat
    if not from_l2:
        s.memory_free = s.fill_end[side]


@compiled
def _write_memory(s: Record, begin: int) -> None:
    """Write a dirty line back from L2 to memory."""
    beats = s.line_words // s.memory_beat
    s.counts[o.MEMORY_WRITES] += 1
    s.counts[o.MEMORY_BEATS] += beats
    s.memory_free = begin + beats


@compiled
def _lookup(cache: Record, line: int, write: bool) -> tuple[bool, int]:
    """Look up a line and allocate it on a miss; return whether it hit, and the dirty line evicted (CLEAN if none)."""
    lines, used, dirty = cache.lines, cache.used, cache.dirty
    if line + 1 == cache.last_line:  # the most recently used line of its set already
        dirty[cache.last_place] |= write
        return True, CLEAN
    start = line % cache.sets * cache.ways
    cache.clock += 1
    cache.last_line = line + 1
    oldest = start
    for place in range(start, start + cache.ways):
        if lines[place] == line + 1:
            used[place] = cache.clock
            dirty[place] |= write
            cache.last_place = place
            return True, CLEAN
        if used[place] < used[oldest]:
            oldest = place
    cache.last_place = oldest
    evicted = lines[oldest] - 1 if dirty[oldest] else CLEAN
    lines[oldest] = line + 1
    used[oldest] = cache.clock
    dirty[oldest] = write
    return False, evicted


assert o.DCACHE_ACCESSES == o.ICACHE_ACCESSES + 2 and o.DCACHE_MISSES == o.ICACHE_MISSES + 2
