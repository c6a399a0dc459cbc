"""Netlists: simulated beside the Verilog that they are made from."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from amaranth import Module, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary.numbers.word import PentaryError
from pentary_hdl.netlist.synthesis import netlist
from pentary_hdl.netlist.technologies import TECHNOLOGIES
from pentary_hdl.tools import toolchain
from pentary_hdl.verilog.export import ports, verilog

SEED = int(os.environ.get("PENTARY_TEST_SEED", "2026"))

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")

CYCLES = 1_000


class Mixture(wiring.Component):
    """One of each: adders, products, a table, registers with reset and enable, block memory, and small memory."""

    x: In(signed(18))
    y: In(signed(18))
    enable: In(1)
    parts: In(4)
    read: In(9)
    write: In(9)
    word: In(36)
    total: Out(signed(24), init=5)
    product: Out(signed(36))
    natural: Out(unsigned(18))
    squares: Out(6)
    block: Out(36)
    few: Out(4)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        init = [(number * 2_654_435_761) % 2**36 for number in range(512)]
        m.submodules.blocks = blocks = Memory(shape=36, depth=512, init=init)
        m.submodules.registers = registers = Memory(shape=4, depth=16, init=range(16))
        write, read = blocks.write_port(granularity=9), blocks.read_port()
        few, look = registers.write_port(), registers.read_port(domain="comb")
        product = Signal(signed(36))
        m.d.comb += [
            *(write.addr.eq(self.write), write.data.eq(self.word), write.en.eq(self.parts)),
            *(read.addr.eq(self.read), read.en.eq(self.enable), self.block.eq(read.data)),
            *(few.addr.eq(self.write), few.data.eq(self.word), few.en.eq(self.enable)),
            *(look.addr.eq(self.read), self.few.eq(look.data)),
            product.eq(self.x * self.y),
            self.natural.eq(self.word[:9] * self.word[9:18]),
        ]
        m.d.sync += self.product.eq(product)
        with m.If(self.enable):
            m.d.sync += self.total.eq(self.total + self.x)
        with m.Switch(self.read[:4]):
            for number in range(16):
                with m.Case(number):
                    m.d.comb += self.squares.eq(number * number * 7 >> 2)
        return m


@pytest.fixture(scope="module")
def netlists(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return {name: netlist(Mixture(), "mixture", name, print) for name in TECHNOLOGIES}


def differences(text: str, folder: Path) -> int:
    """Return in how many cycles of random inputs a netlist has other outputs than the Verilog of the component."""
    component = Mixture()
    inputs = [port for port in ports(component) if port.member.flow is wiring.In]
    outputs = [port for port in ports(component) if port.member.flow is wiring.Out]
    wires = [f"reg [{len(port.value) - 1}:0] {port.name} = 0;" for port in inputs]
    wires += [f"wire [{len(port.value) - 1}:0] {name}{port.name};" for port in outputs for name in ("a_", "b_")]

    def instance(module: str, own: str) -> str:
        names = ["clk", "rst", *(port.name for port in inputs)]
        connected = [f".{name}({name})" for name in names]
        return f"{module} {own}({', '.join([*connected, *(f'.{p.name}({own}_{p.name})' for p in outputs)])});"

    drawn = [f"{port.name} = {{$random(seed), $random(seed)}};" for port in inputs]
    # Half of the reads are of what is being written, the others mostly of what has been.
    drawn += ["write = write & 31;", "read = $random(seed) & 1 ? write : read & 31;"]
    same = " && ".join(f"a_{port.name} === b_{port.name}" for port in outputs)
    bench = "\n".join(
        [
            f"module bench; integer seed = {SEED}, wrong = 0; reg clk = 0, rst = 1;",
            *wires,
            instance("reference", "a"),
            instance("mixture", "b"),
            "initial begin enable = 1; #1 clk = 1; #1 clk = 0;",  # until it is read, the block has no word
            f"repeat ({CYCLES}) begin",
            *drawn,
            f"rst = $random(seed) % 50 == 0; #1 if (!({same})) wrong = wrong + 1; clk = 1; #1 clk = 0;",
            'end $display("wrong %0d", wrong); end endmodule',
        ]
    )
    (folder / "bench.v").write_text("\n".join([bench, verilog(component, "reference"), text]))
    command = ["iverilog", "-s", "bench", "-o", "bench.vvp", "bench.v"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    told = subprocess.run(["vvp", "-n", "bench.vvp"], cwd=folder, check=True, capture_output=True, text=True).stdout
    return int(told.split("wrong ")[1])


@needs_icarus
@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_a_netlist_does_what_the_verilog_does(netlists: dict[str, str], technology: str, tmp_path: Path) -> None:
    assert differences(netlists[technology], tmp_path) == 0, f"seed {SEED}"


def with_another_cell(text: str) -> str:
    """Return a netlist whose first AND is an OR, or whose first table is inverted."""
    if table := re.search(r"(?<=LUT4 #\(\n    \.INIT\(16'h)\w{4}", text):
        return f"{text[: table.start()]}{int(table[0], 16) ^ 0xFFFF:04x}{text[table.end() :]}"
    return re.sub(r"^(  assign \S+ = \S+) & (\S+;)$", r"\1 | \2", text, count=1, flags=re.MULTILINE)


@needs_icarus
@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_a_netlist_with_another_cell_differs(netlists: dict[str, str], technology: str, tmp_path: Path) -> None:
    assert differences(with_another_cell(netlists[technology]), tmp_path) > 0


def declared(text: str) -> set[tuple[str, str, str]]:
    """Return the ports of module `mixture`: direction, range, name."""
    module = text[text.index("module mixture(") :].split("endmodule")[0]
    return set(re.findall(r"^  (input|output) (?:signed )?(\[\d+:0\] )?(\w+);", module, re.MULTILINE))


def test_the_ports_are_those_of_the_verilog(netlists: dict[str, str]) -> None:
    expected = declared(verilog(Mixture(), "mixture"))
    assert len(expected) == 15
    assert [declared(text) for text in netlists.values()] == [expected] * len(netlists)


def test_generic_gates_have_one_bit_and_memories_stay_whole(netlists: dict[str, str]) -> None:
    text = netlists["netlist"]
    logic = [line.split(" = ", 1)[1] for line in text.splitlines() if line.startswith("  assign ")]
    operators = [re.findall(r" ([-+*/<>=&|^?]+) ", expression) for expression in logic]
    assert {each for found in operators for each in found} == {"&", "|", "^", "?"}
    assert max(map(len, operators)) == 1 < len(logic) // 1_000
    assert len(re.findall(r"^  reg \[\d+:0\] \S+ +\[\d+:0\];", text, re.MULTILINE)) == 2


def test_the_ecp5_has_its_memories_and_multipliers(netlists: dict[str, str]) -> None:
    text = netlists["netlist-ecp5"]
    module = text[text.index("module mixture(") :].split("endmodule")[0]
    cells = set(re.findall(r"^  ([A-Z]\w+) (?:#\($|\\|\w)", module, re.MULTILINE))
    assert cells == {"CCU2C", "DP16KD", "L6MUX21", "LUT4", "MULT18X18D", "PFUMX", "TRELLIS_DPR16X4", "TRELLIS_FF"}


def test_a_netlist_is_made_once(netlists: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said: list[str] = []
    assert netlist(Mixture(), "mixture", "netlist", said.append) == netlists["netlist"]
    assert netlist(Mixture(), "mixture", "netlist", said.append) == netlists["netlist"]
    assert said == ["Synthesising the hardware: a minute or so, the first time only."]


@pytest.mark.parametrize(
    "command",
    [
        "verify --netlist",
        "verify core --netlist-ecp5",
        "train target --engine netlist --steps 1",
        "run {program} --config {config} --engine netlist-ecp5",
    ],
)
def test_missing_yosys_is_told(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program, config = tmp_path / "a.s", tmp_path / "a.toml"
    program.write_text("HALT")
    config.write_text("caches.enabled = false\nunits = {vector = false, crossbar = false, lowrank = false}\n")
    there = toolchain.find_spec
    monkeypatch.setattr(toolchain, "find_spec", lambda name: None if name == "pyosys" else there(name))
    done = CliRunner().invoke(main, command.format(program=program, config=config).split())
    assert (
        done.exit_code == 2
        and done.stderr.splitlines()[-1] == "Error: Yosys is not installed: pip install 'pentary[hdl]'"
    )


def test_synthesis_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(PentaryError, match=r"^Yosys fails: "):
        netlist(Mixture(), "not a name", "netlist-ecp5", print)
