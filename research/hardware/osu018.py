"""Area and delay in standard cells: the open osu018 library (0.18 micrometres, 1.8 V, typical), before placement.

Yosys maps the gates, ABC chooses and sizes the cells for the shortest delay, and OpenSTA analyses the timing of the
netlist. ABC reports a delay as well, but of the gates only; OpenSTA includes the clock-to-output delay of the launching
register and the setup time of the capturing one. Wire delays are not included.
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

_CONSTRAINTS: Final = "set_driving_cell BUFX2\nset_load 20\n"  # environment of the logic assumed by ABC
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
    """Area and clock period of a unit in standard cells."""

    area: float
    """Area of the unit alone in µm²."""
    register_area: float
    """Area of its registers in µm²."""
    delay: float
    """Minimum clock period between registers in nanoseconds."""


def cells(unit: wiring.Component) -> Cells:
    """Return area and timing of a unit in standard cells; `pentary_hdl.fpga.measure` is the equivalent for FPGAs.

    Args:
        unit: component with a single clock; its memories become registers.

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
    """Return the netlist of cells and its statistics by Yosys."""
    files = {each: folder / f"{top}-{each}" for each in ("source", "constraints", "statistics", "netlist", "script")}
    files["source"].write_text(source)
    files["constraints"].write_text(_CONSTRAINTS)
    files["script"].write_text(_SYNTHESIS.format(top=top, library=LIBRARY, **files))
    # In a process of its own, since an error in Yosys ends the process.
    program = "import sys; from pyosys.libyosys import run_pass; run_pass(sys.argv[1])"
    run("Yosys fails", [sys.executable, "-c", program, f"script {files['script'].name}"], folder)
    return files["netlist"], json.loads(files["statistics"].read_text())["modules"][f"\\{top}"]
