"""The cache of the compiled model on disk."""

import subprocess
import sys

from pentary.asm import assemble_text
from pentary_sim.simulator import Simulator


def test_after_a_run_code_is_stored_for_other_processes():
    Simulator(assemble_text("HALT")).run()
    code = """
from pentary.asm import assemble_text
from pentary_sim import kernel
from pentary_sim.simulator import Simulator

Simulator(assemble_text("HALT")).run()
print(sum(kernel.run.stats.cache_misses.values()))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "0\n"
