"""Clocks of the lanes that stand still while these have nothing to do, for simulators."""

from typing import Final

from amaranth import ClockDomain, ClockSignal, DomainRenamer, Elaboratable, Module, ResetSignal, Signal
from amaranth.lib import data

ACTIVE: Final = data.StructLayout({"lanes": 1, "products": 1, "wide": 1})
"""Clock domains of the vector unit beside `sync`: of the lanes; of their products with what is made of these; of the
words that are written to vector registers several rows at once."""


def add_gated_clocks(m: Module, active: data.View) -> None:
    """Add the clock domains of a vector unit: each has the clock of `sync` in the cycles in which it is active.

    A simulator computes nothing of a domain in the other cycles.

    Args:
        m: module that gets the domains.
        active: of `ACTIVE`, whether anything in a domain changes at the end of the cycle.
    """
    m.domains.gates = ClockDomain(clk_edge="neg", reset_less=True)
    m.d.comb += ClockSignal("gates").eq(ClockSignal())
    for name, _ in ACTIVE:
        opened = Signal(name=f"{name}_opened")
        m.domains += ClockDomain(name)
        m.d.gates += opened.eq(active[name])
        m.d.comb += [ClockSignal(name).eq(ClockSignal() & opened), ResetSignal(name).eq(ResetSignal())]


def without_gates(unit: Elaboratable) -> Elaboratable:
    """Return a vector unit all of whose registers have the clock of `sync`, as on an FPGA."""
    return DomainRenamer({name: "sync" for name, _ in ACTIVE})(unit)
