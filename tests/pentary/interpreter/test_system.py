"""Control and status registers, traps, interrupts and devices on the interpreter."""

import pytest

from pentary.asm import assemble_text
from pentary.interpreter import Interpreter
from pentary.isa.program import Fault
from pentary.isa.system import CSRS, WRITABLE
from pentary.numbers.word import WORD_MAX

INSTALL = "li p1, handler\ncsrw HANDLER, p1\n"


def machine(source: str, **options: object) -> Interpreter:
    return Interpreter(assemble_text(source), **options)  # type: ignore[arg-type]


def csrs(source: str, **options: object) -> dict[str, int]:
    """Return the registers after a program, which ends."""
    ran = machine(source, **options)
    ran.run(1000)
    assert ran.halted
    return ran.csrs


def test_all_registers_begin_with_their_reset_value_and_can_be_read() -> None:
    for name, csr in CSRS.items():
        ran = machine(f"li p1, 5\ncsrr p1, {name}\nhalt")
        ran.run(2)
        assert ran.registers[1] == (1 if name in ("CYCLE", "INSTRET") else csr.reset)


@pytest.mark.parametrize("name", list(CSRS)[:WRITABLE])
def test_registers_take_the_values_of_their_range_and_no_others(name: str) -> None:
    csr = CSRS[name]
    low, high = csr.low, csr.high if csr.high > 0 else 3
    for value in {low, high, (low + high) // 2}:
        assert csrs(f"li p1, {value}\nli p2, 0\ncsrw {name}, p1\nhalt")[name] == value
    for value in {max(low - 1, -WORD_MAX), min(high + 1, WORD_MAX)} - {low, high}:
        with pytest.raises(Fault, match=f"operand fault at .: {name} = {value} is outside"):
            csrs(f"li p1, {value}\nli p2, 0\ncsrw {name}, p1\nhalt")


FAULTS = {
    "illegal instruction": (1, ".word 0", 0),
    "memory": (3, "load p2, -1(zero)", -1),
    "memory at a device": (3, "load p2, -1000(zero)", -1000),
    "end of the input": (3, "load p2, -1001(zero)", -1001),
    "memory, text": (3, "store p2, 1(zero)", 1),
    "memory, vector": (3, "loadv v0, -7(zero)", -7),
    "memory, stride": (3, "li p2, -40\nli p3, -39000\nloadvs v0, p2, p3", -40),
    "memory, stride that leaves it": (3, "li p2, 100\nli p3, 4000000\nloadvs v0, p2, p3", 100),
    "memory, stride into the text": (3, "li p2, 100\nli p3, -1\nstorevs v0, p2, p3", 100),
    "memory, index": (3, "li p2, 5\nli p3, -50\nvset v1, p2, p3\nli p4, 10\nloadvx v0, v1, p4", -40),
    "divide": (5, "div p2, p2, zero", 0),
    "operand": (6, "li p2, 257\nsetvl p2", 257),
    "operand of a register": (6, "li p2, 2\ncsrw ENABLE, p2", 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_goes_to_the_handler_with_its_cause_place_and_operand(name: str) -> None:
    number, source, value = FAULTS[name]
    ran = machine(f"{INSTALL}li p5, 1\ncsrw ENABLE, p5\n{source}\nhalt\nhandler: csrr p9, EPC\nhalt")
    ran.run(1000)
    assert ran.halted and ran.traps == 1
    faulting = ran.program.text - 4
    expected = {"CAUSE": number, "EPC": faulting, "FAULT": value, "TRAPPED": 1, "ENABLE": 0, "PREVIOUS": 1}
    assert {key: ran.csrs[key] for key in expected} == expected
    assert ran.registers[9] == faulting


def test_a_fetch_fault_goes_to_the_handler_with_the_address() -> None:
    ran = machine(f"{INSTALL}li p2, -5\njumpr p2\nhandler: halt")
    ran.run(100)
    assert (ran.csrs["CAUSE"], ran.csrs["EPC"], ran.csrs["FAULT"], ran.instructions) == (2, -5, -5, 5)


def test_an_overflow_goes_to_the_handler_if_its_trap_is_on() -> None:
    source = f"{INSTALL}li p2, limit(16)\nadd p3, p2, p2\nhalt\nhandler: halt"
    for trap in (False, True):
        ran = machine(source, overflow_trap=trap)
        ran.run(100)
        assert ran.traps == trap and ran.csrs["CAUSE"] == 4 * trap


def test_a_wide_address_keeps_its_low_pents() -> None:
    found = csrs(f"{INSTALL}li p2, limit(16)\nload p3, 2(p2)\nhandler: halt")
    assert found["FAULT"] == WORD_MAX + 2 - 5**16


def test_tret_goes_on_and_restores_enable() -> None:
    found = csrs(
        f"{INSTALL}li p5, 1\ncsrw ENABLE, p5\nload p2, -1(zero)\nhandler: csrw EPC, p6\nli p6, end\n"
        "csrw EPC, p6\ntret\nend: halt"
    )
    assert (found["ENABLE"], found["TRAPPED"]) == (1, 0)


def test_a_fault_in_the_handler_is_a_double_fault_until_trapped_is_cleared() -> None:
    ran = machine(f"{INSTALL}div p2, p2, zero\nhalt\nhandler: nop\nsetvl zero")
    with pytest.raises(Fault) as caught:
        ran.run(100)
    assert (caught.value.kind, caught.value.pc) == ("double", 5)
    assert "operand fault before the handler of the divide fault at 2 has cleared TRAPPED: VL = 0" in str(caught.value)
    assert ran.csrs["CAUSE"] == 5  # of the first fault
    ran = machine(
        f"{INSTALL}div p2, p2, zero\nhalt\nhandler: csrw TRAPPED, zero\ncsrr p9, CAUSE\n"
        "bne p9, p8, 1f\nhalt\n1: li p8, 6\nsetvl zero"
    )
    ran.run(100)
    assert ran.halted and ran.traps == 2


def test_the_timer_interrupts_from_its_cycle_on_in_place_of_an_instruction() -> None:
    ran = machine(
        f"{INSTALL}li p2, 8\ncsrw TIMER, p2\nli p3, 1\ncsrw ENABLE, p3\n1: inc p4\njump 1b\nhandler: csrr p5, EPC\nhalt"
    )
    ran.run(100)
    assert (ran.csrs["CAUSE"], ran.registers[4], ran.registers[5], ran.instructions) == (-1, 1, 6, 10)


@pytest.mark.parametrize("missing", ["HANDLER", "ENABLE", "TIMER"])
def test_without_a_handler_enable_or_timer_there_is_no_interrupt(missing: str) -> None:
    setting = "\n".join(f"csrw {name}, p1" for name in ("HANDLER", "ENABLE", "TIMER") if name != missing)
    ran = machine(f"jump 1f\nnop\n1: li p1, 1\n{setting}\nnop\nnop\nnop\nhalt")
    ran.run(100)
    assert ran.halted and ran.traps == 0


def test_an_external_interrupt_is_pending_until_it_is_taken_and_others_meanwhile_are_lost() -> None:
    source = f"{INSTALL}li p3, 1\nli p2, 20\n1: dec p2\nbnz p2, 1b\ncsrw ENABLE, p3\n"
    source += "nop\nnop\nnop\nnop\nnop\nhalt\nhandler: inc p6\ntret"
    for cycles, traps in (((3,), 1), ((3, 4, 40), 1), ((3, 48), 2), ((48, 3), 2), ((500,), 0), ((), 0)):
        ran = machine(source, interrupts=cycles)
        ran.run(1000)
        assert (ran.halted, ran.registers[6]) == (True, traps), cycles


def test_an_external_interrupt_comes_before_that_of_the_timer_and_before_a_fault() -> None:
    source = f"{INSTALL}li p2, 1\ncsrw TIMER, p2\ncsrw ENABLE, p2\ndiv p3, p3, zero\nhalt\n"
    source += "handler: csrw EPC, p9\ncsrr p4, CAUSE\nhalt"
    for cycles, cause in (((1,), -2), ((), -1)):
        ran = machine(source, interrupts=cycles)
        ran.run(100)
        assert ran.registers[4] == cause


def test_counters_come_from_whoever_has_the_time() -> None:
    class Time:
        def read(self, name: str) -> int:
            return 5**16 + list(CSRS).index(name)

    ran = machine(
        "\n".join(f"csrr p{number}, {name}" for number, name in enumerate(CSRS) if number >= WRITABLE) + "\nhalt"
    )
    ran.counters = Time()
    ran.run(100)
    assert ran.registers[WRITABLE : len(CSRS)] == list(range(WRITABLE, len(CSRS)))


def test_devices_read_and_write() -> None:
    ran = machine(
        "load p1, -1002(zero)\nload p2, -1001(zero)\nload p3, -1002(zero)\nstore p2, -1000(zero)\n"
        "li p4, -7\nstore p4, -1003(zero)\nhalt",
        input=[233, 10],
    )
    ran.run(100)
    assert ran.registers[1:4] == [2, 233, 1]
    assert (ran.output, ran.exit_status, ran.input) == ([233], -7, [10])


@pytest.mark.parametrize(
    "access",
    [
        "load p1, -1003(zero)",
        "store p1, -1001(zero)",
        "store p1, -1002(zero)",
        "load p1, -1004(zero)",
        "store p1, -999(zero)",
    ],
)
def test_a_device_takes_only_its_own_access(access: str) -> None:
    with pytest.raises(Fault, match="memory fault at 0"):
        machine(access).run(1)


@pytest.mark.parametrize(
    "access",
    [
        "loadv v0, -1000(zero)",
        "storev v0, -1000(zero)",
        "li p30, -999\npush p1",
        "li p30, -1001\npop p1",
        "li p2, -1001\nloadvs v0, p2, zero",
    ],
)
def test_other_instructions_do_not_reach_devices(access: str) -> None:
    with pytest.raises(Fault, match="memory fault"):
        machine(access, input=[1]).run(3)


@pytest.mark.parametrize("setting", ["sub p2, p4, p5", "adds p2, p6, p6", "add p2, p6, p6", "cmp p4, p4"])
def test_the_flags_are_those_of_before_when_the_handler_returns(setting: str) -> None:
    source = f"{INSTALL}li p4, 3\nli p5, 8\nli p6, limit(16)\n{setting}\nflags p7\nsetvl zero\nflags p8\nhalt\n"
    source += "handler: csrr p9, OLDFLAGS\ncsrr p3, EPC\nadds p3, p3, zero\ninc p3\ncsrw EPC, p3\ntret"
    ran = machine(source)
    ran.run(100)
    assert ran.halted and ran.registers[7] == ran.registers[8] == ran.registers[9]


def test_flags_come_from_the_pents_of_a_word() -> None:
    for word, flags in ((0, 1), (-1, 2), (2, 4), (5, 1 + 8), (-5, 1 + 8), (26, 4 + 16), (-125 - 2, 2 + 32), (156, 60)):
        ran = machine(f"li p1, end\ncsrw EPC, p1\nli p1, {word}\ncsrw OLDFLAGS, p1\ntret\nend: halt")
        ran.run(100)
        assert ran.flags == flags, word
