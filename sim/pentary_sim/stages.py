"""Cycles in which instructions enter the stages of the pipeline, and the causes of those that are lost.

Cycles are not simulated one by one: the cycles in which an instruction of an in-order pipeline enters its stages are
computed from those of its predecessor and from the times at which operands, units and caches are ready.
`architecture/pipeline.md` defines the recurrences; names are the same here.
"""

from pentary.isa.table import STACK
from pentary_sim import opcodes as o
from pentary_sim.cache import access
from pentary_sim.compiled import compiled
from pentary_sim.events import NONE
from pentary_sim.layout import DCACHE, ICACHE, NO_LINE, Record
from pentary_sim.predictor import predict, resolve
from pentary_sim.system import DCACHE_ACCESSES, enter_handler, read_csr
from pentary_sim.units import dispatch
from pentary_sim.vectors import copy


@compiled
def time_quickly(s: Record, caches: Record, c: Record, pc: int, following: int, address: int) -> bool:
    """Time an instruction that waits for nothing but the data cache or a word just loaded; return whether it is one.

    If nothing waits, each stage is entered in the cycle in which the previous instruction leaves it. So most
    instructions need few of the comparisons of `approach` and `complete`, to which this is no more than a shortcut.
    """
    fetch, execute = s.decode - s.icache_latency + 1, s.memory
    if not c.quick or s.redirect > fetch or c.line != s.line or fetch < s.fill_end[ICACHE] or s.writeback < 0:
        return False
    ready, cause = s.register_ready, s.register_cause
    r1, r2, written = c.source_1, c.source_2, c.written
    if ready[c.late] > execute + 1 or (ready[written] > execute and cause[written] != o.LOAD_USE):
        return False
    memory, writeback = s.writeback - s.dcache_latency + 1, s.writeback + 1
    loaded = max(ready[r1], ready[r2])
    if loaded > execute:
        for register in (r1, r2):
            if ready[register] > execute and cause[register] != o.LOAD_USE:
                return False
        if c.group == o.MEMORY:
            return False
        execute = loaded
        lost = max(0, execute + 1 - memory)
        memory += lost
        writeback += lost
        s.causes[o.LOAD_USE] += lost
        c.profile[o.LOAD_USE] += lost
    ready[written] = 0
    if c.group == o.MEMORY:
        if s.unit_done[o.UNIT_MEMORY] > execute or address < 0:
            return False
        own, further = access(s, caches, DCACHE, address, c.op == o.STORE, memory, memory)
        if own + further > 0:
            writeback += own + further
            s.causes[o.DATA_L2] += own
            s.causes[o.DATA_MEMORY] += further
            c.profile[o.DATA_L2] += own
            c.profile[o.DATA_MEMORY] += further
        if written > 0:
            ready[written], cause[written] = writeback, o.LOAD_USE
    elif c.group == o.CONTROL:
        _decide(s, c, pc, following, fetch, execute)
    if c.sets_flags:
        s.flags_ready = 0
    s.counts[o.ICACHE_ACCESSES] += 1
    s.causes[o.ISSUE] += 1
    c.profile[o.ISSUE] += 1
    s.decode, s.execute, s.memory, s.writeback = s.execute, execute, memory, writeback
    return True


@compiled
def _decide(s: Record, c: Record, pc: int, following: int, fetch: int, execute: int) -> bool:
    """Decide a jump or branch that enters IF and EX in these cycles; return whether it was mispredicted."""
    s.counts[o.BRANCHES] += 1
    mispredicted = predict(s, c, pc, fetch) != following
    resolve(s, c, pc, following, following != pc + 1 or not c.conditional, execute)
    if mispredicted:
        s.counts[o.MISPREDICTIONS] += 1
        s.redirect = execute + 1
    return mispredicted


@compiled
def approach(s: Record, caches: Record, c: Record, pc: int) -> tuple[int, int, int]:
    """Return the cycles in which the instruction at pc enters IF, ID and EX; charge its waits."""
    # IF
    follows = s.decode - s.icache_latency + 1
    fetch = max(follows, s.redirect)
    waited = fetch - follows
    s.waits[o.FLUSH] += waited
    miss = 0
    if c.line == s.line and fetch >= s.fill_end[ICACHE]:
        s.counts[o.ICACHE_ACCESSES] += 1
    else:
        s.line = c.line
        # A line is requested when all instructions before have left EX and have looked up their data.
        begin = max(fetch, s.memory, s.unit_free[o.UNIT_MEMORY])
        own, further = access(s, caches, ICACHE, pc, False, fetch, begin)
        s.waits[o.FETCH_L2] += own
        s.waits[o.FETCH_MEMORY] += further
        miss = own + further
    # ID
    decode = max(fetch + s.icache_latency + miss, s.execute)
    # EX
    earliest = max(decode + 1, s.memory)
    execute = _hazards(s, c, earliest)
    s.carried += waited + miss + execute - earliest
    return fetch, decode, execute


