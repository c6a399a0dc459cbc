"""The kernels: their results against Python, their own checks against faults, and what is told of them."""

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from click.testing import CliRunner

from pentary.asm import assemble
from pentary.cli.commands import main
from pentary.interpreter import Interpreter
from pentary.machine.config import Config, LowRank, Memory
from pentary.numbers.word import PentaryError
from pentary.programs import benchmarks
from pentary_sim import kernels
from pentary_sim.events import CAUSES
from pentary_sim.simulator import Simulator

Read = Callable[[str, int], list[int]]


def check_median(read: Read, final: Read, n: int) -> None:
    words = read("input", n)
    inner = [median(words[i - 1 : i + 2]) for i in range(1, n - 1)]
    assert final("output", n) == [words[0], *inner, words[-1]]


def check_quicksort(read: Read, final: Read, n: int) -> None:
    assert final("words", n) == sorted(read("words", n)) != read("words", n)


def check_towers(read: Read, final: Read, n: int) -> None:
    assert final("last", n + 1) == [*range(n, 0, -1), 0]
    assert final("first", n + 1) == [0] * (n + 1)


def check_multiply(read: Read, final: Read, n: int) -> None:
    factors = read("factors", 2 * n)
    assert final("products", n) == [a * b for a, b in zip(factors[::2], factors[1::2], strict=True)]


def check_spmv(read: Read, final: Read, n: int) -> None:
    dense = np.zeros((n, n), int)
    for place, (column, value) in enumerate(zip(read("columns", 9 * n), read("values", 9 * n), strict=True)):
        dense[place // 9, column] += value
    assert final("result", n) == (dense @ read("vector", n)).tolist()


def check_matmul(read: Read, final: Read, n: int) -> None:
    a, b = (np.array(read(name, n * n)).reshape(n, n) for name in "ab")
    assert final("c", n * n) == (a @ b).ravel().tolist()


def check_sieve(read: Read, final: Read, n: int) -> None:
    composite = [any(k % d == 0 for d in range(2, k)) for k in range(2, n)]
    assert final("marks", n)[2:] == composite


def check_crc(read: Read, final: Read, n: int) -> None:
    message = final("message", n + 6)
    assert message[:n] == read("message", n)
    for i in range(n):  # division by x^6 + x^5 - 2 x^2 - 1
        for place, coefficient in enumerate((1, 1, 0, 0, -2, 0, -1)):
            message[i + place] -= 0 if place == 0 else message[i] * coefficient
            message[i + place] %= 5
    assert message[n:] == [0] * 6 and any(final("message", n + 6)[n:])


def check_strings(read: Read, final: Read, n: int) -> None:
    text = "".join(map(chr, read("text", 51)))
    assert "".join(map(chr, final("copy", 51))) == text.upper() != text


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")}


def test_every_program_is_a_kernel_with_sizes_and_a_check() -> None:
    programs = {path.stem for path in benchmarks.PROGRAMS.glob("*.s")} - {"frame"}
    assert programs == {name.partition("-")[0] for name in benchmarks.SIZES} == {*CHECKS, "jumps"}
    assert all(a < b for sizes in benchmarks.SIZES.values() for a, b in pairwise(sizes))


@pytest.mark.parametrize("name", [name for name in benchmarks.SIZES if name != "jumps"])
@pytest.mark.parametrize("place", [0, 1])
def test_the_result_is_right(name: str, place: int) -> None:
    size = benchmarks.SIZES[name][place]
    program = benchmarks.assembled(name, size)
    machine = Simulator(program)
    before = machine.memory.copy()
    assert machine.run() == "halt"
    assert machine.pc == program.address("passed")

    def reader(memory: np.ndarray) -> Read:
        return lambda label, count: memory[program.address(label) :][:count].tolist()

    CHECKS[name.partition("-")[0]](reader(before), reader(machine.memory), size)


@pytest.mark.parametrize("n", [25, 125])
def test_every_block_is_visited_in_every_round_and_every_negative_number_counted(n: int) -> None:
    program = assemble(benchmarks.PROGRAMS / "jumps.s", {"N": n})
    machine = Simulator(program)
    assert machine.run() == "halt"
    number, negative = 1, 0
    for _ in range(8 * n):
        number = -2 * number + 1
        number -= round(Fraction(number, 5**8)) * 5**8
        negative += number < 0
    assert machine.registers[2:5].tolist() == [8 * sum(range(n)), number, negative]
    blocks = machine.profile[program.address("kernel") : program.address("changed"), 0]
    assert (blocks[1::5] == 8).all()


@pytest.mark.parametrize("name", benchmarks.SIZES)
def test_the_interpreter_ends_in_the_same_state(name: str) -> None:
    program = benchmarks.assembled(name, 25 if name == "jumps" else 5)
    machine, interpreter = Simulator(program), Interpreter(program)
    machine.run()
    interpreter.run(10**6)
    assert (machine.pc, machine.instructions) == (interpreter.pc, interpreter.instructions)
    assert machine.registers.tolist() == interpreter.registers
    assert np.array_equal(machine.memory, interpreter.memory)


FAULTS = [
    ("median", "min     p8, p8, p6", "max     p8, p8, p6"),
    ("quicksort", "bge     p5, p6, halves", "bgt     p5, p6, halves"),
    ("quicksort", "store   p7, (p6)", "store   p8, (p6)"),
    ("towers", "li      p3, 2                   ; to", "li      p3, 1                   ; to"),
    ("multiply", "bne     p8, p9, 3f\n        add ", "bne     p8, p9, 3f\n        sub "),
    ("spmv", "mac     p5, p6\n        blt     p2, p3, next", "mac     p5, p5\n        blt     p2, p3, next"),
    ("spmv-vector", "vmul    v4, v3, v2", "vmul    v4, v3, v1"),
    ("matmul-vector", "vadd    v3, v3, v2", "vadd    v3, v2, v2"),
    ("matmul", "addi    p2, p2, N\n        mac", "inc     p2\n        mac"),
    ("sieve", "mul     p2, p1, p1\n        bge     p2, p10", "mul     p2, p1, p10\n        bge     p2, p10"),
    ("crc", "add     p12, p12, p11\n        reduce  p12", "sub     p12, p12, p11\n        reduce  p12"),
    ("strings", "store   p4, (p1)\n        store   p3, (p2)", "store   p4, (p1)"),
    ("jumps", "addi    p2, p2, \\i", "addi    p2, p2, \\i + 1"),
]


@pytest.mark.parametrize(("name", "old", "new"), FAULTS)
def test_a_kernel_finds_its_own_faults(name: str, old: str, new: str, tmp_path: Path, monkeypatch) -> None:
    shutil.copytree(benchmarks.PROGRAMS, tmp_path, dirs_exist_ok=True)
    path = tmp_path / f"{name.partition('-')[0]}.s"
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))
    monkeypatch.setattr(benchmarks, "PROGRAMS", tmp_path)
    with pytest.raises(PentaryError, match=f"^the kernel {name} of size .* (finds its result wrong|does not end)"):
        monkeypatch.setattr(kernels, "_MOST", 10**6)
        kernels.measure(name, benchmarks.SIZES[name][0])


