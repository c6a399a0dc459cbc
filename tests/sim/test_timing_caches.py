"""Caches: misses, their cost and the counts. L2 has a latency of 3 cycles, memory of 7 more."""

from collections.abc import Callable


def test_instructions_from_memory(timing: Callable[[str], None]) -> None:
    # Ten cycles for the first line; each line is loaded once.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle  |  0 .. 11 12 13 14 15 16
        0 NOP  | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        1 NOP  |       IF ID EX ME WB
        2 HALT |          IF ID EX ME WB
        icache_accesses = 3
        icache_misses = 1
        dcache_accesses = 0
        l2_accesses = 1
        l2_misses = 1
        memory_reads = 1
        memory_writes = 0
    """)


def test_instruction_line_ends_at_12(timing: Callable[[str], None]) -> None:
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle      |  0 .. 11 12 13 14 15 16 17 18 .. 28 29 30 31
        0 JUMP L11 | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        11 NOP     |             IF ID EX ME WB | flush 2
        12 NOP     |                IF ID EX ME WB
        13 HALT    |                   IF -- -- -- -- ID EX ME WB | fetch_l2 5, fetch_memory 7
        icache_accesses = 4
        icache_misses = 2
        l2_accesses = 2
        l2_misses = 2
        memory_reads = 2
    """)


def test_instruction_line_ends_at_37(timing: Callable[[str], None]) -> None:
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle      |  0 .. 11 12 13 14 .. 24 25 26 27 .. 37 38 39 40
        0 JUMP L37 | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        37 NOP     |             IF -- -- ID EX ME WB | flush 2, fetch_l2 3, fetch_memory 7
        38 HALT    |                      IF -- -- -- -- ID EX ME WB | fetch_l2 5, fetch_memory 7
        icache_misses = 3
    """)


def test_instruction_lines_of_5_words(timing: Callable[[str], None]) -> None:
    # A line holds 5 k - 2 .. 5 k + 2.
    timing("""
        caches.line = 5
        l2.latency = 3
        memory.latency = 7
        cycle  |  0 .. 11 12 13 14 15 16 .. 26 27 28 29
        0 NOP  | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        1 NOP  |       IF ID EX ME WB
        2 NOP  |          IF ID EX ME WB
        3 HALT |             IF -- -- -- -- ID EX ME WB | fetch_l2 5, fetch_memory 7
        icache_misses = 2
    """)


def test_instructions_from_l2(timing: Callable[[str], None]) -> None:
    # One line fits in the instruction cache; the third jump is back to the first line.
    timing("""
        icache.sets = 1
        icache.ways = 1
        l2.latency = 3
        memory.latency = 7
        cycle      |  0 .. 11 12 13 14 .. 24 25 26 27 28 29 30 31 32 33
        0 JUMP L13 | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        13 JUMP L1 |             IF -- -- ID EX ME WB | flush 2, fetch_l2 3, fetch_memory 7
        1 HALT     |                            IF -- -- -- ID EX ME WB | flush 2, fetch_l2 3
        icache_accesses = 3
        icache_misses = 3
        l2_accesses = 3
        l2_misses = 2
        memory_reads = 2
    """)


def test_instruction_set_is_the_line_modulo_the_sets(timing: Callable[[str], None]) -> None:
    # Lines 0 and 5 (113 .. 137) share one of 5 sets, lines 0 and 1 do not.
    timing("""
        icache.sets = 5
        icache.ways = 1
        l2.latency = 3
        cycle       |  0 ..  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22
        0 JUMP L13  | IF -- ID EX ME WB | fetch_l2 3
        13 JUMP L1  |             IF -- -- -- ID EX ME WB | flush 2, fetch_l2 3
        1 JUMP L113 |                               IF ID EX ME WB | flush 2
        113 JUMP L2 |                                        IF -- -- -- ID EX ME WB | flush 2, fetch_l2 3
        cycle       | 21 .. 25 26 27 28
        2 HALT      | IF -- ID EX ME WB | flush 2, fetch_l2 3
        icache_misses = 4
        l2_accesses = 4
        l2_misses = 3
    """)


def test_dropped_instructions_are_not_fetched(timing: Callable[[str], None]) -> None:
    # Address 13 follows the jump at 12 in another line, which is never requested.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle      |  0 .. 11 12 13 14 15 16 17 18 19 20
        0 JUMP L12 | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        12 JUMP L1 |             IF ID EX ME WB | flush 2
        1 HALT     |                      IF ID EX ME WB | flush 2
        icache_accesses = 3
        icache_misses = 1
    """)


