"""Hazards and forwarding: when an instruction enters EX."""

from collections.abc import Callable


def test_load_then_first_operand(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6  7
        0 LOAD p1, 100(p0) | IF ID EX ME WB
        1 ADD p2, p1, p0   |    IF ID -- EX ME WB | load_use 1
        2 HALT             |       IF -- ID EX ME WB
    """)


def test_load_then_second_operand(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6  7
        0 LOAD p1, 100(p0) | IF ID EX ME WB
        1 SUB p2, p0, p1   |    IF ID -- EX ME WB | load_use 1
        2 HALT             |       IF -- ID EX ME WB
    """)


def test_load_used_at_distance_2(timing: Callable[[str], None]) -> None:
    # From MEM to EX.
    timing("""
        cycle              |  0  1  2  3  4  5  6  7
        0 LOAD p1, 100(p0) | IF ID EX ME WB
        1 NOP              |    IF ID EX ME WB
        2 ADD p2, p1, p1   |       IF ID EX ME WB
        3 HALT             |          IF ID EX ME WB
    """)


def test_load_then_branch(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6  7
        0 LOAD p1, 100(p0) | IF ID EX ME WB
        1 BNE p0, p1, L0   |    IF ID -- EX ME WB | load_use 1
        2 HALT             |       IF -- ID EX ME WB
    """)


def test_load_then_store_datum(timing: Callable[[str], None]) -> None:
    # The datum is needed in MEM only.
    timing("""
        cycle               |  0  1  2  3  4  5  6
        0 LOAD p1, 100(p0)  | IF ID EX ME WB
        1 STORE p1, 101(p0) |    IF ID EX ME WB
        2 HALT              |       IF ID EX ME WB
    """)


def test_load_then_push(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6
        0 LOAD p1, 100(p0) | IF ID EX ME WB
        1 PUSH p1          |    IF ID EX ME WB
        2 HALT             |       IF ID EX ME WB
    """)


def test_load_then_store_address(timing: Callable[[str], None]) -> None:
    timing("""
        cycle               |  0  1  2  3  4  5  6  7
        0 LOAD p1, 100(p0)  | IF ID EX ME WB
        1 STORE p2, 200(p1) |    IF ID -- EX ME WB | load_use 1
        2 HALT              |       IF -- ID EX ME WB
    """)


def test_load_then_store_datum_and_address(timing: Callable[[str], None]) -> None:
    timing("""
        cycle               |  0  1  2  3  4  5  6  7
        0 LOAD p1, 100(p0)  | IF ID EX ME WB
        1 STORE p1, 200(p1) |    IF ID -- EX ME WB | load_use 1
        2 HALT              |       IF -- ID EX ME WB
    """)


def test_load_then_load_address(timing: Callable[[str], None]) -> None:
    timing("""
        cycle               |  0  1  2  3  4  5  6  7  8
        0 LOAD p1, 100(p0)  | IF ID EX ME WB
        1 LOAD p2, 100(p1)  |    IF ID -- EX ME WB | load_use 1
        2 STORE p2, 101(p0) |       IF -- ID EX ME WB
        3 HALT              |             IF ID EX ME WB
    """)


def test_load_then_operand_of_a_unit(timing: Callable[[str], None]) -> None:
    # Scalar operands of a unit's instruction are read in EX, like others.
    timing("""
        lowrank.lanes = 256
        cycle              |  0  1  2  3  4  5  6  7  8  9 10
        0 LOAD p1, 100(p0) | IF ID EX ME WB
        1 VADDS v1, v2, p1 |    IF ID -- EX ME WB | load_use 1
        vector             |                == -- --
        2 HALT             |       IF -- ID -- -- -- EX ME WB | sync 3
    """)


def test_load_written_again(timing: Callable[[str], None]) -> None:
    # LOAD writes in order: LI does not wait, and ADD reads the result of LI.
    timing("""
        cycle              |  0  1  2  3  4  5  6  7
        0 LOAD p1, 100(p0) | IF ID EX ME WB
        1 LI p1, 5         |    IF ID EX ME WB
        2 ADD p2, p1, p1   |       IF ID EX ME WB
        3 HALT             |          IF ID EX ME WB
    """)


