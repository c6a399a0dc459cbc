"""Area and delay in standard cells: the open osu018 library (0.18 micrometres, 1.8 V, typical), before placement.

Yosys maps the gates, ABC chooses and sizes the cells for the shortest delay, and OpenSTA times the netlist. ABC could
tell a delay as well, but of the gates only. OpenSTA counts all that a clock period has to hold: from the clock to the
output of a register, through the gates, and the setup time of the next register. Wires have no length yet.
"""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from amaranth.lib import wiring

from pentary.numbers.word import PentaryError
from pentary_hdl.fpga.measure import BetweenRegisters
from pentary_hdl.tools.toolchain import failure, run
from pentary_hdl.verilog.export import verilog

LIBRARY: Final = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")

_CONSTRAINTS: Final = "set_driving_cell BUFX2\nset_load 20\n"  # what ABC assumes of the registers around the logic
_SYNTHESIS: Final = """\
read_verilog {source}
synth -flatten -top {top}
setattr -unset init w:*
dfflibmap -liberty {library}
abc -liberty {library} -constr {constraints} -D 1
splitnets
opt_clean -purge
tee -q -o {statistics} stat -json -liberty {library}
write_verilog -noattr -noexpr -nohex {netlist}
"""
_PERIOD: Final = 1000
_TIMING: Final = """\
read_liberty {library}
read_verilog {netlist}
link_design between
create_clock -period {period} clk
report_worst_slack
"""


class Cells(NamedTuple):
    """What a unit costs in standard cells."""

    area: float
    """Square micrometres of the unit alone."""
    register_area: float
    """Of them, registers."""
    delay: float
    """Nanoseconds: the shortest clock period between registers."""


def cells(unit: wiring.Component) -> Cells:
    """Map a unit to standard cells, as `pentary_hdl.fpga.measure` does to FPGAs.

    Args:
        unit: with one clock. Its memories become registers.

    Raises:
        PentaryError: the library or OpenSTA is not installed, or a tool fails.
    """
    if not LIBRARY.exists():
        raise PentaryError(f"{LIBRARY} is not there; on Debian: apt install qflow-tech-osu018")
    sta = shutil.which("sta")
    if sta is None:
        raise PentaryError("sta, the timing analyser OpenSTA, is not there; on Debian: apt install opensta")
    with tempfile.TemporaryDirectory(prefix="pentary-osu018-") as name:
        folder = Path(name)
        _, alone = _netlist(verilog(unit, "unit"), "unit", folder)
        netlist, _ = _netlist(verilog(BetweenRegisters(unit), "between"), "between", folder)
        script = folder / "timing.tcl"
        script.write_text(_TIMING.format(library=LIBRARY, netlist=netlist, period=_PERIOD))
        told = run("OpenSTA fails", [sta, "-no_init", "-no_splash", "-exit", script], folder)
    slack = re.search(r"^worst slack (\S+)$", told, re.MULTILINE)
    if slack is None or "Error" in told:
        raise failure("OpenSTA fails", told)
    return Cells(alone["area"], alone.get("sequential_area", 0.0), round(_PERIOD - float(slack[1]), 2))


def _netlist(source: str, top: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Give a netlist of cells, and Yosys's statistics of it."""
    files = {each: folder / f"{top}-{each}" for each in ("source", "constraints", "statistics", "netlist", "script")}
    files["source"].write_text(source)
    files["constraints"].write_text(_CONSTRAINTS)
    files["script"].write_text(_SYNTHESIS.format(top=top, library=LIBRARY, **files))
    # Yosys ends its process when it meets an error.
    program = "import sys; from pyosys.libyosys import run_pass; run_pass(sys.argv[1])"
    run("Yosys fails", [sys.executable, "-c", program, f"script {files['script'].name}"], folder)
    return files["netlist"], json.loads(files["statistics"].read_text())["modules"][f"\\{top}"]
