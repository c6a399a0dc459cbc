"""Engines that train on the simulated hardware, compiled by Verilator: `rtl`, `core`, and the same after synthesis.

Here is what the command line knows of them.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pentary.cli.options import MACHINE
from pentary.es.loop import Resumption, Task
from pentary.es.strategy import Parameters
from pentary.machine.config import Config
from pentary.support.display import say
from pentary.support.extras import extra
from pentary.tasks.running.engines import Engine, Training


def _prepare(
    task: Task, parameters: Parameters, resumption: Resumption | None = None, technology: str | None = None
) -> Training:
    with extra("hdl", f"the engine {technology or 'rtl'}"):
        from pentary_hdl.engine import rtl
    hardware = rtl.hardware_for(task, parameters)
    own = resumption and resumption.on(asdict(hardware))
    return Training(rtl.train(task, parameters, hardware, say, technology, own), asdict(hardware))


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


def _prepare_core(
    task: Task, parameters: Parameters, resumption: Resumption | None = None, config: Path | None = None
) -> Training:
    with extra("hdl", "the engine core"):
        from pentary_hdl.engine import core_training
    machine = Config() if config is None else Config.load(config)
    own = resumption and resumption.on(asdict(machine))
    return Training(core_training.train(task, parameters, machine, resumption=own), asdict(machine))


def _core_summary(result: Mapping[str, Any]) -> dict[str, str]:
    """Return what the processor has counted, in words."""
    return {
        "cycles": f"{result['cycles']:,} for {result['instructions']:,} instructions, CPI {result['cpi']:.2f}, "
        f"{result['lanes']} lanes"
    }


CORE: Final = Engine(
    "the processor's Verilog in Verilator, with the program of sim, in the same cycles: target, digits and networks",
    _prepare_core,
    (MACHINE,),
    _core_summary,
)

NETLIST: Final = replace(
    ENGINE, help="the same unit after synthesis to generic gates", prepare=partial(_prepare, technology="netlist")
)

NETLIST_ECP5: Final = replace(
    ENGINE,
    help="the same unit after synthesis to the ECP5's cells",
    prepare=partial(_prepare, technology="netlist-ecp5"),
)
