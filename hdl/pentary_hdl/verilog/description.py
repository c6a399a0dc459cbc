"""Description of a unit as JSON, for its integrators: ports, number formats, commands with their ranges, timing."""

import hashlib
from dataclasses import asdict
from typing import Any, Final, Literal, NamedTuple

from amaranth import Shape
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In

from pentary.isa.table import BY_NAME, CONTROL_RESET, CONTROLS, OPERAND
from pentary.lowrank.generator import MEMBER_MAX
from pentary.numbers.word import PENTS, limit
from pentary_hdl.bus.wrapper import FIELDS, REGISTERS, WINDOWS, LowRankBus
from pentary_hdl.lralu.twin import IN_PENTS, OPS, RESPONSE_DELAY, LowRankModel, LowRankParameters, command
from pentary_hdl.lralu.unit import LowRankAlu
from pentary_hdl.verilog import export

TOTAL_PENTS: Final = 12
"""Pents of an element of the base of LRACC."""

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
_EFFECTS: Final = {
    "PRNG": "scalar = prng(key, counter)",
    "LRSET": "the control register with the number `control` = value",
    "LRGEN": "A[l][i], i < ROWS, and B[l][j], j < COLS, for l < RANK: the factors of the pair under KEY",
    "LRMUL": "S[j] = sum over l < RANK of A[l][row] * B[l][j], j < COLS, the other S become 0",
    "PQUANT": "S[j] = round(S[j] / sqrt(RANK)) in -2..2, ties to 0, for all j; S that is quantised already stays",
    "LRADD": "results[j] = round(sat_WIDTH(base[j] + sigma * sat_1(S[j])) / 5^(WIDTH-1)), j < COLS",
    "LRACC": "results[j] = base[j] + pent * S[j], j < COLS",
    "POPAVG": "results[j] = sat_WIDTH(base[j] + round(totals[j] * GAIN / 5^8)), j < COLS",
}
_FUNCTIONS: Final = {
    "prng": "the generator: architecture/randomness.md",
    "sat_n": "saturates to n pents: -(5^n-1)/2..(5^n-1)/2",
    "round": "the nearest integer; a quotient by a power of 5 is never halfway",
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


class Operand(NamedTuple):
    """Operand of a command; the unit refuses the command if it is out of range.

    Attributes:
        name: name of the operand.
        field: field of the command that carries it.
        format: number format; in pents, three bits that encode no pent are refused too.
        least, greatest: inclusive range; that of the field if only the format limits it.
        formula: the range in terms of the parameters and control registers.
    """

    name: str
    field: str
    format: Literal["pents", "binary", "unsigned"]
    least: int
    greatest: int
    formula: str


def operands(parameters: LowRankParameters) -> dict[str, tuple[Operand, ...]]:
    """Return the operands of each operation, except the value of LRSET, whose range is in `controls`.

    Args:
        parameters: parameters of the unit.
    """
    word = limit(PENTS)
    sigma, pent = limit(OPERAND), limit(1)
    return {
        "PRNG": (
            Operand("key", "a", "pents", -word, word, f"any {PENTS} pents"),
            Operand("counter", "b", "pents", -word, word, f"any {PENTS} pents"),
        ),
        "LRSET": (Operand("control", "control", "unsigned", 0, len(CONTROLS) - 1, "a number under `controls`"),),
        "LRGEN": (Operand("pair", "a", "pents", 0, MEMBER_MAX, "0..(5^8-1)/2"),),
        "LRMUL": (Operand("row", "a", "binary", 0, parameters.max_size - 1, "0..ROWS-1, here of the most ROWS"),),
        "PQUANT": (),
        "LRADD": (Operand("sigma", "a", "binary", -sigma, sigma, f"-(5^{OPERAND}-1)/2..(5^{OPERAND}-1)/2"),),
        "LRACC": (Operand("pent", "a", "binary", -pent, pent, "-2..2"),),
        "POPAVG": (),
    }


def controls(parameters: LowRankParameters) -> dict[str, dict[str, Any]]:
    """Return number, format, range and reset value of each control register, which LRSET writes from field `a`.

    Args:
        parameters: parameters of the unit.
    """
    most = {"ROWS": parameters.max_size, "COLS": parameters.max_size, "RANK": parameters.max_rank}
    formulas = {"ROWS": "1..max_size", "COLS": "1..max_size", "RANK": "1..max_rank", "WIDTH": "2..8"}
    formulas |= {"KEY": "any 16 pents", "GAIN": "-(5^15-1)/2..(5^15-1)/2: pent 15 is 0"}
    return {
        name: {
            "number": number,
            "field": "a",
            "format": "pents" if name in IN_PENTS else "binary",
            "least": low,
            "greatest": most.get(name, high),
            "formula": formulas[name],
            "reset": CONTROL_RESET[name],
        }
        for number, (name, (low, high)) in enumerate(CONTROLS.items())
    }


def rows(name: str) -> dict[str, int]:
    """Return, for each stream of operands that an operation takes, the width of an element in pents.

    >>> rows("POPAVG")
    {'base': 8, 'totals': 8}
    """
    taken = LowRankModel(LowRankParameters()).operands(command(name, *_EXAMPLES[name]))
    return {each: TOTAL_PENTS if name == "LRACC" else OPERAND for each in taken}


def describe(unit: wiring.Component, name: str, source: str) -> dict[str, Any]:
    """Return the description of a unit: of the low-rank ALU with its commands, of another one its ports.

    Args:
        unit: the component.
        name: name of the module.
        source: Verilog of the unit.
    """
    low_rank = isinstance(unit, (LowRankAlu, LowRankBus))
    description = {
        "module": name,
        "sha256": hashlib.sha256(source.encode()).hexdigest(),
        **({"parameters": asdict(unit.parameters)} if low_rank else {}),
        "clock": {"port": "clk", "edge": "rising"},
        "reset": {"port": "rst", "active": "high", "synchronous": True},
        **_ports(unit),
        **(_commands(unit) if low_rank else {}),
    }
    if isinstance(unit, LowRankBus):
        description["registers"] = [
            {**entry._asdict(), "fields": {field.name: field._asdict() for field in FIELDS.get(entry.name, ())}}
            for entry in REGISTERS
        ]
        description["windows"] = [{**entry._asdict(), "words": unit.parameters.max_size} for entry in WINDOWS]
    return description


def _commands(unit: LowRankAlu | LowRankBus) -> dict[str, Any]:
    """Return the number formats, control registers, operations and timing of the low-rank ALU."""
    return {
        "formats": _FORMATS,
        "functions": _FUNCTIONS,
        "controls": controls(unit.parameters),
        "operations": _operations(unit.parameters),
        "refusal": _refusal(unit),
        "timing": _timing(unit.parameters),
    }


def layout(shape: Any) -> dict[str, Any]:
    """Return the bit layout of a shape; `low` is the offset of a field in the structure that contains it.

    >>> layout(data.StructLayout({"x": 3, "y": data.ArrayLayout(2, 4)}))["fields"]["y"]
    {'low': 3, 'width': 8, 'signed': False, 'count': 4, 'element': {'width': 2, 'signed': False}}
    """
    bits = Shape.cast(shape)
    result: dict[str, Any] = {"width": bits.width, "signed": bits.signed}
    if isinstance(shape, data.ArrayLayout):
        result |= {"count": shape.length, "element": layout(shape.elem_shape)}
    elif isinstance(shape, data.Layout):
        fields: Any = shape
        result["fields"] = {str(key): {"low": field.offset, **layout(field.shape)} for key, field in fields}
    return result


def _ports(unit: wiring.Component) -> dict[str, Any]:
    """Return the ports, and the streams that they form."""
    streams: dict[str, dict[str, Any]] = {
        name: {"direction": "in" if member.flow is In else "out"}
        for name, member in unit.signature.members.items()
        if member.is_signature and isinstance(member.signature, stream.Signature)
    }
    listed = [{"name": name, "direction": "in", "width": 1, "signed": False} for name in ("clk", "rst")]
    for path, name, member, _ in export.ports(unit):
        bits = Shape.cast(member.shape)
        port = {"name": name, "direction": "in" if member.flow is In else "out"}
        port |= {"width": bits.width, "signed": bits.signed}
        if path[0] in streams:
            port |= {"stream": path[0], "role": path[1]}
            if path[1] == "payload":
                streams[str(path[0])]["payload"] = layout(member.shape)
        listed.append(port)
    return {"ports": listed, "streams": streams}


def _operations(parameters: LowRankParameters) -> dict[str, Any]:
    """Return the operations, with their cycles for the largest matrix."""
    result = {}
    row = [0] * parameters.max_size
    taken = operands(parameters)
    for name, code in OPS.items():
        outcome = _largest(parameters).execute(command(name, *_EXAMPLES[name]), row, row)
        given = "scalars" if outcome.scalar is not None else "results" if outcome.results else None
        result[name] = {
            "code": code,
            "does": _EFFECTS[name],
            "operands": [operand._asdict() for operand in taken[name]],
            "rows": {
                stream: {"beats": "b", "pents": pents, "least": -limit(pents), "greatest": limit(pents)}
                for stream, pents in rows(name).items()
            },
            "gives": given,
            "occupancy": {"formula": BY_NAME[name].occupancy, "largest": outcome.occupancy},
            "latency": {"formula": BY_NAME[name].latency, "largest": outcome.latency},
        }
    return result


def _refusal(unit: LowRankAlu | LowRankBus) -> dict[str, Any]:
    """Return what is refused, how a refusal is reported, and what is ignored."""
    on_bus = isinstance(unit, LowRankBus)
    return {
        "refused": [
            "an `op` that is no code under `operations`",
            "an operand outside least..greatest of its range under `operations`",
            "a value for LRSET outside least..greatest of its register under `controls`",
            "three bits of an operand in pents that are no pent",
        ],
        "shows": "bit 1 of STATUS is 1 once bit 0 is 0; the bus itself answers OKAY"
        if on_bus
        else f"error is 1 in the payload of the command's response, in the cycle start + 1 + {RESPONSE_DELAY}",
        "effect": "none: nothing changes, no operands are taken, no results given; the unit is busy for a cycle",
        "ignored": "fields of the command that the operation does not name under `operands`, but for `a` of LRSET",
        "not refused": "elements outside least..greatest under `rows`: saturate them first, or the command gives what "
        "is undefined; elements past COLS are not looked at",
        "saturates": "results only, where `does` says sat",
    }


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
