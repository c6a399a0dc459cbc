"""What a run leaves behind: where cycles went, what was counted, and one typed record for every instruction.

The model, the traces, the profile and the tests share these names; `architecture/pipeline.md` defines them.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CAUSES: Final = (
    "issue",
    "fill",
    "flush",
    "fetch_l2",
    "fetch_memory",
    "load_use",
    "multiply_use",
    "unit_result",
    "memory_order",
    "vector_queue",
    "memory_queue",
    "crossbar_queue",
    "lowrank_queue",
    "sync",
    "execute",
    "data_l2",
    "data_memory",
)
"""What a cycle is charged to. After `issue` and `fill`, in the order in which an instruction meets them."""

COUNTS: Final = (
    "branches",  # BEQ BNE BLT BGT BLE BGE JUMP CALL RET
    "mispredictions",
    "icache_accesses",
    "icache_misses",
    "dcache_accesses",
    "dcache_misses",
    "l2_accesses",
    "l2_misses",
    "memory_reads",  # lines
    "memory_writes",  # lines
    "scalar_digit_operations",
    "scalar_digits_skipped",
    "vector_digit_operations",
    "vector_digits_skipped",
    "lowrank_digit_operations",
    "lowrank_digits_skipped",
    "crossbar_digit_operations",
    "crossbar_digits_skipped",
    "generator_words",
    "lowrank_macs",  # of LRMUL and LRMULX
    "lowrank_multiply_cycles",  # in which they kept the unit
    "lowrank_busy_cycles",
    "vector_busy_cycles",
    "memory_busy_cycles",
    "crossbar_busy_cycles",
)
"""What is counted beside cycles. Energy can be computed from the digit operations and the accesses."""

UNITS: Final = ("scalar", "vector", "memory", "crossbar", "lowrank")
"""Where an instruction executes; the multiplier and the divider belong to the scalar pipeline."""

FAULTS: Final = (
    "",
    "illegal instruction",
    "fetch",
    "memory",  # a load from outside memory
    "memory",  # a store to outside memory
    "memory",  # a store to the text
    "overflow",
    "divide",
    "operand",
)
"""Kinds of faults, by the numbers with which instructions end; the first is no fault."""

NONE: Final = -1

EVENT: Final = np.dtype(
    [
        ("pc", np.int32),  # address of the instruction
        ("unit", np.int8),  # index into UNITS
        ("fetch", np.int64),  # cycle in which it enters IF, and so on
        ("decode", np.int64),
        ("execute", np.int64),
        ("memory", np.int64),
        ("writeback", np.int64),
        ("start", np.int64),  # of its execution in a unit other than scalar; NONE in the scalar pipeline
        ("free", np.int64),  # start + occupancy; NONE likewise
        ("done", np.int64),  # start + latency; NONE likewise
        ("register", np.int8),  # scalar register written, NONE if none
        ("value", np.int64),  # written to it, to VL, a control register or a fitness accumulator, or stored in memory
        ("address", np.int64),  # accessed by a memory instruction (the first of a vector), NONE if none
        ("lost", np.int32),  # cycles between the retirement before it and its own
        ("cause", np.int8),  # to which most of them are charged: index into CAUSES; 0 if none are lost
        ("mispredicted", np.bool_),  # it is a jump or branch after which the wrong address was fetched
        ("flags", np.int8),  # after it
        ("acc_high", np.int64),  # after it the accumulator is acc_high * 5**16 + acc_low
        ("acc_low", np.int64),
        ("vector", np.int32),  # index into the vectors beside the records: what it wrote to a vector register, or NONE
        ("fault", np.int8),  # index into FAULTS; 0 if it has retired
    ]
)
"""The record of one instruction: one that has retired, or the one at which the program faults.

Of the latter, the cycles of the stages behind the one that faults are NONE; it has written nothing.
"""


class Events(NamedTuple):
    """What instructions did: records (n,) of EVENT, and the vectors (k, 256) int64 that they wrote, in order."""

    records: NDArray[Any]
    vectors: NDArray[np.int64]
