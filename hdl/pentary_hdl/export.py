"""The hardware as Verilog, and its ports, commands and timing as a description for those who connect it."""

import hashlib
import itertools
import re
from dataclasses import asdict
from typing import Any, Final

from amaranth import Shape
from amaranth.back import verilog as back
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In

from pentary.isa.table import BY_NAME, CONTROL_RESET, CONTROLS
from pentary.lralu import OPS, RESPONSE_DELAY, LowRankModel, LowRankParameters, command
from pentary.word import PentaryError
from pentary_hdl import processes
from pentary_hdl.bus import REGISTERS, WINDOWS, LowRankBus
from pentary_hdl.lralu import LowRankAlu

UNITS: Final = {"lralu": LowRankAlu, "lralu-bus": LowRankBus}
"""What can be written as Verilog; in the name of the module the hyphen is an underscore."""

_OPERANDS: Final = {
    "PRNG": {"a": "key: pents", "b": "counter: pents"},
    "LRSET": {"control": "number of the control", "a": "value: pents for KEY and GAIN, binary for the others"},
    "LRGEN": {"a": "pair: pents"},
    "LRMUL": {"a": "row: binary"},
    "LRADD": {"a": "sigma: binary", "base": "b beats", "results": "b beats"},
    "LRACC": {"a": "a pent: binary", "base": "b beats", "results": "b beats"},
    "POPAVG": {"base": "b beats", "totals": "b beats", "results": "b beats"},
}
_FORMATS: Final = {
    "pents": "three bits of two's complement each, -2..2, the least significant pent in the lowest bits",
    "binary": "two's complement, over all bits of the field",
}
_TERMS: Final = {
    "b": "ceil(4 * COLS / lanes)",
    "rn": "RANK * ceil(COLS / lanes)",
    "p": "8 / rounds_per_cycle + 1",
    "g": "(k - 1) * max(p, u) + p + q - (k - 1) * u - 1, where u = lanes / 16, q = RANK * (ceil(ROWS / 16) + "
    "ceil(COLS / 16)), k = ceil(q / u)",
}
_EXAMPLES: Final = {
    "PRNG": (0, 0),
    "LRSET": ("RANK", 1),
    "LRGEN": (0,),
    "LRMUL": (0,),
    "PQUANT": (),
    "LRADD": (1,),
    "LRACC": (1,),
    "POPAVG": (),
}

_CONSTANT: Final = re.compile(r"^  always @\*\n    (.* = \d+'s?[hdb][0-9a-f]+;)$", re.MULTILINE)
_GUARDED: Final = "  reg guard${0} = 0;\n  always @* begin\n    if (guard${0}) begin end\n    {1}\n  end"
"""Nothing triggers an always block that reads nothing: in an event-driven simulator its signal would stay unknown.
Yosys guards blocks with conditions against this in the same way, but not those that assign a constant."""


def verilog(unit: wiring.Component, name: str) -> str:
    """Give a component as Verilog: the same text for the same component, wherever it is made.

    Args:
        unit: the component.
        name: of the module.

    Raises:
        PentaryError: Yosys fails; it needs a folder for its cache, for one.
    """
    try:
        with processes.ending_with_us():  # Yosys
            source = back.convert(unit, name=name, emit_src=False, strip_internal_attrs=True)
    except back.YosysError as error:  # its message is all that Yosys has printed, such as that a disk is full
        lines = str(error).splitlines() or ["it tells nothing"]
        first = max((number for number, line in enumerate(lines) if "Error: " in line), default=-1)
        raise PentaryError(f"Yosys makes no Verilog: {' '.join(' '.join(lines[first:]).split())}") from error
    numbers = itertools.count()
    return _CONSTANT.sub(lambda found: _GUARDED.format(next(numbers), found[1]), source)


