"""Directed programs for the core: each instruction with each cause to wait, and each operand on each path."""

from collections.abc import Iterator
from typing import Final

from pentary.asm import assemble_text
from pentary.isa.table import CALLS, LINK, MAX_VL, STACK, Instruction
from pentary.machine.config import Config
from pentary.machine.engines import Setup
from pentary_hdl.bench.core_coverage import operands_of, paths, present, waits_of
from pentary_hdl.bench.core_edges import edges
from pentary_hdl.bench.core_values import values
from pentary_hdl.bench.core_writer import NAMES, VL, Writer
from pentary_hdl.core.decoder import of_unit
from pentary_hdl.core.retire import Path
from pentary_hdl.vector.parameters import roles

_VALUES: Final = {
    **{("SETVL", "rs"): VL, ("LRMUL", "rs"): 0, ("RET", "P31"): "next"},
    **{(name, "rs"): "next" for name in ("JUMPR", "CALLR")},
    **{(name, "rs"): "scratch" for name in ("LOADVS", "STOREVS")},
    **{(name, "rt"): "scratch" for name in ("LOADVX", "STOREVX")},
    **{(name, "P30"): "stack" for name in ("PUSH", "POP")},
}
"""Values of operands that are not 1; `next` is the address after the instruction."""

_FILLERS: Final = {
    "vector": "VADD v5, v5, v5",
    "memory": "LOADV v5, scratch(zero)",
    "crossbar": "LOADX v5, p12",
    "lowrank": "LRGEN p12",
}
"""Instructions that keep a unit busy."""


class _Instruction:
    """Writer of the situations of one instruction."""

    def __init__(self, writer: Writer, line: Instruction, config: Config) -> None:
        """Start with an instruction."""
        self._w, self._line, self._config = writer, line, config
        self._read = list(dict.fromkeys(operands_of(line).values()))

    def write(self) -> None:
        """Write all its situations."""
        for name in self._read:
            for path in paths(self._config):
                self._prepare(without=name)
                self._take(name, path)
        for wait in waits_of(self._line, self._config):
            self._wait(wait)

    def _value(self, name: str) -> str:
        return str(_VALUES.get((self._line.name, name), 1))

    def _prepare(self, without: str = "") -> None:
        """Emit loads of all operands but one, and wait until units and products are done."""
        self._next = self._w.label()
        if self._line.name == "TRET":
            self._w.emit(f"LI p12, {self._next}", "CSRW EPC, p12")
        for name in self._read:
            if name != without:
                self._w.give(Path.EX, NAMES[name], self._value(name).replace("next", self._next))
        self._w.sync()

    def _take(self, name: str, path: Path) -> None:
        """Emit the write of the last operand, and the instruction."""
        self._w.give(path, NAMES[name], self._value(name).replace("next", self._next))
        self._execute()

    def _execute(self) -> None:
        operands = [self._next if name in ("j7", "j10") else NAMES[name] for name in self._line.operands]
        self._w.emit(f"{self._line.name} {', '.join(operands)}")
        self._w.mark(self._next)

    def _wait(self, wait: str) -> None:
        """Write the situation in which the instruction waits for something, unless others have it."""
        writer, name = self._w, self._line.name
        written = {"PUSH": STACK, **dict.fromkeys(CALLS, LINK)}.get(name)
        register = f"p{written}" if written else NAMES["rd"] if "rd" in roles(self._line) else ""
        match wait:
            case "flush":
                self._prepare()
                here = writer.label()
                writer.emit(f"BEQ zero, zero, {here}", "NOP", "NOP")
                writer.mark(here)
                self._execute()
            case "trap" if name != "TRET":
                here = writer.label()
                writer.emit(f"LI p12, {here}", "CSRW HANDLER, p12")
                self._prepare()
                writer.emit("DIV p13, p13, zero")
                writer.mark(here)
                self._execute()
                writer.emit("CSRW TRAPPED, zero")
            case "fetch_l2":
                self._prepare()
                writer.align()
                self._execute()
            case "multiply_use" | "unit_result" if name == "FLAGS" or (register and not self._read):
                self._prepare()
                writer.give(Path.PRODUCT if wait == "multiply_use" else Path.UNIT, register, "1")
                self._execute()
            case "memory_order":
                self._prepare()
                writer.emit("LOADV v5, scratch(zero)" if self._config.units.vector else "LOAD p12, scratch(zero)")
                self._execute()
            case "queue":
                # The second time the instructions come from a cache, as fast as a unit is to be filled.
                again = writer.label()
                writer.emit(f"LI p12, {MAX_VL}", "SETVL p12", "LI p12, 1", "LI p14, 2")
                writer.mark(again)
                self._prepare()
                writer.emit(*[_FILLERS[self._line.unit]] * (2 * self._config.pipeline.queue + 2))
                self._execute()
                writer.sync()
                writer.emit("ADDI p14, p14, -1", f"BGT p14, zero, {again}", f"LI p12, {VL}", "SETVL p12")
            case "sync" if name != "HALT":
                writer.emit("VADD v5, v5, v5")
                self._prepare()
                self._execute()
            case "execute" if of_unit(self._line):
                writer.emit(f"LI p12, {MAX_VL}", "SETVL p12")
                self._prepare()
                self._execute()
                writer.emit(f"LI p12, {VL}", "SETVL p12")
            case "data_l2":
                self._prepare(without="rs" if name in ("LOAD", "STORE") else "P30")
                if name in ("LOAD", "STORE"):
                    writer.emit(f"LI p5, {writer.fresh()} - scratch + 1")
                else:
                    writer.emit(f"LI p{STACK}, {writer.fresh()}")
                self._execute()
            case "device":
                writer.emit("LOAD p9, -1002(zero)" if name == "LOAD" else "STORE p9, -1000(zero)")
                if name == "LOAD":
                    self._wait_beside_a_line()
            case _:
                pass

    def _wait_beside_a_line(self) -> None:
        """Store a word of a device for which a load waits while a line comes, the word at each place in it first."""
        for place in range(0, self._config.caches.line, 5):
            self._w.emit(
                f"LOAD p12, {self._w.fresh()} + {place}(zero)", "LOAD p9, -1002(zero)", "STORE p9, scratch(zero)"
            )


