"""Elements of the low-rank unit's beats against the interpreter's operations on rows."""

from random import Random
from types import ModuleType
from typing import Any

from amaranth import Module
from amaranth.sim import Simulator

from pentary.interpreter.rows import accumulated, perturbed
from pentary.interpreter.words import sat
from pentary.isa.table import CONTROLS
from pentary.numbers.word import PENTS, limit
from pentary_hdl.core import word as w
from pentary_hdl.lowrank import bounds
from pentary_hdl.lowrank.elements import Elements
from pentary_hdl.lralu.twin import LowRankParameters
from pentary_hdl.lralu.update import STEP_BITS

WIDTHS = range(CONTROLS["WIDTH"][0], CONTROLS["WIDTH"][1] + 1)
LATER = 9
"""Cycles after which results come of inputs that stay the same."""


def test_results(programs: ModuleType) -> None:
    rng = Random(5)
    parameters = LowRankParameters(16, bounds.MAX_RANK, bounds.MAX_VL)
    count = parameters.beat_elements
    m = Module()
    m.submodules.elements = elements = Elements(parameters)

    def near(*numbers: int) -> int:
        return rng.choice(numbers) * rng.choice((1, -1)) + rng.randint(-2, 2)

    async def testbench(context: Any) -> None:
        for number in range(400):
            name, width = ("LRADD", "LRACC", "POPAVG")[number % 3], rng.choice(WIDTHS)
            middle = 5 ** (width - 1) * rng.randint(0, 2) + limit(width - 1)
            edges = (limit(8), limit(12), limit(16) - 2, limit(width), middle)
            base = [rng.choice((programs.word(rng), near(*edges))) for _ in range(count)]
            pents = [rng.randint(-2, 2) for _ in range(count)]
            if name == "LRACC":
                operand = rng.choice((rng.randint(-3, 3), sat(programs.word(rng))))
                values = [sat(near(bounds.SUM, 0, 5**4, 5**8), 16) for _ in range(count)]
                values = [max(-bounds.SUM, min(bounds.SUM, value)) for value in values]
                wanted = accumulated(base, values, operand)
                given: dict[str, Any] = {"accumulates": 1, "latents": 0, "values": values, "width": PENTS}
            elif name == "LRADD":
                operand = sat(rng.choice((near(limit(8)), near(limit(width - 1)), programs.word(rng))))
                wanted = perturbed(base, pents, operand, width)
                given = {"perturbs": 1, "weighs": 1, "latents": 1, "levels": pents, "width": width}
            else:
                operand, edge = 0, 1 << STEP_BITS - 1
                steps = [rng.choice((-edge, edge - 1, near(limit(width)), rng.randint(-edge, edge - 1))) for _ in base]
                up = [rng.randrange(2) for _ in range(count)]
                wanted = [sat(sat(b, 8) + s + u, width) for b, s, u in zip(base, steps, up, strict=True)]
                bits = sum(bit << place for place, bit in enumerate(up))
                given = {"latents": 1, "steps": steps, "round_up": bits, "width": width}
            flags = {"perturbs": 0, "accumulates": 0, "weighs": 0}
            context.set(elements.operand, w.biased(operand))
            for port, value in {**flags, **given}.items():
                if isinstance(value, list):
                    for own, element in zip(getattr(elements, port), value, strict=True):
                        context.set(own, element)
                else:
                    context.set(getattr(elements, port), value)
            for own, element in zip(elements.words, base, strict=True):
                context.set(own, w.biased(sat(element)))
            await context.tick().repeat(LATER)
            found = [context.get(own.as_value()) for own in elements.results]
            assert found == [sum(d << 3 * i for i, d in enumerate(w.biased(n))) for n in wanted], (name, base, given)

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
