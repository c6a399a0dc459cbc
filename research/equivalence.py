"""Formal equivalence check of a changed gateware module: Yosys compares the netlists of its smallest component."""

import subprocess
import sys
from pathlib import Path
from typing import Final

_PARTS: Final = {
    "generator": ("Generator",),
    "factors": ("Factors",),
    "lanes": ("Lanes",),
    "quantiser": ("Quantiser",),
    "mover": ("Addends", "Mover"),
    "update": ("Update",),
    "decoder": ("Decoder",),
    "front": ("Front",),
}
"""Components of each module that can be compared on their own; other modules are compared in the whole unit."""

WHOLE: Final = ("unit", "LowRankAlu")

_ELABORATE: Final = """
import sys
from importlib import import_module
from amaranth.back import rtlil
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.lralu.alphabet import PENTARY
module, name, file, top = sys.argv[1:]
make = getattr(import_module(f"pentary_hdl.lralu.{module}"), name)
arguments = [LowRankParameters(), PENTARY][: make.__init__.__code__.co_argcount - 1]
open(file, "w").write(rtlil.convert(make(*arguments), name=top, emit_src=False))
"""

_PREPARE: Final = (
    *("read_rtlil {0}.il", "hierarchy -top {0}", "flatten", "proc", "memory", "opt_clean", "design -stash {0}"),
)
_COMPARE: Final = (
    *("design -copy-from gold gold", "design -copy-from gate gate", "equiv_make gold gate both"),
    *("hierarchy -top both", "opt_clean", "equiv_simple", "equiv_induct", "equiv_status"),
)
_PROVED: Final = "Equivalence successfully proven"
_PATIENCE: Final = 600
"""Timeout of Yosys in seconds."""


def elaborated(tree: Path, part: tuple[str, str], file: Path, top: str) -> str:
    """Elaborate a component with default parameters from a source tree, and write its RTLIL.

    Args:
        tree: source tree, a folder with `pentary` and `hdl`.
        part: Python module and class name of the component.
        file: output file.
        top: name of the top module in the RTLIL.

    Returns:
        "" on success, or the last line of the error message.
    """
    done = subprocess.run(
        [sys.executable, "-c", _ELABORATE, *part, file, top],
        env={"PYTHONPATH": f"{tree}:{tree / 'hdl'}", "PYTHONDONTWRITEBYTECODE": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    return (done.stderr.strip().splitlines() or ["no reason"])[-1] if done.returncode else ""


def proof(original: Path, changed: Path, module: str, folder: Path) -> str:
    """Try to prove that a changed module is equivalent to the original for every register state.

    Args:
        original, changed: source trees, see `elaborated`.
        module: name of the changed Python module.
        folder: folder for intermediate files.

    Returns:
        The components that were proved equivalent, or "" without a proof.
    """
    parts = [(module, name) for name in _PARTS.get(module, ())] or [WHOLE]
    for part in parts:
        for tree, top in ((original, "gold"), (changed, "gate")):
            if elaborated(tree, part, folder / f"{top}.il", top):
                return ""
        if not _equivalent(folder):
            return ""
    return " and ".join(name for _, name in parts)


def _equivalent(folder: Path) -> bool:
    script = [command.format(top) for top in ("gold", "gate") for command in _PREPARE]
    (folder / "equivalence.ys").write_text("\n".join([*script, *_COMPARE]) + "\n")
    program = "from pyosys import libyosys; libyosys.run_pass('script equivalence.ys')"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and _PROVED in done.stdout
