"""Hardware units on the command line, in one table. What makes them is imported when one is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final


@dataclass(frozen=True)
class Unit:
    """A unit that `pentary verilog` writes.

    Attributes:
        help: what it is, in a few words.
        component: MODULE:CLASS of the component, which is created with `LowRankParameters`.
        beside: files that belong to its Verilog: MODULE:FUNCTION, which returns a text from the component and the name
            of the Verilog module, by the file's name with STEM for that of the Verilog file without its suffix.
        bench: name of the module with its cocotb tests, for `pentary verify`; None if it has none.
        operations: least number of random commands of the bench, by preset.
    """

    help: str
    component: str
    beside: Mapping[str, str] = field(default_factory=dict)
    bench: str | None = None
    operations: Mapping[str, int] = field(default_factory=dict)


UNITS: Final = {
    "lralu": Unit(
        "the low-rank ALU with streams",
        "pentary_hdl.lralu.unit:LowRankAlu",
        {"STEM_tb.v": "pentary_hdl.verilog.testbench:testbench"},
        "pentary_hdl.bench.lralu_tests",
        {"quick": 500, "default": 20_000, "wide": 20_000, "all": 10_000},
    ),
    "lralu-bus": Unit(
        "the same behind AXI4-Lite",
        "pentary_hdl.bus.wrapper:LowRankBus",
        {
            "STEM_tb.v": "pentary_hdl.verilog.testbench:testbench",
            "STEM.h": "pentary_hdl.verilog.cheader:header",
        },
        "pentary_hdl.bench.bus_tests",
        {"quick": 50, "default": 200, "wide": 200, "all": 100},
    ),
}
"""Units by name; in the name of the Verilog module a hyphen becomes an underscore."""

VERIFIED: Final = {name: unit for name, unit in UNITS.items() if unit.bench is not None}
"""Those with a bench."""


def found(place: str) -> Any:
    """Import what a table names as MODULE:NAME."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def listed(units: Mapping[str, Unit]) -> str:
    """Return a line for each unit, for the help of a command."""
    return "\n".join(f"  {name:24}  {unit.help}" for name, unit in units.items())
