"""What hardware is synthesised to, in one table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Technology:
    """What a netlist is made of.

    Attributes:
        help: what it is, in a few words.
        synthesis: Yosys commands, with {top} for the name of the module.
        library: files with models of cells, in the folder `share` of Yosys.
        taken: modules that are taken from them: simulators do not accept all that there is.
        models: files with models of the other cells.
    """

    help: str
    synthesis: tuple[str, ...]
    library: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    models: tuple[Path, ...] = ()


TECHNOLOGIES: Final = {
    "netlist": Technology(
        "generic gates and flip-flops; memories stay whole",
        (
            "synth -flatten -top {top} -run begin:fine",
            "memory_map -rom-only",
            "opt -fast -full",
            "opt -full",
            "techmap",
            "opt -fast",
            "abc",
            "opt -fast",
        ),
    ),
    "netlist-ecp5": Technology(
        "the ECP5's cells, with its multipliers and its memories",
        ("synth_ecp5 -top {top}",),
        ("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh"),
        ("LUT2", "LUT4", "PFUMX", "L6MUX21", "CCU2C", "TRELLIS_FF", "TRELLIS_DPR16X4"),
        (Path(__file__).with_name("ecp5.v"),),
    ),
}
"""By the name of the engines and options that choose them."""