@compiled
def until_known(s: Record, c: Record) -> int:
    """Return how many cycles an instruction is in EX until its fault is known."""
    if s.overflow_trap and c.traps:
        return c.latency
    return (s.vl + s.lanes - 1) // s.lanes if c.indexed else 1


@compiled
def trap(s: Record, events: Record, pc: int, fetch: int, decode: int, execute: int, known: int, status: int) -> None:
    """Go to the handler instead of an instruction that has entered EX, `known` cycles later."""
    # In which the instruction would have retired, and until the handler is in EX.
    lost = 1 + known + s.icache_latency
    s.waits[o.TRAP] += lost
    s.carried += lost
    s.decode, s.execute = execute + known + s.icache_latency - 1, execute
    s.line = NO_LINE
    enter_handler(s, status, pc)
    if events is not None:
        event = events[s.events_held]
        s.events_held += 1
        event.pc, event.unit = pc, o.UNIT_SCALAR
        event.fetch, event.decode, event.execute, event.memory, event.writeback = fetch, decode, execute, NONE, NONE
        event.start, event.free, event.done = NONE, NONE, NONE
        event.register, event.value, event.vector = NONE, 0, NONE
        event.address = s.fault_value if o.LOADED <= status <= o.WRONG_DIRECTION else NONE
        event.lost, event.cause, event.mispredicted = 0, 0, False
        event.flags, event.acc_high, event.acc_low = s.flags, s.acc_high, s.acc_low
        event.fault = status


@compiled
def complete(
    s: Record,
    caches: Record,
    c: Record,
    events: Record,
    vectors: Record,
    pc: int,
    following: int,
    value: int,
    address: int,
    fetch: int,
    decode: int,
    execute: int,
) -> None:
    """Compute the cycles in which an instruction enters the stages after EX, and charge its lost cycles to causes."""
    op, unit, waits = c.op, c.unit, s.waits
    lost_so_far = s.carried
    s.carried = 0
    if op == o.CSRR:
        value = read_csr(s, c.a, execute)
        if c.written > 0:
            s.registers[c.written] = value
    elif op == o.TRET:
        s.redirect = execute + 1
        s.flags_ready = 0
    occupancy = c.occupancy
    if s.overflow_trap and c.traps:
        occupancy = c.latency  # no fault is known before the product
    if c.indexed:
        occupancy = (s.vl + s.lanes - 1) // s.lanes  # its addresses are checked, so that no fault is late
    if occupancy > 1:
        waits[o.EXECUTE_WAIT] += occupancy - 1
        lost_so_far += occupancy - 1
    memory = max(execute + occupancy, s.writeback - s.dcache_latency + 1)
    # WB
    miss = 0
    if address < NONE:
        miss = s.device_latency
        waits[o.DEVICE] += miss
        lost_so_far += miss
    elif unit == o.UNIT_SCALAR and address != NONE:
        own, further = access(s, caches, DCACHE, address, op == o.STORE or op == o.PUSH, memory, memory)
        waits[o.DATA_L2] += own
        waits[o.DATA_MEMORY] += further
        miss = own + further
        lost_so_far += miss
    writeback = max(memory + s.dcache_latency + miss, s.writeback + 1)

    mispredicted = c.group == o.CONTROL and _decide(s, c, pc, following, fetch, execute)
    start = free = done = NONE
    if unit != o.UNIT_SCALAR:
        start, free, done = dispatch(s, caches, c, memory, address)
    _outstanding(s, c, execute, writeback, done)

    lost = writeback - s.writeback - 1
    if s.writeback < 0:
        s.causes[o.FILL] = s.icache_latency + s.dcache_latency + 2
        lost -= s.causes[o.FILL]
    cause = _charge(s, c, lost, lost_so_far) if lost_so_far > 0 else 0
    s.causes[o.ISSUE] += 1
    c.profile[o.ISSUE] += 1
    if events is not None:
        event = events[s.events_held]
        s.events_held += 1
        event.pc, event.unit = pc, unit
        event.fetch, event.decode, event.execute = fetch, decode, execute
        event.memory, event.writeback = memory, writeback
        event.start, event.free, event.done = start, free, done
        event.register = c.written if c.written > 0 else NONE
        event.value, event.address = value, address
        event.lost, event.cause, event.mispredicted = lost, cause, mispredicted
        event.flags, event.acc_high, event.acc_low = s.flags, s.acc_high, s.acc_low
        event.vector, event.fault = NONE, 0
        if c.vwritten >= 0:
            event.vector = s.vectors_held
            copy(vectors[s.vectors_held], s.vectors[c.vwritten])
            s.vectors_held += 1
    s.decode, s.execute, s.memory, s.writeback = decode, execute, memory, writeback