def test_load_from_memory_then_use(timing: Callable[[str], None]) -> None:
    # LOAD is charged for the miss, ADD only for the cycle that a hit would cost it too.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle              |  0 .. 11 12 13 .. 24 25 26 27 28
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 ADD p2, p1, p1   |       IF ID -- -- EX ME WB | load_use 1
        2 LOAD p3, 101(p0) |          IF -- -- ID EX ME WB
        3 HALT             |                   IF ID EX ME WB
        dcache_accesses = 2
        dcache_misses = 1
        l2_accesses = 2
        l2_misses = 2
        memory_reads = 2
        memory_writes = 0
    """)


def test_load_from_memory_unused(timing: Callable[[str], None]) -> None:
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle              |  0 .. 11 12 13 .. 24 25 26
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 ADD p2, p3, p3   |       IF ID EX -- ME WB
        2 HALT             |          IF ID -- EX ME WB
    """)


def test_load_from_memory_then_store_datum(timing: Callable[[str], None]) -> None:
    # The datum is available in the cycle of WB, in which STORE is in MEM.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle               |  0 .. 11 12 13 .. 23 24 25 26
        0 LOAD p1, 100(p0)  | IF -- ID EX ME -- -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 STORE p1, 101(p0) |       IF ID -- -- EX ME WB
        2 HALT              |          IF -- -- ID EX ME WB
    """)


def test_data_line_ends_at_112(timing: Callable[[str], None]) -> None:
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle              |  0 .. 11 12 13 .. 24 25 .. 36 37
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 LOAD p2, 112(p0) |       IF ID EX -- ME WB
        2 LOAD p3, 113(p0) |          IF ID -- EX ME -- WB | data_l2 3, data_memory 7
        3 HALT             |             IF -- ID EX -- ME WB
        dcache_accesses = 3
        dcache_misses = 2
    """)


def test_data_from_l2(timing: Callable[[str], None]) -> None:
    # One line fits in the data cache.
    timing("""
        dcache.sets = 1
        dcache.ways = 1
        l2.latency = 3
        memory.latency = 7
        cycle              |  0 .. 11 12 13 .. 24 .. 35 .. 39 40
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 LOAD p2, 125(p0) |       IF ID EX -- ME -- WB | data_l2 3, data_memory 7
        2 LOAD p3, 100(p0) |          IF ID -- EX -- ME -- WB | data_l2 3
        3 HALT             |             IF -- ID -- EX -- ME WB
        dcache_accesses = 3
        dcache_misses = 3
        l2_accesses = 4
        l2_misses = 3
        memory_reads = 3
        memory_writes = 0
    """)


def test_text_as_data_is_in_l2(timing: Callable[[str], None]) -> None:
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle            |  0 .. 11 12 13 .. 17 18
        0 LOAD p1, 1(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 3
        1 HALT           |       IF ID EX -- ME WB
        dcache_misses = 1
        l2_accesses = 2
        l2_misses = 1
    """)


def test_store_allocates_and_is_written_back(timing: Callable[[str], None]) -> None:
    # The dirty line is written back to L2, which holds it: one more access, no cycle.
    timing("""
        dcache.sets = 1
        dcache.ways = 1
        l2.latency = 3
        memory.latency = 7
        cycle               |  0 .. 11 12 13 .. 24 25 .. 36 37
        0 STORE p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 LOAD p2, 101(p0)  |       IF ID EX -- ME WB
        2 LOAD p3, 125(p0)  |          IF ID -- EX ME -- WB | data_l2 3, data_memory 7
        3 HALT              |             IF -- ID EX -- ME WB
        dcache_accesses = 3
        dcache_misses = 2
        l2_accesses = 4
        l2_misses = 3
        memory_reads = 3
        memory_writes = 0
    """)


def test_dirty_line_reaches_memory(timing: Callable[[str], None]) -> None:
    # Both caches hold one line, so the stored line is evicted from L2 as well; its transfer there delays the next one.
    timing("""
        dcache.sets = 1
        dcache.ways = 1
        l2.sets = 1
        l2.ways = 1
        l2.latency = 3
        memory.latency = 7
        cycle               |  0 .. 11 12 13 .. 24 .. 35 .. 47 48
        0 STORE p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 LOAD p2, 125(p0)  |       IF ID EX -- ME -- WB | data_l2 3, data_memory 7
        2 LOAD p3, 150(p0)  |          IF ID -- EX -- ME -- WB | data_l2 4, data_memory 7
        3 HALT              |             IF -- ID -- EX -- ME WB
        dcache_misses = 3
        l2_accesses = 5
        memory_reads = 4
        memory_writes = 1
    """)


def test_least_recently_used_line_is_replaced(timing: Callable[[str], None]) -> None:
    # Two ways: 100, 125, again 100; 150 replaces 125.
    timing("""
        dcache.sets = 1
        dcache.ways = 2
        l2.latency = 3
        cycle              |  0 ..  4  5  6 .. 10 .. 14 15 .. 19 20 .. 24 25
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, data_l2 3
        1 LOAD p2, 125(p0) |       IF ID EX -- ME -- WB | data_l2 3
        2 LOAD p3, 100(p0) |          IF ID -- EX -- ME WB
        3 LOAD p4, 150(p0) |             IF -- ID -- EX ME -- WB | data_l2 3
        4 LOAD p5, 100(p0) |                   IF -- ID EX -- ME WB
        5 LOAD p6, 125(p0) |                         IF ID -- EX ME -- WB | data_l2 3
        6 HALT             |                            IF -- ID EX -- ME WB
        dcache_accesses = 6
        dcache_misses = 4
    """)


def test_push_and_pop_go_through_the_data_cache(timing: Callable[[str], None]) -> None:
    # POP's second cycle in EX passes while PUSH waits for memory.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle     |  0 .. 11 12 13 .. 24 25 26
        0 PUSH p1 | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 POP p2  |       IF ID EX -- ME WB
        2 HALT    |          IF ID -- EX ME WB
        dcache_accesses = 2
        dcache_misses = 1
    """)