def test_pop_then_its_register(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 PUSH p2        | IF ID EX ME WB
        1 POP p1         |    IF ID EX -- ME WB | execute 1
        2 ADD p3, p1, p1 |       IF ID -- -- EX ME WB | load_use 1
        3 HALT           |          IF -- -- ID EX ME WB
    """)


def test_pop_then_stack_pointer(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8
        0 PUSH p2         | IF ID EX ME WB
        1 POP p1          |    IF ID EX -- ME WB | execute 1
        2 ADD p3, p30, p0 |       IF ID -- EX ME WB
        3 HALT            |          IF -- ID EX ME WB
    """)


def test_pop_of_the_stack_pointer(timing: Callable[[str], None]) -> None:
    # The loaded word takes precedence over the new P30, so P30 is ready like a loaded register.
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8  9
        0 PUSH p0         | IF ID EX ME WB
        1 POP p30         |    IF ID EX -- ME WB | execute 1
        2 ADD p3, p30, p0 |       IF ID -- -- EX ME WB | load_use 1
        3 HALT            |          IF -- -- ID EX ME WB
    """)


def test_push_then_stack_pointer(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7
        0 PUSH p30        | IF ID EX ME WB
        1 PUSH p30        |    IF ID EX ME WB
        2 ADD p1, p30, p0 |       IF ID EX ME WB
        3 HALT            |          IF ID EX ME WB
    """)


def test_pop_after_pop(timing: Callable[[str], None]) -> None:
    timing("""
        cycle               |  0  1  2  3  4  5  6  7  8  9 10
        0 ADDI p30, p30, -2 | IF ID EX ME WB
        1 POP p1            |    IF ID EX -- ME WB | execute 1
        2 POP p2            |       IF ID -- EX -- ME WB | execute 1
        3 STORE p2, 100(p0) |          IF -- ID -- EX ME WB
        4 HALT              |                IF -- ID EX ME WB
    """)


def test_multiply_used_at_distance_1(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 MUL p1, p2, p3 | IF ID EX ME WB
        1 ADD p4, p1, p0 |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 HALT           |       IF -- -- -- ID EX ME WB
    """)


def test_multiply_used_at_distance_2(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 MULI p1, p2, 7 | IF ID EX ME WB
        1 NOP            |    IF ID EX ME WB
        2 ADD p4, p0, p1 |       IF ID -- -- EX ME WB | multiply_use 2
        3 HALT           |          IF -- -- ID EX ME WB
    """)


def test_multiply_used_at_distance_3(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8  9
        0 MULH p1, p2, p3 | IF ID EX ME WB
        1 NOP             |    IF ID EX ME WB
        2 NOP             |       IF ID EX ME WB
        3 ADDI p4, p1, 1  |          IF ID -- EX ME WB | multiply_use 1
        4 HALT            |             IF -- ID EX ME WB
    """)


def test_multiply_used_at_distance_4(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 MUL p1, p2, p3 | IF ID EX ME WB
        1 NOP            |    IF ID EX ME WB
        2 NOP            |       IF ID EX ME WB
        3 NOP            |          IF ID EX ME WB
        4 ADD p4, p1, p1 |             IF ID EX ME WB
        5 HALT           |                IF ID EX ME WB
    """)


def test_multiply_then_store_datum(timing: Callable[[str], None]) -> None:
    timing("""
        cycle               |  0  1  2  3  4  5  6  7  8
        0 MUL p1, p2, p3    | IF ID EX ME WB
        1 STORE p1, 100(p0) |    IF ID -- -- EX ME WB | multiply_use 2
        2 HALT              |       IF -- -- ID EX ME WB
    """)


def test_multiply_then_branch(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 MULI p1, p2, 3 | IF ID EX ME WB
        1 BLT p1, p0, L0 |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 HALT           |       IF -- -- -- ID EX ME WB
    """)


def test_multiply_then_return(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12
        0 LI p1, 4        | IF ID EX ME WB
        1 MULI p31, p1, 1 |    IF ID EX ME WB
        2 RET             |       IF ID -- -- -- EX ME WB | multiply_use 3
        4 HALT            |                         IF ID EX ME WB | flush 2
    """)


