"""Everything that a machine holds, as records that compiled code reads and writes in place.

Records, because compiled code passes them on as plain pointers. Arrays of the size of a program or a memory stand
beside them.
"""

from typing import Any, Final

import numpy as np

from pentary.isa.table import CONTROLS, FITNESS, MAX_VL, REGISTERS, VECTORS
from pentary.lowrank.generator import ROUNDS
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import PENTS
from pentary_sim.config import MAX_ENTRIES, MAX_QUEUE, MAX_SETS, MAX_WAYS
from pentary_sim.costs import TERMS
from pentary_sim.events import CAUSES, COUNTS, UNITS

_INT: Final = np.int64

STATE: Final = np.dtype(
    [
        # what a program sees
        ("pc", _INT),
        ("flags", _INT),
        ("acc_high", _INT),  # the accumulator is acc_high * 5**16 + acc_low
        ("acc_low", _INT),
        ("vl", _INT),
        ("halted", _INT),
        ("registers", _INT, REGISTERS),
        ("vectors", _INT, (VECTORS, MAX_VL)),
        ("fitness", _INT, FITNESS),
        ("controls", _INT, len(CONTROLS)),
        ("factor_a", np.int8, (MAX_RANK, MAX_VL)),
        ("factor_b", np.int8, (MAX_RANK, MAX_VL)),
        ("sums", _INT, MAX_VL),
        ("quantised", _INT),
        ("crossbar", np.int8, (MAX_VL, MAX_VL)),
        # the configuration
        ("queue", _INT),
        ("line_words", _INT),
        ("l2_latency", _INT),
        ("memory_latency", _INT),
        ("lanes", _INT),
        ("rounds_per_cycle", _INT),
        ("overflow_trap", _INT),
        ("entries", _INT),
        ("past_fault", _INT),  # whether an instruction that faults is timed as if it did not
        # when: cycles in which the last instruction entered its stages, and from which things are ready
        ("decode", _INT),
        ("execute", _INT),
        ("memory", _INT),
        ("writeback", _INT),
        ("redirect", _INT),
        ("decided", _INT),  # the cycle after the EX of the last jump or branch
        ("line", _INT),  # fetched last
        ("flags_ready", _INT),
        ("acc_ready", _INT),
        ("register_ready", _INT, REGISTERS),
        ("register_cause", _INT, REGISTERS),  # what a reader that waits is charged to
        ("vector_ready", _INT, VECTORS),  # its last write is complete
        ("vector_read", _INT, VECTORS),  # all earlier readers have read it
        ("fitness_ready", _INT, FITNESS),
        ("unit_free", _INT, len(UNITS)),
        ("unit_done", _INT, len(UNITS)),
        ("queue_starts", _INT, (len(UNITS), MAX_QUEUE)),  # of the last instructions of each unit, in a ring
        ("queue_next", _INT, len(UNITS)),
        # the predictor: address, target and counter of each entry; outcomes that it does not show yet, with the cycle
        ("predictor", _INT, (MAX_ENTRIES, 3)),
        ("outcomes", _INT, (4, 4)),
        ("outcomes_held", _INT),
        # for people
        ("origin", _INT),  # address of the instruction executed last
        ("fault_value", _INT),
        ("instructions", _INT),
        ("events_held", _INT),
        ("vectors_held", _INT),
        ("counts", _INT, len(COUNTS)),
        ("causes", _INT, len(CAUSES)),
        ("waits", _INT, len(CAUSES)),  # of the instruction at hand
        # workspace
        ("terms", _INT, len(TERMS)),
        ("row", _INT, MAX_VL),
        ("coefficients", _INT, MAX_RANK),
        ("pents", np.uint8, (2, PENTS)),
        ("round_keys", np.uint8, (ROUNDS + 1, PENTS)),
        ("masks", np.uint8, 5 ** (PENTS // 2)),
    ],
    align=True,
)
"""One machine."""

CODE: Final = np.dtype(
    [
        ("op", _INT),  # NONE where the word is no instruction
        ("unit", _INT),
        ("d", _INT),
        ("a", _INT),
        ("b", _INT),
        ("i", _INT),
        # scalar registers read and written, 0 for none: P0 never keeps anyone waiting
        ("source_1", _INT),
        ("source_2", _INT),
        ("late", _INT),  # read in MEM: the datum of a store
        ("written", _INT),
        # vector registers, NONE for none
        ("vsource_1", _INT),
        ("vsource_2", _INT),
        ("vwritten", _INT),
        ("stop", _INT),  # whether there is a breakpoint
        ("profile", _INT, len(CAUSES)),
    ],
    align=True,
)
"""One instruction of the program, decoded once since text is read-only."""

CACHE: Final = np.dtype(
    [
        ("sets", _INT),
        ("ways", _INT),
        ("clock", _INT),  # lookups so far
        ("lines", _INT, MAX_SETS * MAX_WAYS),  # number of the line held plus 1, or 0
        ("used", _INT, MAX_SETS * MAX_WAYS),  # by the clock
        ("dirty", np.uint8, MAX_SETS * MAX_WAYS),
    ],
    align=True,
)
"""One cache; a set's ways lie side by side."""

ICACHE, DCACHE, L2 = range(3)

Record = Any
"""A record of one of these types, as compiled code gets it."""
