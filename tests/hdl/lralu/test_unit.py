"""The gateware in Amaranth's simulator against the twin: results and timing."""

import random
from collections import deque
from dataclasses import dataclass

from amaranth.sim import Simulator

from pentary.isa.table import CONTROLS, OPERAND, TOTAL
from pentary.numbers.word import limit
from pentary_hdl.lralu.twin import OPS, RESPONSE_DELAY, Command, LowRankModel, LowRankParameters, Outcome, command
from pentary_hdl.lralu.unit import LowRankAlu

WIDEST = {OPS["LRADD"]: OPERAND, OPS["LRACC"]: TOTAL, OPS["POPAVG"]: OPERAND}


@dataclass
class Step:
    """A command, its operands (a row for each input stream), and the results expected by the twin."""

    command: Command
    rows: dict[str, list[int]]
    outcome: Outcome


def steps(parameters: LowRankParameters, commands: list[Command], rng: random.Random) -> list[Step]:
    """Return steps with random operands and the twin's results."""
    model, result = LowRankModel(parameters), []
    for each in commands:
        length = model.beats() * parameters.beat_elements
        rows = {name: [_element(rng, WIDEST[each.op]) for _ in range(length)] for name in model.operands(each)}
        outcome = model.execute(each, **rows)
        result.append(Step(each, {} if outcome.error else rows, outcome))
    return result


def check(parameters: LowRankParameters, script: list[Step], busy: float = 0, seed: int = 0) -> None:
    """Run the commands, and compare all results with the twin.

    Args:
        parameters: parameters of the unit.
        script: commands in order.
        busy: probability that the other side of a stream is not ready in a cycle; timing is checked only at 0.
        seed: random seed for `busy`.
    """
    unit, rng, lanes = LowRankAlu(parameters), random.Random(seed), parameters.beat_elements
    beats = {name: deque[list[int]]() for name in ("base", "totals")}
    for step in script:
        for name, row in step.rows.items():
            beats[name].extend(row[at : at + lanes] for at in range(0, len(row), lanes))
    commands = deque(step.command for step in script)
    started, responses, results, scalars = [], [], [], []

    async def bench(ctx) -> None:
        ports = {"commands": unit.commands, "base": unit.base, "totals": unit.totals}
        queues = {"commands": commands, **beats}
        outputs = {"results": unit.results, "scalars": unit.scalars, "responses": unit.responses}
        cycle, quiet, offered = 0, 0, dict.fromkeys(ports, False)
        held = dict.fromkeys(outputs)
        while quiet < 3000 and (len(responses) < len(script) or quiet < 8):
            for name, port in ports.items():
                if queues[name] and not offered[name] and rng.random() >= busy:
                    offered[name] = True
                    payload = queues[name][0]
                    ctx.set(port.payload, payload._asdict() if isinstance(payload, Command) else payload)
                ctx.set(port.valid, offered[name])
            for port in outputs.values():
                ctx.set(port.ready, rng.random() >= busy)
            quiet += 1
            for name, port in ports.items():
                if offered[name] and ctx.get(port.ready):
                    offered[name], quiet = False, 0
                    queues[name].popleft()
                    if name == "commands":
                        started.append(cycle)
            for name, port in outputs.items():
                if ctx.get(port.valid):
                    shown = ctx.get(port.payload)
                    shown = shown if name == "scalars" else shown.as_bits()
                    assert held[name] in (None, shown), f"cycle {cycle}: {name} changed while waiting"
                    held[name] = shown
                    if ctx.get(port.ready):
                        held[name], quiet = None, 0
                        if name == "results":
                            row = [ctx.get(port.payload.elements[lane]) for lane in range(lanes)]
                            results.append((cycle, row, ctx.get(port.payload.last)))
                        elif name == "scalars":
                            scalars.append((cycle, shown))
                        else:
                            responses.append((cycle, shown))
                else:
                    assert held[name] is None, f"cycle {cycle}: {name} was withdrawn"
            await ctx.tick()
            cycle += 1

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    _compare(script, lanes, started, responses, results, scalars, timed=not busy)
    assert not any(beats.values()), "operands were left"


def _compare(script, lanes, started, responses, results, scalars, timed) -> None:
    start, results, scalars = 0, deque(results), deque(scalars)
    assert len(started) == len(responses) == len(script)
    for number, step in enumerate(script):
        outcome, place = step.outcome, f"command {number}: {step.command}"
        assert responses[number][1] == outcome.error, place
        assert not timed or started[number] == start, place
        assert not timed or responses[number][0] == start + outcome.occupancy + RESPONSE_DELAY, place
        last = None
        for at in range(0, len(outcome.results), lanes):
            last, row, is_last = results.popleft()
            assert row == list(outcome.results[at : at + lanes]), f"{place}, element {at}"
            assert is_last == (at + lanes == len(outcome.results)), place
        if outcome.scalar is not None:
            last, scalar = scalars.popleft()
            assert scalar == outcome.scalar, place
        assert not timed or last in (None, start + outcome.latency - 1), place
        start += outcome.occupancy
    assert not results and not scalars


