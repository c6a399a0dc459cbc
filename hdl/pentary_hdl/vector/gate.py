"""A clock for the lanes that stands still while they have nothing to do, for simulators."""

from amaranth import ClockDomain, ClockSignal, Module, ResetSignal, Signal, Value


def add_gated_clock(m: Module, active: Value) -> None:
    """Add the clock domain `lanes`: the clock of `sync` in the cycles in which a signal is 1.

    A simulator then computes nothing of the lanes in the other cycles. On an FPGA, whose clock networks have no gates to
    spare, the domain is `sync` itself: `DomainRenamer({"lanes": "sync"})`.

    Args:
        m: module that gets the domain.
        active: whether anything in the domain changes at the end of the cycle.
    """
    m.domains.lanes = ClockDomain()
    m.domains.lanes_gate = ClockDomain(clk_edge="neg", reset_less=True)
    opened = Signal()
    m.d.lanes_gate += opened.eq(active)
    m.d.comb += [
        ClockSignal("lanes_gate").eq(ClockSignal()),
        ClockSignal("lanes").eq(ClockSignal() & opened),
        ResetSignal("lanes").eq(ResetSignal()),
    ]
