"""Yosys's text form of a component, RTLIL."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from amaranth.back import rtlil
from amaranth.lib import wiring

from pentary_hdl.verilog.export import ports


def rtlil_of(component: wiring.Component, name: str) -> str:
    """Return a component in RTLIL, without the places in its sources.

    Args:
        component: component with one clock and synchronous reset.
        name: name of its module, such as "core".
    """
    named = {port.name: (port.value, None) for port in ports(component)}
    with _no_collection():
        return rtlil.convert(component, name=name, ports=named, emit_src=False)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Disable the garbage collector in the body: of Amaranth's millions of objects, hardly any can be freed."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
