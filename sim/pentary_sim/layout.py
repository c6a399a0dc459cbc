"""Layout of the machine state: structured dtypes whose records compiled code reads and writes in place.

Records are used because compiled code passes them as plain pointers. Arrays whose size depends on the program or the
configuration are kept separately, see `pentary_sim.state.State`.
"""

from typing import Any, Final

import numpy as np

from pentary.isa.system import WRITABLE
from pentary.isa.table import CONTROLS, FITNESS, MAX_VL, REGISTERS, VECTORS
from pentary.isa.timing import TERMS
from pentary.lowrank.generator import ROUNDS
from pentary.lowrank.operations import MAX_RANK
from pentary.machine.config import MAX_ENTRIES, MAX_QUEUE, MAX_RETURNS, MAX_SETS, MAX_STAGES, MAX_WAYS
from pentary.numbers.word import PENTS
from pentary_sim.events import CAUSES, COUNTS, UNITS

_INT: Final = np.int64

NO_LINE: Final = np.iinfo(np.int64).min

OUTPUT: Final = 4096
"""Words to the console that the machine keeps before they must be taken."""

STATE: Final = np.dtype(
    [
        # architectural state
        ("pc", _INT),
        ("flags", _INT),
        ("acc_high", _INT),  # ACC is acc_high * 5**16 + acc_low
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
        ("csrs", _INT, WRITABLE),
        ("interruptible", _INT),  # whether an interrupt would be taken if it came
        ("interrupts_taken", _INT),
        ("inputs_taken", _INT),
        ("output", _INT, OUTPUT),
        ("output_held", _INT),
        ("exit_status", _INT),
        # configuration
        ("queue", _INT),
        ("line_words", _INT),
        ("line_inverse", _INT),  # of line_words, see `cache.line_of`
        ("cached", _INT),  # whether there are caches
        ("critical_first", _INT),
        ("icache_latency", _INT),
        ("dcache_latency", _INT),
        ("dcache_beat", _INT),  # words in a cycle; this and the next two are at most a line
        ("l2_latency", _INT),
        ("l2_beat", _INT),
        ("memory_latency", _INT),
        ("memory_beat", _INT),
        ("device_latency", _INT),
        ("lanes", _INT),
        ("rounds_per_cycle", _INT),
        ("overflow_trap", _INT),
        ("entries", _INT),
        ("returns", _INT),
        ("past_fault", _INT),  # whether to time a faulting instruction as if it did not fault
        # timing: cycles in which the last instruction entered its stages, and from which resources are ready
        ("decode", _INT),
        ("execute", _INT),
        ("memory", _INT),
        ("writeback", _INT),
        ("redirect", _INT),
        ("line", _INT),  # line fetched last, or NO_LINE
        ("flags_ready", _INT),
        ("acc_ready", _INT),
        ("register_ready", _INT, REGISTERS),
        ("register_cause", _INT, REGISTERS),  # cause to which a waiting reader is charged
        ("vector_ready", _INT, VECTORS),  # cycle in which the last write is complete
        ("vector_read", _INT, VECTORS),  # cycle in which all earlier readers are done
        ("fitness_ready", _INT, FITNESS),
        ("unit_free", _INT, len(UNITS)),
        ("unit_done", _INT, len(UNITS)),
        ("queue_starts", _INT, (len(UNITS), MAX_QUEUE)),  # start cycles of each unit's last instructions, ring buffer
        ("queue_next", _INT, len(UNITS)),
        # the last fill of each L1 cache, and cycles from which the ports to L2 and to memory are free
        ("fill_line", _INT, 2),
        ("fill_from", _INT, 2),  # level: 1 for L2, 2 for memory
        ("fill_answered", _INT, 2),  # cycle in which L2 has the line, or knows that it has not
        ("fill_first", _INT, 2),  # cycle in which the first words arrive
        ("fill_end", _INT, 2),  # cycle after that in which the last words arrive
        ("fill_beat", _INT, 2),  # words that arrive in a cycle
        ("fill_place", _INT, 2),  # number, within the line, of the beat that arrives first
        ("l2_free", _INT),
        ("memory_free", _INT),
        # branch predictor: address, target and counter of each entry; pending updates with their cycle
        ("predictor", _INT, (MAX_ENTRIES, 3)),
        ("outcomes", _INT, (MAX_STAGES + 3, 5)),  # as many jumps as can be between IF and EX, and one more
        ("outcomes_held", _INT),
        ("return_addresses", _INT, MAX_RETURNS),  # a ring of `returns` places
        ("returns_held", _INT),
        ("return_top", _INT),  # place of the newest
        # statistics and diagnostics
        ("origin", _INT),  # address of the last instruction executed
        ("fault_value", _INT),
        ("instructions", _INT),
        ("events_held", _INT),
        ("vectors_held", _INT),
        ("counts", _INT, len(COUNTS)),
        ("causes", _INT, len(CAUSES)),
        ("waits", _INT, len(CAUSES)),  # of the current instruction, and of those before it that did not retire
        ("carried", _INT),  # sum of the waits of the latter
        # workspace
        ("terms", _INT, len(TERMS)),
        ("row", _INT, MAX_VL),
        ("coefficients", _INT, MAX_RANK),
        ("pents", np.uint8, (2, PENTS)),
        ("round_keys", np.uint8, (ROUNDS + 1, PENTS)),
        ("masks", np.uint8, 5**6),
    ],
    align=True,
)
"""State of one machine."""

