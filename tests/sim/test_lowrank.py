"""Results and counts of the low-rank unit that depend on instruction order, or at the limits of a range."""

import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.machine.config import Config
from pentary.numbers.word import WORD_MAX, limit
from pentary_sim.simulator import Simulator

START = """
        li p1, 8
        lrset rank, p1
        lrset rows, p1
        lrset cols, p1
        li p2, 8
        lrset width, p2
        li p3, 5**4
        lrset gain, p3
"""


def started(lines: str) -> Simulator:
    """Return a machine that has executed START and `lines`, with A and B all 1, so LRMUL's sums equal the rank."""
    machine = Simulator(assemble_text(START + lines + "\nhalt\n"), Config.loads("memory.words = 15625"))
    machine.run(max_instructions=8)
    machine.factor_a[:] = machine.factor_b[:] = 1
    return machine


@pytest.mark.parametrize("multiplication", ["lrmul p0", "lrmulx v0"])
def test_quantised_sums_are_not_quantised_again_until_they_are_new(multiplication: str) -> None:
    # 8 / sqrt(8) is 2, which at rank 64 would become 0.
    machine = started(f"{multiplication}\n pquant\n li p4, 64\n lrset rank, p4\n pquant\n lrset rank, p1\n" * 2)
    machine.vectors[0][0] = 1
    seen = []
    while machine.run(max_instructions=machine.instructions + 1) != "halt":
        seen.append((int(machine.sums[0]), machine.quantised))
    assert seen == [(8, False), *[(2, True)] * 5] * 2


def test_only_pquant_that_has_an_effect_counts_digit_operations() -> None:
    machine = started("lrmul p0\n pquant\n pquant")
    machine.run(max_instructions=9)
    counted = []
    for instructions in (10, 11):
        before = machine.counts
        machine.run(max_instructions=instructions)
        after = machine.counts
        counted.append(
            tuple(after[name] - before[name] for name in ("lowrank_digit_operations", "lowrank_digits_skipped"))
        )
    used = 8 * 2  # eight sums of 8, which has two pents
    assert counted == [(used, 256 * 16 - used), (0, 0)]


def test_sums_quantised_before_the_columns_were_raised_are_quantised() -> None:
    machine = started("lrmul p0\n li p4, 3\n lrset cols, p4\n pquant\n lrset cols, p1\n lracc v1, v0, p1")
    machine.run()
    assert machine.vectors[1].tolist() == [4] * 8 + [0] * 248  # sat_1(8) * 2


def test_lracc_goes_beyond_12_pents() -> None:
    machine = started("lrmul p0\n lracc v1, v0, p1")
    machine.vectors[0][:4] = [limit(12), limit(12) + 1, -limit(12), -WORD_MAX]
    machine.run()
    assert machine.vectors[1][:4].tolist() == [limit(12) + 16, limit(12) + 16, 16 - limit(12), 16 - limit(12)]


def test_popavg_takes_totals_of_8_pents() -> None:
    machine = started("popavg v1, v0, v2")
    machine.vectors[2][:5] = [WORD_MAX, limit(8) + 1, limit(8), limit(8) - 5**4, -WORD_MAX]
    machine.run()
    assert np.array_equal(machine.vectors[1][:5], [312, 312, 312, 311, -312])  # limit(8) / 5^4 is just below 312.5
