"""A Verilog module around an Amaranth component: what a simulator takes as its top."""

from amaranth.lib import wiring

from pentary_hdl.verilog.export import ports, verilog

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
    names = ["clk", "rst"]
    lines = [f"reg clk {_PUBLIC} = 0, rst {_PUBLIC} = 1;"]
    for port in ports(component):
        names.append(port.name)
        kind, start = ("reg", " = 0") if port.member.flow is wiring.In else ("wire", "")
        lines.append(f"{kind} [{len(port.value) - 1}:0] {port.name} {_PUBLIC}{start};")
    lines.append(f"{name} unit ({', '.join(f'.{each}({each})' for each in names)});")
    lines += [
        "`ifndef VERILATOR",
        f'initial if ($test$plusargs("waves")) begin $dumpfile("dump.fst"); $dumpvars(0, {TOP}); end',
        "`endif",
    ]
    body = "\n".join(f"  {line}" for line in lines)
    return f"{verilog(component, name)}\nmodule {TOP};\n{body}\nendmodule\n"
