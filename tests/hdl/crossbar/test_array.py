"""The digital array in Amaranth's simulator, against Python integers; the sums come when the protocol says."""

from random import Random
from typing import Any

import numpy as np
import pytest
from amaranth import Module, ResetInserter, Signal
from amaranth.sim import Simulator

from pentary.machine.config import Config, LowRank
from pentary.numbers.word import WORD_MAX, PentaryError, saturate
from pentary_hdl.core import word as w
from pentary_hdl.crossbar.array import Array
from pentary_hdl.crossbar.port import STEPS, Shape
from pentary_hdl.vector.parameters import Sizes

PAUSES = (0, 0, 0, 1, 2, 3, 4, 5, 30)


class Bench:
    """An array, what is done with it, and the sums that are to come in each cycle."""

    def __init__(self, shape: Shape, lanes: int) -> None:
        config = Config(lowrank=LowRank(lanes=lanes))
        self.shape, self.width = shape, shape.sums(Sizes.of(config))
        self.beats = shape.beats(Sizes.of(config))
        self.unit = Array(config, shape)
        self.devices = np.zeros((shape.rows, shape.columns), np.int64)
        self.inputs: list[dict[str, Any]] = []
        self.sums: dict[int, list[int]] = {}

    def load(self, row: int, levels: np.ndarray) -> None:
        self.devices[row] = levels
        for step, part in enumerate(levels.reshape(STEPS, -1).tolist()):
            pents = [level + w.BIAS for level in part]
            self.inputs.append({"loads": 1, "row": row, "step": step, "levels": pents})

    def multiply(self, words: np.ndarray) -> None:
        for step, part in enumerate(words.reshape(STEPS, -1).tolist()):
            self.inputs.append({"multiplies": 1, "step": step, "words": [w.biased(word) for word in part]})
        sums = saturate(words @ self.devices).reshape(self.beats, -1).tolist()
        for beat, part in enumerate(sums):
            self.sums[len(self.inputs) + 2 + beat] = part

    def pause(self, cycles: int) -> None:
        self.inputs += [{}] * cycles

    def run(self) -> None:
        """Raise AssertionError if sums are wrong, or come in another cycle."""
        port = self.unit.port
        m = Module()
        reset = Signal()
        m.submodules.unit = ResetInserter(reset)(self.unit)

        async def testbench(context: Any) -> None:
            for cycle, given in enumerate([*self.inputs, *[{}] * 5]):
                context.set(reset, given.get("reset", 0))
                for name in ("loads", "multiplies", "row", "step"):
                    context.set(getattr(port, name), given.get(name, 0))
                for name in ("levels", "words"):
                    for signal, value in zip(getattr(port, name), given.get(name, []), strict=False):
                        context.set(signal, value)
                if cycle in self.sums:
                    found = [list(context.get(word)) for word in port.sums]
                    assert found == [w.biased(word) for word in self.sums[cycle]], f"cycle {cycle}"
                await context.tick()

        simulator = Simulator(m)
        simulator.add_clock(1e-6)
        simulator.add_testbench(testbench)
        simulator.run()


@pytest.mark.parametrize("rows, columns, lanes", [(16, 16, 16), (32, 32, 16), (16, 64, 16), (64, 16, 256)])
def test_random_loads_and_products(rows: int, columns: int, lanes: int) -> None:
    seed = f"array {rows} {columns} {lanes}"
    print("seed", seed)
    rng, numbers = Random(seed), np.random.default_rng(rows + columns + lanes)
    bench = Bench(Shape(rows, columns), lanes)
    for _ in range(8):
        if rng.random() < 0.7:
            for _ in range(rng.choice((1, 2, 9))):
                bench.load(rng.randrange(rows), numbers.integers(-2, 3, columns))
        limit = rng.choice((WORD_MAX, WORD_MAX // rows, 400, 2))
        bench.multiply(numbers.integers(-limit, limit + 1, rows))
        bench.pause(rng.choice(PAUSES))
    bench.run()


def test_greatest_sums_saturate_and_those_below_do_not() -> None:
    bench = Bench(Shape(16, 16), 16)
    bench.multiply(np.full(16, WORD_MAX))  # all devices are 0
    for row in range(16):
        bench.load(row, np.array([2, -2, 1, -1] * 4) if row else np.arange(16) // 4 - 1)
    bench.multiply(np.full(16, WORD_MAX))
    bench.multiply(np.full(16, -WORD_MAX))
    bench.multiply(np.array([WORD_MAX] + [0] * 15))
    bench.multiply(np.array([-WORD_MAX + 1, *[0] * 14, 1]))
    bench.multiply(np.array([WORD_MAX, *[0] * 14, 1]))
    bench.run()


def test_devices_are_0_after_a_reset() -> None:
    bench = Bench(Shape(16, 16), 16)
    for row in range(16):
        bench.load(row, np.full(16, 2))
    bench.inputs.append({"reset": 1})
    bench.devices[:] = 0
    bench.load(3, np.arange(16) % 5 - 2)
    bench.multiply(np.arange(16))
    bench.run()


def test_other_shapes_are_refused() -> None:
    with pytest.raises(PentaryError, match="256 rows, not 48"):
        Shape(48, 16)
