import numpy as np
import pytest

from pentary.isa import BY_NAME, encode
from pentary.isa.program import Program
from pentary_sim import comparison
from pentary_sim.simulator import Simulator

PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_the_model_does_what_the_interpreter_does_in_random_programs(part: int) -> None:
    programs, instructions = comparison.compare_random(first_seed=100_000 * part, instructions=11_000)
    print(f"seeds from {100_000 * part}: {programs} programs, {instructions} instructions")
    assert instructions >= 11_000


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(Simulator):
        @property
        def vl(self) -> int:
            return super().vl + 1

    monkeypatch.setattr(comparison, "Simulator", Wrong)
    program = Program(np.array([encode(BY_NAME["HALT"])]), text=1, size=1)
    assert comparison.compare(program, limit=10) == (1, ["VL"])
