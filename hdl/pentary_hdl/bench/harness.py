"""A Verilog module around an Amaranth component: what a simulator takes as its top."""

from amaranth import Value
from amaranth.back import verilog
from amaranth.lib import wiring

TOP = "bench"


def harness(component: wiring.Component, name: str) -> str:
    """Give Verilog of the component, and of a module `bench` around it with a wire or register for each of its ports.

    Registers start as 0 and `rst` as 1, so that nothing is unknown from the first cycle on.

    Args:
        component: with one clock, and synchronous reset.
        name: of the component's module, such as "lralu".
    """
    ports = ["clk", "rst"]
    lines = ["reg clk = 0, rst = 1;"]
    for path, member, value in component.signature.flatten(component):
        port = "__".join(map(str, path))
        ports.append(port)
        kind, start = ("reg", " = 0") if member.flow is wiring.In else ("wire", "")
        lines.append(f"{kind} [{len(Value.cast(value)) - 1}:0] {port}{start};")
    lines.append(f"{name} unit ({', '.join(f'.{port}({port})' for port in ports)});")
    body = "\n".join(f"  {line}" for line in lines)
    return f"{verilog.convert(component, name=name, strip_internal_attrs=True)}\nmodule {TOP};\n{body}\nendmodule\n"
