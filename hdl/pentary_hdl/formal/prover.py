"""Prover: Yosys synthesises a property, and its SAT solver or ABC decides it.

A property is a component with an output `holds` that must be 1. `Proof.settled` selects the method:

- 0: for all inputs. The component has no registers.
- k > 0: in the cycle that follows k others, from arbitrary values of the registers before them. So the property also
  holds k cycles after an unreachable state.
- None: in every cycle after reset or power-on, without a bound. ABC merges equivalent registers (`scorr`), and finds
  and checks an inductive invariant by property-directed reachability (`pdr`).

With `Proof.bound`, it is the first cycles after power-on, that many, by bounded model checking (ABC's `bmc3`).

In all of them, reset is an ordinary input that may be asserted at any time.
"""

import re
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
from pentary_hdl.tools.toolchain import failure, run, yosys

_DESIGN: Final = "read_rtlil design.il"
_NETLIST: Final = (
    "hierarchy -top property",
    "cutpoint -blackbox",  # outputs of parts that are left out may take any value
    "flatten",
    "proc -norom",
    "add -assert holds",
    "delete -output o:*",  # keeps only the logic that the property depends on
    "opt_clean -purge",
    "memory",
    "opt -full",
    "setundef -undriven -anyseq",  # undefined signals may take any value
    "write_rtlil netlist.il",
)
_AIGER: Final = ("read_rtlil netlist.il", "techmap", "dffunmap", "aigmap", "clean", "write_aiger -zinit netlist.aig")
_ABC: Final = ("read_aiger netlist.aig; scorr; pdr -T 600", "read_aiger netlist.aig; pdr -T 600")
"""Scripts in the order of trial: if `scorr` leaves nothing to prove, `pdr` reports no result, so try without it."""

_ROW: Final = re.compile(r"^ +(\d+)? \\(\S+) +\S+ +\S+ +([01]+) *$", re.MULTILINE)
"""Row of Yosys's counterexample table: cycle from 1 on (absent without registers), signal, and value in bits."""


@dataclass(frozen=True)
class Proof:
    """Property to be proved.

    Attributes:
        claim: the property in words.
        design: returns the component whose output `holds` must be 1.
        settled: cycles after an arbitrary state from which on it must hold; 0 for a component without registers; None
            for all cycles after reset.
        bound: if not None, only so many cycles after reset count; then `settled` is None.
        left_out: parts, such as "core.divider", whose outputs may take any value in any cycle instead.
    """

    claim: str
    design: Callable[[], wiring.Component]
    settled: int | None
    bound: int | None = None
    left_out: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """For which inputs, states or cycles it is proved, in words."""
        if self.bound is not None:
            return f"{self.bound} cycles after reset"
        match self.settled:
            case None:
                return "every cycle after reset"
            case 0:
                return "every input"
            case cycles:
                return f"every state {cycles} cycle{'s' if cycles > 1 else ''} before"


@dataclass(frozen=True)
class Verdict:
    """Result of a proof.

    Attributes:
        proved: whether the property holds.
        seconds: run time of the proof.
        counterexample: if it does not hold, the values of the relevant ports by name, for each cycle; `holds` is 0 in
            the last one.
    """

    proved: bool
    seconds: float
    counterexample: list[dict[str, str]]


def prove(proof: Proof) -> Verdict:
    """Prove or refute a property.

    Raises:
        PentaryError: a tool is missing or fails, or does not reach a result.
    """
    if find_spec("pyosys") is None:
        raise PentaryError("proving needs Yosys: pip install 'pentary[fpga]'")
    began = time.monotonic()
    component = proof.design()
    with TemporaryDirectory(prefix="pentary-prove-") as name:
        folder = Path(name)
        (folder / "design.il").write_text(rtlil.convert(component, name="property", emit_src=False))
        left_out = [f"blackbox property.{part}" for part in proof.left_out]
        yosys(folder, (_DESIGN, *left_out, *_NETLIST))
        settled = proof.settled
        if proof.bound is not None:
            table = _check(folder, proof.bound)
        else:
            table = _reach(folder) if settled is None else _satisfy(folder, settled, from_reset=False)
    frames = [] if table is None else _frames(table, component)
    return Verdict(table is None, time.monotonic() - began, frames)


def _reach(folder: Path) -> str | None:
    """Decide the property by reachability with ABC; returns the table of a counterexample, or None if it holds."""
    yosys(folder, _AIGER)
    said = ""
    for commands in _ABC:
        said = run("ABC fails", [_abc(), "-q", commands], folder)
        if "Property proved" in said:
            return None
        if failed := re.search(r"asserted in frame (\d+)", said):
            return _satisfy(folder, int(failed[1]), from_reset=True)
    raise failure("ABC came to no end", said)


def _check(folder: Path, cycles: int) -> str | None:
    """Decide the property in the first cycles with ABC; returns the table of a counterexample, or None if it holds."""
    yosys(folder, _AIGER)
    said = run("ABC fails", [_abc(), "-q", f"read_aiger netlist.aig; bmc3 -F {cycles}"], folder)
    if f"No output asserted in {cycles} frames" in said:
        return None
    if failed := re.search(r"asserted in frame (\d+)", said):
        return _satisfy(folder, int(failed[1]), from_reset=True)
    raise failure("ABC came to no end", said)


def _satisfy(folder: Path, cycles: int, from_reset: bool) -> str | None:
    """Decide by SAT whether the property holds after some cycles; returns the table of a counterexample, or None.

    Args:
        folder: folder of the netlist.
        cycles: cycles before the one in which it must hold.
        from_reset: start from the registers' initial values; else from arbitrary ones.
    """
    state = [] if from_reset else ["setattr -unset init w:*"]
    sequence = f"-seq {cycles + 1} -prove-skip {cycles} " if cycles else ""
    sat = f"sat {sequence}-prove-asserts -show-public"
    said = yosys(folder, ("read_rtlil netlist.il", *state, sat))
    if "no model found: SUCCESS" in said:
        return None
    if "model found: FAIL" in said:
        return said
    raise failure("Yosys came to no end", said)


def _abc() -> str:
    spec = find_spec("pyosys")
    assert spec is not None and spec.origin is not None
    return str(Path(spec.origin).with_name("yosys-abc"))


def _frames(table: str, component: wiring.Component) -> list[dict[str, str]]:
    """Return the values of the component's ports in each cycle of a table, which has only those that matter."""
    shapes = {"__".join(map(str, path)): member.shape for path, member, _ in component.signature.flatten(component)}
    frames: dict[int, dict[str, str]] = {}
    for cycle, name, bits in _ROW.findall(table):
        if name in shapes or name == "rst":
            frame = frames.setdefault(int(cycle or 1), {})
            frame[name.removeprefix("ports__").replace("__", ".")] = told(int(bits, 2), shapes.get(name, 1))
    return [frames[cycle] for cycle in sorted(frames)]


def told(bits: int, shape: Any) -> str:
    """Return the value that bits have in a shape, as text; in arrays the highest element (or pent) comes first.

    >>> told(0b111010, data.ArrayLayout(Shape(3, signed=True), 2))
    '[-1 2]'
    """
    if isinstance(shape, data.ArrayLayout):
        parts = [told(bits >> field.offset, field.shape) for _, field in shape]
        return f"[{' '.join(reversed(parts))}]"
    if isinstance(shape, data.Layout):
        fields: Any = shape
        return " ".join(f"{name} {told(bits >> field.offset, field.shape)}" for name, field in fields)
    cast = Shape.cast(shape)
    value = bits & (1 << cast.width) - 1
    return str(value - (value >> cast.width - 1 << cast.width) if cast.signed else value)