def test_independent_multiplications(timing: Callable[[str], None]) -> None:
    # The multiplier is pipelined, with one operation per cycle.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9 10
        0 MUL p1, p2, p2 | IF ID EX ME WB
        1 MUL p3, p2, p2 |    IF ID EX ME WB
        2 MUL p4, p2, p2 |       IF ID EX ME WB
        3 ADD p5, p3, p1 |          IF ID -- -- EX ME WB | multiply_use 2
        4 HALT           |             IF -- -- ID EX ME WB
    """)


def test_dependent_multiplications(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9 10 11 12 13
        0 MUL p1, p2, p2 | IF ID EX ME WB
        1 MUL p1, p1, p2 |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 MAC p1, p2     |       IF -- -- -- ID -- -- -- EX ME WB | multiply_use 3
        3 HALT           |                   IF -- -- -- ID EX ME WB
    """)


def test_accumulator_chain(timing: Callable[[str], None]) -> None:
    # MAC does not wait for ACC, ACCGET does.
    timing("""
        cycle          |  0  1  2  3  4  5  6  7  8  9 10 11
        0 ACCSET p1    | IF ID EX ME WB
        1 MAC p2, p3   |    IF ID EX ME WB
        2 MAC p2, p3   |       IF ID EX ME WB
        3 ACCGET p4, 2 |          IF ID -- -- -- EX ME WB | multiply_use 3
        4 HALT         |             IF -- -- -- ID EX ME WB
    """)


def test_accumulator_set_then_get(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9 10
        0 ACCSET p1      | IF ID EX ME WB
        1 ACCGET p2, 0   |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 ADD p3, p2, p2 |       IF -- -- -- ID EX ME WB
        3 HALT           |                   IF ID EX ME WB
    """)


def test_flags_of_an_addition(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7
        0 ADD p1, p2, p3 | IF ID EX ME WB
        1 FLAGS p4       |    IF ID EX ME WB
        2 ADD p5, p4, p4 |       IF ID EX ME WB
        3 HALT           |          IF ID EX ME WB
    """)


def test_flags_of_a_multiplication(timing: Callable[[str], None]) -> None:
    # The flags are late even if the product is written to P0.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 MUL p0, p1, p2 | IF ID EX ME WB
        1 FLAGS p3       |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 HALT           |       IF -- -- -- ID EX ME WB
    """)


def test_flags_of_a_multiply_accumulate(timing: Callable[[str], None]) -> None:
    timing("""
        cycle        |  0  1  2  3  4  5  6  7  8  9
        0 MAC p1, p2 | IF ID EX ME WB
        1 FLAGS p3   |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 HALT       |       IF -- -- -- ID EX ME WB
    """)


def test_flags_with_a_load_between(timing: Callable[[str], None]) -> None:
    # LOAD leaves the flags alone, so MUL is their last writer.
    timing("""
        cycle              |  0  1  2  3  4  5  6  7  8  9
        0 MUL p1, p2, p3   | IF ID EX ME WB
        1 LOAD p4, 100(p0) |    IF ID EX ME WB
        2 FLAGS p5         |       IF ID -- -- EX ME WB | multiply_use 2
        3 HALT             |          IF -- -- ID EX ME WB
    """)


def test_flags_with_an_addition_between(timing: Callable[[str], None]) -> None:
    # ADD is the last writer of the flags; it does not wait for those of MUL, which are dropped.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7
        0 MUL p1, p2, p3 | IF ID EX ME WB
        1 ADD p4, p2, p3 |    IF ID EX ME WB
        2 FLAGS p5       |       IF ID EX ME WB
        3 HALT           |          IF ID EX ME WB
    """)


def test_division_used_at_once(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4 .. 21 22 23 24
        0 LI p1, 7       | IF ID EX ME WB
        1 DIV p2, p1, p1 |    IF ID EX -- -- ME WB | execute 17
        2 ADD p3, p2, p2 |       IF ID -- -- EX ME WB
        3 HALT           |          IF -- -- ID EX ME WB
    """)


def test_remainder_of_a_quotient(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4 .. 21 22 .. 39 40 41 42
        0 LI p1, 7       | IF ID EX ME WB
        1 DIV p2, p1, p1 |    IF ID EX -- -- ME WB | execute 17
        2 REM p3, p2, p1 |       IF ID -- -- EX -- -- ME WB | execute 17
        3 FLAGS p4       |          IF -- -- ID -- -- EX ME WB
        4 HALT           |                   IF -- -- ID EX ME WB
    """)