def _halts(config: Config) -> Iterator[Writer]:
    """Yield programs that end in different ways."""
    for before in ("flush", "trap", "fetch", "sync"):
        writer = Writer(config)
        here = writer.label()
        match before:
            case "flush":
                writer.emit(f"BEQ zero, zero, {here}", "NOP")
            case "trap":
                writer.emit(f"LI p12, {here}", "CSRW HANDLER, p12", "DIV p13, p13, zero")
            case "fetch":
                writer.align()
            case _ if config.units.vector:
                writer.align()  # so that HALT comes with it
                writer.emit("VADD v5, v5, v5")
            case _:
                continue
        writer.mark(here)
        yield writer


def _returns(config: Config) -> Setup:
    """Return a program whose handler returns at once from an interrupt."""
    writer = Writer(config)
    writer.emit("LI p12, handler", "CSRW HANDLER, p12", "LI p12, 1", "CSRW ENABLE, p12", "LI p12, 1000")
    writer.mark("loop")
    writer.emit("ADDI p12, p12, -1", "BGT p12, zero, loop", "HALT")
    writer.mark("handler")
    writer.emit("TRET")
    return Setup(assemble_text(writer.text()), config, interrupts=(1_000,))


def _nested_calls(config: Config) -> Iterator[Setup]:
    """Yield programs of two subroutines that call each other, and wait in each return.

    They call as deep as the return-address stack reaches, and deeper.
    """
    for depth in (config.predictor.returns, config.predictor.returns + 3):
        writer = Writer(config)
        writer.emit("LI p14, 3")
        writer.mark("again")
        writer.emit(f"LI p{STACK}, stack", f"LI p12, {depth}", "CALL one")
        writer.emit("ADDI p14, p14, -1", "BGT p14, zero, again", "HALT")
        for own, other in (("one", "two"), ("two", "one")):
            writer.mark(own)
            writer.emit(f"PUSH p{LINK}", "ADDI p12, p12, -1", f"BLE p12, zero, {own}_returns", f"CALL {other}")
            writer.mark(f"{own}_returns")
            writer.emit(f"POP p{LINK}", "RET")
        yield Setup(assemble_text(writer.text()), config)


def directed(config: Config) -> Iterator[Setup]:
    """Yield the programs for a machine."""
    whole = Writer(config)
    for line in present(config):
        if line.name != "HALT":
            _Instruction(whole, line, config).write()
    for writer in (whole, *_halts(config)):
        yield Setup(assemble_text(writer.text()), config)
    yield _returns(config)
    yield edges(config)
    yield from _nested_calls(config)
    yield from values(config)
