"""Event counters for energy estimates, against their definitions in architecture/pipeline.md.

Each instruction is executed with random operands on the model and on the interpreter, from whose state the expected
digit operations, generator words and multiply-accumulates are derived.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pentary.asm import assemble_text
from pentary.interpreter import Interpreter
from pentary.isa import INSTRUCTIONS, decode, encode
from pentary.isa.encoding import operands
from pentary.isa.program import Fault
from pentary.isa.table import CONTROLS, HIGH_SHIFT, Instruction
from pentary.machine.config import Config
from pentary.numbers.word import PENTS, from_digits, saturate, to_digits
from pentary_sim.simulator import Simulator

EXECUTIONS = 8
UNITS = ("scalar", "vector", "lowrank", "crossbar")
COUNTED = [f"{unit}_{kind}" for unit in UNITS for kind in ("digit_operations", "digits_skipped")]
COUNTED += ["generator_words", "lowrank_macs"]

Places = NDArray[np.bool_]
"""For each digit position, whether an operation takes place there."""


def used(numbers: Any, width: int = PENTS) -> Places:
    """Return which pents of numbers are not 0, (..., width)."""
    return to_digits(numbers, width) != 0


def product(x: Places, y: Places) -> Places:
    """Return the positions of a product: each pent of x with each of y."""
    return x[..., :, None] & y[..., None, :]


def scalar_places(name: str, fields: dict[str, int], m: Interpreter) -> list[Places]:
    rs, rt = (m.registers[fields.get(operand, 0)] for operand in ("rs", "rt"))
    match name:
        case "LI" | "FLAGS":
            return []
        case "MUL" | "MULH" | "MAC":
            return [product(used(rs), used(rt))]
        case "MULI":
            return [product(used(rs), used(fields["i"]))]
        case "ADDI":
            return [used(rs) | used(fields["i"])]
        case "ADDHI":  # the highest of the 17 pents of the addend is beyond the word
            return [used(rs) | used(fields["i"] * 5**HIGH_SHIFT, PENTS + 1)[:PENTS]]
        case _:
            return [used(rs) | used(rt)]


def vector_places(name: str, fields: dict[str, int], m: Interpreter) -> list[Places]:
    x, y = (np.array(m.vectors[fields.get(operand, 0) % 8]) for operand in ("vs", "vt"))
    rt, w = m.registers[fields.get("rt", 0)], fields.get("w", 0)
    active, n = x[: m.vl], m.vl
    match name:
        case "VMUL":
            return [used(active)[:, :, None] & used(saturate(y[:n], 8), 8)[:, None, :]]
        case "VSUM" | "VMAX":
            return [used(active)]
        case "VADD" | "VSUB" | "VCMP":
            return [used(active) | used(y[:n])]
        case "VADDS":
            return [used(active) | used(rt)]
        case "VMULS":
            return [product(used(active), used(saturate(rt, 8), 8))]
        case "RELU" | "QUANT":
            return [used(active)]
        case "POOL":
            return [used(x[: n // w * w])]
        case "CONV":
            taps = used(saturate(y[:w], 8), 8)
            return [product(used(x[first : first + w]), taps) for first in range(n - w + 1)]
        case "POPEVAL":
            difference = used(saturate(active - y[:n], 8), 8)
            return [used(active) | used(y[:n]), product(difference, difference)]
        case _:
            return []


def lowrank_places(name: str, fields: dict[str, int], m: Interpreter) -> list[Places]:
    rows, cols, rank = (m.controls[control] for control in ("ROWS", "COLS", "RANK"))
    base, total = (np.array(m.vectors[fields.get(operand, 0) % 8])[:cols] for operand in ("vs", "vt"))
    sums = np.array(m.sums)[:cols]
    rs, rt = (m.registers[fields.get(operand, 0)] for operand in ("rs", "rt"))
    match name:
        case "LRMUL":
            a, b = np.array(m.factor_a)[:rank, rs % 256], np.array(m.factor_b)[:rank, :cols]
            return [(a[:, None] != 0) & (b != 0)]
        case "LRMULX":
            a, b = np.array(m.factor_a)[:rank, :rows], np.array(m.factor_b)[:rank, :cols]
            x = saturate(m.vectors[fields["vs"]][:rows], 4)
            return [used(x, 4) & (a != 0)[..., None], used(a @ x)[:, None] & (b != 0)[..., None]]
        case "PQUANT":
            return [] if m.quantised else [used(m.sums)]
        case "LRADD":
            return [used(saturate(base, 8)) | used(saturate(rt, 8) * saturate(sums, 1))]
        case "LRACC":
            return [used(saturate(base, 12)) | used(saturate(rt, 1) * sums)]
        case "POPAVG":
            return [product(used(saturate(total, 8), 8), used(m.controls["GAIN"], 15))]
        case _:
            return []


def crossbar_places(name: str, fields: dict[str, int], m: Interpreter) -> list[Places]:
    if name != "MATVEC":
        return []
    devices = np.array(m.crossbar)[:, : m.vl] != 0
    return [used(m.vectors[fields["vs"]])[:, None] & devices[..., None]]


def expected_counts(m: Interpreter) -> dict[str, int]:
    """Return the expected increments of the counters for the next instruction."""
    decoded = decode(int(m.memory[m.pc]))
    name, unit = decoded.instruction.name, decoded.instruction.unit
    fields = {operand: getattr(decoded, kind.field) for operand, kind in operands(decoded.instruction)}
    added = dict.fromkeys(COUNTED, 0)
    places: list[Places] = []
    if decoded.instruction.group in ("arithmetic", "logic"):
        unit, places = "scalar", scalar_places(name, fields, m)
    elif unit in ("vector", "lowrank", "crossbar"):
        find = {"vector": vector_places, "lowrank": lowrank_places, "crossbar": crossbar_places}[unit]
        places = find(name, fields, m)
    for part in places:
        added[f"{unit}_digit_operations"] += int(part.sum())
        added[f"{unit}_digits_skipped"] += int((~part).sum())
    rows, cols, rank = (m.controls[control] for control in ("ROWS", "COLS", "RANK"))
    if name == "PRNG":
        added["generator_words"] = 1
    if name == "LRGEN":
        added["generator_words"] = rank * (len(range(0, rows, PENTS)) + len(range(0, cols, PENTS)))
    if name in ("LRMUL", "LRMULX"):
        added["lowrank_macs"] = rank * (cols if name == "LRMUL" else rows + cols)
    return added


def drawn_numbers(rng: np.random.Generator, *shape: int, width: int = PENTS) -> NDArray[np.int64]:
    """Return random numbers of up to `width` pents, dense and sparse ones."""
    density = rng.choice([0.1, 0.5, 1.0], (*shape, 1))
    places = np.arange(width) < rng.integers(0, width + 1, (*shape, 1))
    return from_digits(rng.integers(-2, 3, (*shape, width)) * (rng.random((*shape, width)) < density) * places)


def drawn_instruction(rng: np.random.Generator, instruction: Instruction) -> int:
    fields = {}
    for name, operand in operands(instruction):
        assert operand.low is not None and operand.high is not None
        value = int(drawn_numbers(rng)) if name == "i" else int(rng.integers(operand.low, operand.high + 1))
        fields[operand.field] = max(operand.low, min(value, operand.high))
    return encode(instruction, **fields)


def started_pair(rng: np.random.Generator, instruction: Instruction) -> tuple[Simulator, Interpreter]:
    """Return a model and an interpreter that are about to execute an instruction in the same random state."""
    sizes = [int(rng.choice([1, 7, 16, 40])) for _ in range(3)]
    numbers = [*sizes, int(rng.integers(2, 9)), *drawn_numbers(rng, 2, width=15).tolist()]
    start = [(f"li p1, {number}", f"LRSET {control}, p1") for control, number in zip(CONTROLS, numbers, strict=True)]
    prologue = [line for lines in start for line in lines] + [f"li p1, {rng.integers(1, 41)}", "setvl p1"]
    program = assemble_text("\n".join([*prologue, "halt"]))
    program = replace(program, image=np.append(program.image[:-1], drawn_instruction(rng, instruction)))
    machine, golden = Simulator(program, Config.loads("memory.words = 15625")), Interpreter(program, 15625)
    machine.run(max_instructions=len(prologue))
    golden.run(len(prologue))
    registers = np.where(rng.random(32) < 0.5, rng.integers(0, 16, 32), drawn_numbers(rng, 32))
    registers[0] = 0
    state = {
        "registers": registers,
        "vectors": drawn_numbers(rng, 8, 256),
        "sums": drawn_numbers(rng, 256, width=15),  # twice one is still a word
        "factor_a": rng.integers(-2, 3, (64, 256)),
        "factor_b": rng.integers(-2, 3, (64, 256)),
    }
    if instruction.unit == "crossbar":
        state["crossbar"] = rng.integers(-2, 3, (256, 256))
    for name, values in state.items():
        getattr(machine, name)[:] = values
        setattr(golden, name, values.tolist())
    return machine, golden


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda line: line.name)
def test_an_instruction_counts_what_it_does(instruction: Instruction) -> None:
    rng = np.random.default_rng(INSTRUCTIONS.index(instruction))
    executed = 0
    while executed < EXECUTIONS:
        machine, golden = started_pair(rng, instruction)
        before, expected = machine.counts, expected_counts(golden)
        try:
            golden.step()
        except Fault:
            continue  # other operands do not fault
        executed += 1
        machine.run(max_instructions=golden.instructions)
        added = {name: number - before[name] for name, number in machine.counts.items() if name in COUNTED}
        if instruction.name == "ACCGET":  # the accumulator's pents that count are not defined
            added["scalar_digits_skipped"] += added["scalar_digit_operations"]
            added["scalar_digit_operations"] = 0
        assert added == expected
