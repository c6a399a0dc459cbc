"""What of a configuration the hardware can have."""

from typing import Final

from pentary.machine.config import Config
from pentary.numbers.word import PentaryError
from pentary_hdl.caches.memory import DELAY
from pentary_hdl.caches.second import MIN_LATENCY

MAX_LINE: Final = 125
"""Words of the longest line: a burst on the bus has at most 256."""

_POWERS: Final = [5**n for n in range(7)]


def check(config: Config) -> None:
    """Raise PentaryError, with a line for each setting, unless the core can be built with a configuration."""
    problems: list[str] = []

    def need(holds: bool, told: str) -> None:
        if not holds:
            problems.append(f"the hardware of the core {told}")

    entries = config.predictor.entries
    need(entries in (0, *_POWERS), f"takes predictor.entries that is 0 or a power of 5, such as 125, not {entries}")
    if config.caches.enabled:
        line, latency = config.caches.line, config.l2_latency()
        need(line <= MAX_LINE, f"has lines of up to {MAX_LINE} words: caches.line cannot be {line}")
        need(config.dcache.ways <= line, f"takes dcache.ways up to caches.line = {line}, not {config.dcache.ways}")
        need(latency >= MIN_LATENCY, f"needs l2.latency of {MIN_LATENCY} or more, not {latency}")
        least, latency = DELAY + 1, config.memory.latency
        need(latency >= least, f"needs memory.latency of {least} or more, not {latency}")
        need(config.memory.beat == 1, f"reads a word a cycle from memory: memory.beat cannot be {config.memory.beat}")
    latency = config.l1_latency(config.icache)
    need(latency <= 2, f"fetches in 1 or 2 cycles: icache.latency cannot be {latency}")
    if problems:
        raise PentaryError("\n".join(problems))