def prepared(parameters: LowRankParameters, rng: random.Random) -> list[Command]:
    """Return commands after which factors and sums are not 0."""
    sizes = {"ROWS": parameters.max_size, "COLS": parameters.max_size - 3, "RANK": parameters.max_rank}
    commands = [command("LRSET", name, value) for name, value in (*sizes.items(), ("KEY", word(rng)))]
    return [*commands, command("LRGEN", 5), command("LRMUL", 3), command("LRACC", -2), command("PQUANT")]


def random_commands(parameters: LowRankParameters, count: int, rng: random.Random) -> list[Command]:
    """Return random, mostly valid commands; the slow POPAVG and LRGEN are rarer and have small sizes."""
    most = {"ROWS": parameters.max_size, "COLS": parameters.max_size, "RANK": parameters.max_rank}
    commands: list[Command] = []
    for _ in range(count):
        name = rng.choice(["PRNG", "LRSET", "LRSET", "LRGEN", "LRMUL", "PQUANT", "LRADD", "LRADD", "LRACC"])
        match name:
            case "PRNG":
                commands.append(command(name, word(rng), word(rng)))
            case "LRSET":
                control = rng.choice(list(CONTROLS))
                low, high = CONTROLS[control]
                high = min(high, most.get(control, high))
                commands.append(command(name, control, rng.choice([low, high, rng.randint(low, high)])))
            case "LRGEN":
                commands.append(command(name, rng.choice([0, 1, 195312, rng.randint(0, 195312)])))
            case "LRMUL":
                commands.append(command(name, rng.choice([0, rng.randrange(parameters.max_size)])))
            case "LRADD":
                commands.append(command(name, rng.choice([1, -195312, rng.randint(-7813, 7813)])))
            case "LRACC":
                commands.append(command(name, rng.randint(-2, 2)))
            case _:
                commands.append(command(name))
        if rng.random() < 0.05:
            bad = commands.pop()
            commands.append(bad._replace(op=rng.randrange(16), a=rng.getrandbits(48), control=rng.randrange(8)))
            if commands[-1].op == OPS["POPAVG"]:
                commands.pop()
    return commands


def word(rng: random.Random) -> int:
    """Return a random word."""
    return rng.randint(-76_293_945_312, 76_293_945_312)


def _element(rng: random.Random, widest: int) -> int:
    largest = limit(rng.randint(1, widest))
    near = (limit(widest) - rng.randint(0, 60)) * rng.choice([-1, 1])
    return rng.choice([rng.randint(-largest, largest), rng.randint(-largest, largest), near])


def test_results_and_cycles_are_those_of_the_twin() -> None:
    parameters, rng = LowRankParameters(max_size=48, max_rank=3, rounds_per_cycle=2), random.Random(1)
    check(parameters, steps(parameters, prepared(parameters, rng) + random_commands(parameters, 60, rng), rng))


def test_nothing_is_lost_while_streams_wait() -> None:
    parameters, rng = LowRankParameters(max_size=32, max_rank=1, rounds_per_cycle=4), random.Random(2)
    script = steps(parameters, prepared(parameters, rng) + random_commands(parameters, 40, rng), rng)
    check(parameters, script, busy=0.4, seed=2)


def test_popavg_is_exact_and_in_time() -> None:
    parameters, rng = LowRankParameters(max_size=16, max_rank=1), random.Random(0)
    commands = [command("LRSET", "COLS", 11), command("LRSET", "WIDTH", 8)]
    for gain in (78125, rng.randint(-(10**8), 10**8)):
        commands += [command("LRSET", "GAIN", gain), command("POPAVG"), command("LRACC", 2)]
    check(parameters, steps(parameters, commands, rng))


def test_more_generators_draw_the_same_factors() -> None:
    parameters, rng = LowRankParameters(lanes=64, max_size=32, max_rank=3), random.Random(0)
    commands = [command("LRSET", "ROWS", 17), command("LRSET", "RANK", 3), command("LRSET", "KEY", word(rng))]
    for cols in (5, 32):
        commands += [command("LRSET", "COLS", cols), command("LRGEN", cols), command("PRNG", 1, 2)]
        commands += [command("LRMUL", 16), command("LRACC", 1)]
    check(parameters, steps(parameters, commands, rng))
