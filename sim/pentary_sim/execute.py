"""Functional (untimed) execution of one instruction, compiled."""

from pentary.isa.table import LINK, MAX_VL, STACK
from pentary_sim import opcodes as o
from pentary_sim.compiled import compiled
from pentary_sim.events import NONE
from pentary_sim.layout import Record
from pentary_sim.lowrank import lowrank
from pentary_sim.scalar import NO_FLAGS, V, arithmetic, count_digits
from pentary_sim.system import CONSOLE, EXIT
from pentary_sim.vectors import crossbar, vector


@compiled
def execute(s: Record, c: Record, memory: Record, pc: int, text: int) -> tuple[int, int, int, int]:
    """Execute an instruction functionally; a fault changes nothing but `fault_value`.

    Args:
        s: machine state.
        c: decoded instruction.
        memory: all memory words.
        pc: address of the instruction.
        text: number of words in the text section, which is read-only and starts at address 0.

    Returns:
        Status (FINE, a fault, or OF_SYSTEM: `pentary_sim.system.execute_system` executes it), address of the next
        instruction, value written to a scalar, control or fitness register or stored, and address accessed in memory
        (NONE if none).
    """
    op, d, a, b, i = c.op, c.d, c.a, c.b, c.i
    if op < 0:
        return o.ILLEGAL, pc, 0, NONE
    unit = c.unit
    ending, value, address, following = o.FINE, 0, NONE, pc + 1
    if c.group == o.ARITHMETIC or c.group == o.LOGIC:
        x, y = s.registers[a], s.registers[b]
        ending, value, flags = arithmetic(s, op, x, y, i)
        if flags != NO_FLAGS and ending == o.FINE:
            if flags & V and s.overflow_trap:
                ending = o.OVERFLOW
            else:
                s.flags = flags
        if ending == o.FINE:
            count_digits(s, op, x, y, i, value)
    elif unit == o.UNIT_VECTOR:
        ending, value = vector(s, op, d, a, b, i)
    elif unit == o.UNIT_LOWRANK:
        ending, value = lowrank(s, op, d, a, b)
    elif unit == o.UNIT_CROSSBAR:
        ending, value = crossbar(s, op, d, a, b)
    elif c.group == o.MEMORY:
        if op == o.LOADVS or op == o.STOREVS or op == o.LOADVX or op == o.STOREVX:
            ending, address = _scatter(s, memory, op, d, a, b, text)
        else:
            ending, value, address = _move(s, memory, op, d, a, i, text)
    elif c.conditional:
        x, y = s.registers[a], s.registers[d]
        if (
            (op == o.BEQ and x == y)
            or (op == o.BNE and x != y)
            or (op == o.BLT and x < y)
            or (op == o.BGT and x > y)
            or (op == o.BLE and x <= y)
            or (op == o.BGE and x >= y)
        ):
            following = pc + i
    elif op == o.JUMP:
        following = pc + i
    elif op == o.CALL:
        following, value = pc + i, pc + 1
    elif op == o.RET:
        following = s.registers[LINK]
    elif op == o.JUMPR:
        following = s.registers[a]
    elif op == o.CALLR:
        following, value = s.registers[a], pc + 1
    elif op == o.SETVL:
        value = s.registers[a]
        if value < 1 or value > MAX_VL:
            ending = o.OPERAND
        else:
            s.vl = value
    elif op == o.CSRW or op == o.TRET:
        ending = o.OF_SYSTEM
    elif op == o.HALT:
        s.halted = 1
        following = pc
    if ending != o.FINE:
        s.fault_value = address if o.LOADED <= ending <= o.WRONG_DIRECTION else value
    elif c.written > 0 and op != o.PUSH:
        s.registers[c.written] = value
    return ending, following, value, address


@compiled
def _move(s: Record, memory: Record, op: int, d: int, a: int, i: int, text: int) -> tuple[int, int, int]:
    """Execute a memory instruction; return its status, the word loaded or stored (0 for vectors), and the address."""
    length = 1
    if op == o.PUSH:
        address = s.registers[STACK] - 1
    elif op == o.POP:
        address = s.registers[STACK]
    else:
        address = s.registers[a] + i
        if op == o.LOADV or op == o.STOREV:
            length = s.vl
    loads = op == o.LOAD or op == o.POP or op == o.LOADV
    if address < 0 or address + length > len(memory):
        if EXIT <= address <= CONSOLE and (op == o.LOAD or op == o.STORE):
            return o.OF_SYSTEM, 0, address
        return (o.LOADED if loads else o.STORED), 0, address
    if not loads and address < text:
        return o.TEXT_STORED, 0, address
    if op == o.LOADV:
        for j in range(length):
            s.vectors[d, j] = memory[address + j]
        s.vectors[d, length:] = 0
        return o.FINE, 0, address
    if op == o.STOREV:
        for j in range(length):
            memory[address + j] = s.vectors[d, j]
        return o.FINE, 0, address
    if op == o.STORE or op == o.PUSH:
        value = s.registers[d if op == o.STORE else a]
        memory[address] = value
        if op == o.PUSH:
            s.registers[STACK] = address
        return o.FINE, value, address
    if op == o.POP:
        s.registers[STACK] = address + 1
    return o.FINE, memory[address], address


@compiled
def _scatter(s: Record, memory: Record, op: int, d: int, a: int, b: int, text: int) -> tuple[int, int]:
    """Execute a strided or indexed vector load or store; return its status and the first address.

    Of an indexed one that faults it returns the address at fault. The addresses of the elements are left in `s.row`,
    for the timing.
    """
    addresses, base = s.row, s.registers[b]
    indexed = op == o.LOADVX or op == o.STOREVX
    if indexed:
        for j in range(s.vl):
            addresses[j] = base + s.vectors[a, j]
    else:
        for j in range(s.vl):
            addresses[j] = s.registers[a] + j * base
    loads = op == o.LOADVS or op == o.LOADVX
    for j in range(s.vl):
        if addresses[j] < 0 or addresses[j] >= len(memory):
            return (o.LOADED if loads else o.STORED), addresses[j if indexed else 0]
    if not loads:
        for j in range(s.vl):
            if addresses[j] < text:
                return o.TEXT_STORED, addresses[j if indexed else 0]
        for j in range(s.vl):
            memory[addresses[j]] = s.vectors[d, j]
        return o.FINE, addresses[0]
    for j in range(s.vl):
        s.vectors[d, j] = memory[addresses[j]]
    s.vectors[d, s.vl :] = 0
    return o.FINE, addresses[0]
