"""What of a configuration the hardware can have."""

from typing import Final

from pentary.machine.config import Config
from pentary.numbers.word import PentaryError

_POWERS: Final = [5**n for n in range(7)]


def check(config: Config) -> None:
    """Raise PentaryError, with a line for each setting, unless the core can be built with a configuration."""
    problems: list[str] = []

    def need(holds: bool, told: str) -> None:
        if not holds:
            problems.append(f"the hardware of the core {told}")

    entries = config.predictor.entries
    need(entries in (0, *_POWERS), f"takes predictor.entries that is 0 or a power of 5, such as 125, not {entries}")
    need(not config.caches.enabled, "has no caches: set caches.enabled = false")
    latency = config.l1_latency(config.icache)
    need(latency <= 2, f"fetches in 1 or 2 cycles: icache.latency cannot be {latency}")
    for unit in ("vector", "crossbar", "lowrank"):
        need(not getattr(config.units, unit), f"is the scalar pipeline so far: set units.{unit} = false")
    if problems:
        raise PentaryError("\n".join(problems))
