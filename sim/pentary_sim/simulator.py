"""Cycle-level simulator of the processor."""

from collections.abc import Collection
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from pentary.isa.encoding import IllegalInstruction, decode
from pentary.isa.program import Fault, Program
from pentary.isa.system import CSRS, DEVICES, TEXT, WRITABLE, double_fault
from pentary.isa.table import CONTROLS, INSTRUCTIONS, MAX_VL
from pentary.lowrank.generator import MEMBER_MAX
from pentary.machine.config import Config
from pentary.numbers.word import PENTS
from pentary_sim import kernel, system
from pentary_sim import opcodes as o
from pentary_sim.events import CAUSES, COUNTS, EVENT, FAULTS, NONE, Events
from pentary_sim.state import switch_on

_FOREVER: Final = 2**62
_REASONS: Final = ("halt", "cycles", "instructions", "breakpoint", "events", "output")


class Simulator:
    """A pentary processor with a program loaded into its memory.

    Args:
        program: the program to run.
        config: configuration of the machine; None for the default.
        trace: whether to keep a record of every instruction for `take_events`.
        input: characters of the device INPUT, as code points.
        interrupts: cycles from which the external interrupt is pending, each until it is taken.

    Raises:
        PentaryError: the program does not fit the memory.

    >>> from pentary.asm import assemble_text
    >>> machine = Simulator(assemble_text("li p1, 20\\nadd p2, p1, p1\\nhalt"))
    >>> machine.run(), machine.registers[2].item(), machine.instructions
    ('halt', 40, 3)
    >>> machine.cycles == sum(machine.causes.values())
    True
    """

    def __init__(
        self,
        program: Program,
        config: Config | None = None,
        trace: bool = False,
        input: Collection[int] = (),
        interrupts: Collection[int] = (),
    ) -> None:
        """Create a machine in reset state, with empty caches and the program at address 0."""
        self.program = program
        self.config = config or Config()
        self._state = switch_on(program, self.config, trace, input, interrupts)
        self._machine = self._state.machine[0]

    def run(
        self,
        max_cycles: int | None = None,
        max_instructions: int | None = None,
        stop_at: Collection[int] = (),
    ) -> str:
        """Start or continue execution.

        Args:
            max_cycles, max_instructions: limits, counted since the start of the program; the last instruction executed
                is the first one that retires in or after cycle `max_cycles`.
            stop_at: breakpoints: addresses of instructions before which to stop, except at the first of this call.

        Returns:
            "halt"; "cycles" or "instructions" if a limit is reached; "breakpoint"; "events" or "output" if the buffer
            of events or of the console is full and must be emptied with `take_events` or `take_output` first.

        Raises:
            Fault: an instruction cannot be executed, and no handler takes the trap; the state is that before the
                instruction.
        """
        s = self._state
        s.code["stop"] = 0
        for address in stop_at:
            if 0 <= address < self.program.text:
                s.code["stop"][address] = 1
        limits = (_FOREVER if limit is None else limit for limit in (max_cycles, max_instructions))
        reason = kernel.run(s.machine, s.caches, s.memory, s.inputs, s.interrupts, s.code, s.events, s.vectors, *limits)
        if reason >= kernel.FAULT:
            if s.events is not None:
                self._record_fault(reason - kernel.FAULT)
            raise self._fault(reason - kernel.FAULT)
        return _REASONS[reason]

    @property
    def pc(self) -> int:
        """Address of the next instruction; after HALT, of the HALT."""
        return int(self._machine["pc"])

    @property
    def registers(self) -> NDArray[np.int64]:
        """P0 to P31, (32,) int64."""
        return self._machine["registers"]

    @property
    def flags(self) -> int:
        """Flags that are set, as a sum of `pentary.numbers.alu.Flags`."""
        return int(self._machine["flags"])

    @property
    def accumulator(self) -> int:
        """Accumulator ACC, 32 pents."""
        return int(self._machine["acc_high"]) * 5**PENTS + int(self._machine["acc_low"])

    @property
    def vl(self) -> int:
        """Active vector length VL, in elements."""
        return int(self._machine["vl"])

    @property
    def memory(self) -> NDArray[np.int64]:
        """All memory words; the host may write to the data section."""
        return self._state.memory

    @property
    def vectors(self) -> NDArray[np.int64]:
        """V0 to V7, (8, 256) int64."""
        return self._machine["vectors"]

    @property
    def fitness(self) -> NDArray[np.int64]:
        """Fitness accumulators F0 to F3, (4,) int64."""
        return self._machine["fitness"]

    @property
    def controls(self) -> dict[str, int]:
        """Control registers of the low-rank unit by name."""
        return dict(zip(CONTROLS, self._machine["controls"].tolist(), strict=True))

    @property
    def csrs(self) -> dict[str, int]:
        """Control and status registers by name; the counters are those that an instruction would find in this cycle."""
        return {name: int(system.read_csr(self._machine, number, self.cycles)) for number, name in enumerate(CSRS)}

    @property
    def csr_ranges(self) -> dict[str, tuple[int, int]]:
        """Least and greatest value of each CSR that CSRW takes."""
        writable = list(CSRS.items())[:WRITABLE]
        return {name: (csr.low, self.program.text - 1 if csr.high == TEXT else csr.high) for name, csr in writable}

    @property
    def exit_status(self) -> int:
        """What the program has stored to EXIT, a word."""
        return int(self._machine["exit_status"])

    @property
    def interrupts_left(self) -> int:
        """How many external interrupts have not come, or have not been taken."""
        return len(self._state.interrupts) - int(self._machine["interrupts_taken"])

    def take_output(self) -> list[int]:
        """Return and clear the words that the program has stored to CONSOLE since the last call."""
        machine = self._machine
        taken: list[int] = machine["output"][: machine["output_held"]].tolist()
        machine["output_held"] = 0
        return taken

    def again(self) -> Self:
        """Return a machine in reset state with the same program, configuration, input and interrupts."""
        s = self._state
        return type(self)(self.program, self.config, s.events is not None, s.inputs.tolist(), s.interrupts.tolist())

    def change(self, name: str, value: int) -> None:
        """Change a register that is not an array, as a debugger does.

        Args:
            name: "pc", at which the program goes on even after HALT; "vl", a control register, or a CSR.
            value: one that it takes.
        """
        if name in CONTROLS:
            self._machine["controls"][tuple(CONTROLS).index(name)] = value
            return
        if name in CSRS:
            number, interrupts = list(CSRS).index(name), self._state.interrupts
            system.write_csr(self._machine, number, value, self.program.text, interrupts)
            return
        self._machine[name] = value
        if name == "pc":
            self._machine["halted"] = 0

    @property
    def factor_a(self) -> NDArray[np.int8]:
        """Factor A of the low-rank unit, (64, 256), a row for each vector."""
        return self._machine["factor_a"]

    @property
    def factor_b(self) -> NDArray[np.int8]:
        """Factor B of the low-rank unit, (64, 256), a row for each vector."""
        return self._machine["factor_b"]

    @property
    def sums(self) -> NDArray[np.int64]:
        """Row sums of the low-rank unit, (256,)."""
        return self._machine["sums"]

    @property
    def quantised(self) -> bool:
        """Whether PQUANT has quantised the row sums."""
        return bool(self._machine["quantised"])

    @property
    def crossbar(self) -> NDArray[np.int8]:
        """Levels of the crossbar's devices, (256, 256)."""
        return self._machine["crossbar"]

    @property
    def halted(self) -> bool:
        """Whether HALT has been executed."""
        return bool(self._machine["halted"])

    @property
    def instructions(self) -> int:
        """Number of instructions retired."""
        return int(self._machine["instructions"])

    @property
    def cycles(self) -> int:
        """Number of cycles until the last instruction retired."""
        return int(self._machine["writeback"]) + 1

    @property
    def causes(self) -> dict[str, int]:
        """Cycles by cause; their sum is `cycles`."""
        return dict(zip(CAUSES, self._machine["causes"].tolist(), strict=True))

    @property
    def counts(self) -> dict[str, int]:
        """Event counters by name, see `pentary_sim.events.COUNTS`."""
        return dict(zip(COUNTS, self._machine["counts"].tolist(), strict=True))

    @property
    def profile(self) -> NDArray[np.int64]:
        """Cycles by address and cause, (text, causes); `issue` is the number of times an instruction retired."""
        return self._state.code["profile"]

    def take_events(self) -> Events:
        """Return and clear the records since the last call, including a fault's; empty without `trace`."""
        s, machine = self._state, self._machine
        if s.events is None or s.vectors is None:
            return Events(np.zeros(0, EVENT), np.zeros((0, MAX_VL), np.int64))
        taken = Events(s.events[: machine["events_held"]].copy(), s.vectors[: machine["vectors_held"]].copy())
        machine["events_held"] = machine["vectors_held"] = 0
        return taken

    def _record_fault(self, ending: int) -> None:
        """Record the faulting instruction up to EX, in which every fault is found, without changing the machine."""
        s, held = self._state, int(self._machine["events_held"])
        assert s.events is not None
        event = s.events[held]
        machine, caches, code = s.machine.copy(), s.caches.copy(), s.code.copy()
        machine["past_fault"] = 1
        limits = _FOREVER, self.instructions + 1
        kernel.run(machine, caches, s.memory, s.inputs, s.interrupts, code, s.events, s.vectors, *limits)
        for name in ("memory", "writeback", "start", "free", "done", "register", "vector"):
            event[name] = NONE
        for name in ("value", "lost", "cause", "mispredicted"):
            event[name] = 0
        event["fault"] = ending
        self._machine["events_held"] = held + 1

    def _fault(self, ending: int) -> Fault:
        pc, value = self.pc, int(self._machine["fault_value"])
        last = int(self._machine["origin"])
        origin = None if last == NONE else last
        detail = self._detail(ending, pc, value)
        if self.csrs["HANDLER"]:
            return Fault("double", pc, double_fault(FAULTS[ending], detail, self.csrs), origin)
        return Fault(FAULTS[ending], pc, detail, origin)

    def _detail(self, ending: int, pc: int, value: int) -> str:
        last, text = len(self.memory) - 1, self.program.text
        if ending == o.ILLEGAL:
            try:
                decode(int(self.memory[pc]), self.config.absent)
            except IllegalInstruction as error:
                return str(error)
        if ending == o.FETCH:
            forgotten = "; is a HALT missing?" if pc == text else ""
            return f"there is no instruction: the program is at 0..{text - 1}{forgotten}"
        name = INSTRUCTIONS[self._state.code["op"][pc]].name
        if ending == o.INPUT_ENDED:
            return f"{name} from INPUT ({value}) at the end of the input; AVAILABLE tells how much is left"
        if ending == o.WRONG_DIRECTION:
            device = next(key for key, each in DEVICES.items() if each.address == value)
            only = "written" if name == "LOAD" else "read"
            return f"{name} {'from' if name == 'LOAD' else 'to'} {device} ({value}), which is only {only}"
        if name in ("LOADVS", "STOREVS"):  # FAULT has the first address
            stride = int(self.registers[self._state.code["b"][pc]])
            bound = text if ending == o.TEXT_STORED else 0
            value = next(at for at in (value + j * stride for j in range(self.vl)) if not bound <= at <= last)
        if ending in (o.LOADED, o.STORED):
            span = f"{value}..{value + self.vl - 1}" if name in ("LOADV", "STOREV") else str(value)
            return f"{name} {'from' if ending == o.LOADED else 'to'} {span}, outside memory (0..{last})"
        if ending == o.TEXT_STORED:
            return f"{name} to {value}, inside the program's text (0..{text - 1}), which is read-only"
        if ending == o.OVERFLOW:
            return f"the result of {name} does not fit, and exceptions.overflow_trap is on"
        if ending == o.DIVIDE:
            return f"{name} by zero"
        return self._operand_detail(name, int(self._state.code["d"][pc]), value)

    def _operand_detail(self, name: str, destination: int, value: int) -> str:
        """Return a message with the operand at fault and its allowed range."""
        if name == "CSRW":
            csr, (low, high) = list(CSRS)[destination], self.csr_ranges[list(CSRS)[destination]]
            return f"CSRW {csr} takes {low}..{high}, not {value}"
        if name == "SETVL":
            return f"SETVL takes 1..{MAX_VL}, not {value}"
        if name in ("SHL", "SHR"):
            return f"{name} takes shifts of 0..{PENTS}, not {value}"
        if name == "LRSET":
            control, (low, high) = list(CONTROLS.items())[destination]
            return f"LRSET {control} takes {low}..{high}, not {value}"
        if name == "LRGEN":
            return f"LRGEN takes pairs 0..{MEMBER_MAX}, not {value}"
        if name == "LOADX":
            return f"LOADX row {value} is outside 0..{MAX_VL - 1}"
        if name == "LRMUL":
            rows = self.controls["ROWS"]
            return f"LRMUL row {value} is outside 0..{rows - 1} (ROWS {rows})"
        return f"{name} element {value} is outside 0..{self.vl - 1} (VL {self.vl})"  # VGET, VSET
