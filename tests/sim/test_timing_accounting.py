"""Accounting: the causes to which lost cycles are charged when several waits overlap."""

from collections.abc import Callable


def test_shortest_run(timing: Callable[[str], None]) -> None:
    # Four cycles fill the pipeline, then HALT retires.
    timing("""
        cycle  |  0  1  2  3  4
        0 HALT | IF ID EX ME WB
    """)


def test_load_before_multiply(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6  7  8  9
        0 MUL p1, p2, p3   | IF ID EX ME WB
        1 LOAD p4, 100(p0) |    IF ID EX ME WB
        2 ADD p5, p1, p4   |       IF ID -- -- EX ME WB | load_use 1, multiply_use 1
        3 HALT             |          IF -- -- ID EX ME WB
    """)


def test_load_alone_where_it_is_later(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6  7  8  9 10
        0 MUL p1, p2, p3   | IF ID EX ME WB
        1 NOP              |    IF ID EX ME WB
        2 NOP              |       IF ID EX ME WB
        3 LOAD p4, 100(p0) |          IF ID EX ME WB
        4 ADD p5, p1, p4   |             IF ID -- EX ME WB | load_use 1
        5 HALT             |                IF -- ID EX ME WB
    """)


def test_load_multiply_and_unit(timing: Callable[[str], None]) -> None:
    # ADD reads p2 and p4, and writes p1, of which an earlier write is outstanding.
    timing("""
        lowrank.rounds_per_cycle = 2
        cycle              |  0  1  2  3  4  5  6  7  8  9 10 11 12 13
        0 PRNG p1, p3, p3  | IF ID EX ME WB
        lowrank            |          == == == == == -- --
        1 MUL p2, p3, p3   |    IF ID EX ME WB
        2 LOAD p4, 100(p0) |       IF ID EX ME WB
        3 ADD p1, p2, p4   |          IF ID -- -- -- -- -- EX ME WB | load_use 1, multiply_use 1, unit_result 3
        4 HALT             |             IF -- -- -- -- -- ID EX ME WB
    """)


def test_multiply_before_memory_order(timing: Callable[[str], None]) -> None:
    timing("""
        caches.line = 125
        cycle              |  0  1  2  3  4  5  6  7  8  9 10 11
        0 LOADV v1, 63(p0) | IF ID EX ME WB
        memory             |          == == == -- --
        1 MULI p1, p2, 3   |    IF ID EX ME WB
        2 LOAD p3, 100(p1) |       IF ID -- -- -- -- EX ME WB | multiply_use 3, memory_order 1
        3 HALT             |          IF -- -- -- -- ID EX ME WB
    """)


def test_load_before_queue(timing: Callable[[str], None]) -> None:
    timing("""
        pipeline.queue = 1
        lowrank.lanes = 64
        cycle              |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19
        0 VADD v1, v2, v2  | IF ID EX ME WB
        vector             |          == == == == -- --
        1 VADD v3, v2, v2  |    IF ID EX ME WB
        vector             |                      == == == == -- --
        2 LOAD p1, 100(p0) |       IF ID EX ME WB
        3 VADDS v4, v2, p1 |          IF ID -- -- EX ME WB | load_use 1, vector_queue 1
        vector             |                                  == == == == -- --
        4 HALT             |             IF -- -- ID -- -- -- -- -- -- -- -- -- EX ME WB | sync 9
    """)


def test_hazard_and_execute(timing: Callable[[str], None]) -> None:
    # DIV waits for its operand, then divides.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7 .. 25 26 27
        0 LI p1, 6       | IF ID EX ME WB
        1 MULI p2, p1, 2 |    IF ID EX ME WB
        2 DIV p3, p2, p1 |       IF ID -- -- -- EX -- ME WB | multiply_use 3, execute 17
        3 HALT           |          IF -- -- -- ID -- EX ME WB
    """)


def test_division_behind_a_data_miss(timing: Callable[[str], None]) -> None:
    # Ten of its 17 cycles pass while LOAD waits for memory.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle              |  0 .. 11 12 13 14 .. 25 .. 32 33 34
        0 LI p3, 1         | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        1 LOAD p1, 100(p0) |       IF ID EX ME -- WB | data_l2 3, data_memory 7
        2 DIV p2, p3, p3   |          IF ID EX -- -- -- ME WB | execute 7
        3 HALT             |             IF ID -- -- -- EX ME WB
    """)


def test_half_a_flush(timing: Callable[[str], None]) -> None:
    # LOAD's miss holds the branch back in EX for one cycle after it has redirected.
    timing("""
        l2.latency = 1
        cycle              |  0  1  2  3  4  5  6  7  8  9
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 1, data_l2 1
        1 BEQ p0, p0, L3   |       IF ID EX -- ME WB
        3 HALT             |                IF ID EX ME WB | flush 1
    """)


