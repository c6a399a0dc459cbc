"""Units beside the pipeline: start, occupancy and latency of instructions."""

from collections.abc import Callable


def test_vector_operation(timing: Callable[[str], None]) -> None:
    timing("""
        lowrank.lanes = 256
        cycle             |  0  1  2  3  4  5  6  7  8
        0 VADD v1, v2, v3 | IF ID EX ME WB
        vector            |          == -- --
        1 HALT            |    IF ID -- -- -- EX ME WB | sync 3
        vector_busy_cycles = 1
    """)


def test_vector_operation_with_16_lanes(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4 .. 19 20 21 22 23
        0 VADD v1, v2, v3 | IF ID EX ME WB
        vector            |          == == == -- --
        1 HALT            |    IF ID -- -- -- -- -- EX ME WB | sync 18
        vector_busy_cycles = 16
    """)


def test_latencies_of_vector_operations(timing: Callable[[str], None]) -> None:
    # v is 4; CONV of width 3 occupies the unit for 12 cycles.
    timing("""
        lowrank.lanes = 64
        cycle                |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 .. 23 .. 27 28 29 30 31 32 33
        0 VMULS v1, v2, p1   | IF ID EX ME WB
        vector               |          == == == == -- -- -- --
        1 RELU v3, v2        |    IF ID EX ME WB
        vector               |                      == == == == -- --
        2 CONV v4, v2, v2, 3 |       IF ID EX ME WB
        vector               |                                  == == == == -- --
        3 QUANT v5, v2, 2, 3 |          IF ID EX ME WB
        vector               |                                              == == -- --
        4 POOL v6, v2, 4     |             IF ID EX ME WB
        vector               |                                                    == == == == -- --
        cycle                |  5  6 .. 33 34 35
        5 HALT               | IF ID -- EX ME WB | sync 26
        vector_busy_cycles = 28
    """)


def test_vector_length_when_it_passes_ex(timing: Callable[[str], None]) -> None:
    # 256 words, then 17: v is 16, then 2.
    timing("""
        cycle             |  0  1  2  3  4  5  6  7 .. 19 20 21 22 23 24 25
        0 VADD v1, v2, v3 | IF ID EX ME WB
        vector            |          == == == == == == -- --
        1 LI p1, 17       |    IF ID EX ME WB
        2 SETVL p1        |       IF ID EX ME WB
        3 VADD v4, v2, v3 |          IF ID EX ME WB
        vector            |                            == == -- --
        4 HALT            |             IF ID -- -- -- -- -- -- -- EX ME WB | sync 17
    """)


def test_independent_vector_operations(timing: Callable[[str], None]) -> None:
    timing("""
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
        0 VADD v1, v2, v3 | IF ID EX ME WB
        vector            |          == == == == -- --
        1 VSUB v4, v5, v6 |    IF ID EX ME WB
        vector            |                      == == == == -- --
        2 HALT            |       IF ID -- -- -- -- -- -- -- -- -- EX ME WB | sync 9
    """)


def test_dependent_vector_operations(timing: Callable[[str], None]) -> None:
    timing("""
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 .. 13 14 15 .. 19 20 21 22 23
        0 VADD v1, v2, v3 | IF ID EX ME WB
        vector            |          == == == == -- --
        1 VADD v4, v1, v2 |    IF ID EX ME WB
        vector            |                            == == -- --
        2 VADD v5, v2, v4 |       IF ID EX ME WB
        vector            |                                        == == -- --
        3 HALT            |          IF ID -- -- -- -- -- -- -- -- -- -- -- -- EX ME WB | sync 16
    """)


def test_vector_register_written_twice(timing: Callable[[str], None]) -> None:
    timing("""
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 .. 13 14 15 16 17
        0 VADD v1, v2, v3 | IF ID EX ME WB
        vector            |          == == == == -- --
        1 VSUB v1, v2, v3 |    IF ID EX ME WB
        vector            |                            == == -- --
        2 HALT            |       IF ID -- -- -- -- -- -- -- -- -- EX ME WB | sync 11
    """)


def test_vector_register_written_twice_by_two_units(timing: Callable[[str], None]) -> None:
    timing("""
        caches.line = 625
        lowrank.lanes = 64
        cycle               |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14
        0 VADD v1, v2, v3   | IF ID EX ME WB
        vector              |          == == == == -- --
        1 LOADV v1, 400(p0) |    IF ID EX ME WB
        memory              |                            == -- --
        2 HALT              |       IF ID -- -- -- -- -- -- -- -- EX ME WB | sync 8
    """)


def test_vector_register_read_then_loaded(timing: Callable[[str], None]) -> None:
    # LOADV waits until VADD has read v2, not for its result.
    timing("""
        caches.line = 625
        lowrank.lanes = 64
        cycle               |  0  1  2  3  4  5  6  7  8  9 10 11 12
        0 VADD v1, v2, v3   | IF ID EX ME WB
        vector              |          == == == == -- --
        1 LOADV v2, 400(p0) |    IF ID EX ME WB
        memory              |                      == -- --
        2 HALT              |       IF ID -- -- -- -- -- -- EX ME WB | sync 6
    """)


def test_vector_register_stored_then_written(timing: Callable[[str], None]) -> None:
    timing("""
        caches.line = 125
        lowrank.lanes = 256
        cycle               |  0  1  2  3  4  5  6  7  8  9 10 11
        0 STOREV v1, 63(p0) | IF ID EX ME WB
        memory              |          == == == --
        1 VADD v1, v2, v3   |    IF ID EX ME WB
        vector              |                   == -- --
        2 HALT              |       IF ID -- -- -- -- -- EX ME WB | sync 5
    """)


def test_vector_register_read_by_an_earlier_of_two(timing: Callable[[str], None]) -> None:
    # MATVEC reads v2 until cycle 19; VADD read it too, later but for a shorter time.
    timing("""
        lowrank.lanes = 256
        cycle             |  0  1  2  3  4  5  6  7 .. 19 20 21 22 23 24 25
        0 MATVEC v1, v2   | IF ID EX ME WB
        crossbar          |          == == == == == == -- -- -- --
        1 VADD v3, v2, v2 |    IF ID EX ME WB
        vector            |             == -- --
        2 VSUB v2, v4, v4 |       IF ID EX ME WB
        vector            |                            == -- --
        3 HALT            |          IF ID -- -- -- -- -- -- -- -- EX ME WB | sync 18
    """)


def test_vset_reads_its_destination(timing: Callable[[str], None]) -> None:
    timing("""
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 .. 15 16 17 18 19
        0 VADD v1, v2, v3 | IF ID EX ME WB
        vector            |          == == == == -- --
        1 VSET v1, p0, p1 |    IF ID EX ME WB
        vector            |                            == --
        2 VADD v4, v1, v1 |       IF ID EX ME WB
        vector            |                                  == == -- --
        3 HALT            |          IF ID -- -- -- -- -- -- -- -- -- -- EX ME WB | sync 12
    """)


def test_vector_queue_of_one(timing: Callable[[str], None]) -> None:
    # An instruction enters EX in the cycle in which the one before it leaves the queue.
    timing("""
        pipeline.queue = 1
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
        0 VADD v1, v2, v2 | IF ID EX ME WB
        vector            |          == == == == -- --
        1 VADD v3, v2, v2 |    IF ID EX ME WB
        vector            |                      == == == == -- --
        2 VADD v4, v2, v2 |       IF ID -- -- -- EX ME WB | vector_queue 3
        vector            |                                  == == == == -- --
        3 VADD v5, v2, v2 |          IF -- -- -- ID -- -- -- EX ME WB | vector_queue 3
        vector            |                                              == == == == -- --
        4 HALT            |                      IF -- -- -- ID -- -- -- -- -- -- -- -- -- EX ME WB | sync 9
    """)


def test_vector_queue_of_two(timing: Callable[[str], None]) -> None:
    timing("""
        pipeline.queue = 2
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
        0 VADD v1, v2, v2 | IF ID EX ME WB
        vector            |          == == == == -- --
        1 VADD v3, v2, v2 |    IF ID EX ME WB
        vector            |                      == == == == -- --
        2 VADD v4, v2, v2 |       IF ID EX ME WB
        vector            |                                  == == == == -- --
        3 VADD v5, v2, v2 |          IF ID -- -- EX ME WB | vector_queue 2
        vector            |                                              == == == == -- --
        4 HALT            |             IF -- -- ID -- -- -- -- -- -- -- -- -- -- -- -- -- EX ME WB | sync 13
    """)


def test_vector_queue_of_four(timing: Callable[[str], None]) -> None:
    # The default queue: the sixth instruction stalls.
    timing("""
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 .. 13 14 15 .. 19 20 21 .. 25 26 27 .. 31 32 33
        0 VADD v1, v2, v2 | IF ID EX ME WB
        vector            |          == == == == -- --
        1 VADD v1, v2, v2 |    IF ID EX ME WB
        vector            |                            == == -- --
        2 VADD v1, v2, v2 |       IF ID EX ME WB
        vector            |                                        == == -- --
        3 VADD v1, v2, v2 |          IF ID EX ME WB
        vector            |                                                    == == -- --
        4 VADD v1, v2, v2 |             IF ID EX ME WB
        vector            |                                                                == == -- --
        cycle             |  5  6  7  8  9 10 11 .. 33 .. 37 38 39 40 41
        5 VADD v1, v2, v2 | IF ID -- -- EX ME WB | vector_queue 2
        vector            |                         == == -- --
        6 HALT            |    IF -- -- ID -- -- -- -- -- -- -- EX ME WB | sync 29
    """)


def test_memory_queue_of_one(timing: Callable[[str], None]) -> None:
    timing("""
        pipeline.queue = 1
        caches.line = 125
        cycle               |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
        0 STOREV v1, 63(p0) | IF ID EX ME WB
        memory              |          == == == --
        1 STOREV v1, 63(p0) |    IF ID EX ME WB
        memory              |                   == == == --
        2 STOREV v1, 63(p0) |       IF ID -- -- EX ME WB | memory_queue 2
        memory              |                            == == == --
        3 HALT              |          IF -- -- ID -- -- -- -- -- -- EX ME WB | sync 6
    """)


def test_crossbar_queue_of_one(timing: Callable[[str], None]) -> None:
    timing("""
        pipeline.queue = 1
        cycle           |  0  1  2  3  4  5 .. 19 20 21 22 23 .. 35 .. 39 .. 51 .. 55 56 57
        0 MATVEC v1, v2 | IF ID EX ME WB
        crossbar        |          == == == == -- -- -- --
        1 MATVEC v3, v2 |    IF ID EX ME WB
        crossbar        |                      == == == == == == -- --
        2 MATVEC v4, v2 |       IF ID -- -- -- EX ME WB | crossbar_queue 15
        crossbar        |                                        == == == == -- --
        3 HALT          |          IF -- -- -- ID -- -- -- -- -- -- -- -- -- -- -- EX ME WB | sync 35
        crossbar_busy_cycles = 48
    """)


def test_lowrank_queue_of_one(timing: Callable[[str], None]) -> None:
    timing("""
        pipeline.queue = 1
        cycle             |  0  1  2  3  4  5 .. 12 13 14 .. 21 22 23 24 25 .. 30 31 32 33 34
        0 PRNG p1, p2, p3 | IF ID EX ME WB
        lowrank           |          == == == == -- --
        1 PRNG p4, p2, p3 |    IF ID EX ME WB
        lowrank           |                      == == == == -- --
        2 PRNG p5, p2, p3 |       IF ID -- -- -- EX ME WB | lowrank_queue 8
        lowrank           |                                  == == == == == == -- --
        3 ADD p6, p1, p4  |          IF -- -- -- ID -- -- -- -- -- EX ME WB | unit_result 10
        4 HALT            |                      IF -- -- -- -- -- ID -- -- -- -- -- EX ME WB | sync 8
    """)


def test_queues_of_different_units(timing: Callable[[str], None]) -> None:
    # A full queue stalls only instructions of its own unit.
    timing("""
        pipeline.queue = 1
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 .. 19 .. 23 .. 35 .. 39 40 41
        0 MATVEC v1, v2   | IF ID EX ME WB
        crossbar          |          == == == == == == == == == == -- --
        1 MATVEC v3, v2   |    IF ID EX ME WB
        crossbar          |                                        == == == == -- --
        2 VADD v4, v5, v6 |       IF ID EX ME WB
        vector            |                == == == == -- --
        3 PQUANT          |          IF ID EX ME WB
        lowrank           |                   ==
        4 HALT            |             IF ID -- -- -- -- -- -- -- -- -- -- -- -- -- EX ME WB | sync 33
    """)


def test_vector_load_of_one_line(timing: Callable[[str], None]) -> None:
    timing("""
        caches.line = 625
        cycle               |  0  1  2  3  4  5  6  7  8
        0 LOADV v1, 400(p0) | IF ID EX ME WB
        memory              |          == -- --
        1 HALT              |    IF ID -- -- -- EX ME WB | sync 3
        dcache_accesses = 1
    """)


def test_vector_load_over_two_lines(timing: Callable[[str], None]) -> None:
    timing("""
        caches.line = 625
        cycle               |  0  1  2  3  4  5  6  7  8  9
        0 LOADV v1, 200(p0) | IF ID EX ME WB
        memory              |          == == -- --
        1 HALT              |    IF ID -- -- -- -- EX ME WB | sync 4
        dcache_accesses = 2
    """)


def test_vector_load_over_three_lines(timing: Callable[[str], None]) -> None:
    timing("""
        caches.line = 125
        cycle              |  0  1  2  3  4  5  6  7  8  9 10
        0 LOADV v1, 63(p0) | IF ID EX ME WB
        memory             |          == == == -- --
        1 HALT             |    IF ID -- -- -- -- -- EX ME WB | sync 5
        dcache_accesses = 3
        memory_busy_cycles = 3
    """)


def test_vector_store_over_three_lines(timing: Callable[[str], None]) -> None:
    timing("""
        caches.line = 125
        cycle               |  0  1  2  3  4  5  6  7  8  9
        0 STOREV v1, 63(p0) | IF ID EX ME WB
        memory              |          == == == --
        1 HALT              |    IF ID -- -- -- -- EX ME WB | sync 4
    """)


def test_load_add_store_load(timing: Callable[[str], None]) -> None:
    # LOAD waits until the vector store is complete.
    timing("""
        caches.line = 625
        lowrank.lanes = 64
        cycle                |  0  1  2  3  4  5  6 .. 10 11 12 13 14 15 16 17
        0 LOADV v1, 400(p0)  | IF ID EX ME WB
        memory               |          == -- --
        1 VADD v2, v1, v1    |    IF ID EX ME WB
        vector               |                   == == -- --
        2 STOREV v2, 400(p0) |       IF ID EX ME WB
        memory               |                               == --
        3 LOAD p1, 400(p0)   |          IF ID -- -- -- -- -- -- -- EX ME WB | memory_order 9
        4 HALT               |             IF -- -- -- -- -- -- -- ID EX ME WB
    """)


def test_scalar_memory_waits_for_vector_memory(timing: Callable[[str], None]) -> None:
    timing("""
        caches.line = 625
        cycle               |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16
        0 LOADV v1, 400(p0) | IF ID EX ME WB
        memory              |          == -- --
        1 STORE p1, 400(p0) |    IF ID -- -- -- EX ME WB | memory_order 3
        2 LOADV v1, 400(p0) |       IF -- -- -- ID EX ME WB
        memory              |                         == -- --
        3 PUSH p1           |                   IF ID -- -- -- EX ME WB | memory_order 3
        4 LOADV v1, 400(p0) |                      IF -- -- -- ID EX ME WB
        memory              |                                        == -- --
        cycle               | 11 12 .. 16 17 18 19 20
        5 POP p1            | IF ID -- EX -- ME WB | memory_order 3, execute 1
        6 HALT              |    IF -- ID -- EX ME WB
    """)


def test_store_then_vector_load(timing: Callable[[str], None]) -> None:
    timing("""
        caches.line = 625
        cycle               |  0  1  2  3  4  5  6  7  8  9
        0 STORE p1, 400(p0) | IF ID EX ME WB
        1 LOADV v1, 400(p0) |    IF ID EX ME WB
        memory              |             == -- --
        2 HALT              |       IF ID -- -- -- EX ME WB | sync 3
    """)


def test_fence_sync_and_halt(timing: Callable[[str], None]) -> None:
    # FENCE waits for the vector store only, SYNC for the addition as well, so HALT does not wait.
    timing("""
        caches.line = 625
        lowrank.lanes = 64
        cycle                |  0  1  2  3  4  5  6  7  8  9 10 11 12
        0 VADD v1, v2, v3    | IF ID EX ME WB
        vector               |          == == == == -- --
        1 STOREV v4, 400(p0) |    IF ID EX ME WB
        memory               |             == --
        2 FENCE              |       IF ID -- -- EX ME WB | memory_order 2
        3 SYNC               |          IF -- -- ID -- -- EX ME WB | sync 2
        4 HALT               |                   IF -- -- ID EX ME WB
    """)


def test_sync_with_nothing_to_wait_for(timing: Callable[[str], None]) -> None:
    timing("""
        cycle   |  0  1  2  3  4  5  6
        0 FENCE | IF ID EX ME WB
        1 SYNC  |    IF ID EX ME WB
        2 HALT  |       IF ID EX ME WB
    """)


def test_vget_used_at_once(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8
        0 VGET p1, v1, p0 | IF ID EX ME WB
        vector            |          == --
        1 ADD p2, p1, p1  |    IF ID -- -- EX ME WB | unit_result 2
        2 HALT            |       IF -- -- ID EX ME WB
    """)


