"""Tests of the low-rank ALU behind AXI4-Lite, run by cocotb: each is a case of `pentary verify lralu-bus`."""

from dataclasses import asdict

import cocotb

from pentary_hdl.bench.bus_bench import REGISTERS, WINDOW_WORDS, WINDOWS, WORD, BusBench, elements, values
from pentary_hdl.bench.cases import cases_of, check_coverage, run_of
from pentary_hdl.bench.lralu_coverage import kinds_of
from pentary_hdl.bench.lralu_directed import DirectedTraffic

_case = cases_of(BusBench)

_LETTERS = 0x504C5201


@_case
async def registers(bench: BusBench, traffic: DirectedTraffic) -> None:
    """Registers that identify the hardware; registers of operands read back what was written."""
    assert await bench.get("ID") == _LETTERS
    assert await bench.get("STATUS") == 0
    for name, value in asdict(bench.parameters).items():
        assert await bench.get(name.upper()) == value, name
    for name in ("A_LOW", "A_HIGH", "B_LOW", "B_HIGH"):
        for value in (traffic.random.getrandbits(REGISTERS[name].bits), *values(name, REGISTERS[name]).values()):
            if value < 1 << REGISTERS[name].bits:
                await bench.put(name, value)
                assert await bench.get(name) == value, name


@_case
async def accesses(bench: BusBench, traffic: DirectedTraffic) -> None:
    """Reads and writes of every register and window and of unmapped addresses; partial words; values out of range."""
    places = elements(bench.parameters) | REGISTERS
    for name, place in places.items():
        read = await bench.read(place.address)
        assert (read is not None) == ("r" in place.access), f"a read of {name}"
        bench.coverage.hit("access", name, "read")
        given = {"least": 0} if "w" not in place.access else values(name, place)
        for told, value in given.items():
            written = await bench.write(place.address, value)
            assert written == ("w" in place.access and "beyond" not in told), f"a write of {value} to {name}"
            bench.coverage.hit("value", name, told)
            await bench.finish()
        if place.access == "r" and name != "STATUS":
            assert await bench.read(place.address) == read, f"{name} has been changed by a write"
        assert not await bench.write(place.address, 1, 1), f"a write of a byte of {name}"
        bench.coverage.hit("access", name, "written")
    for address in nothing(bench):
        assert await bench.read(address) is None, f"a read of {address:#x}"
        bench.coverage.hit("access", "nothing", "read")
        assert not await bench.write(address, 0), f"a write of {address:#x}"
        bench.coverage.hit("access", "nothing", "written")


@_case
async def while_busy(bench: BusBench, traffic: DirectedTraffic) -> None:
    """While a command is executed, writes are refused and change nothing, and reads are answered."""
    places = {**elements(bench.parameters), **REGISTERS}
    addresses = {name: place.address for name, place in places.items()} | {"nothing": nothing(bench)[0]}
    for name, address in addresses.items():
        readable = name != "nothing" and "r" in places[name].access
        step = traffic.any("POPAVG")
        await bench.begin_command(step)
        assert not await bench.write(address, 1), f"a write to {name} while busy"
        bench.coverage.hit("busy", name, "written")
        assert (await bench.read(address) is not None) == readable, f"a read of {name} while busy"
        bench.coverage.hit("busy", name, "read")
        assert await bench.get("STATUS") & 1, "not busy with POPAVG"
        await bench.finish(step)
        op, control, a, b = step.command
        held = {"COMMAND": op | control << 4, "A_LOW": a % (1 << 32), "A_HIGH": a >> 32, "B_LOW": b % (1 << 32)}
        held |= {"B_HIGH": b >> 32}
        assert name not in held or await bench.read(address) == held[name], f"{name} has been changed while busy"
    await bench.play([traffic.any("LRACC"), traffic.any("POPAVG")])


@_case
async def each_command(bench: BusBench, traffic: DirectedTraffic) -> None:
    """Every kind of command, and every reason for a refusal."""
    await bench.play([*traffic.fresh(), *traffic.size()])
    for kind in kinds_of(bench.parameters):
        await bench.play([traffic.any(kind)])
    await bench.play(traffic.witnesses())
    for reason in traffic.reasons:
        await bench.play([traffic.refused(reason)])
    await bench.play(traffic.witnesses())


@_case
async def random_commands(bench: BusBench, traffic: DirectedTraffic) -> None:
    """Random commands."""
    begun = bench.operations
    target = run_of(cocotb.top, BusBench).task.operations
    await bench.play(traffic.fresh())
    while bench.operations - begun < target:
        await bench.play([*traffic.size(), *traffic.mix(10)])


@_case
async def coverage(bench: BusBench, traffic: DirectedTraffic) -> None:
    """Every coverage bin has been hit."""
    check_coverage(bench)


def nothing(bench: BusBench) -> list[int]:
    """Return unmapped addresses: past the registers, and in the windows past `max_size`."""
    past = [i for i in (bench.parameters.max_size, WINDOW_WORDS - 1) if i >= bench.parameters.max_size]
    after = max(place.address for place in REGISTERS.values()) + WORD
    return [after, 0x3FC, *(window.address + WORD * i for window in WINDOWS.values() for i in past if i < WINDOW_WORDS)]
