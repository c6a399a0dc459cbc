"""Whether a change of the gateware is one: Yosys compares the netlists of the smallest unit that it is in."""

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
"""Components of a file; what is not here is a part of them, and is compared in the whole unit."""

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
"""Seconds after which Yosys is not waited for."""


def elaborated(tree: Path, part: tuple[str, str], file: Path, top: str) -> str:
    """Write the RTLIL of a component, made for the default parameters from the sources in a tree.

    Args:
        tree: folder with `pentary` and `hdl`.
        part: the module and the class of the component.
        file: where to write.
        top: what the component's module is to be called.

    Returns:
        "", or the last line of why it cannot be made.
    """
    done = subprocess.run(
        [sys.executable, "-c", _ELABORATE, *part, file, top],
        env={"PYTHONPATH": f"{tree}:{tree / 'hdl'}", "PYTHONDONTWRITEBYTECODE": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    return (done.stderr.strip().splitlines() or ["no reason"])[-1] if done.returncode else ""


def proof(original: Path, changed: Path, module: str, folder: Path) -> str:
    """Try to prove that a change of a module changes nothing, whatever the registers hold.

    Args:
        original, changed: the trees, see `elaborated`.
        module: that has been changed.
        folder: for files.

    Returns:
        In which components nothing changes, "" if that cannot be proved.
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
