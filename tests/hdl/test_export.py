"""`pentary verilog`: what it writes, and that it always writes the same."""

import hashlib
import json
import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from pentary.lralu import CODE_BITS, ELEMENT_BITS, OPS
from pentary_hdl.commands import verilog

SMALL = ("--max-rank", "1", "--max-size", "16", "--rounds-per-cycle", "1")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verilog")
    for unit in ("lralu", "lralu-bus"):
        result = CliRunner().invoke(verilog, [unit, *SMALL, "-o", str(folder / f"{unit}.v")])
        assert result.exit_code == 0, result.output
    return folder


@pytest.mark.parametrize("unit", ["lralu", "lralu-bus"])
def test_the_description_has_the_ports_of_the_verilog(written, unit):
    source, description = read(written, unit)
    assert description["sha256"] == hashlib.sha256(source.encode()).hexdigest()
    module = re.search(rf"^module {description['module']}\(.*?^endmodule", source, re.MULTILINE | re.DOTALL)
    assert module is not None
    ports = re.findall(r"^  (in|out)put (?:\[(\d+):0\] )?(\w+);", module[0], re.MULTILINE)
    found = {name: (direction, int(high or 0) + 1) for direction, high, name in ports}
    assert found == {port["name"]: (port["direction"], port["width"]) for port in description["ports"]}


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
    assert description["controls"]["COLS"] == {"number": 1, "least": 1, "greatest": 16, "reset": 1}


def test_the_verilog_tells_nothing_of_this_machine(written):
    for path in written.iterdir():
        assert not re.search(r"/(home|root|tmp|work|usr)\b|\.py\b", path.read_text())


def test_another_process_elsewhere_writes_the_same(written, tmp_path):
    program = [sys.executable, "-c", "from pentary.cli import main; main()", "verilog", "lralu-bus", *SMALL]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    subprocess.run([*program, "-o", "lralu-bus.v"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    for name in ("lralu-bus.v", "lralu-bus.v.json"):
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes()


@pytest.mark.parametrize("unit", ["lralu", "lralu-bus"])
def test_every_always_block_is_triggered(written, unit):
    source, _ = read(written, unit)
    assert not re.search(r"always @\*\n[^\n]*= \d+'s?[bdh][0-9a-f]+;", source)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--lanes=5", "lanes is 5; it must be 16, 64 or 256"),
        ("--max-rank=0", "max_rank is 0; it must be an integer in 1..64"),
        ("--max-size=40", "max_size is 40; it must be a multiple of 16 in 16..256"),
        ("--rounds-per-cycle=3", "rounds_per_cycle is 3; it must be 1, 2, 4 or 8"),
    ],
)
def test_parameters_that_cannot_be_built_are_refused(option, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(verilog, ["lralu", option])
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"Error: {told}\n")
    assert not list(tmp_path.iterdir())


def read(folder, unit):
    return (folder / f"{unit}.v").read_text(), json.loads((folder / f"{unit}.v.json").read_text())
