"""The vector instructions that work on full-width words, and shifts and comparisons by registers, against Python."""

from random import Random

import pytest

from pentary.asm import assemble_text
from pentary.interpreter import Interpreter
from pentary.isa.program import Fault
from pentary.numbers.word import WORD_MAX, limit

VL = 7


def saturated(number: int, pents: int = 16) -> int:
    return max(-limit(pents), min(limit(pents), number))


def drawn(rng: Random) -> int:
    return rng.choice([0, 1, -1, WORD_MAX, -WORD_MAX, rng.randint(-WORD_MAX, WORD_MAX), rng.randint(-9, 9)])


def ran(code: str, *vectors: list[int], **registers: int) -> Interpreter:
    """Run code with some first elements of V1, V2, .. and registers; the rest of the vectors is 5."""
    data = "\n.data\ndata: .rept 100, i\n.word \\i\n.endr\n"
    program = assemble_text(f"li p20, {VL}\nsetvl p20\n{code}\nhalt{data}")
    machine = Interpreter(program, 1000)
    for number, vector in enumerate(vectors, start=1):
        machine.vectors[number] = vector + [5] * (256 - len(vector))
    for name, word in registers.items():
        machine.registers[int(name[1:])] = word
    machine.run(10)
    return machine


@pytest.mark.parametrize("seed", range(20))
def test_elements(seed: int) -> None:
    print(f"seed {seed}")
    rng = Random(seed)
    x, y, before = ([drawn(rng) for _ in range(VL)] for _ in range(3))
    expected = {
        "vmul": [saturated(a * saturated(b, 8)) for a, b in zip(x, y, strict=True)],
        "vcmp": [(a > b) - (a < b) for a, b in zip(x, y, strict=True)],
        "vsel": [b if a > 0 else old for a, b, old in zip(x, y, before, strict=True)],
    }
    for name, elements in expected.items():
        assert ran(f"{name} v3, v1, v2", x, y, before).vectors[3] == elements + [0] * (256 - VL), name
    assert ran("vsum p1, v1", x).registers[1] == saturated(sum(x))
    assert ran("vmax p1, v1", x).registers[1] == max(x)


@pytest.mark.parametrize("stride", [0, 1, -2, 9])
def test_strided_vectors(stride: int) -> None:
    data = ran("nop").program.address("data")
    first = data + 20 if stride < 0 else data
    places = [first - data + stride * j for j in range(VL)]
    loaded = ran("loadvs v1, p1, p2", p1=first, p2=stride)
    assert loaded.vectors[1] == places + [0] * (256 - VL)
    stored = ran("storevs v1, p1, p2", list(range(1000, 1000 + VL)), p1=first, p2=stride)
    written = dict(zip(places, range(1000, 1000 + VL), strict=True))  # the last one counts where places are equal
    assert stored.memory[data : data + 100].tolist() == [written.get(place, place) for place in range(100)]


def test_indexed_vectors() -> None:
    places = [3, 99, 0, 3, 50, 1, 3]
    data = ran("nop").program.address("data")
    assert ran("loadvx v2, v1, p1", places, p1=data).vectors[2] == places + [0] * (256 - VL)
    assert ran("loadvx v1, v1, p1", places, p1=data).vectors[1] == places + [0] * (256 - VL)
    stored = ran("storevx v2, v1, p1", places, list(range(1000, 1000 + VL)), p1=data)
    written = dict(zip(places, range(1000, 1000 + VL), strict=True))
    assert stored.memory[data : data + 100].tolist() == [written.get(place, place) for place in range(100)]


@pytest.mark.parametrize(
    ("code", "registers", "detail"),
    [
        ("loadvs v1, p1, p2", {"p1": 990, "p2": 2}, "load from address 1000, outside memory (0..999)"),
        ("storevs v1, p1, p2", {"p1": 10, "p2": -2}, "store to address -2, outside memory (0..999)"),
        ("storevs v1, p1, p2", {"p1": 9, "p2": -1}, "store to address 3, inside the program's text (0..3)"),
        ("loadvx v2, v1, p1", {"p1": 997}, "load from address 1002, outside memory (0..999)"),
        ("storevx v2, v1, p1", {"p1": -5}, "store to address 0, inside the program's text (0..3)"),
    ],
)
def test_a_place_out_of_range_faults_and_nothing_is_moved(code: str, registers: dict[str, int], detail: str) -> None:
    with pytest.raises(Fault) as fault:
        ran(code, [5] * 256, **registers)
    assert fault.value.kind == "memory"
    assert fault.value.detail == detail


@pytest.mark.parametrize("seed", range(10))
def test_shifts_and_comparisons_by_registers(seed: int) -> None:
    print(f"seed {seed}")
    rng = Random(seed)
    x, y, k = drawn(rng), drawn(rng), rng.randint(0, 16)
    whole = x * 5**k
    assert ran("shl p3, p1, p2", p1=x, p2=k).registers[3] == (whole + WORD_MAX) % 5**16 - WORD_MAX
    assert ran("shr p3, p1, p2", p1=x, p2=k).registers[3] == (x + 5**k // 2) // 5**k
    assert ran("cmp3 p3, p1, p2", p1=x, p2=y).registers[3] == (x > y) - (x < y)
    same = [ran(f"{name} p3, p1, {k}\nflags p4", p1=x).registers[3:5] for name in ("shli", "shri")]
    assert [ran(f"{name} p3, p1, p2\nflags p4", p1=x, p2=k).registers[3:5] for name in ("shl", "shr")] == same


@pytest.mark.parametrize("name", ["shl", "shr"])
@pytest.mark.parametrize("shift", [-1, 17, WORD_MAX])
def test_a_shift_out_of_range_faults(name: str, shift: int) -> None:
    with pytest.raises(Fault, match=r"operand fault at 2: shift = \S+ is outside 0\.\.16"):
        ran(f"{name} p3, p1, p2", p1=1, p2=shift)


def test_indirect_jumps_and_calls() -> None:
    jumped = ran("li p1, there\njumpr p1\nli p2, 1\nthere: li p3, 1")
    assert jumped.registers[2:4] == [0, 1]
    called = ran("li lr, there\ncallr lr\nli p2, 1\nhalt\nthere: li p3, 1\nret")
    assert called.registers[2:4] == [1, 1]
    with pytest.raises(Fault, match="fetch fault at -3"):
        ran("li p1, -3\njumpr p1")