def test_vget_used_later(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8
        0 VGET p1, v1, p0 | IF ID EX ME WB
        vector            |          == --
        1 NOP             |    IF ID EX ME WB
        2 NOP             |       IF ID EX ME WB
        3 ADD p2, p1, p1  |          IF ID EX ME WB
        4 HALT            |             IF ID EX ME WB
    """)


def test_vget_stored(timing: Callable[[str], None]) -> None:
    # A datum is needed a cycle later than an operand.
    timing("""
        cycle               |  0  1  2  3  4  5  6  7
        0 VGET p1, v1, p0   | IF ID EX ME WB
        vector              |          == --
        1 STORE p1, 100(p0) |    IF ID -- EX ME WB | unit_result 1
        2 HALT              |       IF -- ID EX ME WB
    """)


def test_vget_overwritten(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8
        0 VGET p1, v1, p0 | IF ID EX ME WB
        vector            |          == --
        1 LI p1, 5        |    IF ID -- -- EX ME WB | unit_result 2
        2 HALT            |       IF -- -- ID EX ME WB
    """)


def test_vget_of_a_vector_in_flight(timing: Callable[[str], None]) -> None:
    timing("""
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14
        0 VADD v1, v2, v3 | IF ID EX ME WB
        vector            |          == == == == -- --
        1 VGET p1, v1, p0 |    IF ID EX ME WB
        vector            |                            == --
        2 BNE p0, p1, L0  |       IF ID -- -- -- -- -- -- -- EX ME WB | unit_result 7
        3 HALT            |          IF -- -- -- -- -- -- -- ID EX ME WB
    """)


