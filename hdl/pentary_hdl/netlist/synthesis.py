"""Synthesis by Yosys, to a netlist in Verilog whose module has the name and the ports of the component."""

import re
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from amaranth.lib import wiring

from pentary_hdl.netlist.technologies import TECHNOLOGIES
from pentary_hdl.tools import toolchain
from pentary_hdl.verilog.design import rtlil_of

_BEFORE: Final = (
    "read_rtlil design.il",
    # Amaranth names parts of a signal name[0]; the interface to ABC names bits alike, and confuses the two.
    r"rename -hide w:*\[*",
)
_AFTER: Final = (
    "opt_clean -purge",
    "splitnets",  # Verilator orders assignments to single bits faster than those to parts of a vector
    "delete t:$scopeinfo",
    "tee -q -o cells.txt stat",
    "write_verilog -noattr -simple-lhs netlist.v",
)

_MODULE: Final = re.compile(r"^module (\w+).*?^endmodule$", re.MULTILINE | re.DOTALL)


def netlist(component: wiring.Component, name: str, technology: str, say: Callable[[str], None]) -> str:
    """Return the netlist of a component and the models of its cells, from the cache if it is there.

    Args:
        component: component with one clock and synchronous reset.
        name: name of its module, such as "lralu".
        technology: of TECHNOLOGIES.
        say: called with a message before the slow synthesis.

    Raises:
        PentaryError: Yosys is not installed, or fails.
    """
    toolchain.check_installed("yosys")
    design = rtlil_of(component, name)
    key = sha256((recipe(technology) + design).encode()).hexdigest()[:16]
    place = toolchain.cache("netlist") / f"{name}-{key}"
    commands = [command.format(top=name) for command in _commands(technology)]

    def build(folder: Path) -> None:
        (folder / "design.il").write_text(design)
        (folder / "build.log").write_text(toolchain.yosys(folder, commands))

    toolchain.build_once(place, build, lambda: say("Synthesising the hardware: a minute or so, the first time only."))
    return "\n".join([(place / "netlist.v").read_text(), *_models(technology)])


@cache
def recipe(technology: str) -> str:
    """Return what a netlist is made with beside the component: commands, models, the version of Yosys."""
    return "\n".join([version("pyosys"), *_commands(technology), *_models(technology)])


def _commands(technology: str) -> tuple[str, ...]:
    return (*_BEFORE, *TECHNOLOGIES[technology].synthesis, *_AFTER)


def _models(technology: str) -> list[str]:
    chosen, package = TECHNOLOGIES[technology], find_spec("pyosys")
    assert package is not None and package.origin is not None
    share = Path(package.origin).parent / "share"
    modules = [found for name in chosen.library for found in _MODULE.finditer((share / name).read_text())]
    taken = [found[0] for found in modules if found[1] in chosen.taken]
    return [*taken, *(path.read_text() for path in chosen.models)]
