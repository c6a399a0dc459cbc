"""The prover: Yosys makes a netlist of a property, and its SAT solver or its ABC decides about it.

A property is a component with an output `holds` that is to be 1. `Proof.settled` says how it is proved:

- 0: for every value of the inputs. The component has no registers.
- k > 0: in every cycle before which there have been k others, whatever was in the registers before those. So nothing
  needs to be known of how the state came about: it holds in impossible states too.
- None: in every cycle after reset or power-on, without a bound. ABC merges registers that are always equal (`scorr`),
  looks for an invariant by property-directed reachability (`pdr`), and checks it.

A reset may come at any time in all of them; it is an input like others.
"""

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from amaranth import Shape
from amaranth.back import rtlil
from amaranth.lib import data, wiring

from pentary.numbers.word import PentaryError
from pentary_hdl.tools.toolchain import failure, run

_NETLIST: Final = (
    "read_rtlil design.il",
    "hierarchy -top property",
    "flatten",
    "proc -norom",
    "add -assert holds",
    "delete -output o:*",  # so that only what the property depends on is kept
    "opt_clean -purge",
    "memory",
    "opt -full",
    "setundef -undriven -anyseq",  # what is not defined may be anything
    "write_rtlil netlist.il",
)
_AIGER: Final = ("read_rtlil netlist.il", "techmap", "dffunmap", "aigmap", "clean", "write_aiger -zinit netlist.aig")
_ABC: Final = ("read_aiger netlist.aig; scorr; pdr -T 600", "read_aiger netlist.aig; pdr -T 600")
"""If merging leaves nothing to decide, pdr does not say that it has been decided: then it must do without."""

_ROW: Final = re.compile(r"^ +(\d+)? \\(\S+) +\S+ +\S+ +([01]+) *$", re.MULTILINE)
"""A signal's value in Yosys's table of a counterexample: the cycle, from 1 on (none without registers), and bits."""


@dataclass(frozen=True)
class Proof:
    """What is proved.

    Attributes:
        claim: in words.
        design: makes the component whose output `holds` is to be 1.
        settled: how many cycles come before those in which it is; 0 for a component without registers; None: all
            cycles after reset.
    """

    claim: str
    design: Callable[[], wiring.Component]
    settled: int | None

    @property
    def kind(self) -> str:
        """Tell for what it is proved."""
        match self.settled:
            case None:
                return "every cycle after reset"
            case 0:
                return "every input"
            case cycles:
                return f"every state {cycles} cycle{'s' if cycles > 1 else ''} before"


@dataclass(frozen=True)
class Verdict:
    """What came of a proof.

    Attributes:
        proved: whether it holds.
        seconds: that it took.
        counterexample: if it does not hold, for each cycle the ports that matter, by name; `holds` fails in the last.
    """

    proved: bool
    seconds: float
    counterexample: list[dict[str, str]]


def prove(proof: Proof) -> Verdict:
    """Decide whether a property holds.

    Raises:
        PentaryError: a tool is missing, or did not come to an end.
    """
    if find_spec("pyosys") is None:
        raise PentaryError("proofs need Yosys: pip install pyosys")
    began = time.monotonic()
    component = proof.design()
    with TemporaryDirectory(prefix="pentary-prove-") as name:
        folder = Path(name)
        (folder / "design.il").write_text(rtlil.convert(component, name="property", emit_src=False))
        _yosys(folder, _NETLIST)
        settled = proof.settled
        table = _reach(folder) if settled is None else _satisfy(folder, settled, from_reset=False)
    frames = [] if table is None else _frames(table, component)
    return Verdict(table is None, time.monotonic() - began, frames)


def _reach(folder: Path) -> str | None:
    """Look for an invariant; give the table of a counterexample if there is one instead."""
    _yosys(folder, _AIGER)
    for commands in _ABC:
        said = run("ABC fails", [_abc(), "-q", commands], folder)
        if "Property proved" in said:
            return None
        if failed := re.search(r"asserted in frame (\d+)", said):
            return _satisfy(folder, int(failed[1]), from_reset=True)
    raise failure("ABC came to no end", said)


def _satisfy(folder: Path, cycles: int, from_reset: bool) -> str | None:
    """Look for inputs, and a state to start from, that violate the property after so many cycles."""
    state = [] if from_reset else ["setattr -unset init w:*"]
    sequence = f"-seq {cycles + 1} -prove-skip {cycles} " if cycles else ""
    sat = f"sat {sequence}-prove-asserts -show-public"
    said = _yosys(folder, ("read_rtlil netlist.il", *state, sat))
    if "no model found: SUCCESS" in said:
        return None
    if "model found: FAIL" in said:
        return said
    raise failure("Yosys came to no end", said)


def _yosys(folder: Path, commands: tuple[str, ...]) -> str:
    """Run commands; in a process of their own, since Yosys ends its process at a mistake."""
    (folder / "script.ys").write_text("\n".join(commands) + "\n")
    program = "from pyosys import libyosys; libyosys.run_pass('script script.ys')"
    return run("Yosys fails", [sys.executable, "-c", program], folder)


def _abc() -> str:
    spec = find_spec("pyosys")
    assert spec is not None and spec.origin is not None
    return str(Path(spec.origin).with_name("yosys-abc"))


def _frames(table: str, component: wiring.Component) -> list[dict[str, str]]:
    """Read the values of the component's ports from a table; only those that the property depends on are in it."""
    shapes = {"__".join(map(str, path)): member.shape for path, member, _ in component.signature.flatten(component)}
    frames: dict[int, dict[str, str]] = {}
    for cycle, name, bits in _ROW.findall(table):
        if name in shapes or name == "rst":
            frame = frames.setdefault(int(cycle or 1), {})
            frame[name.removeprefix("ports__").replace("__", ".")] = told(int(bits, 2), shapes.get(name, 1))
    return [frames[cycle] for cycle in sorted(frames)]


def told(bits: int, shape: Any) -> str:
    """Tell the value that bits have in a shape; in arrays the highest element, or pent, comes first.

    >>> told(0b111010, data.ArrayLayout(Shape(3, signed=True), 2))
    '[-1 2]'
    """
    if isinstance(shape, data.ArrayLayout):
        parts = [told(bits >> field.offset, field.shape) for _, field in shape]
        return f"[{' '.join(reversed(parts))}]"
    if isinstance(shape, data.Layout):
        return " ".join(f"{name} {told(bits >> field.offset, field.shape)}" for name, field in shape)
    cast = Shape.cast(shape)
    value = bits & (1 << cast.width) - 1
    return str(value - (value >> cast.width - 1 << cast.width) if cast.signed else value)