def test_fetch_miss_behind_a_division(timing: Callable[[str], None]) -> None:
    # The line is requested when DIV has left EX, in cycle 35.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle             |  0 .. 11 12 13 14 15 16 .. 34 35 .. 45 46 47 48
        0 LI p1, 1        | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        1 JUMP L12        |       IF ID EX ME WB
        12 DIV p2, p1, p1 |                IF ID EX -- ME WB | flush 2, execute 17
        13 HALT           |                   IF -- -- -- -- -- ID EX ME WB | fetch_l2 5, fetch_memory 7
        icache_misses = 2
    """)


def test_fetch_miss_behind_a_stall(timing: Callable[[str], None]) -> None:
    # The line is requested when ADD has left EX, in cycle 21.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle             |  0 .. 11 12 13 14 15 16 17 18 19 20 21 .. 31 32 33 34
        0 JUMP L11        | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        11 MULI p1, p2, 3 |             IF ID EX ME WB | flush 2
        12 ADD p3, p1, p1 |                IF ID -- -- -- EX ME WB | multiply_use 3
        13 HALT           |                   IF -- -- -- -- -- -- -- ID EX ME WB | fetch_l2 5, fetch_memory 7
    """)


def test_fetch_miss_behind_a_data_miss(timing: Callable[[str], None]) -> None:
    # Both lines are requested in cycle 17, that of the datum first, which occupies the port until cycle 27.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle               |  0 .. 11 12 13 14 15 16 .. 27 .. 38 39 40 41
        0 JUMP L12          | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        12 LOAD p1, 100(p0) |             IF ID EX ME -- WB | flush 2, data_l2 3, data_memory 7
        13 HALT             |                IF -- -- -- -- -- ID EX ME WB | fetch_l2 6, fetch_memory 7
    """)


def test_fetch_miss_behind_a_vector_load(timing: Callable[[str], None]) -> None:
    # LOADV moves eleven lines, all of which miss; the line of HALT is requested after them, in cycle 138.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle                |   0  ..  11  12  13  14  15  16  17  .. 137 138 139
        0 JUMP L12           |  IF  --  ID  EX  ME  WB | fetch_l2 3, fetch_memory 7
        12 LOADV v1, 400(p0) |                  IF  ID  EX  ME  WB | flush 2
        memory               |                              ==  ==  ==  --  --
        cycle                |  14  .. 148 149 150 151
        13 HALT              |  IF  --  ID  EX  ME  WB | fetch_l2 126, fetch_memory 7
    """)