def test_flush_is_forgotten_before_the_fetch_miss(timing: Callable[[str], None]) -> None:
    timing("""
        l2.latency = 1
        cycle              |  0  1  2  3  4  5  6  7  8  9 10 11
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 1, data_l2 1
        1 BEQ p0, p0, L13  |       IF ID EX -- ME WB
        13 HALT            |                IF -- -- ID EX ME WB | flush 1, fetch_l2 2
    """)


def test_fetch_from_l2_is_forgotten_before_memory(timing: Callable[[str], None]) -> None:
    # LOAD hides the flush and one cycle more.
    timing("""
        l2.latency = 2
        memory.latency = 1
        cycle              |  0 ..  4  5  6  7  8  9 10 11 12 13 14 15 16 17
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- -- -- WB | fetch_l2 2, fetch_memory 1, data_l2 2, data_memory 1
        1 BEQ p0, p0, L13  |       IF ID EX -- -- -- ME WB
        13 HALT            |                IF -- -- -- -- -- -- ID EX ME WB | fetch_l2 4, fetch_memory 1
    """)


def test_data_miss_behind_a_data_miss(timing: Callable[[str], None]) -> None:
    # No part of a data miss is hidden: the second begins when the first is over.
    timing("""
        l2.latency = 2
        memory.latency = 1
        cycle               |  0 ..  4  5  6  7  8  9 10 .. 14 15 16
        0 LOAD p1, 100(p0)  | IF -- ID EX ME -- -- -- WB | fetch_l2 2, fetch_memory 1, data_l2 2, data_memory 1
        1 STORE p1, 125(p0) |       IF ID -- -- -- EX ME -- WB | data_l2 2, data_memory 1
        2 ADD p2, p1, p1    |          IF -- -- -- ID EX -- ME WB
        3 HALT              |                      IF ID -- EX ME WB
    """)


def test_loop_by_address(timing: Callable[[str], None]) -> None:
    # The profile of an address is the sum over its executions.
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
        0 LI p1, 2        | IF ID EX ME WB
        1 MULI p2, p1, 3  |    IF ID EX ME WB
        2 ADDI p1, p1, -1 |       IF ID EX ME WB
        3 BGT p2, p0, L5  |          IF ID -- -- EX ME WB | multiply_use 2
        5 BNE p1, p0, L1  |                         IF ID EX ME WB | flush 2
        1 MULI p2, p1, 3  |                                  IF ID EX ME WB | flush 2
        2 ADDI p1, p1, -1 |                                     IF ID EX ME WB
        3 BGT p2, p0, L5  |                                        IF ID -- -- EX ME WB | multiply_use 2
        5 BNE p1, p0, L1  |                                           IF -- -- ID EX ME WB
        6 HALT            |                                                          IF ID EX ME WB | flush 2
    """)


def test_accumulator_before_unit(timing: Callable[[str], None]) -> None:
    # ACCGET needs ACC, and writes p1, for which a write of PRNG is outstanding.
    timing("""
        cycle             |  0  1  2  3  4  5 .. 12 13 14 15 16 17
        0 PRNG p1, p2, p3 | IF ID EX ME WB
        lowrank           |          == == == == -- --
        1 MAC p4, p5      |    IF ID EX ME WB
        2 ACCGET p1, 0    |       IF ID -- -- -- -- -- EX ME WB | multiply_use 3, unit_result 7
        3 HALT            |          IF -- -- -- -- -- ID EX ME WB
    """)


def test_flags_before_unit(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5 .. 12 13 14 15 16 17
        0 PRNG p1, p2, p3 | IF ID EX ME WB
        lowrank           |          == == == == -- --
        1 MUL p4, p5, p5  |    IF ID EX ME WB
        2 FLAGS p1        |       IF ID -- -- -- -- -- EX ME WB | multiply_use 3, unit_result 7
        3 HALT            |          IF -- -- -- -- -- ID EX ME WB
    """)


def test_digit_operations(timing: Callable[[str], None]) -> None:
    # 7 is 5 + 2, 30 is 25 + 5: products of 2 x 2 pents of the 16 x 16; 3 of 16 places in the sum, 2 in the difference.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 LI p1, 7       | IF ID EX ME WB
        1 LI p2, 30      |    IF ID EX ME WB
        2 MUL p3, p1, p2 |       IF ID EX ME WB
        3 ADD p4, p1, p2 |          IF ID EX ME WB
        4 CMP p0, p2     |             IF ID EX ME WB
        5 HALT           |                IF ID EX ME WB
        scalar_digit_operations = 9
        scalar_digits_skipped = 279
    """)