def test_vget_into_register_0(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7
        0 VGET p0, v1, p0 | IF ID EX ME WB
        vector            |          == --
        1 ADD p2, p0, p0  |    IF ID EX ME WB
        2 HALT            |       IF ID -- EX ME WB | sync 1
    """)


def test_prng_used_at_once(timing: Callable[[str], None]) -> None:
    # Eight rounds at one per cycle, and one more cycle.
    timing("""
        cycle             |  0  1  2  3  4 .. 12 13 14 15 16 17
        0 PRNG p1, p2, p3 | IF ID EX ME WB
        lowrank           |          == == == -- --
        1 ADD p2, p1, p1  |    IF ID -- -- -- -- -- EX ME WB | unit_result 11
        2 HALT            |       IF -- -- -- -- -- ID EX ME WB
    """)


def test_prng_with_all_rounds_in_a_cycle(timing: Callable[[str], None]) -> None:
    timing("""
        lowrank.rounds_per_cycle = 8
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12
        0 PRNG p1, p2, p3 | IF ID EX ME WB
        lowrank           |          == == -- --
        1 PRNG p4, p2, p3 |    IF ID EX ME WB
        lowrank           |                == == -- --
        2 ADD p5, p4, p1  |       IF ID -- -- -- -- -- EX ME WB | unit_result 5
        3 HALT            |          IF -- -- -- -- -- ID EX ME WB
    """)


def test_fitness_read_after_popeval(timing: Callable[[str], None]) -> None:
    # FITGET waits in the queue for the POPEVAL on its accumulator: v + log2(256) + 4 cycles.
    timing("""
        lowrank.lanes = 256
        cycle                |  0  1  2  3  4  5  6 .. 16 17 18 19 20 21 22
        0 POPEVAL f1, v1, v2 | IF ID EX ME WB
        vector               |          == -- -- -- --
        1 FITGET p1, f1      |    IF ID EX ME WB
        vector               |                         == --
        2 FITGET p2, f0      |       IF ID EX ME WB
        vector               |                            == --
        3 ADD p3, p1, p2     |          IF ID -- -- -- -- -- -- EX ME WB | unit_result 14
        4 HALT               |             IF -- -- -- -- -- -- ID EX ME WB
    """)


def test_fitness_of_another_accumulator(timing: Callable[[str], None]) -> None:
    timing("""
        lowrank.lanes = 256
        cycle                |  0  1  2  3  4  5  6  7  8 .. 16 17 18 19 20
        0 POPEVAL f1, v1, v2 | IF ID EX ME WB
        vector               |          == -- -- -- -- -- --
        1 FITGET p1, f0      |    IF ID EX ME WB
        vector               |             == --
        2 POPEVAL f1, v1, v2 |       IF ID EX ME WB
        vector               |                == -- -- -- -- -- --
        3 ADD p3, p1, p1     |          IF ID -- EX ME WB | unit_result 1
        4 HALT               |             IF -- ID -- -- -- -- -- EX ME WB | sync 11
    """)


def test_lowrank_multiplications(timing: Callable[[str], None]) -> None:
    # RANK 4 and one column: 4 cycles each, one product in each cycle.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9 .. 13 .. 17 .. 21 22 23
        0 LI p1, 4       | IF ID EX ME WB
        1 LRSET RANK, p1 |    IF ID EX ME WB
        lowrank          |             ==
        2 LRMUL p0       |       IF ID EX ME WB
        lowrank          |                == == == == -- --
        3 LRMUL p0       |          IF ID EX ME WB
        lowrank          |                            == == -- --
        4 LRMUL p0       |             IF ID EX ME WB
        lowrank          |                                  == == -- --
        5 HALT           |                IF ID -- -- -- -- -- -- -- -- EX ME WB | sync 14
        lowrank_macs = 12
        lowrank_multiply_cycles = 12
        lowrank_busy_cycles = 13
    """)


