"""Top-level Verilog module around an Amaranth component, for simulators."""

from amaranth.lib import wiring

from pentary_hdl.verilog.export import ports, verilog

TOP = "bench"

_PUBLIC = "/* verilator public_flat_rw */"
"""Makes a signal accessible to cocotb in Verilator; making all of them accessible slows builds down much."""


def harness(component: wiring.Component, name: str) -> str:
    """Return the Verilog of a component and of a module `bench` around it, with a wire or register for each port.

    Registers are initialised to 0 and `rst` to 1, so that no input is unknown from the first cycle on.

    Args:
        component: component with one clock and synchronous reset.
        name: name of the component's module, such as "lralu".
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
