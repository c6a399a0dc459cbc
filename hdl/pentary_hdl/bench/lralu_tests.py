"""Tests of the low-rank ALU, run by cocotb: each is a case of `pentary verify`."""

from itertools import islice, product
from typing import Final

import cocotb

from pentary_hdl.bench.cases import cases_of, check_coverage, run_of
from pentary_hdl.bench.lralu_bench import Bench
from pentary_hdl.bench.lralu_coverage import (
    ERROR,
    IDLE,
    STALLS,
    column_classes,
    kinds_of,
    limits,
    rank_classes,
    unknown,
)
from pentary_hdl.bench.lralu_directed import DirectedTraffic
from pentary_hdl.bench.lralu_shared import differences
from pentary_hdl.bench.lralu_sums import KEY, rows_of_sums
from pentary_hdl.lralu.twin import OPS, command

_BURST: Final = 40
"""Commands in a burst of random commands."""

_LONG: Final = 20
"""Cycles after which a unit that is not stalled has no more outputs."""

_ALL_STREAMS: Final = tuple(stream for streams in STALLS.values() for stream in streams)


_case = cases_of(Bench)


@_case
async def shared(bench: Bench, traffic: DirectedTraffic) -> None:
    """Everything that the reference model and the gateware share is as specified, and so are the ports."""
    wrong = next(differences(bench.parameters), None)
    assert wrong is None, wrong
    bench.check_ports()


@_case
async def power_on(bench: Bench, traffic: DirectedTraffic) -> None:
    """After power-on the factors are 0; control registers have their reset values, and keep what is written."""
    await bench.play(traffic.steps(command("LRMUL", 0), command("LRACC", 1)))
    await bench.play([traffic.any("LRADD"), traffic.any("POPAVG")])
    most = bench.parameters
    steps = traffic.set(ROWS=most.max_size, COLS=most.max_size, RANK=most.max_rank)
    for row in (0, most.max_size - 1):
        steps += traffic.steps(command("LRMUL", row), command("LRACC", 1))
    await bench.play(steps)


@_case
async def each_operation(bench: Bench, traffic: DirectedTraffic) -> None:
    """Every operation at every class of rank and columns, at full speed."""
    await bench.play(traffic.fresh())
    for rank, columns in product(rank_classes(bench.parameters), column_classes(bench.parameters)):
        names = ("LRGEN", "LRMUL", "PQUANT", "LRADD", "LRMUL", "LRACC", "PRNG", "POPAVG")
        await bench.play([*traffic.size(rank, columns), *(traffic.any(name) for name in names)])


@_case
async def each_setting(bench: Bench, traffic: DirectedTraffic) -> None:
    """Control registers at the extremes of their ranges; LRADD and POPAVG under every WIDTH."""
    for name, (low, high) in limits(bench.parameters).items():
        values = (low, high, traffic.random.randint(low, high), min(low + 1, high))
        await bench.play([step for value in values for step in traffic.set(**{name: value})])
    await bench.play([*traffic.fresh(), *traffic.set(ROWS=1, COLS=1, GAIN=traffic.gain()), traffic.any("LRMUL")])
    for width in range(2, 9):
        await bench.play([*traffic.set(WIDTH=width), traffic.any("LRADD"), traffic.any("POPAVG")])


@_case
async def each_row(bench: Bench, traffic: DirectedTraffic) -> None:
    """LRMUL of every row, the first right after LRGEN."""
    await bench.play(traffic.fresh())
    for row in range(bench.parameters.max_size):
        await bench.play(traffic.steps(command("LRMUL", row), command("LRACC", traffic.random.choice((1, -1)))))


@_case
async def each_pair(bench: Bench, traffic: DirectedTraffic) -> None:
    """Every kind of command right after every other, and after itself; LRSET of each register is a kind."""
    await bench.play(traffic.fresh())
    for steps in traffic.pairs():
        await bench.play(steps)


@_case
async def each_field(bench: Bench, traffic: DirectedTraffic) -> None:
    """Every situation of every operand, with commands in between that would expose an effect of a refused one."""
    await bench.play([*traffic.fresh(), *traffic.size()])
    fields = traffic.fields()
    while steps := list(islice(fields, _BURST)):
        await bench.play([*steps, *traffic.witnesses()])


@_case
async def each_code(bench: Bench, traffic: DirectedTraffic) -> None:
    """Every undefined code and number of a control register, with operands of every kind of command."""
    await bench.play(traffic.fresh())
    for name, numbers in unknown(bench.parameters).items():
        for number in numbers:
            steps = [traffic.unknown(name, number, like) for like in traffic.kinds]
            await bench.play([*steps, *traffic.witnesses()])


@_case
async def each_element(bench: Bench, traffic: DirectedTraffic) -> None:
    """Every situation of elements, and extremes at every index in a beat; out of range, no effect on later commands."""
    await bench.play([*traffic.fresh(), *traffic.set(COLS=bench.parameters.max_size)])
    for name, kind in kinds_of(bench.parameters).items():
        for stream in kind.streams:
            for row, bins in traffic.rows(kind, stream):
                await bench.play([traffic.any("LRMUL"), traffic.step(traffic.drawn(kind), bins, **{stream.field: row})])
                await bench.play([traffic.any(name), traffic.any("LRACC")])