def test_lowrank_member_with_16_lanes(timing: Callable[[str], None]) -> None:
    # 64 x 64 at rank 2: b is 16, rn 8; 16 generator words of 9 cycles each.
    timing("""
        cycle              |   0   1   2   3   4   5   6   7   8   9  10  11  .. 154  .. 162 163 164 165 166
        0 LI p1, 64        |  IF  ID  EX  ME  WB
        1 LRSET ROWS, p1   |      IF  ID  EX  ME  WB
        lowrank            |                  ==
        2 LRSET COLS, p1   |          IF  ID  EX  ME  WB
        lowrank            |                      ==
        3 LI p2, 2         |              IF  ID  EX  ME  WB
        4 LRSET RANK, p2   |                  IF  ID  EX  ME  WB
        lowrank            |                              ==
        5 LRGEN p0         |                      IF  ID  EX  ME  WB
        lowrank            |                                  ==  ==  ==  ==  ==
        6 LRMUL p0         |                          IF  ID  EX  ME  WB
        lowrank            |                                                      ==  ==  --  --  --  --
        7 PQUANT           |                              IF  ID  EX  ME  WB
        lowrank            |                                                              ==
        cycle              |   8   9  10  11  12  .. 163  .. 179  .. 187 188 189
        8 LRADD v1, v2, p3 |  IF  ID  EX  ME  WB
        lowrank            |                          ==  ==  --  --
        9 HALT             |      IF  ID  --  --  --  --  --  --  --  EX  ME  WB | sync 176
        generator_words = 16
        lowrank_macs = 128
        lowrank_multiply_cycles = 8
        lowrank_busy_cycles = 174
    """)


