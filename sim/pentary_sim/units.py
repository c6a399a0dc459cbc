"""Timing of the units beside the scalar pipeline, compiled."""

import numpy as np

from pentary.isa.timing import COSTS, write_terms
from pentary_sim import opcodes as o
from pentary_sim.cache import access, arrival, touch
from pentary_sim.compiled import compiled
from pentary_sim.layout import DCACHE, Record
from pentary_sim.lowrank import COLS, RANK, ROWS

_write_terms = compiled(write_terms)
_BUSY = np.array([0, o.VECTOR_BUSY, o.MEMORY_BUSY, o.CROSSBAR_BUSY, o.LOWRANK_BUSY])


@compiled
def dispatch(s: Record, caches: Record, c: Record, entered: int, address: int) -> tuple[int, int, int]:
    """Dispatch an instruction to its unit, and compute its timing.

    Args:
        s, caches: machine state, updated.
        c: decoded instruction.
        entered: cycle in which it enters MEM.
        address: of the first word, for a vector in memory; those of strided and indexed ones are in `s.row`.

    Returns:
        Cycles in which it starts (start), in which the unit is free for the next instruction (start + occupancy), and
        in which its result is available (start + latency).
    """
    op, unit = c.op, c.unit
    v1, v2, v3, written = c.vsource_1, c.vsource_2, c.vsource_3, c.vwritten
    start = max(entered, s.unit_free[unit])
    if v1 >= 0:
        start = max(start, s.vector_ready[v1])
    if v2 >= 0:
        start = max(start, s.vector_ready[v2])
    if v3 >= 0:
        start = max(start, s.vector_ready[v3])
    if written >= 0:
        start = max(start, max(s.vector_ready[written], s.vector_read[written]))
    if op == o.FITGET:
        start = max(start, s.fitness_ready[c.a])
    occupancy, latency = _cost(s, op, c.i, _beats(s, caches, op, address, start) if unit == o.UNIT_MEMORY else 0)
    if unit == o.UNIT_MEMORY:
        latency += s.dcache_latency - 1
    free, done = start + occupancy, start + latency
    if v1 >= 0:
        s.vector_read[v1] = max(s.vector_read[v1], free)
    if v2 >= 0:
        s.vector_read[v2] = max(s.vector_read[v2], free)
    if v3 >= 0:
        s.vector_read[v3] = max(s.vector_read[v3], free)
    if written >= 0:
        s.vector_ready[written] = done
    if op == o.POPEVAL:
        s.fitness_ready[c.d] = done
    s.unit_free[unit] = free
    s.unit_done[unit] = max(s.unit_done[unit], done)
    place = s.queue_next[unit]
    s.queue_starts[unit, place] = start
    s.queue_next[unit] = (place + 1) % s.queue
    s.counts[_BUSY[unit]] += occupancy
    if op == o.LRMUL or op == o.LRMULX:
        s.counts[o.LOWRANK_MULTIPLY_CYCLES] += occupancy
    return start, free, done


@compiled
def _cost(s: Record, op: int, w: int, x: int) -> tuple[int, int]:
    """Return occupancy and latency of an instruction with immediate w that spends x cycles on its cache lines."""
    lanes, rounds = s.lanes, s.rounds_per_cycle
    _write_terms(s.terms, lanes, rounds, s.vl, s.controls[ROWS], s.controls[COLS], s.controls[RANK], w, x)
    occupancy = latency = 0
    for term in range(len(s.terms)):
        occupancy += COSTS[op, 0, term] * s.terms[term]
        latency += COSTS[op, 1, term] * s.terms[term]
    return occupancy, latency


@compiled
def _beats(s: Record, caches: Record, op: int, address: int, start: int) -> int:
    """Access the words of a vector in memory, a beat a cycle; return the cycles this takes from `start` on."""
    if op != o.LOADV and op != o.STOREV:
        return _elements(s, caches, op == o.STOREVS or op == o.STOREVX, start)
    size, beat = s.line_words, s.dcache_beat
    now, first, end = start, address + size // 2, address + size // 2 + s.vl  # counted from the beginning of line 0
    while first < end:
        line, place = first // size, first % size
        last = min(place + end - first, size) - 1
        touch(s, caches, DCACHE, line, place, op == o.STOREV, now)
        beats = last // beat - place // beat + 1
        s.counts[o.DCACHE_BEATS] += beats
        if now >= s.fill_end[DCACHE] or s.fill_line[DCACHE] != line:
            now += beats
        else:
            for number in range(place // beat, last // beat + 1):
                for word in range(max(place, number * beat), min(last, number * beat + beat - 1) + 1):
                    now = max(now, arrival(s, DCACHE, word))
                now += 1
        first += last - place + 1
    return now - start


@compiled
def _elements(s: Record, caches: Record, write: bool, start: int) -> int:
    """Access the elements of a strided or indexed vector, one a cycle; return the cycles this takes."""
    now = start
    for j in range(s.vl):
        own, further = access(s, caches, DCACHE, s.row[j], write, now, now)
        now += own + further + 1
    s.counts[o.DCACHE_BEATS] += s.vl
    return now - start
