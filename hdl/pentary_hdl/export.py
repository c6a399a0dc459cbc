"""The hardware as Verilog, and its ports and commands as a description for those who connect it."""

import hashlib
import json
from dataclasses import asdict
from typing import Any, Final

from amaranth import Shape
from amaranth.back import verilog as back
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In

from pentary.isa.table import BY_NAME, CONTROLS
from pentary.lralu import OPS, RESPONSE_DELAY, Command, LowRankModel, LowRankParameters, command
from pentary_hdl.bus import REGISTERS, WINDOWS, LowRankBus
from pentary_hdl.lralu import LowRankAlu

UNITS: Final = {"lralu": LowRankAlu, "lralu-bus": LowRankBus}
"""What can be written as Verilog; the module's name has an underscore for the hyphen."""


def verilog(unit: wiring.Component, name: str) -> str:
    """Give the Verilog of a unit.

    Args:
        unit: the component.
        name: of the module.
    """
    return back.convert(unit, name=name, emit_src=False, strip_internal_attrs=True)


def describe(unit: LowRankAlu | LowRankBus, name: str, source: str) -> dict[str, Any]:
    """Describe a unit for those who connect it: what JSON can say.

    Args:
        unit: the component.
        name: of the module.
        source: its Verilog.
    """
    description = {
        "module": name,
        "sha256": hashlib.sha256(source.encode()).hexdigest(),
        "parameters": asdict(unit.parameters),
        "clock": {"port": "clk", "edge": "rising"},
        "reset": {"port": "rst", "active": "high", "synchronous": True},
        "ports": _ports(unit),
        "streams": _streams(unit),
        "operations": _operations(unit.parameters),
        "controls": _controls(unit.parameters),
        "timing": _TIMING,
    }
    if isinstance(unit, LowRankBus):
        description["registers"] = [entry._asdict() for entry in REGISTERS]
        description["windows"] = [{**entry._asdict(), "words": unit.parameters.max_size} for entry in WINDOWS]
    return description


def layout(shape: Any) -> dict[str, Any]:
    """Describe how bits of a shape are laid out: bit 0 of each part is at `low` of what it is a part of.

    >>> layout(data.StructLayout({"x": 3, "y": data.ArrayLayout(2, 4)}))["fields"]["y"]
    {'low': 3, 'width': 8, 'signed': False, 'count': 4, 'element': {'width': 2, 'signed': False}}
    """
    flat = Shape.cast(shape)
    result: dict[str, Any] = {"width": flat.width, "signed": flat.signed}
    if isinstance(shape, data.ArrayLayout):
        result |= {"count": shape.length, "element": layout(shape.elem_shape)}
    elif isinstance(shape, data.Layout):
        result["fields"] = {str(key): {"low": field.offset, **layout(field.shape)} for key, field in shape}
    return result
