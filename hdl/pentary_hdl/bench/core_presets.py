"""Configurations of the core that `pentary verify core` checks, each a machine of its own."""

from dataclasses import dataclass
from typing import Final

from pentary.machine.config import Config

_COMMON: Final = "memory.words = 78125"

CONFIGURATIONS: Final = {
    "scalar": """
        caches.line = 5
        icache.sets = 5
        icache.ways = 2
        dcache.sets = 5
        dcache.ways = 2
        l2.sets = 5
        l2.ways = 3
        l2.latency = 4
        memory.latency = 9
        units.vector = false
        units.crossbar = false
        units.lowrank = false
        predictor.entries = 25
        predictor.returns = 4
        devices.latency = 4
    """,
    "plain": "l2.sets = 25",
    "small": """
        icache.sets = 1
        icache.ways = 2
        dcache.sets = 5
        dcache.ways = 1
        dcache.latency = 2
        dcache.beat = 5
        l2.sets = 5
        l2.ways = 1
        l2.latency = 3
        l2.beat = 1
        memory.latency = 5
        pipeline.queue = 1
        units.crossbar = false
        lowrank.rounds_per_cycle = 2
        predictor.entries = 1
        predictor.returns = 1
        exceptions.overflow_trap = true
        devices.latency = 3
    """,
    "uncached": """
        caches.enabled = false
        icache.latency = 2
        dcache.latency = 3
        dcache.beat = 5
        pipeline.queue = 2
        lowrank.rounds_per_cycle = 8
        predictor.entries = 5
        predictor.returns = 2
        exceptions.overflow_trap = true
        devices.latency = 0
    """,
    "wide": """
        dcache.sets = 5
        dcache.ways = 3
        l2.sets = 5
        l2.ways = 4
        units.crossbar = false
        lowrank.lanes = 256
        predictor.entries = 25
        predictor.returns = 2
    """,
    "drawn": """
        memory.words = 390625
        caches.enabled = false
        predictor.returns = 0
    """,
    "unpredicted": """
        caches.line = 5
        icache.sets = 5
        icache.ways = 1
        icache.latency = 2
        dcache.ways = 5
        l2.sets = 25
        l2.ways = 4
        units.crossbar = false
        pipeline.queue = 2
        predictor.entries = 0
        predictor.returns = 0
        devices.latency = 1
    """,
    "returns": """
        caches.enabled = false
        units.vector = false
        units.crossbar = false
        units.lowrank = false
        predictor.entries = 25
        predictor.returns = 64
    """,
    "no returns": """
        caches.line = 125
        caches.critical_first = false
        icache.sets = 1
        icache.ways = 3
        icache.latency = 2
        dcache.sets = 1
        dcache.ways = 5
        l2.sets = 1
        l2.ways = 7
        l2.beat = 25
        lowrank.lanes = 64
        pipeline.queue = 3
        predictor.entries = 625
        predictor.returns = 0
    """,
    "slow": """
        dcache.sets = 1
        dcache.ways = 25
        dcache.latency = 2
        l2.sets = 5
        l2.ways = 6
        memory.latency = 200
        units.lowrank = false
        pipeline.queue = 8
        devices.latency = 100
    """,
    "very deep": """
        icache.sets = 5
        icache.ways = 2
        dcache.sets = 5
        dcache.ways = 3
        dcache.latency = 16
        l2.sets = 5
        l2.ways = 2
        lowrank.lanes = 64
        pipeline.queue = 1
        predictor.entries = 25
        predictor.returns = 3
    """,
    "trapping": """
        icache.sets = 5
        icache.ways = 2
        dcache.sets = 5
        dcache.ways = 2
        l2.sets = 1
        l2.ways = 16
        l2.latency = 4
        l2.beat = 25
        dcache.beat = 1
        units.crossbar = false
        predictor.entries = 3125
        exceptions.overflow_trap = true
    """,
    "late data": """
        caches.line = 5
        caches.critical_first = false
        icache.ways = 2
        icache.latency = 2
        dcache.ways = 2
        dcache.latency = 5
        l2.sets = 25
        l2.ways = 4
        l2.latency = 3
        lowrank.lanes = 64
        lowrank.rounds_per_cycle = 4
        devices.latency = 2
        exceptions.overflow_trap = true
    """,
    "direct": """
        caches.line = 5
        icache.sets = 5
        icache.ways = 1
        dcache.sets = 5
        dcache.ways = 1
        l2.sets = 5
        l2.ways = 1
        l2.latency = 3
        l2.beat = 1
        memory.latency = 7
        units.crossbar = false
        lowrank.lanes = 64
        pipeline.queue = 1
    """,
    "large": """
        memory.words = 1953125
        pipeline.queue = 64
        predictor.entries = 15625
        predictor.returns = 16
    """,
}
"""Settings beside those that all have, as TOML."""


@dataclass(frozen=True)
class Preset:
    """Which configurations are checked, and the least number of random instructions on each."""

    configurations: tuple[str, ...]
    instructions: int


PRESETS: Final = {
    "quick": Preset(("small",), 5_000),
    "default": Preset(("scalar", "small", "plain", "uncached"), 20_000),
    "all": Preset(tuple(CONFIGURATIONS), 20_000),
}


def configuration(name: str) -> Config:
    """Return a configuration of CONFIGURATIONS."""
    return merged(CONFIGURATIONS[name])


def merged(settings: str) -> Config:
    """Return a configuration with some settings in addition to, or instead of, those that all have."""
    own = {line.split("=")[0].strip() for line in settings.splitlines() if "=" in line}
    common = [line for line in _COMMON.splitlines() if line.split("=")[0].strip() not in own]
    return Config.loads("\n".join([*common, settings]))
