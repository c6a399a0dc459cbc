"""Reference model of the timing rules of architecture/pipeline.md, in plain Python.

Written from that page and the instruction table, independently of the compiled model, which must give the same cycles.
Instructions are executed by the interpreter.
"""

import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable
from copy import copy
from itertools import groupby
from math import ceil, log2
from typing import Final

import numpy as np

from pentary.interpreter import Interpreter
from pentary.isa import IllegalInstruction, decode
from pentary.isa.encoding import operands
from pentary.isa.program import Fault, Program
from pentary.isa.system import CAUSES as TRAP_CAUSES
from pentary.isa.system import CSRS, DEVICES
from pentary.isa.table import LINK, STACK, Instruction
from pentary.machine.config import Config
from pentary_sim.events import CAUSES, NONE, UNITS

Fields = dict[str, int]
"""Operand values of an instruction, by operand name in the table."""

HAZARDS: Final = CAUSES[CAUSES.index("load_use") : CAUSES.index("execute")]
_PIPELINE: Final = ("scalar", "multiplier", "divider")
_NO_VALUE: Final = ("load_use", 0)  # entry of a register for which no reader waits


class Predictor:
    """Branch target buffer, of which an update is visible from the next cycle on, and return-address stack."""

    def __init__(self, entries: int, returns: int = 0) -> None:
        self._entries = entries
        self._returns: deque[int] = deque(maxlen=returns)
        self._buffer: dict[int, list[int]] = {}  # by index: address, target, counter
        self._decided: deque[tuple[int, int, int, bool]] = deque()

    def next_address(self, address: int, name: str, cycle: int) -> int:
        """Return the address fetched after the instruction that enters IF in the given cycle."""
        fetched = self._in_buffer(address, name.startswith("B"), cycle)
        if name in ("CALL", "CALLR"):
            self._returns.append(address + 1)
        if name == "RET" and self._returns:
            newest = self._returns.pop()
            entry = self._buffer.get(address % self._entries) if self._entries else None
            if entry is not None and entry[0] == address:
                return newest
        return fetched

    def _in_buffer(self, address: int, is_branch: bool, cycle: int) -> int:
        while self._decided and self._decided[0][0] < cycle:
            self._update(*self._decided.popleft()[1:])
        entry = self._buffer.get(address % self._entries) if self._entries else None
        if entry is None or entry[0] != address or (is_branch and entry[2] < 2):
            return address + 1
        return entry[1]

    def decide(self, cycle: int, address: int, target: int, taken: bool) -> None:
        """Record the outcome of a jump or branch that enters EX in the given cycle."""
        self._decided.append((cycle, address, target, taken))

    def _update(self, address: int, target: int, taken: bool) -> None:
        if not self._entries:
            return
        entry = self._buffer.get(address % self._entries)
        if entry is not None and entry[0] == address:
            entry[2] = min(entry[2] + 1, 3) if taken else max(entry[2] - 1, 0)
            if taken:
                entry[1] = target
        elif taken:
            self._buffer[address % self._entries] = [address, target, 2]


class Cache:
    """Cache as ordered sets of lines, least recently used first, each with its dirty flag."""

    def __init__(self, sets: int, ways: int) -> None:
        self._sets: list[OrderedDict[int, bool]] = [OrderedDict() for _ in range(sets)]
        self._ways = ways

    def access(self, line: int, write: bool) -> tuple[bool, int | None]:
        """Return whether an access hit, and the dirty line that was evicted, if any."""
        held = self._sets[line % len(self._sets)]
        hit = line in held
        held[line] = held.pop(line, False) or write
        if len(held) <= self._ways:
            return hit, None
        oldest, dirty = held.popitem(last=False)
        return hit, oldest if dirty else None