def test_a_dirty_line_waits_for_the_one_before_it_to_reach_memory(timing: Callable[[str], None]) -> None:
    # L2 holds one line. The dirty lines that it evicts in favour of those from L1 go to memory one after the other.
    timing("""
        dcache.sets = 1
        dcache.ways = 1
        l2.sets = 1
        l2.ways = 1
        l2.latency = 3
        l2.beat = 5
        memory.latency = 7
        memory.beat = 1
        cycle               |   0  ..  11  12  13  ..  46  ..  81  .. 121  .. 178 179
        0 STORE p1, 100(p0) |  IF  --  ID  EX  ME  --  WB | fetch_l2 3, fetch_memory 7, data_l2 25, data_memory 7
        1 STORE p2, 125(p0) |          IF  ID  EX  --  ME  --  WB | data_l2 27, data_memory 7
        2 STORE p3, 150(p0) |              IF  ID  --  EX  --  ME  --  WB | data_l2 32, data_memory 7
        3 STORE p3, 175(p0) |                  IF  --  ID  --  EX  --  ME  --  WB | data_l2 32, data_memory 24
        4 HALT              |                          IF  --  ID  --  EX  --  ME  WB
        memory_writes = 2
    """)


def test_fetch_miss_behind_a_branch(timing: Callable[[str], None]) -> None:
    # The branch is predicted, rightly, not to be taken; the miss begins only when that is known, in cycle 16.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle             |  0 .. 11 12 13 14 15 16 17 .. 27 28 29 30
        0 JUMP L12        | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        12 BNE p0, p0, L0 |             IF ID EX ME WB | flush 2
        13 HALT           |                IF -- -- -- -- ID EX ME WB | fetch_l2 5, fetch_memory 7
    """)


def test_redirect_behind_a_data_miss(timing: Callable[[str], None]) -> None:
    # All of it happens while LOAD waits for memory.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle              |  0 .. 11 12 13 14 15 .. 24 25 26
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- -- -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 BEQ p0, p0, L3   |       IF ID EX -- -- -- ME WB
        3 HALT             |                IF ID -- EX ME WB
        mispredictions = 1
    """)


def test_vector_load_of_two_lines(timing: Callable[[str], None]) -> None:
    # Each of the two lines costs a cycle, and where it misses the latencies on top.
    timing("""
        l2.latency = 3
        memory.latency = 7
        cycle               |  0 .. 11 12 13 14 15 16 17 18 .. 37 38 39 40 41 42 43 44 45 46
        0 LI p1, 2          | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        1 SETVL p1          |       IF ID EX ME WB
        2 LOADV v1, 112(p0) |          IF ID EX ME WB
        memory              |                   == == == == == -- --
        3 LOADV v2, 112(p0) |             IF ID EX ME WB
        memory              |                                  == == -- --
        4 LOADV v2, 111(p0) |                IF ID EX ME WB
        memory              |                                              == -- --
        5 HALT              |                   IF ID -- -- -- -- -- -- -- -- -- -- EX ME WB | sync 27
        dcache_accesses = 5
        dcache_misses = 2
        memory_busy_cycles = 25
    """)


def test_store_then_vector_load(timing: Callable[[str], None]) -> None:
    # LOADV reaches its queue when STORE leaves MEM, so the line is there.
    timing("""
        caches.line = 625
        l2.latency = 3
        memory.latency = 7
        cycle               |  0 .. 11 12 13 .. 24 25 26 27 28 29
        0 STORE p1, 400(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 3, data_memory 7
        1 LOADV v1, 400(p0) |       IF ID EX -- ME WB
        memory              |                   == -- --
        2 HALT              |          IF ID -- -- -- -- EX ME WB | sync 3
        dcache_accesses = 2
        dcache_misses = 1
    """)


def test_vector_store_makes_lines_dirty(timing: Callable[[str], None]) -> None:
    timing("""
        dcache.sets = 1
        dcache.ways = 1
        caches.line = 625
        l2.latency = 3
        memory.latency = 7
        cycle                |  0 .. 11 12 13 14 .. 24 25 26 .. 37 38
        0 STOREV v1, 400(p0) | IF -- ID EX ME WB | fetch_l2 3, fetch_memory 7
        memory               |             == == == --
        1 LOAD p1, 1000(p0)  |       IF ID -- -- -- -- EX ME -- WB | memory_order 12, data_l2 3, data_memory 7
        2 HALT               |          IF -- -- -- -- ID EX -- ME WB
        dcache_misses = 2
        l2_accesses = 4
        l2_misses = 3
    """)


BEATS = """
        l2.latency = 3
        memory.latency = 7
        l2.beat = 5
        memory.beat = 1
"""


