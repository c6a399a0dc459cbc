"""Text and JSON reports of a run: statistics, machine state and errors."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.asm import disassemble_word
from pentary.isa.program import Fault, Program
from pentary.isa.system import STATUS_MAX
from pentary.isa.table import FITNESS, REGISTER_ALIASES, REGISTERS
from pentary.numbers.alu import Flags
from pentary.numbers.notation import format_pents
from pentary.numbers.word import PENTS, WORD_MAX
from pentary.support.columns import table
from pentary_sim.simulator import Simulator

_AROUND: Final = 4  # instructions shown before and after the given one
_SOURCE_WIDTH: Final = 80
_NAMES: Final = {number: f"p{number}" for number in range(REGISTERS)} | {
    number: f"p{number} {alias}" for alias, number in REGISTER_ALIASES.items()
}


def figures(machine: Simulator) -> str:
    """Return a summary of a run: cycles by cause, CPI, hit rates and unit utilisation."""
    cycles, counts = machine.cycles, machine.counts
    rows = [("cycles", f"{cycles:,}"), ("instructions", f"{machine.instructions:,}")]
    if machine.instructions:
        rows.append(("CPI", f"{cycles / machine.instructions:.3f}"))
    width = len(f"{cycles:,}")
    for cause, lost in sorted(machine.causes.items(), key=lambda item: -item[1]):
        if lost:
            rows.append((f"  {cause}", f"{lost:{width},}  {lost / cycles:6.1%}"))
    if branches := counts["branches"]:
        right = 1 - counts["mispredictions"] / branches
        rows.append(("branches", f"{branches:,}, {right:.2%} predicted"))
    if traps := counts["traps"]:
        rows.append(("traps", f"{traps:,}"))
    if left := machine.interrupts_left:
        rows.append(("interrupts", f"{left:,} not taken"))
    cached = machine.config.caches.enabled
    for name, cache in (("instruction", "icache"), ("data", "dcache"), ("L2", "l2")):
        if accesses := counts[f"{cache}_accesses"]:
            hits = f", {1 - counts[f'{cache}_misses'] / accesses:.2%} hits" if cached else ""
            rows.append((f"{name} {'cache' if cached else 'memory'}", f"{accesses:,} accesses{hits}"))
    for unit in ("vector", "memory", "crossbar", "lowrank"):
        if busy := counts[f"{unit}_busy_cycles"]:
            rows.append((f"{unit} unit", f"busy {busy / cycles:.1%}"))
    if multiplying := counts["lowrank_multiply_cycles"]:
        used = counts["lowrank_macs"] / (multiplying * machine.config.lowrank.lanes)
        rows.append(("  LRMUL, LRMULX", f"busy {multiplying / cycles:.1%}, lanes used {used:.1%}"))
    return table(rows)


def as_json(machine: Simulator, ending: str | Fault, error: str | None) -> dict[str, Any]:
    """Return the statistics and the scalar state of a machine as a JSON object.

    Args:
        machine: machine after a run.
        ending: result of `drive`.
        error: error message of one line, or None.
    """
    return {
        "ended": "fault" if isinstance(ending, Fault) else ending,
        "error": error,
        "cycles": machine.cycles,
        "instructions": machine.instructions,
        "cpi": machine.cycles / machine.instructions if machine.instructions else None,
        "causes": machine.causes,
        "counts": machine.counts,
        "pc": machine.pc,
        "registers": machine.registers.tolist(),
        "flags": flag_names(machine.flags),
        "accumulator": machine.accumulator,
        "vl": machine.vl,
        "fitness": machine.fitness.tolist(),
        "csrs": machine.csrs,
        "exit_status": machine.exit_status,
    }


def problem(machine: Simulator, ending: str | Fault, max_cycles: int | None = None) -> str | None:
    """Return an error message of one line with the place of the error, or None if the machine stopped as intended.

    Args:
        machine: machine after a run.
        ending: result of `drive`.
        max_cycles: cycle limit that was passed to `drive`.
    """
    here = place(machine.program, machine.pc)
    if isinstance(ending, Fault):
        if ending.kind != "fetch":
            return f"{ending.kind} fault at {here}: {ending.detail}"
        before = "" if ending.origin is None else f", reached from {machine.program.place(ending.origin)}"
        return f"fetch fault at {ending.pc}{before}: {ending.detail}"
    if ending == "halt" and not 0 <= machine.exit_status <= STATUS_MAX:
        return f"the program ends with the exit status {machine.exit_status}, outside 0..{STATUS_MAX}"
    if ending == "cycles":
        return f"the program has not halted within {max_cycles:,} cycles; it is at {here}"
    return f"Interrupted at {here}" if ending == "interrupt" else None


def state(machine: Simulator, ending: str | Fault) -> str:
    """Return a machine's state as text: the instructions around the current one, and the registers.

    Args:
        machine: machine after a run.
        ending: result of `drive`; after a fetch fault, the last instruction executed counts as the current one.
    """
    at = machine.pc
    if isinstance(ending, Fault) and ending.kind == "fetch" and ending.origin is not None:
        at = ending.origin
    ran = f"after {counted(machine.instructions, 'instruction')}, {counted(machine.cycles, 'cycle')}"
    return "\n\n".join(filter(None, (ran, around(machine.program, at, at), registers(machine))))


def around(program: Program, address: int, arrow: int) -> str:
    """Return a listing of the instructions around an address; `arrow` as for `listing`."""
    return listing(program, range(address - _AROUND, address + _AROUND + 1), arrow)


def listing(program: Program, addresses: Iterable[int], arrow: int | None = None) -> str:
    """Return a listing of instructions: address, disassembly, and source line.

    Args:
        program: the program.
        addresses: addresses to list; those outside the text are left out.
        arrow: address to mark with an arrow.

    >>> from pentary.asm import assemble_text
    >>> print(listing(assemble_text("start: li p1, 7 ; days\\nhalt", "week.s"), range(9), 1))
    start:
         0  LI    p1, 7  week.s:1  start: li p1, 7 ; days
    ->   1  HALT         week.s:2  halt
    """
    shown = [address for address in addresses if 0 <= address < program.text]
    names = program.label_names()
    rows, heads, last = [], [], None
    for address in shown:
        source = program.sources[address] if program.sources else None
        place = text = ""
        if source and source != last:  # shown once for all instructions of a source line
            place, text = f"{source.file}:{source.line}", " ".join(source.text.split())
            text = text if len(text) <= _SOURCE_WIDTH else f"{text[: _SOURCE_WIDTH - 1]}…"
        last = source
        mark = "->" if address == arrow else ""
        instruction = disassemble_word(int(program.image[address]), address, names)
        rows.append((f"{mark:2} {address:{len(str(shown[-1])) + 2}}", instruction, place, text))
        heads.append(f"{names[address]}:\n" if address in names else "")
    return "\n".join(head + line for head, line in zip(heads, table(rows).splitlines(), strict=True))


def registers(machine: Simulator, everything: bool = False) -> str:
    """Return the scalar state as text, in decimal and pents.

    Args:
        machine: the machine.
        everything: whether to include registers that are 0.
    """
    numbers = _named(machine.registers)
    numbers |= {f"f{number}": value for number, value in zip(range(FITNESS), machine.fitness.tolist(), strict=True)}
    spelled = [(name, value, format_pents(value)) for name, value in numbers.items()]
    spelled.append(("acc", machine.accumulator, accumulator_pents(machine)))
    csrs = machine.csrs
    spelled += [(name, csrs[name], format_pents(csrs[name])) for name in machine.csr_ranges]
    return table(
        [
            ("pc", place(machine.program, machine.pc)),
            ("flags", " ".join(flag_names(machine.flags)) or "none"),
            ("VL", str(machine.vl)),
            *_numbers([row for row in spelled if everything or row[1]]),
        ]
    )


def scalar_registers(registers: NDArray[np.int64]) -> str:
    """Return those of P0 to P31 that are not 0 as text, in decimal and pents."""
    return table(_numbers([(name, value, format_pents(value)) for name, value in _named(registers).items() if value]))


def _named(registers: NDArray[np.int64]) -> dict[str, int]:
    return {_NAMES[number]: value for number, value in enumerate(registers.tolist())}


def _numbers(rows: list[tuple[str, int, str]]) -> list[tuple[str, str, str]]:
    width = max((len(str(value)) for _, value, _ in rows), default=0)
    return [(name, str(value).rjust(width), pents) for name, value, pents in rows]


def accumulator_pents(machine: Simulator) -> str:
    """Return ACC as 32 pents."""
    acc = machine.accumulator
    low = (acc + WORD_MAX) % 5**PENTS - WORD_MAX
    return format_pents((acc - low) // 5**PENTS) + format_pents(low)


def counted(number: int, noun: str) -> str:
    """Return a number with a noun in the singular or plural.

    >>> counted(1, "cycle"), counted(1000, "cycle")
    ('1 cycle', '1,000 cycles')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def flag_names(flags: int) -> list[str]:
    """Return the names of the flags that are set.

    >>> flag_names(10)
    ['N', 'V']
    """
    return [flag.name for flag in Flags if flags & flag and flag.name]


def place(program: Program, pc: int) -> str:
    """Return an address with its label and source line; outside the program, the address alone."""
    return program.place(pc) if 0 <= pc < program.text else str(pc)
