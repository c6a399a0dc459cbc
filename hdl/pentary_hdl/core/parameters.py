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
            problems.append(f"the core cannot have {told}")

    entries = config.predictor.entries
    need(entries in (0, *_POWERS), f"predictor.entries = {entries}: it takes 0 or a power of 5, such as 125")
    need(not config.caches.enabled, "caches yet: set caches.enabled = false")
    latency = config.l1_latency(config.icache)
    need(latency <= 2, f"icache.latency = {latency}: it fetches in 1 or 2 cycles")
    for unit in ("vector", "crossbar", "lowrank"):
        need(not getattr(config.units, unit), f"the {unit} unit yet: set units.{unit} = false")
    if problems:
        raise PentaryError("\n".join(problems))
