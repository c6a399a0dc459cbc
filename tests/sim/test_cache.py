"""The three caches against a reference model of dictionaries."""

from random import Random
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.machine.config import Config
from pentary_sim import cache
from pentary_sim.events import COUNTS
from pentary_sim.layout import DCACHE, ICACHE
from pentary_sim.state import switch_on

ACCESSES = 3000
COUNTED = [name for name in COUNTS if name.startswith(("icache", "dcache", "l2", "memory_")) and "busy" not in name]
NAMES = {ICACHE: "icache", DCACHE: "dcache"}
L1_MISSES = (COUNTS.index("icache_misses"), COUNTS.index("dcache_misses"))
L2_MISSES = COUNTS.index("l2_misses")

GEOMETRIES = [
    "icache = {sets = 1, ways = 1}\ndcache = {sets = 1, ways = 1}\nl2 = {sets = 1, ways = 1}",
    "icache = {sets = 1, ways = 3}\ndcache = {sets = 1, ways = 4}\nl2 = {sets = 1, ways = 8}",
    "icache = {sets = 5, ways = 1}\ndcache = {sets = 5, ways = 2}\nl2 = {sets = 25, ways = 1}",
    "icache = {sets = 5, ways = 2}\ndcache = {sets = 25, ways = 2}\nl2 = {sets = 5, ways = 3}",  # L2 is the smallest
    "caches = {line = 125, critical_first = false}\ndcache = {sets = 1, ways = 2}\nl2 = {beat = 25, sets = 1}",
    "caches.line = 5\ndcache = {sets = 5, ways = 1}\nl2 = {sets = 1, beat = 1, latency = 0}\nmemory.beat = 25",
    "caches.enabled = false\ndcache = {sets = 5, ways = 1}",
    "",
]


@numba.njit
def _access_all(machine: Any, caches: Any, accesses: Any, waits: Any, levels: Any) -> None:
    s = machine[0]
    for k in range(len(accesses)):
        side, address, write, now, begin = accesses[k]
        before = s.counts.copy()
        waits[k, 0], waits[k, 1] = cache.access(s, caches, side, address, write != 0, now, begin)
        missed = s.counts - before
        levels[k] = missed[L1_MISSES[side]] + missed[L2_MISSES]


def stream(rng: Random, reach: int) -> list[tuple[int, int, bool, int, int]]:
    """Return random accesses (L1 cache, address, write, cycle, earliest request), often near the previous one."""
    address, now, drawn = 0, 0, []
    for _ in range(ACCESSES):
        far = rng.random() < 0.3
        address = rng.randrange(reach) if far else min(max(address + rng.randint(-9, 9), 0), reach - 1)
        side = rng.choice((ICACHE, DCACHE, DCACHE))
        now += rng.choice((0, 1, 1, 2, 30))
        drawn.append((side, address, side == DCACHE and rng.random() < 0.4, now, now + rng.choice((0, 0, 3))))
    return drawn


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("reach", [100, 1000, 75000])
def test_waits_and_counts_are_those_of_the_model(reference: ModuleType, geometry: str, reach: int) -> None:
    accesses = stream(Random(f"{geometry}{reach}"), reach)
    config = Config.loads(geometry)
    state = switch_on(assemble_text("halt\n"), config, trace=False)
    waits = np.full((ACCESSES, 2), -1)
    _access_all(state.machine, state.caches, np.array(accesses), waits, np.zeros(ACCESSES, np.int64))
    model = reference.Caches(config)
    for number, (side, address, write, now, begin) in enumerate(accesses):
        model.request(NAMES[side], address, write, begin)
        assert tuple(waits[number]) == model.waits(NAMES[side], address, now), f"access {number}"
    counts: dict[str, int] = dict(zip(COUNTS, state.machine[0]["counts"].tolist(), strict=True))
    assert {name: counts[name] for name in COUNTED} == {name: model.counts[name] for name in COUNTED}
    assert sum(counts.values()) == sum(counts[name] for name in COUNTED)


I, D = ICACHE, DCACHE  # noqa: E741


@pytest.mark.parametrize(
    ("l2_ways", "accesses", "levels", "memory_writes"),
    [
        # L2 has evicted line 0 for line 1, but the instruction cache still holds it.
        (1, [(I, 0, False), (D, 1, False), (I, 0, False)], [2, 2, 0], 0),
        # Line 0 is written back when line 1 arrives, so line 2 replaces line 1 in L2, although that is newer.
        (2, [(D, 0, True), (D, 1, False), (I, 2, False), (I, 0, False)], [2, 2, 2, 1], 0),
        (2, [(D, 0, True), (D, 1, False), (I, 2, False), (I, 1, False)], [2, 2, 2, 2], 1),
        # Written back, line 0 is allocated in L2 again, and is dirty there.
        (1, [(D, 0, True), (I, 5, False), (D, 1, False), (I, 0, False), (I, 7, False)], [2, 2, 2, 1, 2], 1),
        # A hit in L1 does not count as a use in L2, where line 0 is the least recently used.
        (2, [(I, 0, False), (D, 1, False), (I, 0, False), (D, 2, False), (D, 1, False)], [2, 2, 0, 2, 1], 0),
    ],
)
def test_l2_is_not_inclusive_and_what_is_handed_down_is_used_last(
    l2_ways: int, accesses: list[tuple[int, int, bool]], levels: list[int], memory_writes: int
) -> None:
    geometry = "icache = {sets = 1, ways = 1}\ndcache = {sets = 1, ways = 1}\n"
    config = Config.loads(f"{geometry}l2 = {{sets = 1, ways = {l2_ways}}}")
    state = switch_on(assemble_text("halt\n"), config, trace=False)
    found = np.full(len(accesses), -1)
    timed = [(side, 25 * line, write, 1000 * time, 1000 * time) for time, (side, line, write) in enumerate(accesses)]
    _access_all(state.machine, state.caches, np.array(timed), np.zeros((len(accesses), 2), np.int64), found)
    assert found.tolist() == levels
    assert state.machine[0]["counts"][COUNTS.index("memory_writes")] == memory_writes
