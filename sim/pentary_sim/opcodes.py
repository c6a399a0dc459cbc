"""Integer codes in compiled code: instructions (index in the table), status codes, stall causes, counts and units."""

from typing import TYPE_CHECKING

from pentary.isa.table import INSTRUCTIONS
from pentary_sim.events import CAUSES, COUNTS, FAULTS

GROUPS = tuple(dict.fromkeys(line.group for line in INSTRUCTIONS))
"""Groups of the instruction table, in its order."""

globals().update({line.name: number for number, line in enumerate(INSTRUCTIONS)})
if TYPE_CHECKING:  # the names come from the table

    def __getattr__(name: str) -> int: ...


FINE, ILLEGAL, FETCH, LOADED, STORED, TEXT_STORED, INPUT_ENDED, WRONG_DIRECTION, DIVIDE, OPERAND, OVERFLOW = range(11)
TIMER_INTERRUPT, EXTERNAL_INTERRUPT = 11, 12
"""Status codes with which an instruction ends, indices into FAULTS."""
OF_SYSTEM = -1
"""In place of a status: the instruction is one of those that need more than the state of the machine."""

assert FAULTS[OVERFLOW] == "overflow" and FAULTS[EXTERNAL_INTERRUPT] == "external interrupt"

ISSUE, FILL, FLUSH, TRAP, FETCH_L2, FETCH_MEMORY, LOAD_USE, MULTIPLY_USE, UNIT_RESULT, MEMORY_ORDER = range(10)
VECTOR_QUEUE, MEMORY_QUEUE, CROSSBAR_QUEUE, LOWRANK_QUEUE, SYNC_WAIT, EXECUTE_WAIT = range(10, 16)
DATA_L2, DATA_MEMORY, DEVICE = range(16, 19)
assert CAUSES[LOAD_USE] == "load_use" and CAUSES[VECTOR_QUEUE] == "vector_queue" and CAUSES[DEVICE] == "device"

(
    BRANCHES,
    MISPREDICTIONS,
    TRAPS,
    ICACHE_ACCESSES,
    ICACHE_MISSES,
    DCACHE_ACCESSES,
    DCACHE_MISSES,
    L2_ACCESSES,
    L2_MISSES,
    MEMORY_READS,
    MEMORY_WRITES,
    DCACHE_BEATS,
    L2_BEATS,
    MEMORY_BEATS,
    SCALAR_OPERATIONS,
    SCALAR_SKIPPED,
    VECTOR_OPERATIONS,
    VECTOR_SKIPPED,
    LOWRANK_OPERATIONS,
    LOWRANK_SKIPPED,
    CROSSBAR_OPERATIONS,
    CROSSBAR_SKIPPED,
    GENERATOR_WORDS,
    LOWRANK_MACS,
    LOWRANK_MULTIPLY_CYCLES,
    LOWRANK_BUSY,
    VECTOR_BUSY,
    MEMORY_BUSY,
    CROSSBAR_BUSY,
) = range(len(COUNTS))
assert COUNTS[SCALAR_OPERATIONS] == "scalar_digit_operations" and COUNTS[CROSSBAR_BUSY] == "crossbar_busy_cycles"

ARITHMETIC, LOGIC, MEMORY, VECTOR, NEURAL, CONTROL, SYSTEM, EGGROLL = range(len(GROUPS))
assert GROUPS[MEMORY] == "memory" and GROUPS[CONTROL] == "control"

UNIT_SCALAR, UNIT_VECTOR, UNIT_MEMORY, UNIT_CROSSBAR, UNIT_LOWRANK = range(5)
