"""A Verilog module around an Amaranth component: what a simulator takes as its top."""

from amaranth import Value
from amaranth.lib import wiring

from pentary_hdl.export import verilog

TOP = "bench"

_PUBLIC = "/* verilator public_flat_rw */"
"""Lets cocotb reach a signal in Verilator, whose builds are much quicker if it may not reach all of them."""


def harness(component: wiring.Component, name: str) -> str:
    """Give Verilog of the component, and of a module `bench` around it with a wire or register for each of its ports.

    Registers start as 0 and `rst` as 1, so that nothing is unknown from the first cycle on.

    Args:
        component: with one clock, and synchronous reset.
        name: of the component's module, such as "lralu".
    """
    ports = ["clk", "rst"]
    lines = [f"reg clk {_PUBLIC} = 0, rst {_PUBLIC} = 1;"]
    for path, member, value in component.signature.flatten(component):
        port = "__".join(map(str, path))
        ports.append(port)
        kind, start = ("reg", " = 0") if member.flow is wiring.In else ("wire", "")
        lines.append(f"{kind} [{len(Value.cast(value)) - 1}:0] {port} {_PUBLIC}{start};")
    lines.append(f"{name} unit ({', '.join(f'.{port}({port})' for port in ports)});")
    lines += [
        "`ifndef VERILATOR",
        f'initial if ($test$plusargs("waves")) begin $dumpfile("dump.fst"); $dumpvars(0, {TOP}); end',
        "`endif",
    ]
    body = "\n".join(f"  {line}" for line in lines)
    return f"{verilog(component, name)}\nmodule {TOP};\n{body}\nendmodule\n"
