"""Branch prediction: the address fetched after a jump or branch, and the cost of a misprediction."""

from collections.abc import Callable

import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.isa import decode
from pentary.machine.config import Config, Predictor
from pentary_sim.simulator import Simulator


def test_branch_not_taken(timing: Callable[[str], None]) -> None:
    timing("""
        cycle            |  0  1  2  3  4  5
        0 BNE p0, p0, L0 | IF ID EX ME WB
        1 HALT           |    IF ID EX ME WB
    """)


def test_taken_to_the_next_address(timing: Callable[[str], None]) -> None:
    # The sequential address is right, so nothing is lost although there is no entry.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7
        0 LI p31, 2      | IF ID EX ME WB
        1 RET            |    IF ID EX ME WB
        2 BEQ p0, p0, L3 |       IF ID EX ME WB
        3 HALT           |          IF ID EX ME WB
    """)


def test_branch_waits_before_it_redirects(timing: Callable[[str], None]) -> None:
    timing("""
        cycle              |  0  1  2  3  4  5  6  7  8  9
        0 LOAD p1, 100(p0) | IF ID EX ME WB
        1 BEQ p1, p0, L3   |    IF ID -- EX ME WB | load_use 1
        3 HALT             |                IF ID EX ME WB | flush 2
    """)


def test_counted_loop(timing: Callable[[str], None]) -> None:
    # No entry, then counter 2, then 3 when the loop exits.
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
        0 LI p1, 3        | IF ID EX ME WB
        1 ADDI p1, p1, -1 |    IF ID EX ME WB
        2 BNE p1, p0, L1  |       IF ID EX ME WB
        1 ADDI p1, p1, -1 |                IF ID EX ME WB | flush 2
        2 BNE p1, p0, L1  |                   IF ID EX ME WB
        1 ADDI p1, p1, -1 |                      IF ID EX ME WB
        2 BNE p1, p0, L1  |                         IF ID EX ME WB
        3 HALT            |                                  IF ID EX ME WB | flush 2
        branches = 3
        mispredictions = 2
    """)


