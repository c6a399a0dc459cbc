"""C and C++ header with the register map of the bus wrapper."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from pentary_hdl.bus.wrapper import FIELDS, IDENTIFICATION, REGISTERS, WINDOWS, LowRankBus
from pentary_hdl.lralu.twin import OPS
from pentary_hdl.verilog.description import controls, operands

_TEXT: Final = """\
/* The register map of {name}: {parameters}. architecture/bus.md tells how it is used. */
#ifndef {guard}_H
#define {guard}_H

#include <stdint.h>

{definitions}

#endif
"""


def header(unit: LowRankBus, name: str) -> str:
    """Return the header of a unit, with `NAME_` before each macro.

    Args:
        unit: the component.
        name: name of its module.
    """
    prefix = name.upper()
    lines = [line if line == "" or line.startswith("/*") else f"#define {prefix}_{line}" for line in _definitions(unit)]
    parameters = ", ".join(f"{key} {value}" for key, value in asdict(unit.parameters).items())
    return _TEXT.format(name=name, parameters=parameters, guard=prefix, definitions="\n".join(lines))


def _definitions(unit: LowRankBus) -> Iterator[str]:
    """Yield comments, blank lines, and the text of each definition after `#define NAME_`."""
    parameters = unit.parameters
    yield "/* Registers: addresses in bytes, and the bits that a register has. */"
    for entry in REGISTERS:
        yield f"{entry.name} 0x{entry.address:03X}u  /* {entry.access}: {entry.meaning.replace('`', '')} */"
        yield f"{entry.name}_MASK 0x{(1 << entry.bits) - 1:08X}u"
        for field in FIELDS.get(entry.name, ()):
            yield f"{entry.name}_{field.name}_SHIFT {field.low}u"
            yield f"{entry.name}_{field.name}_MASK 0x{((1 << field.width) - 1) << field.low:08X}u"
    yield from ("", "/* What the registers of this unit read that always read the same. */")
    constants = {"ID": IDENTIFICATION, **{key.upper(): value for key, value in asdict(parameters).items()}}
    yield from (f"{key}_VALUE 0x{value:08X}u" for key, value in constants.items())
    yield from (
        "",
        "/* Windows: address of element 0, elements (a word each), bits of an element in two's complement. */",
    )
    for entry in WINDOWS:
        yield f"{entry.name} 0x{entry.address:03X}u  /* {entry.access}: {entry.meaning} */"
        yield f"{entry.name}_WORDS {parameters.max_size}u"
        yield f"{entry.name}_BITS {entry.bits}u"
    yield from ("", "/* Operations: for the field OP of COMMAND. */")
    yield from (f"OP_{key} {code}u" for key, code in OPS.items())
    yield from ("", "/* Control registers: for the field CONTROL of COMMAND. */")
    yield from (f"CONTROL_{key} {facts['number']}u" for key, facts in controls(parameters).items())
    yield from (
        "",
        "/* Ranges of control registers and of operands: outside them a command is refused. */",
    )
    for key, facts in controls(parameters).items():
        yield from _range(f"CONTROL_{key}", facts["least"], facts["greatest"])
    for op, taken in operands(parameters).items():
        for operand in taken:
            yield from _range(f"{op}_{operand.name.upper()}", operand.least, operand.greatest)


def _range(name: str, least: int, greatest: int) -> Iterator[str]:
    yield f"{name}_MIN {_number(least)}"
    yield f"{name}_MAX {_number(greatest)}"


def _number(value: int) -> str:
    """Return a 64-bit constant, as operands in pents exceed 32 bits."""
    return f"INT64_C({value})" if value >= 0 else f"(-INT64_C({-value}))"