def test_lowrank_member_with_64_lanes(timing: Callable[[str], None]) -> None:
    # b is 4, rn 2; four generators share the 16 words and store the last three one by one. VADD waits for the weights.
    timing("""
        lowrank.lanes = 64
        cycle              |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 .. 49 50 51 52 53 54 55 56 .. 64 .. 68 69 70
        0 LI p1, 64        | IF ID EX ME WB
        1 LRSET ROWS, p1   |    IF ID EX ME WB
        lowrank            |             ==
        2 LRSET COLS, p1   |       IF ID EX ME WB
        lowrank            |                ==
        3 LI p2, 2         |          IF ID EX ME WB
        4 LRSET RANK, p2   |             IF ID EX ME WB
        lowrank            |                      ==
        5 LRGEN p0         |                IF ID EX ME WB
        lowrank            |                         == == == == == == ==
        6 LRMUL p0         |                   IF ID EX ME WB
        lowrank            |                                              == == -- -- -- --
        7 PQUANT           |                      IF ID EX ME WB
        lowrank            |                                                    ==
        8 LRADD v1, v2, p3 |                         IF ID EX ME WB
        lowrank            |                                                       == == == == -- --
        9 VADD v3, v1, v2  |                            IF ID EX ME WB
        vector             |                                                                         == == -- --
        cycle              | 10 11 .. 70 71 72
        10 HALT            | IF ID -- EX ME WB | sync 58
    """)