def test_a_word_of_the_line_that_is_filled_waits_for_its_beat(timing: Callable[[str], None]) -> None:
    # The line of instructions occupies the ports until cycle 35. That of data arrives a word a cycle, from 100 on
    # to 112, then 88 to 99: 110 comes ten cycles later.
    timing(f"""{BEATS}
        cycle              |  0 .. 11 12 13 .. 46 .. 56 57
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 7, data_l2 25, data_memory 7
        1 LOAD p2, 110(p0) |       IF ID EX -- ME -- WB | data_memory 9
        2 HALT             |          IF ID -- EX -- ME WB
        l2_beats = 10
        memory_beats = 50
        dcache_misses = 1
    """)


def test_a_miss_waits_for_the_port(timing: Callable[[str], None]) -> None:
    # The lines before it occupy the port until cycles 8 and 16; a line is requested in the cycle after.
    timing("""
        l2.latency = 3
        l2.beat = 5
        memory.beat = 625
        cycle              |  0 ..  4  5  6 .. 12 .. 20 21
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, data_l2 5
        1 LOAD p2, 125(p0) |       IF ID EX -- ME -- WB | data_l2 7
        2 HALT             |          IF ID -- EX -- ME WB
        l2_beats = 15
    """)


def test_without_the_critical_word_first_the_whole_line_is_waited_for(timing: Callable[[str], None]) -> None:
    timing("""
        caches.critical_first = false
        l2.latency = 3
        l2.beat = 5
        cycle              |  0 ..  8  9 10 .. 18 19 20
        0 LOAD p1, 100(p0) | IF -- ID EX ME -- WB | fetch_l2 3, fetch_memory 4, data_l2 3, data_memory 4
        1 LOAD p2, 112(p0) |       IF ID EX -- ME WB
        2 HALT             |          IF ID -- EX ME WB
    """)


def test_first_level_of_two_cycles(timing: Callable[[str], None]) -> None:
    # Loads follow each other without a stall; a reader waits a cycle more, as does the target of a jump.
    timing("""
        icache.latency = 2
        dcache.latency = 2
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
        0 LOAD p1, 9(p0)  | IF -- ID EX ME -- WB
        1 LOAD p2, 10(p0) |    IF -- ID EX ME -- WB
        2 ADD p3, p1, p2  |       IF -- ID -- -- EX ME -- WB | load_use 2
        3 JUMP L5         |          IF -- -- -- ID EX ME -- WB
        5 HALT            |                            IF -- ID EX ME -- WB | flush 3
    """)


def test_vector_load_in_beats(timing: Callable[[str], None]) -> None:
    # 256 words from 400 on: 12 words of the line 388 .. 412 in three beats, then ten lines but one word.
    timing("""
        dcache.beat = 5
        cycle               |  0  1  2  3  4 .. 54 55 56 57 58 59
        0 LOADV v1, 400(p0) | IF ID EX ME WB
        memory              |          == == == == -- --
        1 HALT              |    IF ID -- -- -- -- -- -- EX ME WB | sync 54
        dcache_beats = 52
    """)


def test_without_caches_nothing_misses(timing: Callable[[str], None]) -> None:
    timing("""
        caches.enabled = false
        dcache.latency = 2
        l2.latency = 3
        memory.latency = 7
        cycle              |  0  1  2  3  4  5  6  7  8  9 10
        0 STORE p1, 60(p0) | IF ID EX ME -- WB
        1 LOAD p2, 60(p0)  |    IF ID EX ME -- WB
        2 JUMP L14         |       IF ID EX ME -- WB
        14 HALT            |                IF ID EX ME -- WB | flush 2
        icache_accesses = 4
        icache_misses = 0
        dcache_accesses = 2
        dcache_misses = 0
        l2_accesses = 0
        memory_reads = 0
    """)


def test_without_caches_a_vector_is_moved_by_the_parts_of_lines(timing: Callable[[str], None]) -> None:
    # Addresses 400 .. 655 are in the parts 388 .. 412 and so on to 638 .. 662: eleven of 25 words.
    timing("""
        caches.enabled = false
        caches.line = 125
        dcache.beat = 25
        cycle               |  0  1  2  3  4 .. 14 15 16 17 18
        0 LOADV v1, 400(p0) | IF ID EX ME WB
        memory              |          == == == -- --
        1 HALT              |    IF ID -- -- -- -- -- EX ME WB | sync 13
        dcache_accesses = 3
        dcache_misses = 0
        dcache_beats = 11
        memory_reads = 0
    """)