def test_division_hides_a_multiplication(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5 .. 22 23 24 25
        0 LI p1, 7       | IF ID EX ME WB
        1 MUL p2, p1, p1 |    IF ID EX ME WB
        2 DIV p3, p1, p1 |       IF ID EX -- -- ME WB | execute 17
        3 ADD p4, p2, p3 |          IF ID -- -- EX ME WB
        4 HALT           |             IF -- -- ID EX ME WB
    """)


def test_outstanding_product_overwritten(timing: Callable[[str], None]) -> None:
    # The writer waits as a reader would.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 MUL p1, p2, p3 | IF ID EX ME WB
        1 LI p1, 5       |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 HALT           |       IF -- -- -- ID EX ME WB
    """)


def test_outstanding_product_overwritten_by_a_load(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6  7  8  9 10 11
        0 MUL p1, p2, p3   | IF ID EX ME WB
        1 LOAD p1, 100(p0) |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 ADD p4, p1, p1   |       IF -- -- -- ID -- EX ME WB | load_use 1
        3 HALT             |                   IF -- ID EX ME WB
    """)


def test_outstanding_product_overwritten_by_a_product(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 MUL p1, p2, p3 | IF ID EX ME WB
        1 MUL p1, p3, p3 |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 HALT           |       IF -- -- -- ID EX ME WB
    """)


def test_outstanding_product_overwritten_by_a_call(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11
        0 MULI p31, p2, 3 | IF ID EX ME WB
        1 CALL L3         |    IF ID -- -- -- EX ME WB | multiply_use 3
        3 HALT            |                      IF ID EX ME WB | flush 2
    """)


def test_outstanding_product_overwritten_by_a_push(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6  7  8  9
        0 MULI p30, p30, 1 | IF ID EX ME WB
        1 PUSH p1          |    IF ID -- -- -- EX ME WB | multiply_use 3
        2 HALT             |       IF -- -- -- ID EX ME WB
    """)


def test_register_0_never_waits(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6  7  8
        0 LOAD p0, 100(p0) | IF ID EX ME WB
        1 MUL p0, p0, p1   |    IF ID EX ME WB
        2 MUL p0, p0, p0   |       IF ID EX ME WB
        3 ADD p3, p0, p0   |          IF ID EX ME WB
        4 HALT             |             IF ID EX ME WB
    """)


def test_results_forwarded_to_every_place(timing: Callable[[str], None]) -> None:
    # Forwarding to both operands, datum and address of a store, address of a load, and a branch, without stalls.
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8  9 10
        0 LI p1, 100      | IF ID EX ME WB
        1 ADD p2, p1, p1  |    IF ID EX ME WB
        2 SUB p3, p2, p1  |       IF ID EX ME WB
        3 STORE p3, 0(p2) |          IF ID EX ME WB
        4 LOAD p4, 0(p3)  |             IF ID EX ME WB
        5 BEQ p3, p2, L0  |                IF ID EX ME WB
        6 HALT            |                   IF ID EX ME WB
    """)


def test_call_then_return(timing: Callable[[str], None]) -> None:
    # P31 goes from CALL to RET without a stall.
    timing("""
        cycle     |  0  1  2  3  4  5  6  7  8  9 10
        0 CALL L2 | IF ID EX ME WB
        2 RET     |          IF ID EX ME WB | flush 2
        1 HALT    |                   IF ID EX ME WB | flush 2
    """)


def test_loaded_link_then_return(timing: Callable[[str], None]) -> None:
    timing("""
        cycle                |  0  1  2  3  4  5  6  7  8  9 10 11
        0 LI p31, 5          | IF ID EX ME WB
        1 STORE p31, 100(p0) |    IF ID EX ME WB
        2 LOAD p31, 100(p0)  |       IF ID EX ME WB
        3 RET                |          IF ID -- EX ME WB | load_use 1
        5 HALT               |                      IF ID EX ME WB | flush 2
    """)


def test_multiply_then_push(timing: Callable[[str], None]) -> None:
    # The datum of a PUSH is needed as late as that of a STORE.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8
        0 MUL p1, p2, p3 | IF ID EX ME WB
        1 PUSH p1        |    IF ID -- -- EX ME WB | multiply_use 2
        2 HALT           |       IF -- -- ID EX ME WB
    """)


def test_outstanding_product_overwritten_by_a_pop(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9 10 11
        0 PUSH p0        | IF ID EX ME WB
        1 MUL p1, p2, p3 |    IF ID EX ME WB
        2 POP p1         |       IF ID -- -- -- EX -- ME WB | multiply_use 3, execute 1
        3 HALT           |          IF -- -- -- ID -- EX ME WB
    """)