def test_lowrank_product_with_a_vector(timing: Callable[[str], None]) -> None:
    # One row, column and rank: rm + rn + d + 3 is 9. v1 may be written when LRMULX is done with it, in cycle 12.
    timing("""
        cycle              |  0  1  2  3  4  5  6 .. 12 13 14 15 .. 21 22 23
        0 LRMULX v1        | IF ID EX ME WB
        lowrank            |          == == == == == -- -- --
        1 LRACC v2, v3, p0 |    IF ID EX ME WB
        lowrank            |                         == -- -- -- --
        2 VSET v1, p0, p1  |       IF ID EX ME WB
        vector             |                         == --
        3 HALT             |          IF ID -- -- -- -- -- -- -- -- EX ME WB | sync 16
        lowrank_macs = 2
        lowrank_multiply_cycles = 9
    """)


def test_fitness_weighted_update(timing: Callable[[str], None]) -> None:
    # One column is one beat: 44 + 16 cycles, and 8 more until the row is available.
    timing("""
        lowrank.lanes = 256
        cycle               |  0  1  2  3  4  5 .. 63 .. 71 72 73 74 75 76
        0 POPAVG v1, v2, v3 | IF ID EX ME WB
        lowrank             |          == == == == -- --
        1 VADD v4, v1, v1   |    IF ID EX ME WB
        vector              |                            == -- --
        2 HALT              |       IF ID -- -- -- -- -- -- -- -- EX ME WB | sync 70
    """)