CODE: Final = np.dtype(
    [
        ("op", _INT),  # NONE for an illegal instruction, also one of a unit that is absent
        ("unit", _INT),
        ("group", _INT),  # index into GROUPS
        ("line", _INT),  # its line in the instruction cache; the same for all without caches
        ("entry", _INT),  # of the branch target buffer
        ("turn", _INT),  # 1 for a call, -1 for a return
        ("quick", _INT),  # it stays a cycle in each stage unless it waits for registers, its fetch or its data
        ("conditional", _INT),  # it is a branch, which may not be taken
        ("multiplies", _INT),  # the multiplier executes it
        ("indexed", _INT),  # its addresses depend on a vector, and are checked in EX
        ("traps", _INT),  # it multiplies, and may end in the overflow trap
        ("sets_flags", _INT),
        ("occupancy", _INT),  # cycles in EX
        ("latency", _INT),  # cycles from EX until its result is forwarded, in the pipeline
        ("d", _INT),
        ("a", _INT),
        ("b", _INT),
        ("i", _INT),
        # scalar registers read and written, 0 for none, since P0 causes no hazards
        ("source_1", _INT),
        ("source_2", _INT),
        ("late", _INT),  # read in MEM instead of EX: the datum of a store
        ("written", _INT),
        # vector registers, NONE for none
        ("vsource_1", _INT),
        ("vsource_2", _INT),
        ("vsource_3", _INT),
        ("vwritten", _INT),
        ("stop", _INT),  # whether there is a breakpoint
        ("profile", _INT, len(CAUSES)),
    ],
    align=True,
)
"""One instruction of the program, decoded before the run, since text is read-only."""

CACHE: Final = np.dtype(
    [
        ("sets", _INT),
        ("ways", _INT),
        ("clock", _INT),  # lookups so far
        ("last_line", _INT),  # line number plus 1 of the last lookup, and its place
        ("last_place", _INT),
        ("lines", _INT, MAX_SETS * MAX_WAYS),  # line number plus 1, or 0 if empty
        ("used", _INT, MAX_SETS * MAX_WAYS),  # clock at the last use
        ("dirty", np.uint8, MAX_SETS * MAX_WAYS),
    ],
    align=True,
)
"""State of one cache; the ways of a set are contiguous."""

ICACHE, DCACHE, L2 = range(3)

Record = Any
"""A record of one of these dtypes, as passed to compiled code."""