class Caches:
    """The three caches and main memory, with their event counters and the ports through which lines travel."""

    def __init__(self, config: Config) -> None:
        self._config = config
        levels = {"icache": config.icache, "dcache": config.dcache, "l2": config.l2}
        self._caches = {name: Cache(level.sets, level.ways) for name, level in levels.items()}
        self.counts: Counter[str] = Counter()
        self._ports_free = {"l2": 0, "memory": 0}
        self._arriving: dict[str, dict[int, int]] = {"icache": {}, "dcache": {}}  # cycle by address, of the last fill
        self._answered = dict.fromkeys(self._arriving, 0)
        self._from_memory = dict.fromkeys(self._arriving, False)

    def line(self, address: int) -> int:
        """Return the line number of an address: line k holds the addresses nearest to k * size."""
        size = self._config.caches.line
        return (address + size // 2) // size

    def request(self, name: str, address: int, write: bool, now: int) -> None:
        """Look up the line of an address in "icache" or "dcache"; on a miss, request it in cycle `now`."""
        line = self.line(address)
        self.counts[f"{name}_accesses"] += 1
        if not self._config.caches.enabled:
            return
        hit, thrown_out = self._caches[name].access(line, write)
        if not hit:
            self.counts[f"{name}_misses"] += 1
            in_l2, lost = self._access_l2(line, False)
            self._transfer(name, line, address, in_l2, now)
            if lost:
                self._write_back("memory", 0)
        if thrown_out is not None:
            _, lost = self._access_l2(thrown_out, True)
            moved = self._write_back("l2", self._ports_free["memory"] if lost else 0)
            if lost:
                self._write_back("memory", moved)

    def waits(self, name: str, address: int, now: int) -> tuple[int, int]:
        """Return for how long a word whose line has been requested is not there, for L2 and for memory."""
        wait = max(0, self._arriving[name].get(address, 0) - now)
        if not self._from_memory[name]:
            return wait, 0
        of_l2 = min(wait, max(0, self._answered[name] - now))
        return of_l2, wait - of_l2

    def _beats(self, level: str) -> int:
        """Return how many transfers a line takes at a level."""
        size, words = self._config.caches.line, {"l2": self._config.l2, "memory": self._config.memory}[level].beat
        self.counts[f"{level}_beats"] += ceil(size / words)
        return ceil(size / words)

    def _transfer(self, name: str, line: int, wanted: int, in_l2: bool, now: int) -> None:
        size, config = self._config.caches.line, self._config
        begin = self._answered[name] = max(now, self._ports_free["l2"]) + config.l2_latency()
        beats = self._beats("l2")
        if not in_l2:
            self.counts["l2_misses"] += 1
            self.counts["memory_reads"] += 1
            begin = max(begin, self._ports_free["memory"]) + config.memory.latency
            beats = max(beats, self._beats("memory"))
        addresses = list(range(line * size - size // 2, line * size + size // 2 + 1))
        parts = [addresses[size // beats * number :][: size // beats] for number in range(beats)]
        own = next(number for number, part in enumerate(parts) if wanted in part)
        order = parts[own:] + parts[:own]
        self._arriving[name] = {address: begin + turn for turn, part in enumerate(order) for address in part}
        end = begin + beats
        if not config.caches.critical_first:
            self._arriving[name] = dict.fromkeys(addresses, end - 1)
        self._from_memory[name] = not in_l2
        self._ports_free["l2"] = end
        if not in_l2:
            self._ports_free["memory"] = end

    def _write_back(self, level: str, after: int) -> int:
        """Occupy a port with a dirty line; return when it has been moved."""
        if level == "memory":
            self.counts["memory_writes"] += 1
        self._ports_free[level] = max(after, self._ports_free[level]) + self._beats(level)
        return self._ports_free[level]

    def _access_l2(self, line: int, write: bool) -> tuple[bool, bool]:
        self.counts["l2_accesses"] += 1
        hit, thrown_out = self._caches["l2"].access(line, write)
        return hit, thrown_out is not None


def terms(lanes: int, rounds: int, vl: int, rows: int, cols: int, rank: int, w: int, x: int) -> dict[str, int]:
    """Return the values of the terms used in the costs of the instruction table."""
    v, b, p = ceil(vl / lanes), ceil(4 * cols / lanes), ceil(8 / rounds) + 1
    q = rank * (ceil(rows / 16) + ceil(cols / 16))
    generators = lanes // 16
    draws = ceil(q / generators)
    last = q - (draws - 1) * generators
    g = (draws - 1) * max(p, generators) + p + last - 1
    rn, rm = rank * ceil(cols / lanes), rank * ceil(rows / lanes)
    return {"v": v, "b": b, "rn": rn, "rm": rm, "d": int(log2(lanes)), "p": p, "g": g, "wv": w * v, "x": x}


def cycles(cost: str, values: dict[str, int]) -> int:
    """Return the value of a cost of the instruction table, such as "44b+24"."""
    return eval(re.sub(r"(\d)([a-z])", r"\1*\2", cost), dict(values))


class Machine:
    """Reference machine with a program, executed one instruction at a time."""

    def __init__(
        self, program: Program, config: Config, input: Iterable[int] = (), interrupts: Iterable[int] = ()
    ) -> None:
        trap = config.exceptions.overflow_trap
        self.golden = Interpreter(program, config.memory.words, trap, input, interrupts, config.absent)
        self.golden.counters = self
        self._now = 0
        self._carried: Counter[str] = Counter()  # waits of instructions that were trapped since the last one retired
        self.profile = np.zeros((program.text, len(CAUSES)), np.int64)
        self._config = config
        self._caches = Caches(config)
        self.counts = self._caches.counts
        self._predictor = Predictor(config.predictor.entries, config.predictor.returns)
        # Cycles in which instruction i-1 entered its stages; initially such that the first one is not delayed.
        self._fetching, self._loading = config.l1_latency(config.icache), config.l1_latency(config.dcache)
        self._id = self._fetching - 1
        self._ex, self._mem = self._id + 1, 0
        self._wb = self._id + 2 + self._loading
        self._fill = self._wb + 1
        self._redirect = 0
        self._outstanding: dict[int, tuple[str, int]] = {}  # by register: cause and end of a reader's wait
        self._flags = self._acc = 0
        self._starts: dict[str, list[int]] = {unit: [] for unit in UNITS[1:]}
        self._free: dict[str, int] = dict.fromkeys(UNITS[1:], 0)
        self._idle: dict[str, int] = dict.fromkeys(UNITS[1:], 0)
        self._vector_written: dict[int, int] = defaultdict(int)
        self._vector_read: dict[int, int] = defaultdict(int)
        self._fitness_written: dict[int, int] = defaultdict(int)

    @property
    def causes(self) -> dict[str, int]:
        """Cycles by cause."""
        return dict(zip(CAUSES, self.profile.sum(axis=0).tolist(), strict=True)) | {"fill": self._fill}

    def read(self, name: str) -> int:
        """Return the value of a counter to the instruction that is in EX."""
        return (
            self._now
            if name == "CYCLE"
            else self.golden.instructions
            if name == "INSTRET"
            else self.counts[name.lower()]
        )

    def step(self) -> tuple[dict[str, int], dict[str, int]]:
        """Execute an instruction, or go to the handler in its place.

        Returns:
            Its record, with fields of EVENT, but in "trap" the value of CAUSE; and its lost cycles by cause.

        Raises:
            Fault: it cannot be executed; the state is unchanged.
        """
        before = copy(self.golden)
        before.registers, before.controls = [*before.registers], dict(before.controls)
        before.vectors = [*before.vectors]
        counted = self.counts.copy()
        pc = before.pc
        waits: dict[str, int] = dict.fromkeys(CAUSES[2:], 0)

        follows = self._id + 1 - self._fetching
        fetch = max(follows, self._redirect)
        waits["flush"] = fetch - follows
        inside = 0 <= pc < before.program.text
        if inside:
            # The line is requested when all before it have left EX and looked up their data.
            begin = max(fetch, self._mem, self._free["memory"])
            self._caches.request("icache", pc, False, begin)
            waits["fetch_l2"], waits["fetch_memory"] = self._caches.waits("icache", pc, fetch)
        decoding = max(fetch + self._fetching + waits["fetch_l2"] + waits["fetch_memory"], self._ex)
        execute = max(decoding + 1, self._mem)
        try:
            decoded = decode(int(before.memory[pc]), self._config.absent) if inside else None
        except IllegalInstruction:
            decoded = None
        fields: Fields = {}
        if decoded is not None:
            fields = {operand: getattr(decoded, kind.field) for operand, kind in operands(decoded.instruction)}
            for cause, end in self._hazards(decoded.instruction, fields).items():
                waits[cause] = max(0, end - execute)
                execute = max(execute, end)

        self._now = execute
        traps = self.golden.traps
        try:
            self.golden.step()
        except Fault:
            self.counts.clear()
            self.counts.update(counted)
            raise
        if self.golden.traps > traps:
            self.counts["traps"] += 1
            name = decoded.instruction.name if decoded else ""
            return self._trap(pc, name, before.vl, waits, fetch, decoding, execute)
        assert decoded is not None
        following, instruction = self.golden.pc, decoded.instruction
        name, unit = instruction.name, instruction.unit
        address = _address(name, fields, before)
        waits["execute"] = {"DIV": 17, "REM": 17, "POP": 1}.get(name, 0)
        if name in ("LOADVX", "STOREVX"):
            waits["execute"] = ceil(before.vl / self._config.lowrank.lanes) - 1
        if self._config.exceptions.overflow_trap and name in ("MUL", "MULI", "MAC"):
            waits["execute"] = 3
        memory = max(execute + 1 + waits["execute"], self._wb + 1 - self._loading)
        if address in [device.address for device in DEVICES.values()]:
            waits["device"] = self._config.devices.latency
        elif address != NONE and unit in _PIPELINE:
            self._caches.request("dcache", address, name in ("STORE", "PUSH"), memory)
            waits["data_l2"], waits["data_memory"] = self._caches.waits("dcache", address, memory)
        data = waits["data_l2"] + waits["data_memory"] + waits["device"]
        writeback = max(memory + self._loading + data, self._wb + 1)

        mispredicted = False
        if instruction.group == "control":
            jumps = not name.startswith("B")
            mispredicted = self._predictor.next_address(pc, name, fetch) != following
            self._predictor.decide(execute, pc, following, jumps or following != pc + 1)
            self.counts["branches"] += 1
            self.counts["mispredictions"] += mispredicted
        start = free = done = NONE
        if unit not in _PIPELINE:
            start, free, done = self._start(instruction, fields, memory, before, address)
        multiplied = execute + int(instruction.latency) if unit == "multiplier" else 0
        self._note_results(instruction, fields, multiplied, writeback, done)
        lost = writeback - self._wb - 1
        self._redirect = execute + 1 if mispredicted or name == "TRET" else 0
        if name == "TRET":
            self._flags = 0
        self._id, self._ex, self._mem, self._wb = decoding, execute, memory, writeback

        written = STACK if name == "PUSH" else LINK if name in ("CALL", "CALLR") else fields.get("rd", 0)
        event = {
            "pc": pc,
            "unit": 0 if unit in _PIPELINE else UNITS.index(unit),
            **{"fetch": fetch, "decode": decoding, "execute": execute, "memory": memory, "writeback": writeback},
            **{"start": start, "free": free, "done": done},
            "register": written or NONE,
            "address": address,
            "lost": lost,
            "mispredicted": mispredicted,
        }
        if name in ("STORE", "PUSH"):
            event["value"] = before.registers[fields["ru" if name == "STORE" else "rs"]]
        elif written:
            event["value"] = self.golden.registers[written]
        return event, self._charge(pc, waits, lost)

    def _trap(
        self, pc: int, name: str, vl: int, waits: dict[str, int], fetch: int, decoding: int, execute: int
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Note when the handler is fetched; the instruction's waits are charged to the next one."""
        cause = self.golden.csrs["CAUSE"]
        known = 1
        if cause == TRAP_CAUSES["overflow"] and name in ("MUL", "MULI", "MAC"):
            known = 4
        if cause == TRAP_CAUSES["memory"] and name in ("LOADVX", "STOREVX"):
            known = ceil(vl / self._config.lowrank.lanes)
        self._carried.update(waits)
        self._carried["trap"] += known + self._fetching + 1
        self._id, self._ex = execute + known + self._fetching - 1, execute  # the next one enters IF in execute + known
        later = dict.fromkeys(("memory", "writeback", "start", "free", "done", "register"), NONE)
        return {"pc": pc, "fetch": fetch, "decode": decoding, "execute": execute, "trap": cause, **later}, {}

    def _move(self, name: str, words: list[int], start: int) -> int:
        """Return the cycles in which the words of a vector in memory are moved, a part of a line at a time."""
        width = min(self._config.dcache.beat, self._config.caches.line)
        now = start
        if name not in ("LOADV", "STOREV"):
            for word in words:
                self._caches.request("dcache", word, name in ("STOREVS", "STOREVX"), now)
                now += 1 + sum(self._caches.waits("dcache", word, now))
                self.counts["dcache_beats"] += 1
            return now - start
        for line, of_line in groupby(words, self._caches.line):
            in_line = list(of_line)
            self._caches.request("dcache", in_line[0], name == "STOREV", now)
            for _, part in groupby(in_line, lambda word, line=line: (word + width // 2 - line * width) // width):
                now += 1 + max(sum(self._caches.waits("dcache", word, now)) for word in part)
                self.counts["dcache_beats"] += 1
        return now - start

    def _hazards(self, instruction: Instruction, fields: Fields) -> dict[str, int]:
        """Return, by cause, the cycle before which the instruction does not enter EX."""
        name, unit, queue = instruction.name, instruction.unit, self._config.pipeline.queue
        ends: dict[str, int] = dict.fromkeys(HAZARDS, 0)

        def wait(cause: str, end: int) -> None:
            ends[cause] = max(ends[cause], end)

        reads, reads_late, writes = _registers(name, fields)
        for register in reads:
            wait(*self._outstanding.get(register, _NO_VALUE))
        for register in reads_late:
            cause, end = self._outstanding.get(register, _NO_VALUE)
            wait(cause, end - 1)
        for register in writes:
            cause, end = self._outstanding.get(register, _NO_VALUE)
            if cause != "load_use":
                wait(cause, end)
        if name == "FLAGS":
            wait("multiply_use", self._flags)
        if name == "ACCGET":
            wait("multiply_use", self._acc)
        if name in ("LOADVX", "STOREVX"):
            wait("unit_result", self._vector_written[fields["vs"]])
        if name in ("LOAD", "STORE", "PUSH", "POP", "FENCE"):
            wait("memory_order", self._idle["memory"])
        if name == "CSRR" and list(CSRS)[fields["ss"]] in ("DCACHE_ACCESSES", "DCACHE_MISSES", "L2_MISSES"):
            wait("memory_order", max(self._idle["memory"], self._wb))
        if unit not in _PIPELINE and len(self._starts[unit]) >= queue:
            wait(f"{unit}_queue", self._starts[unit][-queue])
        if name in ("SYNC", "HALT"):
            wait("sync", max(self._idle.values()))
        return ends

    def _start(
        self, instruction: Instruction, fields: Fields, memory: int, before: Interpreter, address: int
    ) -> tuple[int, int, int]:
        """Start the instruction in its unit; return start, start + occupancy and start + latency."""
        name, unit = instruction.name, instruction.unit
        reads = [fields[operand] for operand in ("vs", "vt", "vu") if operand in fields]
        writes = [fields["vd"]] if "vd" in fields else []
        if name in ("VSET", "VSEL"):
            reads += writes
        start = max([memory, self._free[unit], *(self._vector_written[vector] for vector in reads + writes)])
        start = max([start, *(self._vector_read[vector] for vector in writes)])
        if name == "FITGET":
            start = max(start, self._fitness_written[fields["fs"]])
        x = self._move(name, _words(name, fields, before), start) if address != NONE else 0
        lanes, rounds = self._config.lowrank.lanes, self._config.lowrank.rounds_per_cycle
        rows, cols, rank, *_ = before.controls.values()
        values = terms(lanes, rounds, before.vl, rows, cols, rank, fields.get("w", 0), x)
        occupancy, latency = cycles(instruction.occupancy, values), cycles(instruction.latency, values)
        if address != NONE:
            latency += self._loading - 1
        free, done = start + occupancy, start + latency
        for vector in reads:
            self._vector_read[vector] = max(self._vector_read[vector], free)
        for vector in writes:
            self._vector_written[vector] = done
        if name == "POPEVAL":
            self._fitness_written[fields["fd"]] = done
        self._starts[unit].append(start)
        self._free[unit] = free
        self._idle[unit] = max(self._idle[unit], done)
        self.counts[f"{unit}_busy_cycles"] += occupancy
        if name in ("LRMUL", "LRMULX"):
            self.counts["lowrank_multiply_cycles"] += occupancy
        return start, free, done

    def _note_results(
        self, instruction: Instruction, fields: Fields, multiplied: int, writeback: int, done: int
    ) -> None:
        """Record when the results of an instruction become available."""
        name, unit = instruction.name, instruction.unit
        for register in _registers(name, fields)[2]:
            self._outstanding.pop(register, None)
        if result := fields.get("rd", 0):
            if name in ("LOAD", "POP"):
                self._outstanding[result] = "load_use", writeback
            elif unit == "multiplier":
                self._outstanding[result] = "multiply_use", multiplied
            elif unit not in _PIPELINE:
                self._outstanding[result] = "unit_result", done
        if instruction.flags:
            self._flags = multiplied if unit == "multiplier" else 0
        if name in ("MAC", "ACCSET"):
            self._acc = multiplied

    def _charge(self, pc: int, waits: dict[str, int], lost: int) -> dict[str, int]:
        """Return the waits by cause, with the earliest dropped until the sum equals the lost cycles."""
        for cause, carried in self._carried.items():
            waits[cause] += carried
        self._carried.clear()
        hidden = sum(waits.values()) - lost
        assert hidden >= 0, f"at {pc} more cycles are lost than were waited"
        for cause in waits:  # in the order of CAUSES
            forgotten = min(hidden, waits[cause])
            waits[cause] -= forgotten
            hidden -= forgotten
        for cause, charged in {"issue": 1, **waits}.items():
            self.profile[pc, CAUSES.index(cause)] += charged
        return {cause: charged for cause, charged in waits.items() if charged}


def _address(name: str, fields: Fields, before: Interpreter) -> int:
    registers = before.registers
    if name in ("LOADVS", "STOREVS", "LOADVX", "STOREVX"):
        return _words(name, fields, before)[0]
    if name == "PUSH":
        return registers[STACK] - 1
    if name == "POP":
        return registers[STACK]
    if name in ("LOAD", "STORE", "LOADV", "STOREV"):
        return registers[fields["rs"]] + fields["i"]
    return NONE


def _registers(name: str, fields: Fields) -> tuple[set[int], set[int], set[int]]:
    """Return the scalar registers read in EX, read in MEM, and written; P0 is never written."""
    reads = {fields[operand] for operand in ("rs", "rt", "ru") if operand in fields}
    late: set[int] = set()
    writes = {fields["rd"]} if "rd" in fields else set()
    match name:
        case "STORE":
            reads, late = {fields["rs"]}, {fields["ru"]}
        case "PUSH":
            reads, late, writes = {STACK}, {fields["rs"]}, {STACK}
        case "POP":
            reads, writes = {STACK}, {fields["rd"], STACK}
        case "CALL" | "CALLR":
            writes = {LINK}
        case "RET":
            reads = {LINK}
    return reads, late, writes - {0}


def _words(name: str, fields: Fields, before: Interpreter) -> list[int]:
    """Return the addresses of the elements of a vector in memory."""
    match name:
        case "LOADV" | "STOREV":
            first, step = before.registers[fields["rs"]] + fields["i"], 1
        case "LOADVS" | "STOREVS":
            first, step = before.registers[fields["rs"]], before.registers[fields["rt"]]
        case _:
            base = before.registers[fields["rt"]]
            return [base + index for index in before.vectors[fields["vs"]][: before.vl]]
    return [first + step * number for number in range(before.vl)]