def test_crossbar_chain(timing: Callable[[str], None]) -> None:
    # The second MATVEC waits for the vector of the first, RELU for that of the second.
    timing("""
        lowrank.lanes = 256
        cycle           |  0  1  2  3  4  5  6  7 .. 19 .. 35 .. 39 .. 55 .. 59 60 61 62 63 64
        0 LOADX v1, p0  | IF ID EX ME WB
        crossbar        |          == == == == == ==
        1 MATVEC v2, v1 |    IF ID EX ME WB
        crossbar        |                            == == -- --
        2 MATVEC v3, v2 |       IF ID EX ME WB
        crossbar        |                                        == == -- --
        3 RELU v4, v3   |          IF ID EX ME WB
        vector          |                                                    == -- --
        4 HALT          |             IF ID -- -- -- -- -- -- -- -- -- -- -- -- -- -- EX ME WB | sync 56
    """)


def test_crossbar_row_from_a_vector_in_flight(timing: Callable[[str], None]) -> None:
    timing("""
        lowrank.lanes = 64
        cycle             |  0  1  2  3  4  5  6  7  8  9 .. 25 .. 41 42 43 44
        0 VADD v1, v2, v3 | IF ID EX ME WB
        vector            |          == == == == -- --
        1 LOADX v1, p0    |    IF ID EX ME WB
        crossbar          |                            == ==
        2 LOADX v2, p0    |       IF ID EX ME WB
        crossbar          |                                  == ==
        3 SYNC            |          IF ID -- -- -- -- -- -- -- -- EX ME WB | sync 36
        4 HALT            |             IF -- -- -- -- -- -- -- -- ID EX ME WB
    """)


def test_sync_waits_for_the_slowest(timing: Callable[[str], None]) -> None:
    # POPEVAL is still adding up when the addition after it is complete.
    timing("""
        lowrank.lanes = 256
        cycle                |  0  1  2  3  4  5  6  7 .. 16 17 18 19
        0 POPEVAL f1, v1, v2 | IF ID EX ME WB
        vector               |          == -- -- -- -- --
        1 VADD v3, v1, v2    |    IF ID EX ME WB
        vector               |             == -- --
        2 SYNC               |       IF ID -- -- -- -- -- EX ME WB | sync 12
        3 HALT               |          IF -- -- -- -- -- ID EX ME WB
    """)
