"""The compiled model on disk."""

import subprocess
import sys

from pentary.asm import assemble_text
from pentary_sim import compiled
from pentary_sim.simulator import Simulator


def test_after_a_run_code_is_stored_for_other_processes():
    Simulator(assemble_text("HALT")).run()
    assert compiled.is_stored()
    code = "from pentary_sim import compiled; print(compiled.is_stored())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"
