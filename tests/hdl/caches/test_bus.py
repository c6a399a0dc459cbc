"""The core with caches and memory on AXI4, driven by cocotbext-axi: wait states, errors, silence."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pentary.machine.config import Config
from pentary_hdl.bench import core_bus_tests, runner
from pentary_hdl.bench.harness import harness
from pentary_hdl.core.core import Core

SEED = 2026

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog: apt install iverilog")

SETTINGS = """
units = {vector = false, crossbar = false, lowrank = false}
memory = {words = 15625, latency = 8}
icache = {sets = 1, ways = 1}
dcache = {sets = 1, ways = 2}
l2 = {sets = 1, ways = 3}
"""

# Words of ten lines are written, read and written again, more than all caches hold; the last ones are far up in memory.
PROGRAM = """
        li      p5, 2
again:  li      p1, 10
        li      p2, 1000
        li      p3, 1500
loop:   load    p4, 0(p2)
        addi    p4, p4, 7
        add     p4, p4, p1
        store   p4, 0(p2)
        add     p2, p2, p3
        dec     p1
        bnz     p1, loop
        store   p4, -1000(zero)
        dec     p5
        bnz     p5, again
        halt
"""


@needs_icarus
def test_the_core_takes_memory_as_it_comes(tmp_path: Path) -> None:
    verilog = harness(Core(Config.loads(SETTINGS)), "core")
    build = runner.build("icarus", verilog, tmp_path)
    given = json.dumps([SETTINGS, PROGRAM, 20_000])
    out = tmp_path / "out"
    runner.run("icarus", build, core_bus_tests.__name__, out, SEED, {core_bus_tests.VARIABLE: given})
    cases = ElementTree.parse(out / "results.xml").getroot().iter("testcase")
    failed = {case.get("name"): case.find("failure") is not None or case.find("error") is not None for case in cases}
    assert failed == dict.fromkeys(("at_full_speed", "with_wait_states", "with_errors"), False), (
        f"seed {SEED}\n" + (out / "log.txt").read_text()[-3000:]
    )