@pytest.mark.parametrize("name", ["spmv", "spmv-vector"])
def test_rows_of_any_length_are_summed(name: str) -> None:
    program = benchmarks.assembled(name, 20)
    machine = Simulator(program)
    rows = program.address("rows")
    machine.memory[rows : rows + 21] = [*[0] * 3, 1, *[40] * 8, 100, 101, 101, *[120] * 3, 150, 180, 180]
    assert machine.run() == "halt"
    assert machine.pc == program.address("passed")


@pytest.mark.parametrize(("name", "times"), [("matmul", 5), ("spmv", 1.5)])
def test_vector_code_takes_fewer_cycles(name: str, times: float) -> None:
    size = benchmarks.SIZES[name][1]
    assert kernels.measure(name, size).cycles >= times * kernels.measure(f"{name}-vector", size).cycles


def test_what_is_measured_lies_between_the_labels() -> None:
    program = assemble(benchmarks.PROGRAMS / "sieve.s", {"N": 500})
    machine = Simulator(program)
    machine.run()
    measured = kernels.measure("sieve", 500)
    by_label = {program.place(pc).split()[0].partition("+")[0] for pc in range(program.text)}
    assert {"kernel", "kernel_end", "check"} <= by_label
    region = range(program.address("kernel"), program.address("kernel_end"))
    assert measured.cycles == sum(int(machine.profile[pc].sum()) for pc in region) < machine.cycles
    assert dict(zip(CAUSES, measured.causes, strict=True))["issue"] == measured.instructions


def test_cycles_depend_on_the_machine() -> None:
    slow = Config(memory=Memory(latency=200))
    assert kernels.measure("spmv", 20, slow).cycles > kernels.measure("spmv", 20).cycles
    wide = Config(lowrank=LowRank(lanes=64))  # scalar code does not use the lanes
    assert kernels.measure("spmv", 20, wide) == kernels.measure("spmv", 20)


def test_bench_prints_a_line_for_each_kernel(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["bench", "kernels"])
    assert result.exit_code == 0, result.output
    header, *lines = result.output.splitlines()
    assert header.split() == ["kernel", "size", "instructions", "cycles", "CPI", "cycles", "lost"]
    found = json.loads(CliRunner().invoke(main, ["bench", "kernels", "--json"]).output)
    assert list(found) == [line.split()[0] for line in lines] == list(benchmarks.SIZES)
    for line, own in zip(lines, found.values(), strict=True):
        size, instructions, cycles, cpi = line.replace(",", "").split()[1:5]
        assert (int(size), int(instructions), int(cycles)) == (own["size"], own["instructions"], own["cycles"])
        assert float(cpi) == pytest.approx(own["cycles"] / own["instructions"], abs=0.006)
        assert sum(own["causes"].values()) == own["cycles"]
    (tmp_path / "slow.toml").write_text("memory.latency = 200\n")
    slow = json.loads(
        CliRunner().invoke(main, ["bench", "kernels", "--config", f"{tmp_path}/slow.toml", "--json"]).output
    )
    assert all(slow[name]["cycles"] > found[name]["cycles"] for name in found)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sim", "--config", "m.toml"], "Error: --config is the machine of the kernels: leave it out for sim\n"),
        (["kernels", "--config", "none.toml"], "Error: cannot read the configuration none.toml: No such file or"),
    ],
)
def test_a_wrong_benchmark_is_told(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(main, ["bench", *arguments])
    assert result.exit_code == 2 and result.output.startswith(told)


def test_a_kernel_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_MOST", 100)
    with pytest.raises(PentaryError, match=r"^the kernel towers of size 5 does not end$"):
        kernels.measure("towers", 5)
