"""Clocks of the lanes that stand still while these have nothing to do, for simulators."""

from typing import Final

from amaranth import ClockDomain, ClockSignal, DomainRenamer, Elaboratable, Module, ResetSignal, Signal
from amaranth.lib import data

ACTIVE: Final = data.StructLayout({"lanes": 1, "products": 1, "wide": 1})
"""Clock domains of the vector unit beside `sync`: of the lanes; of their products with what is made of these; of the
words that are written to vector registers several rows at once."""


def add_gated_clocks(m: Module, *actives: data.View) -> None:
    """Add the clock domains of units: each has the clock of `sync` in the cycles in which it is active, and in a reset.

    A simulator computes nothing of a domain in the other cycles.

    Args:
        m: module that gets the domains.
        actives: of each unit, such as of `ACTIVE`: whether anything in a domain changes at the end of the cycle.
    """
    m.domains.gates = ClockDomain(clk_edge="neg", reset_less=True)
    m.d.comb += ClockSignal("gates").eq(ClockSignal())
    for name, changes in [(name, active[name]) for active in actives for name, _ in active.shape()]:
        opened = Signal(name=f"{name}_opened")
        m.domains += ClockDomain(name)
        m.d.gates += opened.eq(changes | ResetSignal())
        m.d.comb += [ClockSignal(name).eq(ClockSignal() & opened), ResetSignal(name).eq(ResetSignal())]


def without_gates(unit: Elaboratable, active: data.StructLayout = ACTIVE) -> Elaboratable:
    """Return a unit all of whose registers have the clock of `sync`, as on an FPGA.

    Args:
        unit: vector unit, or another one.
        active: its clock domains.
    """
    return DomainRenamer({name: "sync" for name, _ in active})(unit)