def test_every_branch_taken_then_predicted(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28
        0 LI p1, 1        | IF ID EX ME WB
        1 BEQ p0, p0, L3  |    IF ID EX ME WB
        3 BNE p1, p0, L5  |             IF ID EX ME WB | flush 2
        5 BLT p0, p1, L7  |                      IF ID EX ME WB | flush 2
        7 BGT p1, p0, L9  |                               IF ID EX ME WB | flush 2
        9 BLE p0, p0, L11 |                                        IF ID EX ME WB | flush 2
        11 BGE p0, p0, L1 |                                                 IF ID EX ME WB | flush 2
        1 BEQ p0, p0, L3  |                                                          IF ID EX ME WB | flush 2
        3 BNE p1, p0, L5  |                                                             IF ID EX ME WB
        5 BLT p0, p1, L7  |                                                                IF ID EX ME WB
        7 BGT p1, p0, L9  |                                                                   IF ID EX ME WB
        9 BLE p0, p0, L11 |                                                                      IF ID EX ME WB
        11 BGE p0, p0, L1 |                                                                         IF ID EX ME WB
        cycle             | 25 26 27 28 29
        1 BEQ p0, p0, L3  | IF ID EX ME WB
    """)


def test_counter_rises_to_3(timing: Callable[[str], None]) -> None:
    # The sign of P1 decides: taken four times (new with 2, 3, 3, 3), then not (2, 1, 0).
    timing("""
        cycle                 |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24
        0 LI p1, 0p1111000000 | IF ID EX ME WB
        1 SHLI p1, p1, 5      |    IF ID EX ME WB
        2 SHLI p1, p1, 1      |       IF ID EX ME WB
        3 BGT p1, p0, L2      |          IF ID EX ME WB
        2 SHLI p1, p1, 1      |                   IF ID EX ME WB | flush 2
        3 BGT p1, p0, L2      |                      IF ID EX ME WB
        2 SHLI p1, p1, 1      |                         IF ID EX ME WB
        3 BGT p1, p0, L2      |                            IF ID EX ME WB
        2 SHLI p1, p1, 1      |                               IF ID EX ME WB
        3 BGT p1, p0, L2      |                                  IF ID EX ME WB
        2 SHLI p1, p1, 1      |                                     IF ID EX ME WB
        3 BGT p1, p0, L2      |                                        IF ID EX ME WB
        4 JUMP L2             |                                                 IF ID EX ME WB | flush 2
        2 SHLI p1, p1, 1      |                                                          IF ID EX ME WB | flush 2
        3 BGT p1, p0, L2      |                                                             IF ID EX ME WB
        cycle                 | 23 24 25 26 27 28 29 30
        4 JUMP L2             | IF ID EX ME WB | flush 2
        2 SHLI p1, p1, 1      |    IF ID EX ME WB
        3 BGT p1, p0, L2      |       IF ID EX ME WB
        4 JUMP L2             |          IF ID EX ME WB
        mispredictions = 4
    """)


def test_counter_falls_to_0(timing: Callable[[str], None]) -> None:
    # Taken (new with 2), not taken four times (1, 0, 0, 0), taken (1, 2), and only then predicted.
    timing("""
        cycle                 |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27
        0 LI p1, 0p1----11100 | IF ID EX ME WB
        1 SHLI p1, p1, 5      |    IF ID EX ME WB
        2 SHLI p1, p1, 1      |       IF ID EX ME WB
        3 BGT p1, p0, L2      |          IF ID EX ME WB
        2 SHLI p1, p1, 1      |                   IF ID EX ME WB | flush 2
        3 BGT p1, p0, L2      |                      IF ID EX ME WB
        4 JUMP L2             |                               IF ID EX ME WB | flush 2
        2 SHLI p1, p1, 1      |                                        IF ID EX ME WB | flush 2
        3 BGT p1, p0, L2      |                                           IF ID EX ME WB
        4 JUMP L2             |                                              IF ID EX ME WB
        2 SHLI p1, p1, 1      |                                                 IF ID EX ME WB
        3 BGT p1, p0, L2      |                                                    IF ID EX ME WB
        4 JUMP L2             |                                                       IF ID EX ME WB
        2 SHLI p1, p1, 1      |                                                          IF ID EX ME WB
        3 BGT p1, p0, L2      |                                                             IF ID EX ME WB
        4 JUMP L2             |                                                                IF ID EX ME WB
        2 SHLI p1, p1, 1      |                                                                   IF ID EX ME WB
        3 BGT p1, p0, L2      |                                                                      IF ID EX ME WB
        cycle                 | 26 27 28 29 30 31 32 33 34 35 36
        2 SHLI p1, p1, 1      | IF ID EX ME WB | flush 2
        3 BGT p1, p0, L2      |    IF ID EX ME WB
        2 SHLI p1, p1, 1      |             IF ID EX ME WB | flush 2
        3 BGT p1, p0, L2      |                IF ID EX ME WB
        2 SHLI p1, p1, 1      |                   IF ID EX ME WB
        mispredictions = 5
    """)


def test_one_address_replaces_another(timing: Callable[[str], None]) -> None:
    # 0 and 5 share an entry.
    timing("""
        predictor.entries = 5
        cycle     |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16
        0 JUMP L5 | IF ID EX ME WB
        5 JUMP L0 |          IF ID EX ME WB | flush 2
        0 JUMP L5 |                   IF ID EX ME WB | flush 2
        5 JUMP L0 |                            IF ID EX ME WB | flush 2
        0 JUMP L5 |                                     IF ID EX ME WB | flush 2
    """)


def test_two_addresses_beside_each_other(timing: Callable[[str], None]) -> None:
    # With 6 entries 0 and 5 have one each.
    timing("""
        predictor.entries = 6
        cycle     |  0  1  2  3  4  5  6  7  8  9 10 11 12
        0 JUMP L5 | IF ID EX ME WB
        5 JUMP L0 |          IF ID EX ME WB | flush 2
        0 JUMP L5 |                   IF ID EX ME WB | flush 2
        5 JUMP L0 |                      IF ID EX ME WB
        0 JUMP L5 |                         IF ID EX ME WB
    """)


def test_addresses_125_apart(timing: Callable[[str], None]) -> None:
    timing("""
        cycle       |  0  1  2  3  4  5  6  7  8  9 10 11 12 13
        0 JUMP L125 | IF ID EX ME WB
        125 JUMP L0 |          IF ID EX ME WB | flush 2
        0 JUMP L125 |                   IF ID EX ME WB | flush 2
        125 JUMP L0 |                            IF ID EX ME WB | flush 2
    """)


def test_branch_not_taken_gets_no_entry(timing: Callable[[str], None]) -> None:
    # It is at 5, so it would replace the entry of 0.
    timing("""
        predictor.entries = 5
        cycle            |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14
        0 JUMP L5        | IF ID EX ME WB
        5 BNE p0, p0, L0 |          IF ID EX ME WB | flush 2
        6 JUMP L0        |             IF ID EX ME WB
        0 JUMP L5        |                      IF ID EX ME WB | flush 2
        5 BNE p0, p0, L0 |                         IF ID EX ME WB
        6 JUMP L0        |                            IF ID EX ME WB
        0 JUMP L5        |                               IF ID EX ME WB
    """)


def test_nothing_is_predicted_without_entries(timing: Callable[[str], None]) -> None:
    timing("""
        predictor.entries = 0
        cycle     |  0  1  2  3  4  5  6  7  8  9 10
        0 JUMP L0 | IF ID EX ME WB
        0 JUMP L0 |          IF ID EX ME WB | flush 2
        0 JUMP L0 |                   IF ID EX ME WB | flush 2
    """)


def test_loop_of_one_instruction(timing: Callable[[str], None]) -> None:
    timing("""
        cycle     |  0  1  2  3  4  5  6  7  8  9 10
        0 JUMP L0 | IF ID EX ME WB
        0 JUMP L0 |          IF ID EX ME WB | flush 2
        0 JUMP L0 |             IF ID EX ME WB
        0 JUMP L0 |                IF ID EX ME WB
        0 JUMP L0 |                   IF ID EX ME WB
        mispredictions = 1
    """)


def test_loop_of_one_branch(timing: Callable[[str], None]) -> None:
    # The lookup precedes the counter update of the last iteration; 2 and 3 predict the same.
    timing("""
        cycle            |  0  1  2  3  4  5  6  7  8  9
        0 BEQ p0, p0, L0 | IF ID EX ME WB
        0 BEQ p0, p0, L0 |          IF ID EX ME WB | flush 2
        0 BEQ p0, p0, L0 |             IF ID EX ME WB
        0 BEQ p0, p0, L0 |                IF ID EX ME WB
    """)


def test_loop_of_two_instructions(timing: Callable[[str], None]) -> None:
    timing("""
        cycle     |  0  1  2  3  4  5  6  7  8  9 10 11
        0 NOP     | IF ID EX ME WB
        1 JUMP L0 |    IF ID EX ME WB
        0 NOP     |             IF ID EX ME WB | flush 2
        1 JUMP L0 |                IF ID EX ME WB
        0 NOP     |                   IF ID EX ME WB
        1 JUMP L0 |                      IF ID EX ME WB
    """)


def test_return_elsewhere(timing: Callable[[str], None]) -> None:
    # The second RET is predicted to return where the first one did.
    timing("""
        cycle     |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16
        0 CALL L4 | IF ID EX ME WB
        4 RET     |          IF ID EX ME WB | flush 2
        1 CALL L4 |                   IF ID EX ME WB | flush 2
        4 RET     |                            IF ID EX ME WB | flush 2
        2 HALT    |                                     IF ID EX ME WB | flush 2
        mispredictions = 4
    """)


def test_call_and_return_again(timing: Callable[[str], None]) -> None:
    timing("""
        cycle             |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21
        0 LI p1, 2        | IF ID EX ME WB
        1 CALL L5         |    IF ID EX ME WB
        5 RET             |             IF ID EX ME WB | flush 2
        2 ADDI p1, p1, -1 |                      IF ID EX ME WB | flush 2
        3 BNE p1, p0, L1  |                         IF ID EX ME WB
        1 CALL L5         |                                  IF ID EX ME WB | flush 2
        5 RET             |                                     IF ID EX ME WB
        2 ADDI p1, p1, -1 |                                        IF ID EX ME WB
        3 BNE p1, p0, L1  |                                           IF ID EX ME WB
        4 HALT            |                                                    IF ID EX ME WB | flush 2
        branches = 6
        mispredictions = 4
    """)


def test_target_written_by_a_later_return(timing: Callable[[str], None]) -> None:
    # The third return goes to the same address as the second, as predicted.
    timing("""
        cycle     |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22
        0 CALL L4 | IF ID EX ME WB
        4 RET     |          IF ID EX ME WB | flush 2
        1 JUMP L2 |                   IF ID EX ME WB | flush 2
        2 CALL L4 |                      IF ID EX ME WB
        4 RET     |                               IF ID EX ME WB | flush 2
        3 JUMP L2 |                                        IF ID EX ME WB | flush 2
        2 CALL L4 |                                                 IF ID EX ME WB | flush 2
        4 RET     |                                                    IF ID EX ME WB
        3 JUMP L2 |                                                       IF ID EX ME WB
    """)


def test_update_not_seen_one_cycle_later(timing: Callable[[str], None]) -> None:
    # A single entry. JUMP to the next address costs nothing, but replaces the entry at the end of its EX. Fetched one
    # cycle later, the jump at 2 still finds its own entry, and has it again in time for the next iteration.
    timing("""
        predictor.entries = 1
        cycle     |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
        0 NOP     | IF ID EX ME WB
        1 JUMP L2 |    IF ID EX ME WB
        2 JUMP L0 |       IF ID EX ME WB
        0 NOP     |                IF ID EX ME WB | flush 2
        1 JUMP L2 |                   IF ID EX ME WB
        2 JUMP L0 |                      IF ID EX ME WB
        0 NOP     |                         IF ID EX ME WB
        1 JUMP L2 |                            IF ID EX ME WB
        2 JUMP L0 |                               IF ID EX ME WB
        0 NOP     |                                  IF ID EX ME WB
    """)


def test_update_not_seen_two_cycles_later(timing: Callable[[str], None]) -> None:
    timing("""
        predictor.entries = 1
        cycle     |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
        0 JUMP L1 | IF ID EX ME WB
        1 NOP     |    IF ID EX ME WB
        2 JUMP L0 |       IF ID EX ME WB
        0 JUMP L1 |                IF ID EX ME WB | flush 2
        1 NOP     |                   IF ID EX ME WB
        2 JUMP L0 |                      IF ID EX ME WB
        0 JUMP L1 |                         IF ID EX ME WB
        1 NOP     |                            IF ID EX ME WB
        2 JUMP L0 |                               IF ID EX ME WB
        0 JUMP L1 |                                  IF ID EX ME WB
    """)


def test_update_seen_three_cycles_later(timing: Callable[[str], None]) -> None:
    timing("""
        predictor.entries = 1
        cycle     |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16
        0 JUMP L1 | IF ID EX ME WB
        1 NOP     |    IF ID EX ME WB
        2 NOP     |       IF ID EX ME WB
        3 JUMP L0 |          IF ID EX ME WB
        0 JUMP L1 |                   IF ID EX ME WB | flush 2
        1 NOP     |                      IF ID EX ME WB
        2 NOP     |                         IF ID EX ME WB
        3 JUMP L0 |                            IF ID EX ME WB
        0 JUMP L1 |                                     IF ID EX ME WB | flush 2
    """)


def test_looked_up_when_it_enters_fetch(timing: Callable[[str], None]) -> None:
    # The second time, the jump at 3 enters IF in cycle 11 and finds its entry; jump 1 replaces it before 3 leaves IF.
    timing("""
        predictor.entries = 1
        cycle            |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18
        0 MUL p1, p2, p3 | IF ID EX ME WB
        1 JUMP L2        |    IF ID EX ME WB
        2 ADD p4, p1, p1 |       IF ID -- -- EX ME WB | multiply_use 2
        3 JUMP L0        |          IF -- -- ID EX ME WB
        0 MUL p1, p2, p3 |                         IF ID EX ME WB | flush 2
        1 JUMP L2        |                            IF ID EX ME WB
        2 ADD p4, p1, p1 |                               IF ID -- -- EX ME WB | multiply_use 2
        3 JUMP L0        |                                  IF -- -- ID EX ME WB
        0 MUL p1, p2, p3 |                                           IF ID EX ME WB
    """)


def test_branch_to_the_next_address_takes_no_entry(timing: Callable[[str], None]) -> None:
    # It counts as not taken: the entry of the jump at 3 is still there the second time.
    timing("""
        predictor.entries = 1
        cycle            |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14
        0 BEQ p0, p0, L1 | IF ID EX ME WB
        1 NOP            |    IF ID EX ME WB
        2 NOP            |       IF ID EX ME WB
        3 JUMP L0        |          IF ID EX ME WB
        0 BEQ p0, p0, L1 |                   IF ID EX ME WB | flush 2
        1 NOP            |                      IF ID EX ME WB
        2 NOP            |                         IF ID EX ME WB
        3 JUMP L0        |                            IF ID EX ME WB
        0 BEQ p0, p0, L1 |                               IF ID EX ME WB
    """)


def test_return_address_stack(timing: Callable[[str], None]) -> None:
    # RET is known to the buffer from its first execution on, and returns to the second caller without a misprediction.
    timing("""
        predictor.returns = 2
        cycle     |  0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18
        0 CALL L6 | IF ID EX ME WB
        6 NOP     |          IF ID EX ME WB | flush 2
        7 RET     |             IF ID EX ME WB
        1 NOP     |                      IF ID EX ME WB | flush 2
        2 CALL L6 |                         IF ID EX ME WB
        6 NOP     |                                  IF ID EX ME WB | flush 2
        7 RET     |                                     IF ID EX ME WB
        3 NOP     |                                        IF ID EX ME WB
        4 HALT    |                                           IF ID EX ME WB
    """)


@pytest.mark.parametrize(("returns", "wrong"), [(0, 30), (1, 1), (8, 1)])
def test_ten_callers_of_one_subroutine(returns: int, wrong: int) -> None:
    # With a stack only the first RET is mispredicted, of which the buffer knows nothing.
    calls = "\n".join("call leaf\n nop" for _ in range(10))
    source = f"li p1, 3\nagain: {calls}\n dec p1\n bnz p1, again\n halt\nleaf: nop\n nop\n ret\n"
    program = assemble_text(source)
    machine = Simulator(program, Config(predictor=Predictor(returns=returns)), trace=True)
    assert machine.run() == "halt"
    records = machine.take_events().records
    assert records["mispredicted"][records["pc"] == program.address("leaf") + 2].sum() == wrong


def test_a_full_stack_forgets_the_oldest() -> None:
    # Three nested calls, twice: with two addresses the last RET goes where the buffer says, which is right by chance.
    source = (
        "call a\n call a\n halt\na: push lr\n call b\n pop lr\n ret\nb: push lr\n call c\n pop lr\n ret\nc: nop\n ret\n"
    )
    program = assemble_text(source)

    def wrong(returns: int) -> int:
        machine = Simulator(program, Config(predictor=Predictor(returns=returns)), trace=True)
        assert machine.run() == "halt"
        records = machine.take_events().records
        rets = [pc for pc in range(program.text) if decode(int(program.image[pc])).instruction.name == "RET"]
        return int(records["mispredicted"][np.isin(records["pc"], rets)].sum())

    assert (wrong(3), wrong(2)) == (3, 4)
