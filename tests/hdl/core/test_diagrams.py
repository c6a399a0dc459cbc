"""The drawings of the pipeline in tests/sim/test_timing_*.py, on the hardware.

In most drawings a miss costs nothing: they run without caches, and each instruction retires in the cycle that is drawn.
Those with caches run with latencies, lines and ways that the hardware can have, and have the records of the model.
"""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pentary.isa.table import BY_NAME
from pentary.machine import engines
from pentary.machine.config import Config
from pentary.machine.engines import Setup
from pentary.machine.lockstep import compare
from pentary_hdl.bench.core_presets import configuration
from pentary_hdl.core.parameters import MAX_LINE
from pentary_hdl.engine import core

FILES = sorted(Path(__file__).parents[2].glob("sim/test_timing_*.py"))
CACHES = ("caches.", "l2.", "memory.", "icache.sets", "icache.ways", "dcache.sets", "dcache.ways")
UNITS = {"vector", "memory", "lowrank", "crossbar"}
PORTS = {"memory.beat": "1", "l2.beat": "5"}


@pytest.fixture(scope="module")
def drawn(loaded: Callable[[str], ModuleType]) -> list[Any]:
    """Return the drawings, parsed."""
    timing = loaded("sim/timing.py")
    return [timing.parse(text) for path in FILES for text in drawings(loaded(f"sim/{path.name}"))]


def drawings(module: ModuleType) -> Iterator[str]:
    """Yield the drawings in the tests of a module."""
    for name, test in vars(module).items():
        if name.startswith("test_") and [*inspect.signature(test).parameters] == ["timing"]:
            texts: list[str] = []
            test(texts.append)
            yield from texts


def has_caches(drawing: Any) -> bool:
    return any(name.startswith(CACHES) for name in drawing.settings)


def machine(drawing: Any, settings: dict[str, str]) -> Config:
    """Return a configuration without the units that the drawing has no use for: its hardware is built much faster."""
    names = {row.text.split()[0] for row in drawing.rows}
    used = {BY_NAME[name].unit for name in names if name in BY_NAME}
    has = {"lowrank": "lowrank" in used, "crossbar": "crossbar" in used, "vector": bool(used & UNITS)}
    units = {f"units.{name}": str(there).lower() for name, there in has.items()}
    return Config.loads("\n".join(f"{name} = {value}" for name, value in (settings | units).items()))


def check_cycles(drawing: Any, config: Config) -> None:
    rows = drawing.rows
    setup = Setup(drawing.program(), config)
    with core.ENGINE.start(setup, rows[-1].stages[-1] + 1) as run:
        records = list(run)
    cycles = [cycle for batch in records for cycle in batch["cycle"].tolist()][: len(rows)]
    assert cycles == [row.stages[-1] for row in rows], "\n".join(f"{row.address} {row.text}" for row in rows)


def test_each_instruction_retires_in_the_cycle_that_is_drawn(drawn: list[Any]) -> None:
    plain = [drawing for drawing in drawn if not drawing.settings]
    assert len(plain) >= 75
    for drawing in plain:
        check_cycles(drawing, configuration("drawn"))


@pytest.mark.slow
def test_so_it_does_on_other_machines(drawn: list[Any], loaded: Callable[[str], ModuleType]) -> None:
    for drawing in drawn:
        entries = int(drawing.settings.get("predictor.entries", 0))
        if drawing.settings and not has_caches(drawing) and entries != 6:  # the hardware takes powers of 5
            settings = {**loaded("sim/timing.py").DEFAULTS, **drawing.settings, "caches.enabled": "false"}
            check_cycles(drawing, machine(drawing, settings))


@pytest.mark.slow
def test_with_caches_it_does_what_it_does_on_the_model(drawn: list[Any], loaded: Callable[[str], ModuleType]) -> None:
    cached = [drawing for drawing in drawn if has_caches(drawing)]
    assert len(cached) >= 25
    for drawing in cached:
        settings = {**loaded("sim/timing.py").DEFAULTS, **drawing.settings, **PORTS}
        for name, least in (("l2.latency", 3), ("memory.latency", 5)):
            settings[name] = str(max(int(settings[name]), least))
        line = min(int(settings.get("caches.line", 25)), MAX_LINE)
        settings |= {"caches.line": str(line), "dcache.ways": str(min(int(settings.get("dcache.ways", 8)), line))}
        setup = Setup(drawing.program(), machine(drawing, settings))
        found = compare(engines.engine("sim"), engines.engine("core"), setup, drawing.rows[-1].stages[-1] + 2_000)
        assert not found.difference, found.difference