@compiled
def _hazards(s: Record, c: Record, earliest: int) -> int:
    """Return the cycle in which an instruction enters EX, given the earliest one without hazards; charge the waits."""
    op, unit = c.op, c.unit
    execute = earliest
    ready, cause = s.register_ready, s.register_cause
    r1, r2, late, written = c.source_1, c.source_2, c.late, c.written
    latest = max(max(ready[r1], ready[r2]), max(ready[late], ready[written]))
    other = s.acc_ready if op == o.ACCGET else s.flags_ready if op == o.FLAGS else 0
    if latest > earliest or other > earliest:
        for reason in (o.LOAD_USE, o.MULTIPLY_USE, o.UNIT_RESULT):
            until = max(execute, other) if reason == o.MULTIPLY_USE else execute
            if cause[r1] == reason:
                until = max(until, ready[r1])
            if cause[r2] == reason:
                until = max(until, ready[r2])
            if cause[late] == reason:
                until = max(until, ready[late] - 1)
            if cause[written] == reason and reason != o.LOAD_USE:
                until = max(until, ready[written])
            s.waits[reason] += until - execute
            execute = until
    if c.indexed:
        until = max(execute, s.vector_ready[c.vsource_1])
        s.waits[o.UNIT_RESULT] += until - execute
        execute = until
    if op == o.LOAD or op == o.STORE or op == o.PUSH or op == o.POP or op == o.FENCE:
        until = max(execute, s.unit_done[o.UNIT_MEMORY])
        s.waits[o.MEMORY_ORDER] += until - execute
        execute = until
    elif op == o.CSRR and c.a >= DCACHE_ACCESSES:
        until = max(execute, max(s.unit_done[o.UNIT_MEMORY], s.writeback))
        s.waits[o.MEMORY_ORDER] += until - execute
        execute = until
    if unit != o.UNIT_SCALAR:
        until = max(execute, s.queue_starts[unit, s.queue_next[unit]])
        s.waits[o.VECTOR_QUEUE + unit - 1] += until - execute
        execute = until
    elif op == o.SYNC or op == o.HALT:
        until = execute
        for number in range(len(s.unit_done)):
            until = max(until, s.unit_done[number])
        s.waits[o.SYNC_WAIT] += until - execute
        execute = until
    return execute


@compiled
def _outstanding(s: Record, c: Record, execute: int, writeback: int, done: int) -> None:
    """Record the cycle from which each result of an instruction can be forwarded."""
    op, unit, written = c.op, c.unit, c.written
    if written > 0:
        s.register_ready[written] = 0
        if op == o.LOAD or op == o.POP:
            s.register_ready[written], s.register_cause[written] = writeback, o.LOAD_USE
        elif c.multiplies:
            s.register_ready[written], s.register_cause[written] = execute + c.latency, o.MULTIPLY_USE
        elif unit != o.UNIT_SCALAR:
            s.register_ready[written], s.register_cause[written] = done, o.UNIT_RESULT
    if op == o.POP and written != STACK:
        s.register_ready[STACK] = 0
    if c.sets_flags:
        s.flags_ready = execute + c.latency if c.multiplies else 0
    if op == o.MAC or op == o.ACCSET:
        s.acc_ready = execute + c.latency


@compiled
def _charge(s: Record, c: Record, lost: int, waited: int) -> int:
    """Charge the lost cycles to the instruction's waits; waits hidden by the predecessor are dropped, earliest first.

    Args:
        s: machine state; its `waits` are consumed, and its `causes` updated.
        c: the instruction; its profile is updated.
        lost: cycles between its retirement and the previous one, less 1, without the pipeline fill.
        waited: sum of its waits.

    Returns:
        The cause with the most cycles; 0 if none were lost.
    """
    hidden = waited - lost
    greatest, cause = 0, 0
    for reason in range(o.FLUSH, len(s.waits)):
        wait = s.waits[reason]
        if wait > 0:
            s.waits[reason] = 0
            forgotten = min(hidden, wait)
            hidden -= forgotten
            wait -= forgotten
            s.causes[reason] += wait
            c.profile[reason] += wait
            if wait > greatest:
                greatest, cause = wait, reason
    return cause
