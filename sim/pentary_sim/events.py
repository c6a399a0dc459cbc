"""Results of a run: stall causes, event counts, and the trace record of an instruction.

The model, the traces, the profile and the tests share these names; `architecture/pipeline.md` defines them.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CAUSES: Final = (
    "issue",
    "fill",
    "flush",
    "trap",
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
    "device",
)
"""Causes to which cycles are charged; after `issue` and `fill`, in pipeline order."""

COUNTS: Final = (
    "branches",  # BEQ BNE BLT BGT BLE BGE JUMP CALL RET
    "mispredictions",
    "traps",  # faults and interrupts that the handler took
    "icache_accesses",
    "icache_misses",
    "dcache_accesses",
    "dcache_misses",
    "l2_accesses",
    "l2_misses",
    "memory_reads",  # lines
    "memory_writes",  # lines
    "dcache_beats",  # cycles in which the port of LOADV and STOREV moves words
    "l2_beats",  # of lines between the L1 caches and L2, both ways
    "memory_beats",  # of lines between L2 and memory, both ways
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
    "lowrank_multiply_cycles",  # occupancy of LRMUL and LRMULX
    "lowrank_busy_cycles",
    "vector_busy_cycles",
    "memory_busy_cycles",
    "crossbar_busy_cycles",
)
"""Event counters other than cycles. Energy can be estimated from the digit operations and the accesses."""

UNITS: Final = ("scalar", "vector", "memory", "crossbar", "lowrank")
"""Execution units; the multiplier and the divider belong to the scalar pipeline."""

FAULTS: Final = (
    "",
    "illegal instruction",
    "fetch",
    "memory",  # a load from outside memory
    "memory",  # a store to outside memory
    "memory",  # a store to the text
    "memory",  # a load from the input at its end
    "memory",  # a load from a device that is only written, or a store to one that is only read
    "divide",
    "operand",
    "overflow",
    "timer interrupt",
    "external interrupt",
)
"""Why an instruction was not executed, indexed by the status code with which it ends; index 0: it was."""

INTERRUPTS: Final = range(len(FAULTS) - 2, len(FAULTS))
"""Indices of the interrupts."""


def spelled(status: int) -> str:
    """Return why an instruction was not executed, in words.

    >>> spelled(2), spelled(len(FAULTS) - 1)
    ('fetch fault', 'external interrupt')
    """
    return FAULTS[status] if status in INTERRUPTS else f"{FAULTS[status]} fault"


NONE: Final = -1

EVENT: Final = np.dtype(
    [
        ("pc", np.int64),  # address of the instruction, any word after a jump outside the program
        ("unit", np.int8),  # index into UNITS
        ("fetch", np.int64),  # cycle in which it enters IF; the next four: ID, EX, MEM, WB
        ("decode", np.int64),
        ("execute", np.int64),
        ("memory", np.int64),
        ("writeback", np.int64),
        ("start", np.int64),  # cycle in which it starts in its unit; NONE for scalar instructions
        ("free", np.int64),  # start + occupancy; NONE for scalar instructions
        ("done", np.int64),  # start + latency; NONE for scalar instructions
        ("register", np.int8),  # scalar register written, NONE if none
        ("value", np.int64),  # written to it, to VL, a control register or a fitness accumulator, or to memory
        ("address", np.int64),  # address accessed (for a vector, the first), NONE if none
        ("lost", np.int32),  # cycles lost between the previous retirement and this one
        ("cause", np.int8),  # cause of most of the lost cycles: index into CAUSES; 0 if none are lost
        ("mispredicted", np.bool_),  # jump or branch after which the wrong address was fetched
        ("flags", np.int8),  # flags after the instruction
        ("acc_high", np.int64),  # ACC after the instruction is acc_high * 5**16 + acc_low
        ("acc_low", np.int64),
        ("vector", np.int32),  # index into Events.vectors of the vector register value written, or NONE
        ("fault", np.int8),  # index into FAULTS; 0 if it retired
    ]
)
"""Trace record of one instruction that retired, faulted, or was not executed because of an interrupt.

If it did not retire, the cycles of the stages after EX are NONE, and nothing is written.
"""


class Events(NamedTuple):
    """Trace records (n,) of dtype EVENT, and the vector register values (k, 256) int64 written, in order."""

    records: NDArray[Any]
    vectors: NDArray[np.int64]