@_case
async def each_threshold(bench: Bench, traffic: DirectedTraffic) -> None:
    """Sums on both sides of every threshold of LRADD and POPAVG, under every WIDTH."""
    await bench.play([*traffic.fresh(), traffic.any("LRMUL"), traffic.any("PQUANT")])
    for width, gain in product(range(2, 9), (5**8, -(5**8))):
        await bench.play(
            [
                *traffic.set(WIDTH=width, GAIN=gain, COLS=min(traffic.parameters.max_size, 16)),
                traffic.at_thresholds("LRADD"),
                traffic.at_thresholds("POPAVG"),
            ]
        )


@_case
async def each_product(bench: Bench, traffic: DirectedTraffic) -> None:
    """LRMUL of every two pents."""
    size = bench.parameters.max_size
    for _ in range(3):
        steps = traffic.set(ROWS=size, COLS=size, RANK=1, KEY=traffic.word())
        steps.append(traffic.any("LRGEN"))
        for row in range(8):
            steps += traffic.steps(command("LRMUL", row), command("LRACC", 1))
        await bench.play(steps)


@_case
async def each_sum(bench: Bench, traffic: DirectedTraffic) -> None:
    """PQUANT of every sum that the hardware can have, under every RANK."""
    size, most = bench.parameters.max_size, bench.parameters.max_rank
    await bench.play(traffic.set(ROWS=size, COLS=size, KEY=KEY))
    drawn = None
    for found in rows_of_sums(bench.parameters):
        steps = []
        if found.pair != drawn:
            steps += [*traffic.set(RANK=most), *traffic.steps(command("LRGEN", found.pair))]
            drawn = found.pair
        for rank in range(1, most + 1):
            steps += [*traffic.set(RANK=most), *traffic.steps(command("LRMUL", found.row)), *traffic.set(RANK=rank)]
            covered = tuple(("quantiser", rank, s) for s in bench.model.sums[:size])
            steps.append(traffic.step(command("PQUANT")))
            steps.append(traffic.step(command("LRACC", 1), covered, base=[0] * size))
        await bench.play(steps)


@_case
async def throughput(bench: Bench, traffic: DirectedTraffic) -> None:
    """Back-to-back LRMUL: a multiply-accumulate in each cycle in each lane that has a column."""
    most = bench.parameters
    lanes = min(most.lanes, most.max_size)
    columns = most.max_size // lanes * lanes
    await bench.play([*traffic.fresh(), *traffic.set(COLS=columns)])
    rows = [row % most.max_size for row in range(100)]
    burst = await bench.play([traffic.step(command("LRMUL", row)) for row in rows])
    cycles = burst.starts[-1][0] - burst.starts[0][0]
    done = (len(rows) - 1) * most.max_rank * columns
    assert done == cycles * lanes, f"{done} multiply-accumulates in {cycles} cycles of {lanes} lanes"


@_case
async def resets(bench: Bench, traffic: DirectedTraffic) -> None:
    """Resets in the middle of every operation, under every kind of stall."""
    random = traffic.random
    await bench.play(traffic.fresh())
    wanted = [*OPS, ERROR, IDLE]
    for name in (*wanted, *wanted, *random.choices(wanted, k=len(wanted))):
        steps = traffic.mix(random.randint(0, 3), each=False)
        steps.append(traffic.any(random.choice(list(OPS)) if name == IDLE else name))
        last = steps[-1].outcome
        # Before the last command's response; or long after it, when the unit is idle.
        delay = random.randint(0, last.occupancy + 1) if name != IDLE else last.latency + _LONG
        stall = random.choice(((), *STALLS.values(), _ALL_STREAMS)) if name != IDLE else ()
        lost = await bench.interrupt(steps, delay, stall, random)
        await bench.play([traffic.any(each) for each in ("LRACC", "LRADD", "POPAVG", "LRGEN", "LRMUL", "LRACC")])
        await bench.play([*(traffic.fresh() if lost else ()), *traffic.size(), *traffic.mix(4, each=False)])


@_case
async def random_commands(bench: Bench, traffic: DirectedTraffic) -> None:
    """Random commands with random stalls: first for the bins that were not hit, then any."""
    random, begun = traffic.random, bench.operations
    target = run_of(cocotb.top, Bench).task.operations
    await bench.play(traffic.fresh())
    while (done := bench.operations - begun) < target or (_lacking(bench) and done < target + 20_000):
        lacking = _lacking(bench)
        if lacking:
            _, name, *size, stall = random.choice(lacking)
            classes = {"rank": None, "columns": None, **_named(size)}
            streams = STALLS[str(stall).removeprefix("stalled: ")]
            steps = [*traffic.size(**classes), traffic.any(str(name)), *traffic.mix(_BURST // 2)]
        else:
            streams = random.choice((*STALLS.values(), _ALL_STREAMS))
            steps = [*traffic.size(), *traffic.mix(_BURST)]
        await bench.play(steps, streams, random)


@_case
async def coverage(bench: Bench, traffic: DirectedTraffic) -> None:
    """Every coverage bin has been hit."""
    check_coverage(bench)


def _lacking(bench: Bench) -> list[tuple[str | int, ...]]:
    return [parts for parts in bench.coverage.missing if parts[0] == "operation"]


def _named(size: list[str | int]) -> dict[str, str]:
    return {"rank" if "rank" in str(part) else "columns": str(part) for part in size}
