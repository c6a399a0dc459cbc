"""Configurations of the core that `pentary verify core` checks, each a machine of its own."""

from dataclasses import dataclass
from typing import Final

from pentary.machine.config import Config

_SCALAR: Final = """
caches.enabled = false
units = {vector = false, crossbar = false, lowrank = false}
memory.words = 78125
"""

CONFIGURATIONS: Final = {
    "plain": "",
    "deep": """
        icache.latency = 2
        dcache.latency = 3
        predictor = {entries = 5, returns = 2}
        exceptions.overflow_trap = true
        devices.latency = 0
    """,
    "unpredicted": """
        icache.latency = 2
        predictor = {entries = 0, returns = 0}
        devices.latency = 1
    """,
    "small": """
        dcache.latency = 2
        predictor = {entries = 1, returns = 1}
        exceptions.overflow_trap = true
        devices.latency = 3
    """,
    "returns": "predictor = {entries = 25, returns = 64}",
    "no returns": "predictor = {entries = 625, returns = 0}\nicache.latency = 2",
    "slow devices": "devices.latency = 100\ndcache.latency = 2",
    "very deep": "dcache.latency = 16\npredictor = {entries = 25, returns = 3}",
    "trapping": "exceptions.overflow_trap = true\npredictor = {entries = 3125, returns = 8}",
    "late data": "dcache.latency = 5\ndevices.latency = 2\nexceptions.overflow_trap = true\nicache.latency = 2",
    "two": "icache.latency = 2\ndcache.latency = 2",
    "large": "memory.words = 1953125\npredictor = {entries = 15625, returns = 16}",
}
"""Settings beside those that all have, as TOML."""


@dataclass(frozen=True)
class Preset:
    """Which configurations are checked, and the least number of random instructions on each."""

    configurations: tuple[str, ...]
    instructions: int


PRESETS: Final = {
    "quick": Preset(("plain",), 5_000),
    "default": Preset(("plain", "deep", "small"), 20_000),
    "all": Preset(tuple(CONFIGURATIONS), 20_000),
}


def configuration(name: str) -> Config:
    """Return a configuration of CONFIGURATIONS."""
    return merged(CONFIGURATIONS[name])


def merged(settings: str) -> Config:
    """Return a configuration with some settings in addition to those of all scalar cores."""
    own = {line.split("=")[0].strip() for line in settings.splitlines() if "=" in line}
    common = [line for line in _SCALAR.splitlines() if line.split("=")[0].strip() not in own]
    return Config.loads("\n".join([*common, settings]))
