"""Engines `rtl` and `netlist`: training on the simulated hardware, compiled by Verilator, before or after synthesis.

Here is what the command line knows of them.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Final

from pentary.es.loop import Task
from pentary.es.strategy import Parameters
from pentary.support.display import say
from pentary.support.extras import extra
from pentary.tasks.running.engines import Engine, Training


def _prepare(task: Task, parameters: Parameters, technology: str | None = None) -> Training:
    with extra("hdl", f"the engine {technology or 'rtl'}"):
        from pentary_hdl.engine import rtl
    hardware = rtl.hardware_for(task, parameters)
    return Training(rtl.train(task, parameters, hardware, say, technology), asdict(hardware))


def _summary(result: Mapping[str, Any]) -> dict[str, str]:
    """Return what the hardware has counted, in words."""
    cycles = result["cycles"]
    return {
        "cycles": f"{cycles:,} of the low-rank unit, {result['lanes']} lanes, "
        f"busy {result['lowrank_busy_cycles'] / cycles:.1%} of them",
        "operations": ", ".join(f"{name} {count:,}" for name, count in result["operations"].items() if count),
    }


ENGINE: Final = Engine(
    "the low-rank unit's Verilog in Verilator, which does all low-rank operations: target, and all that takes "
    "quantized members",
    _prepare,
    summary=_summary,
)

NETLIST: Final = replace(
    ENGINE, help="the same unit after synthesis to generic gates", prepare=partial(_prepare, technology="netlist")
)

NETLIST_ECP5: Final = replace(
    ENGINE,
    help="the same unit after synthesis to the ECP5's cells",
    prepare=partial(_prepare, technology="netlist-ecp5"),
)
