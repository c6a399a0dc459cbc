"""Each instruction of the interpreter against `pentary.numbers.alu`, `pentary.lowrank`, fractions or NumPy."""

import inspect
import math
import pickle
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary import lowrank
from pentary.interpreter import Interpreter
from pentary.interpreter.machine import SEMANTICS
from pentary.isa import BY_NAME, INSTRUCTIONS, decode, encode
from pentary.isa.encoding import operands
from pentary.isa.program import Fault, Program
from pentary.isa.table import CONTROL_RESET, CONTROLS, LINK, STACK
from pentary.lowrank.generator import MEMBER_MAX, prng
from pentary.numbers import alu
from pentary.numbers.alu import Flags
from pentary.numbers.word import WORD_MAX, PentaryError, from_digits, limit, round_shift, saturate, to_digits
from pentary.randomprogram import random_program

reproducible = settings(deadline=None, print_blob=True)

MEMORY = 1000
MARKS = {mark + by for k in range(16) for mark in (5**k, (5**k - 1) // 2) for by in (-1, 0, 1)} | {WORD_MAX}
EDGES = sorted({sign * mark for mark in MARKS for sign in (-1, 1)})
words = st.integers(-WORD_MAX, WORD_MAX) | st.sampled_from(EDGES)
shifts = st.integers(0, 16)
widths = st.integers(1, 16)
immediates = st.integers(-limit(7), limit(7)) | st.sampled_from([-limit(7), limit(7), 0, 1])


def assembled(name: str, **given: int) -> int:
    """Encode an instruction from its operands by their names in the table; those not given are 0."""
    return encode(BY_NAME[name], **{operand.field: given.get(key, 0) for key, operand in operands(BY_NAME[name])})


def loaded(*code: int, data: tuple[int, ...] = (), memory: int = MEMORY, overflow_trap: bool = False) -> Interpreter:
    program = Program(np.array([*code, *data], np.int64), len(code), len(code) + len(data))
    return Interpreter(program, memory, overflow_trap)


def snapshot(machine: Interpreter) -> dict:
    state = {name: value for name, value in vars(machine).items() if not name.startswith("_") and name != "program"}
    return pickle.loads(pickle.dumps(state | {"memory": machine.memory.tolist()}))  # a deep copy, but fast


def computed(name: str, rs: int = 0, rt: int = 0, acc: int = 0, **immediate: int) -> tuple[int, Flags]:
    """Execute an instruction that reads P1 and P2 and writes P3; return P3 and the flags."""
    machine = loaded(assembled(name, rd=3, rs=1, rt=2, **immediate))
    machine.registers[1:3] = rs, rt
    machine.acc = acc
    machine.step()
    assert machine.registers[1:3] == [rs, rt]
    assert (machine.pc, machine.instructions) == (1, 1)
    return machine.registers[3], Flags(machine.flags)


def plain(result: alu.Result) -> tuple[int, Flags]:
    return result.value.item(), Flags(result.flags.item())


def with_sign(value: int, others: int = 0) -> tuple[int, Flags]:
    return value, Flags(others) | (Flags.N if value < 0 else Flags.P if value > 0 else Flags.Z)


def clamped(value: int, width: int) -> int:
    return max(-limit(width), min(limit(width), value))


def test_every_instruction_of_the_table_has_semantics_that_take_its_operands():
    for instruction in INSTRUCTIONS:
        taken = list(inspect.signature(SEMANTICS[instruction.name]).parameters)
        assert taken == ["m", *(name for name, _ in operands(instruction))], instruction.name
    assert len(SEMANTICS) == len(INSTRUCTIONS)


def test_all_starts_as_zero_but_the_stack_pointer_and_the_limits():
    machine = loaded(assembled("NOP"), data=(5, -6))
    assert machine.registers == [MEMORY if number == STACK else 0 for number in range(32)]
    assert machine.memory[1:].tolist() == [5, -6] + [0] * (MEMORY - 3)
    assert (machine.pc, machine.flags, machine.acc, machine.vl, machine.halted) == (0, 0, 0, 256, False)
    assert machine.controls == CONTROL_RESET
    assert np.shape(machine.vectors) == (8, 256)
    assert np.shape(machine.crossbar) == (256, 256)
    assert np.shape(machine.factor_a) == np.shape(machine.factor_b) == (64, 256)
    assert len(machine.sums) == 256
    assert len(machine.fitness) == 4
    assert not np.any(machine.vectors) and not np.any(machine.crossbar) and not np.any(machine.factor_a)


def test_a_program_larger_than_the_memory_is_refused():
    with pytest.raises(PentaryError, match=r"^the program takes 11 words, but the memory has 10$"):
        Interpreter(Program(np.array([assembled("HALT")]), 1, 11), memory=10)


def test_the_default_memory_has_the_size_of_the_machine():
    assert len(Interpreter(Program(np.array([assembled("HALT")]), 1, 1)).memory) == 1_953_125


# --- arithmetic and logic ---

ALU: dict[str, Callable[[int, int], alu.Result]] = {
    "ADD": alu.add,
    "SUB": alu.subtract,
    "ADDS": lambda a, b: alu.add(a, b, saturating=True),
    "SUBS": lambda a, b: alu.subtract(a, b, saturating=True),
    "MUL": alu.multiply,
    "NEG": lambda a, b: alu.negate(a),
    "MUL2": lambda a, b: alu.add(a, a),
}
ALU_IMMEDIATE: dict[str, Callable[[int, int], alu.Result]] = {
    "ADDI": alu.add,
    "MULI": alu.multiply,
    "SHLI": alu.shift_left,
    "SHRI": alu.shift_right,
}
EXACT: dict[str, Callable[[int, int], int]] = {
    "MULH": lambda a, b: round(Fraction(a * b, 5**16)),
    "ABS": lambda a, b: abs(a),
    "MIN": min,
    "MAX": max,
    "SIGN": lambda a, b: int(np.sign(a)),
}


@pytest.mark.parametrize("name", ALU)
@reproducible
@given(words, words)
def test_arithmetic_delivers_what_the_alu_does(name, a, b):
    assert computed(name, a, b) == plain(ALU[name](a, b))


@pytest.mark.parametrize("name", ALU_IMMEDIATE)
@reproducible
@given(words, immediates, shifts)
def test_arithmetic_with_an_immediate_delivers_what_the_alu_does(name, a, i, k):
    number = i if "i" in BY_NAME[name].operands else k
    assert computed(name, a, i=i, k=k) == plain(ALU_IMMEDIATE[name](a, number))


@reproducible
@given(words, immediates)
def test_addhi_adds_ten_pents_up(a, i):
    exact = a + i * 5**10
    wrapped = (exact + WORD_MAX) % 5**16 - WORD_MAX
    assert computed("ADDHI", a, i=i) == with_sign(wrapped, 0 if wrapped == exact else Flags.V | Flags.C)


@pytest.mark.parametrize("name", EXACT)
@reproducible
@given(words, words)
def test_a_result_that_always_fits_sets_only_its_sign(name, a, b):
    assert computed(name, a, b) == with_sign(EXACT[name](a, b))


@reproducible
@given(words, words.filter(bool))
def test_division_goes_towards_zero_and_leaves_a_remainder_with_the_sign_of_the_dividend(a, b):
    quotient, flags = computed("DIV", a, b)
    assert (quotient, flags) == with_sign(math.trunc(Fraction(a, b)))
    remainder, flags = computed("REM", a, b)
    assert (remainder, flags) == with_sign(a - quotient * b)
    assert abs(remainder) < abs(b)
    assert remainder == 0 or (remainder < 0) == (a < 0)


@reproducible
@given(words)
def test_halving_goes_towards_zero_and_its_carry_tells_an_odd_number(a):
    assert computed("DIV2", a) == with_sign(math.trunc(Fraction(a, 2)), Flags.C if a % 2 else 0)


@reproducible
@given(words, widths)
def test_clamp_saturates_to_a_width_and_says_so_without_overflow(a, w):
    kept = clamped(a, w)
    assert computed("CLAMP", a, w=w) == with_sign(kept, Flags.S if kept != a else 0)


CONSENSUS = {(1, 1): 1, (1, 2): 1, (2, 1): 1, (2, 2): 2, (-1, -1): -1, (-1, -2): -1, (-2, -1): -1, (-2, -2): -2}


@reproducible
@given(words, words)
def test_cons_looks_at_each_pair_of_pents(a, b):
    pairs = zip(to_digits(a).tolist(), to_digits(b).tolist(), strict=True)
    expected = from_digits([CONSENSUS.get(pair, 0) for pair in pairs]).item()
    assert computed("CONS", a, b) == with_sign(expected)


@reproducible
@given(words, words)
def test_comparing_sets_flags_and_no_register(a, b):
    assert computed("CMP", a, b) == (0, Flags(alu.compare(a, b).item()))


@pytest.mark.parametrize("flags", range(64))
def test_flags_come_as_pents(flags):
    machine = loaded(assembled("FLAGS", rd=3))
    machine.flags = flags
    machine.step()
    sign = bool(flags & Flags.P) - bool(flags & Flags.N)
    others = [int(flags & flag != 0) for flag in (Flags.V, Flags.C, Flags.S)]
    assert machine.registers[3] == from_digits([sign, *others])
    assert machine.flags == flags


def test_li_and_addhi_make_any_word_and_li_leaves_the_flags():
    machine = loaded(assembled("LI", rd=3, i=-limit(10)), assembled("ADDHI", rd=3, rs=3, i=limit(6)))
    machine.flags = 63
    machine.step()
    assert (machine.registers[3], machine.flags) == (-limit(10), 63)
    machine.step()
    assert machine.registers[3] == WORD_MAX - 2 * limit(10)


def test_p0_stays_zero_but_the_flags_tell_of_the_result():
    machine = loaded(assembled("ADDI", rd=0, rs=0, i=-7), assembled("LI", rd=0, i=1), assembled("POP", rd=0))
    machine.registers[STACK] -= 1
    machine.memory[-1] = 9
    machine.run(3)
    assert (machine.registers[0], Flags(machine.flags), machine.registers[STACK]) == (0, Flags.N, MEMORY)


# --- accumulator ---

accumulators = st.integers(-limit(16) * 5**16, limit(16) * 5**16) | st.sampled_from(
    [sign * ((5**32 - 1) // 2 - by) for sign in (-1, 1) for by in (0, 1)]
)


@reproducible
@given(accumulators, words, words)
def test_mac_adds_a_product_modulo_32_pents(acc, a, b):
    machine = loaded(assembled("MAC", rs=1, rt=2))
    machine.acc, machine.registers[1], machine.registers[2] = acc, a, b
    machine.step()
    exact = acc + a * b
    edge = (5**32 - 1) // 2
    assert (machine.acc - exact) % 5**32 == 0
    assert abs(machine.acc) <= edge
    over = 0 if abs(exact) <= edge else Flags.V | Flags.C
    assert (machine.acc, Flags(machine.flags)) == with_sign(machine.acc, over)


@reproducible
@given(accumulators, shifts)
def test_accget_rounds_and_saturates(acc, k):
    exact = round(Fraction(acc, 5**k))
    kept = clamped(exact, 16)
    over = 0 if kept == exact else Flags.V | Flags.C | Flags.S
    assert computed("ACCGET", acc=acc, k=k) == with_sign(kept, over)


@pytest.mark.parametrize("word", [-WORD_MAX, 0, 3])
def test_accset_replaces_the_accumulator(word):
    machine = loaded(assembled("ACCSET", rs=1))
    machine.acc, machine.registers[1] = 7, word
    machine.step()
    assert (machine.acc, Flags(machine.flags)) == with_sign(word)


# --- memory and control ---


def test_store_and_load_address_memory_by_a_register_and_an_offset():
    machine = loaded(assembled("STORE", ru=2, i=-5, rs=1), assembled("LOAD", rd=3, i=5, rs=4))
    machine.registers[1:5] = 105, WORD_MAX, 0, 95
    machine.run(2)
    assert machine.memory[100] == machine.registers[3] == WORD_MAX


def test_text_can_be_read():
    nop = assembled("NOP")
    machine = loaded(assembled("LOAD", rd=3, i=1, rs=0), nop)
    machine.step()
    assert machine.registers[3] == nop


def test_the_stack_grows_down():
    machine = loaded(assembled("PUSH", rs=1), assembled("PUSH", rs=STACK), assembled("POP", rd=2))
    machine.registers[1] = 8
    machine.run(3)
    assert machine.memory[-2:].tolist() == [MEMORY - 1, 8]
    assert (machine.registers[2], machine.registers[STACK]) == (MEMORY - 1, MEMORY - 1)


def test_popping_the_stack_pointer_loads_it():
    machine = loaded(assembled("POP", rd=STACK))
    machine.registers[STACK] = 500
    machine.memory[500] = 700
    machine.step()
    assert machine.registers[STACK] == 700


COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "BEQ": lambda a, b: a == b,
    "BNE": lambda a, b: a != b,
    "BLT": lambda a, b: a < b,
    "BGT": lambda a, b: a > b,
    "BLE": lambda a, b: a <= b,
    "BGE": lambda a, b: a >= b,
}


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("a", [-WORD_MAX, -1, 0, WORD_MAX])
@pytest.mark.parametrize("b", [-WORD_MAX, -1, 0, WORD_MAX])
def test_a_branch_goes_relative_to_itself_if_its_comparison_holds(name, a, b):
    machine = loaded(assembled("NOP"), assembled(name, rs=1, ru=2, j7=-40))
    machine.registers[1:3] = a, b
    machine.run(2)
    assert machine.pc == (-39 if COMPARISONS[name](a, b) else 2)


def test_calls_return_and_halt_stays():
    call, halt, ret = assembled("CALL", j10=2), assembled("HALT"), assembled("RET")
    machine = loaded(call, halt, assembled("JUMP", j10=1), ret)
    assert machine.run(2) == 2
    assert (machine.registers[LINK], machine.pc) == (1, 3)
    assert machine.run(100) == 2
    assert (machine.halted, machine.pc, machine.instructions) == (True, 1, 4)
    before = snapshot(machine)
    machine.step()
    assert machine.run(100) == 0
    assert snapshot(machine) == before


@pytest.mark.parametrize("name", ["NOP", "SYNC", "FENCE"])
def test_waiting_changes_only_the_place(name):
    machine = loaded(assembled(name))
    machine.flags = 5
    before = snapshot(machine)
    machine.step()
    assert snapshot(machine) == before | {"pc": 1, "instructions": 1}


# --- faults ---

NOP, SETVL_1 = assembled("NOP"), assembled("SETVL", rs=1)

FAULTS = [
    # kind, detail, code, registers
    ("illegal instruction", "0 is no instruction: there is no opcode 0", [0], {}),
    ("fetch", "execution ran past the end of the program (0..0)", [NOP], {}),
    ("fetch", "jump outside the program (0..0)", [assembled("JUMP", j10=-1)], {}),
    ("fetch", "jump outside the program (0..0)", [assembled("JUMP", j10=2)], {}),
    ("fetch", "jump outside the program (0..1)", [NOP, assembled("RET")], {LINK: -WORD_MAX}),
    ("fetch", "execution ran past the end of the program, which is empty", [], {}),
    ("memory", "load from address -1, outside memory (0..999)", [assembled("LOAD", i=-1)], {}),
    ("memory", "load from address 1000, outside memory (0..999)", [assembled("LOAD", rs=STACK)], {}),
    ("memory", f"load from address {WORD_MAX + 1}, outside memory", [assembled("LOAD", rs=1, i=1)], {1: WORD_MAX}),
    ("memory", "load from addresses 745..1000, outside memory", [assembled("LOADV", rs=STACK, i=-255)], {}),
    ("memory", "store to address 0, inside the program's text (0..0)", [assembled("STORE")], {}),
    ("memory", "store to address 1, inside the program's text (0..1)", [NOP, assembled("STORE", i=1)], {}),
    ("memory", "store to address -1, outside memory", [assembled("PUSH", rs=1)], {STACK: 0}),
    ("memory", "store to address 0, inside the program's text (0..0)", [assembled("PUSH", rs=1)], {STACK: 1}),
    ("memory", "store to address 1000, outside memory", [assembled("PUSH", rs=1)], {STACK: MEMORY + 1}),
    ("memory", "load from address 1000, outside memory", [assembled("POP", rd=1)], {}),
    ("memory", "store to addresses -255..0, outside memory", [assembled("STOREV", i=-255)], {}),
    ("memory", "store to addresses 0..255, inside the program's text (0..0)", [assembled("STOREV")], {}),
    ("memory", "store to addresses 745..1000, outside memory", [assembled("STOREV", rs=STACK, i=-255)], {}),
    ("divide", "7 divided by 0", [assembled("DIV", rd=1, rs=1)], {1: 7}),
    ("divide", "0 divided by 0", [assembled("REM", rd=1)], {}),
    ("operand", "VL = 0 is outside 1..256", [SETVL_1], {1: 0}),
    ("operand", "VL = 257 is outside 1..256", [SETVL_1], {1: 257}),
    ("operand", "element = 256 is outside 0..255", [assembled("VGET", rd=1, rt=1)], {1: 256}),
    ("operand", "element = -1 is outside 0..255", [assembled("VGET", rd=1, rt=1)], {1: -1}),
    ("operand", "element = 3 is outside 0..2", [SETVL_1, assembled("VGET", rd=1, rt=1)], {1: 3}),
    ("operand", "element = 3 is outside 0..2", [SETVL_1, assembled("VSET", rs=1, rt=1)], {1: 3}),
    ("operand", "crossbar row = 256 is outside 0..255", [assembled("LOADX", rt=1)], {1: 256}),
    ("operand", "crossbar row = -1 is outside 0..255", [assembled("LOADX", rt=1)], {1: -1}),
    ("operand", "pair = -1 is outside 0..195312", [assembled("LRGEN", rs=1)], {1: -1}),
    ("operand", "pair = 195313 is outside 0..195312", [assembled("LRGEN", rs=1)], {1: MEMBER_MAX + 1}),
    ("operand", "row = 1 is outside 0..0", [assembled("LRMUL", rs=1)], {1: 1}),
    ("operand", "row = -1 is outside 0..0", [assembled("LRMUL", rs=1)], {1: -1}),
    *(
        ("operand", f"{name} = {value} is outside {low}..{high}", [assembled("LRSET", cd=number, rs=1)], {1: value})
        for number, (name, (low, high)) in enumerate(CONTROLS.items())
        if name != "KEY"
        for value in (low - 1, high + 1)
    ),
    *(
        ("overflow", "the exact result does not fit", [assembled(name, rd=1, rs=1, rt=1, **more)], {1: WORD_MAX})
        for name, more in {
            "ADD": {},
            "ADDS": {},
            "MUL": {},
            "MUL2": {},
            "ADDI": {"i": 1},
            "ADDHI": {"i": 1},
            "MULI": {"i": -2},
            "SHLI": {"k": 1},
        }.items()
    ),
    ("overflow", "the exact result does not fit", [assembled("SUB", rs=1, rt=2)], {1: WORD_MAX, 2: -1}),
    ("overflow", "the exact result does not fit", [assembled("SUBS", rs=1, rt=2)], {1: -WORD_MAX, 2: 1}),
    ("overflow", "the exact result does not fit", [assembled("MAC", rs=1, rt=1)] * 3, {1: WORD_MAX}),
    ("overflow", "the exact result does not fit", [assembled("MAC", rs=1, rt=1), assembled("ACCGET")], {1: WORD_MAX}),
]


@pytest.mark.parametrize(("kind", "detail", "code", "registers"), FAULTS)
def test_a_fault_tells_what_was_wrong_and_changes_nothing(kind, detail, code, registers):
    def prepared() -> Interpreter:
        machine = loaded(*code, overflow_trap=True)
        for number, value in registers.items():
            machine.registers[number] = value
        machine.vectors = [list(range(256)) for _ in range(8)]
        return machine

    probe, machine, last = prepared(), prepared(), None
    with pytest.raises(Fault):
        probe.run(100)
    for _ in range(probe.instructions):
        last = machine.pc
        machine.step()
    before = snapshot(machine)
    with pytest.raises(Fault) as caught:
        machine.step()
    fault = caught.value
    assert snapshot(machine) == before
    assert (fault.kind, fault.pc, fault.origin) == (kind, machine.pc, last)
    assert fault.detail.startswith(detail)
    assert str(fault) == f"{kind} fault at {machine.pc}: {fault.detail}"
    with pytest.raises(Fault, match=f"^{kind} fault"):
        machine.step()


@pytest.mark.parametrize("code", [[NOP, NOP, 0], [assembled("JUMP", j10=1), 0]])
def test_a_run_stops_at_a_fault_after_what_came_before_is_complete(code):
    machine = loaded(*code)
    with pytest.raises(Fault):
        machine.run(100)
    assert machine.instructions == machine.pc == len(code) - 1


def test_without_the_trap_an_overflow_only_sets_flags():
    assert computed("ADD", WORD_MAX, 1) == (-WORD_MAX, Flags.N | Flags.V | Flags.C)


def test_saturating_to_a_width_is_no_overflow():
    machine = loaded(assembled("CLAMP", rd=1, rs=1, w=1), overflow_trap=True)
    machine.registers[1] = WORD_MAX
    machine.step()
    assert machine.registers[1] == 2


# --- vectors ---

VECTORS = ["VADD", "VSUB", "VADDS", "VMULS", "RELU", "QUANT", "POOL", "CONV", "MATVEC", "LRADD", "LRACC", "POPAVG"]


def random_words(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return random words of all widths, many at the limits."""
    sizes = 5 ** rng.integers(0, 17, shape)
    uniform = rng.integers(-(sizes // 2), sizes // 2, endpoint=True)
    return np.where(rng.random(shape) < 0.2, rng.choice(EDGES, shape), uniform)


def filled(rng: np.random.Generator, code: int) -> Interpreter:
    """Return a machine with random values in all registers and control registers."""
    machine = loaded(code)
    machine.registers[1:30] = random_words(rng, 29).tolist()
    machine.vectors = random_words(rng, 8, 256).tolist()
    machine.crossbar = rng.integers(-2, 3, (256, 256)).tolist()
    machine.factor_a = rng.integers(-2, 3, (64, 256)).tolist()
    machine.factor_b = rng.integers(-2, 3, (64, 256)).tolist()
    machine.sums = rng.integers(-300, 301, 256).tolist()
    machine.fitness = random_words(rng, 4).tolist()
    machine.vl = int(rng.choice([1, 2, 16, 100, 255, 256]))
    for name, (low, high) in CONTROLS.items():
        machine.controls[name] = int(rng.choice([low, high, int(rng.integers(low, high, endpoint=True))]))
    return machine


def expected_elements(name: str, m: Interpreter, k: int, w: int) -> np.ndarray:
    """Return the expected vd, by NumPy on int64 or on Python integers; sources are V1, V2 and P2."""
    vs, vt = np.array(m.vectors[1], object), np.array(m.vectors[2], object)
    vl, rt, cols, width = m.vl, m.registers[2], m.controls["COLS"], m.controls["WIDTH"]
    s = np.array(m.sums, object)
    match name:
        case "VADD":
            return np.clip((vs + vt)[:vl], -WORD_MAX, WORD_MAX)
        case "VSUB":
            return np.clip((vs - vt)[:vl], -WORD_MAX, WORD_MAX)
        case "VADDS":
            return np.clip((vs + rt)[:vl], -WORD_MAX, WORD_MAX)
        case "VMULS":
            return np.clip((vs * clamped(rt, 8))[:vl], -WORD_MAX, WORD_MAX)
        case "RELU":
            return np.maximum(vs[:vl], 0)
        case "QUANT":
            return saturate(round_shift(np.array(m.vectors[1])[:vl], k), w)
        case "POOL":
            return vs[: vl // w * w].reshape(-1, w).max(axis=1)
        case "CONV":
            taps = np.clip(vt[:w], -limit(8), limit(8))
            return np.clip(np.correlate(vs[:vl], taps), -WORD_MAX, WORD_MAX) if vl >= w else vs[:0]
        case "MATVEC":
            return np.clip((vs @ np.array(m.crossbar, object))[:vl], -WORD_MAX, WORD_MAX)
        case "LRADD":
            latents, levels = np.clip(vs, -limit(8), limit(8)), np.clip(s, -2, 2)
            moved = saturate((latents + clamped(rt, 8) * levels)[:cols].astype(np.int64), width)
            return round_shift(moved, width - 1)
        case "LRACC":
            totals = np.clip(vs, -limit(12), limit(12))
            return (totals + clamped(rt, 1) * s)[:cols]
        case "POPAVG":
            latents = saturate(np.array(m.vectors[1])[:cols], 8)
            return lowrank.popavg(np.array(m.vectors[2])[:cols], m.controls["GAIN"], 8, latents, width)
    raise AssertionError(name)


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("seed", range(12))
def test_a_vector_instruction_gives_its_elements_and_zeros_after_them(name, seed):
    rng = np.random.default_rng([VECTORS.index(name), seed])
    k, w = int(rng.integers(0, 17)), int(rng.choice([1, 2, 3, 16]))
    target = seed % 3  # includes source registers
    machine = filled(rng, assembled(name, vd=target, vs=1, vt=2, rt=2, k=k, w=w))
    machine.vectors[0] = [7] * 256
    before = snapshot(machine)
    expected = expected_elements(name, machine, k, w).tolist()
    machine.step()
    assert machine.vectors[target] == expected + [0] * (256 - len(expected))
    before["vectors"][target] = machine.vectors[target]
    assert snapshot(machine) == before | {"pc": 1, "instructions": 1}


@pytest.mark.parametrize("vl", [1, 7, 256])
def test_vectors_move_to_and_from_memory_up_to_the_active_length(vl):
    machine = loaded(assembled("STOREV", vu=1, i=2, rs=1), assembled("LOADV", vd=2, i=3, rs=1))
    machine.vl, machine.registers[1] = vl, 300
    machine.vectors[1] = list(range(1, 257))
    machine.vectors[2] = [-1] * 256
    machine.memory[300 : 300 + 300] = -9
    machine.run(2)
    assert machine.memory[300:560].tolist() == [-9, -9, *range(1, vl + 1), *([-9] * (258 - vl))]
    assert machine.vectors[2] == [*range(2, vl + 1), -9, *([0] * (256 - vl))]


def test_the_active_length_can_be_set_from_1_to_256():
    machine = loaded(SETVL_1, SETVL_1)
    machine.registers[1] = 1
    machine.step()
    assert machine.vl == 1
    machine.registers[1] = 256
    machine.step()
    assert machine.vl == 256


def test_an_element_can_be_read_and_written_alone():
    machine = loaded(assembled("VSET", vd=1, rs=1, rt=2), assembled("VGET", rd=3, vs=1, rt=1))
    machine.vectors[1] = list(range(256))
    machine.vl = 100
    machine.registers[1:3] = 99, -5
    machine.run(2)
    assert machine.vectors[1] == [*range(99), -5, *range(100, 256)]
    assert machine.registers[3] == -5


def test_loadx_fills_a_row_of_the_crossbar_with_pents_whatever_the_active_length():
    machine = loaded(assembled("LOADX", vs=1, rt=1))
    machine.vl, machine.registers[1] = 1, 255
    machine.vectors[1] = list(range(-128, 128))
    machine.step()
    assert machine.crossbar[255] == np.clip(np.arange(-128, 128), -2, 2).tolist()
    assert not np.any(machine.crossbar[:255])


# --- the low-rank unit ---


@reproducible
@given(words, words)
def test_prng_permutes_the_counter_under_the_key(key, counter):
    assert computed("PRNG", key, counter) == (prng(key, counter), Flags(0))


@pytest.mark.parametrize(("number", "name"), list(enumerate(CONTROLS)))
def test_a_control_register_takes_the_ends_of_its_range(number, name):
    for value in CONTROLS[name]:
        machine = loaded(assembled("LRSET", cd=number, rs=1))
        machine.registers[1] = value
        machine.step()
        assert machine.controls == CONTROL_RESET | {name: value}


@pytest.mark.parametrize("pair", [0, 7, MEMBER_MAX])
@pytest.mark.parametrize(("rows", "cols", "rank"), [(1, 1, 1), (17, 33, 5), (256, 256, 64)])
def test_lrgen_draws_the_factors_of_a_pair_and_keeps_what_lies_outside(pair, rows, cols, rank):
    machine = loaded(assembled("LRGEN", rs=1))
    machine.registers[1] = pair
    machine.controls.update(ROWS=rows, COLS=cols, RANK=rank, KEY=-12345)
    expected_a, expected_b = np.full((2, 64, 256), 9)
    machine.factor_a, machine.factor_b = expected_a.tolist(), expected_b.tolist()
    a, b = lowrank.lrgen(-12345, np.array([pair]), rows, cols, rank)
    expected_a[:rank, :rows], expected_b[:rank, :cols] = a[0], b[0]
    machine.step()
    assert machine.factor_a == expected_a.tolist()
    assert machine.factor_b == expected_b.tolist()


@pytest.mark.parametrize("seed", range(8))
def test_lrmul_gives_a_row_of_the_product_of_the_factors(seed):
    rng = np.random.default_rng(seed)
    machine = filled(rng, assembled("LRMUL", rs=1))
    rows, cols, rank = (machine.controls[name] for name in ("ROWS", "COLS", "RANK"))
    row = machine.registers[1] = int(rng.integers(rows))
    a = np.array(machine.factor_a, np.int8)[:rank, :rows]
    b = np.array(machine.factor_b, np.int8)[:rank, :cols]
    machine.step()
    assert machine.sums == lowrank.lrmul(a[None], b[None])[0, row].astype(int).tolist() + [0] * (256 - cols)


@pytest.mark.parametrize("seed", range(8))
def test_lrmulx_multiplies_a_vector_with_both_factors(seed):
    rng = np.random.default_rng(seed)
    machine = filled(rng, assembled("LRMULX", vs=1))
    rows, cols, rank = (machine.controls[name] for name in ("ROWS", "COLS", "RANK"))
    x = saturate(np.array(machine.vectors[1][:rows]), 4)
    expected = np.array(machine.factor_a)[:rank, :rows] @ x @ np.array(machine.factor_b)[:rank, :cols]
    machine.step()
    assert machine.sums == expected.tolist() + [0] * (256 - cols)


def test_what_lracc_adds_up_fits_a_word():
    largest_sum = 256 * limit(4) * 2 * 64 * 2  # of LRMULX
    assert limit(12) + 2 * largest_sum <= WORD_MAX


@pytest.mark.parametrize("rank", [1, 4, 8, 16, 64])
@pytest.mark.parametrize("cols", [1, 200, 256])
def test_pquant_rounds_all_the_sums_those_past_the_columns_too(rank, cols):
    machine = loaded(assembled("PQUANT"))
    machine.controls.update(RANK=rank, COLS=cols)
    sums = np.arange(-128, 128)
    machine.sums = sums.tolist()
    machine.step()
    assert machine.sums == lowrank.pquant(sums, rank).tolist()


@pytest.mark.parametrize("multiplication", ["LRMUL", "LRMULX"])
def test_quantised_sums_are_not_quantised_again_until_they_are_new(multiplication):
    machine = loaded(*(assembled(name) for name in (multiplication, "PQUANT", "PQUANT", multiplication, "PQUANT")))
    machine.controls.update(ROWS=1, COLS=1, RANK=8)
    machine.vectors[0][0] = 1
    for rank in range(8):
        machine.factor_a[rank][0] = machine.factor_b[rank][0] = 1 + (rank < 3)
    seen = []
    while machine.pc < 5:
        machine.step()
        seen.append(machine.sums[0])
        machine.controls["RANK"] = 64 if seen == [17, 2] else 8  # at rank 64, a 2 would become 0
    assert seen == [17, 2, 2, 17, 2]


def test_sums_quantised_before_the_columns_were_raised_are_quantised():
    machine = loaded(assembled("PQUANT"), assembled("LRACC", vd=2, vs=1, rt=1))
    machine.controls.update(RANK=8, COLS=1)
    machine.sums, machine.registers[1] = [9] * 256, 1
    machine.step()
    machine.controls["COLS"] = 3
    machine.step()
    assert machine.vectors[2] == [2, 2, 2] + [0] * 253


def test_lracc_goes_beyond_12_pents():
    machine = loaded(assembled("LRACC", vd=2, vs=1, rt=1))
    machine.controls.update(COLS=4)
    machine.vectors[1][:4] = [limit(12), limit(12) + 1, -limit(12), -WORD_MAX]
    machine.sums[:4], machine.registers[1] = [3, 3, -256, -256], 7
    machine.step()
    assert machine.vectors[2][:4] == [limit(12) + 6, limit(12) + 6, -limit(12) - 512, -limit(12) - 512]


@pytest.mark.parametrize("width", range(2, 9))
def test_lradd_after_pquant_is_what_training_does(width):
    rng = np.random.default_rng(width)
    latents, levels = rng.integers(-limit(width), limit(width), 256, endpoint=True), rng.integers(-2, 3, 256)
    sigma = limit(width - 1)
    machine = loaded(assembled("LRADD", vd=2, vs=1, rt=1))
    machine.controls.update(WIDTH=width, COLS=256)
    machine.vectors[1], machine.sums, machine.registers[1] = latents.tolist(), levels.tolist(), -sigma
    machine.step()
    expected = lowrank.lradd(latents[None], levels.astype(np.int8)[None, None], -sigma, width)
    assert machine.vectors[2] == expected[0, 0].tolist()


def test_popavg_saturates_the_total_before_the_gain():
    machine = loaded(assembled("POPAVG", vd=2, vs=1, vt=3))
    machine.controls.update(WIDTH=8, COLS=5, GAIN=-(5**4))
    machine.vectors[3][:5] = [WORD_MAX, limit(8) + 1, limit(8), limit(8) - 5**4, -WORD_MAX]
    machine.step()
    assert machine.vectors[2][:5] == [-312, -312, -312, -311, 312]  # limit(8) / 5^4 is just below 312.5


@pytest.mark.parametrize("seed", range(8))
def test_popeval_adds_squares_of_differences_and_saturates_once(seed):
    rng = np.random.default_rng(seed)
    machine = filled(rng, assembled("POPEVAL", fd=2, vs=1, vt=2))
    near = rng.integers(-limit(3), limit(3), 256)
    if seed % 2:
        machine.vectors[2] = np.clip(np.array(machine.vectors[1]) + near, -WORD_MAX, WORD_MAX).tolist()
    before = machine.fitness.copy()
    difference = np.array(machine.vectors[1])[: machine.vl] - np.array(machine.vectors[2])[: machine.vl]
    total = int((saturate(difference, 8) ** 2).sum())
    machine.step()
    before[2] = clamped(before[2] + total, 16)
    assert machine.fitness == before


def test_a_sum_of_squares_is_exact_before_it_meets_a_negative_accumulator():
    machine = loaded(assembled("POPEVAL", fd=0, vs=1, vt=2))
    machine.vectors[1] = [limit(8)] * 2 + [0] * 254
    machine.fitness[0] = -WORD_MAX
    machine.step()
    assert machine.fitness[0] == 2 * limit(8) ** 2 - WORD_MAX


def test_fitget_reads_and_clears():
    machine = loaded(assembled("FITGET", rd=3, fs=1))
    machine.fitness = [4, 5, 6, 7]
    machine.step()
    assert (machine.registers[3], machine.fitness) == (5, [4, 0, 6, 7])


# --- all of it ---


@pytest.mark.parametrize("seed", range(10))
def test_flags_change_as_the_table_says(seed):
    machine = Interpreter(random_program(seed, 300))
    while not machine.halted:
        instruction = decode(machine.program.image[machine.pc].item()).instruction
        before = Flags(machine.flags)
        machine.step()
        after = Flags(machine.flags)
        if not instruction.flags:
            assert after == before, instruction.name
        else:
            assert not after & ~Flags(sum(Flags[letter] for letter in instruction.flags)), instruction.name
            assert (after & (Flags.Z | Flags.N | Flags.P)).bit_count() == 1, instruction.name


@pytest.mark.parametrize("seed", range(10))
def test_all_state_stays_within_its_width(seed):
    machine = Interpreter(random_program(seed, 300))
    machine.run(10**6)
    words = [machine.registers, machine.fitness, machine.sums, machine.memory, machine.vectors]
    assert all(np.abs(part).max() <= WORD_MAX for part in words)
    assert all(np.abs(part).max() <= 2 for part in (machine.crossbar, machine.factor_a, machine.factor_b))
    assert machine.registers[0] == 0
    assert 1 <= machine.vl <= 256


@pytest.mark.parametrize(
    ("name", "unit", "named"),
    [
        ("VADD", "vector", "the vector unit"),
        ("STOREVX", "memory", "the vector load/store unit"),
        ("MATVEC", "crossbar", "the crossbar"),
        ("LRSET", "lowrank", "the low-rank unit"),
    ],
)
def test_an_instruction_of_an_absent_unit_is_illegal(name, unit, named):
    program = Program(np.array([SETVL_1, assembled(name)]), 2, 2)
    machine = Interpreter(program, MEMORY, absent={unit})
    machine.registers[1] = 5
    with pytest.raises(Fault) as caught:
        machine.run(2)
    fault = caught.value
    detail = f"{name} needs {named}, which this machine does not have"
    assert (fault.kind, fault.pc, fault.detail) == ("illegal instruction", 1, detail)
    assert machine.vl == 5  # SETVL is scalar
    machine = Interpreter(program, MEMORY, absent={unit})
    machine.registers[1], machine.csrs["HANDLER"] = 5, 1
    machine.step()
    machine.step()
    assert (machine.traps, machine.csrs["CAUSE"], machine.csrs["EPC"], machine.csrs["FAULT"]) == (1, 1, 1, 0)