def describe(unit: LowRankAlu | LowRankBus, name: str, source: str) -> dict[str, Any]:
    """Describe a unit, in what JSON can say.

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
        **_ports(unit),
        "formats": _FORMATS,
        "controls": _controls(unit.parameters),
        "operations": _operations(unit.parameters),
        "timing": _timing(unit.parameters),
    }
    if isinstance(unit, LowRankBus):
        description["registers"] = [entry._asdict() for entry in REGISTERS]
        description["windows"] = [{**entry._asdict(), "words": unit.parameters.max_size} for entry in WINDOWS]
    return description


def layout(shape: Any) -> dict[str, Any]:
    """Describe how the bits of a shape are laid out; `low` is where a part begins in what it is a part of.

    >>> layout(data.StructLayout({"x": 3, "y": data.ArrayLayout(2, 4)}))["fields"]["y"]
    {'low': 3, 'width': 8, 'signed': False, 'count': 4, 'element': {'width': 2, 'signed': False}}
    """
    bits = Shape.cast(shape)
    result: dict[str, Any] = {"width": bits.width, "signed": bits.signed}
    if isinstance(shape, data.ArrayLayout):
        result |= {"count": shape.length, "element": layout(shape.elem_shape)}
    elif isinstance(shape, data.Layout):
        result["fields"] = {str(key): {"low": field.offset, **layout(field.shape)} for key, field in shape}
    return result


def _ports(unit: wiring.Component) -> dict[str, Any]:
    """List the ports, and the streams that some of them are."""
    streams: dict[str, dict[str, Any]] = {
        name: {"direction": "in" if member.flow is In else "out"}
        for name, member in unit.signature.members.items()
        if member.is_signature and isinstance(member.signature, stream.Signature)
    }
    ports = [{"name": name, "direction": "in", "width": 1, "signed": False} for name in ("clk", "rst")]
    for path, member, _ in unit.signature.flatten(unit):
        bits = Shape.cast(member.shape)
        port = {"name": "__".join(map(str, path)), "direction": "in" if member.flow is In else "out"}
        port |= {"width": bits.width, "signed": bits.signed}
        if path[0] in streams:
            port |= {"stream": path[0], "role": path[1]}
            if path[1] == "payload":
                streams[path[0]]["payload"] = layout(member.shape)
        ports.append(port)
    return {"ports": ports, "streams": streams}


def _controls(parameters: LowRankParameters) -> dict[str, Any]:
    most = {"ROWS": parameters.max_size, "COLS": parameters.max_size, "RANK": parameters.max_rank}
    return {
        name: {"number": number, "least": low, "greatest": most.get(name, high), "reset": CONTROL_RESET[name]}
        for number, (name, (low, high)) in enumerate(CONTROLS.items())
    }


def _operations(parameters: LowRankParameters) -> dict[str, Any]:
    """Describe the operations, with their cycles for the largest matrix."""
    result = {}
    row = [0] * parameters.max_size
    for name, code in OPS.items():
        outcome = _largest(parameters).execute(command(name, *_EXAMPLES[name]), row, row)
        result[name] = {"code": code, "takes": _OPERANDS.get(name, {}), "does": BY_NAME[name].semantics}
        result[name]["occupancy"] = {"formula": BY_NAME[name].occupancy, "largest": outcome.occupancy}
        result[name]["latency"] = {"formula": BY_NAME[name].latency, "largest": outcome.latency}
    return result


def _timing(parameters: LowRankParameters) -> dict[str, Any]:
    largest = _largest(parameters).terms()
    return {
        "terms": {name: {"formula": formula, "largest": largest[name]} for name, formula in _TERMS.items()},
        "largest": "ROWS = COLS = max_size, RANK = max_rank",
        "last result": "in the cycle start + latency - 1",
        "response": f"in the cycle start + occupancy + {RESPONSE_DELAY}",
        "next command": "in the cycle start + occupancy at the earliest",
        "condition": "no stream waits; start is the cycle in which the command is transferred",
    }


def _largest(parameters: LowRankParameters) -> LowRankModel:
    model = LowRankModel(parameters)
    model.controls |= {"ROWS": parameters.max_size, "COLS": parameters.max_size, "RANK": parameters.max_rank}
    return model
