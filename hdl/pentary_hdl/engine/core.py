"""Engine `core`: programs on the Verilog of the core, in a process made by Verilator that has memory and devices.

Python sends a program and what it reads, and receives retire records, if asked for, and the state at the end.
`core.cpp` is the process. Through its pipes go 64-bit integers in native byte order:

| sent | |
|---|---|
| 8 | words of image, text and memory; characters; interrupts; limit of cycles, -1 for none; stops; words watched |
| many | the image, the characters, the cycles of the interrupts in ascending order, the addresses of the stops |

| received | |
|---|---|
| batches | numbers of records and of words written to the console, then 11 integers for each record, then the words |
| at each stop | -2, its address, cycles and instructions before it, and the watched words, the first ones of memory |
| 9 | -1; number of the ending; cycles, instructions, traps; cause, address, whether a double fault; exit status |
| 8 | of ID, EX, MEM and WB: whether there is an instruction, and its address |
| many | P0 to P31, memory |
| many | number of addresses of which an instruction has retired; for each, itself, and what the instructions have met |
"""

import subprocess
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import amaranth
import numpy as np
from numpy.typing import NDArray

import pentary.isa
from pentary.asm import disassemble_word
from pentary.interpreter import Interpreter
from pentary.isa.encoding import encode
from pentary.isa.program import Fault
from pentary.isa.system import STATUS_MAX, trap_name
from pentary.isa.table import BY_NAME, REGISTERS
from pentary.machine.config import Config
from pentary.machine.engines import Engine, Outcome, Setup
from pentary.machine.retire import COLUMNS, Records
from pentary.numbers.word import PentaryError
from pentary.support.columns import table
from pentary.support.display import say
from pentary_hdl import lowrank, lralu, vector
from pentary_hdl.bus import axi
from pentary_hdl.caches import hierarchy
from pentary_hdl.caches.memory import DELAY, slot_bits
from pentary_hdl.core import parameters, retire, units
from pentary_hdl.core import word as w
from pentary_hdl.core.core import Core
from pentary_hdl.core.registers import WRITE
from pentary_hdl.crossbar import port
from pentary_hdl.crossbar.port import WHOLE
from pentary_hdl.netlist.synthesis import netlist, recipe
from pentary_hdl.tools import toolchain
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.verilog.design import rtlil_of

DRIVER: Final = Path(__file__).with_suffix(".cpp")
ARRAY: Final = Path(port.__file__).with_name("array.h")

ENDINGS: Final = ("halt", "fault", "cycles", "hang")

ENDED: Final = -1
STOPPED: Final = -2

STAGES: Final = ("ID", "EX", "MEM", "WB")

AROUND: Final = 50
"""Cycles before and after a difference of which waves are recorded."""

_LAYOUTS: Final = {
    "RETIRED": retire.RETIRED,
    "TRAPPED": retire.TRAPPED,
    "PRODUCT": retire.PRODUCT,
    "RESULT": WRITE,
}


def build(config: Config, say: Callable[[str], None], waves: bool = False, made_of: str | Path | None = None) -> Path:
    """Build the program of the process, unless it is in the cache.

    Args:
        config: configuration of the core.
        say: called with a message before each slow step of the build.
        waves: whether the process can record waves, which makes it slower.
        made_of: technology of `pentary_hdl.netlist.technologies.TECHNOLOGIES` to which the core is synthesised; or a
            Verilog file with another core, a module `core` with the ports of `Core`; None for the core's Verilog.

    Returns:
        Path of the program.

    Raises:
        PentaryError: the hardware cannot have the configuration, a tool that it needs is not installed, or the Verilog
            file cannot be read, or not be built by Verilator.
    """
    parameters.check(config)
    toolchain.check_installed("verilator")
    toolchain.check_installed("yosys")
    files = {"layout.h": _layout(config), "driver.cpp": DRIVER.read_text()}
    made = [_sources(), repr(config), str(waves), *files.values()]
    if isinstance(made_of, Path):
        try:
            files["core.v"] = made_of.read_text(encoding="utf-8")
        except OSError as error:
            raise PentaryError(f"cannot read the core {made_of}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise PentaryError(f"{made_of}: byte {error.start} is not UTF-8; save the file as UTF-8 text") from None
        made.append(files["core.v"])
    elif made_of:
        made.append(recipe(made_of))
    key = sha256("".join(made).encode()).hexdigest()[:16]
    place = toolchain.cache("engine") / f"core-{key}"
    toolchain.build_once(
        place,
        lambda aside: _build(config, files, waves, aside, made_of, say),
        lambda: say(toolchain.BUILDING.format("verilator")),
    )
    return place / "core"


@cache
def _sources() -> str:
    """Return what the Verilog is made of: the gateware's source code, and the version of its language."""
    modules = (retire, hierarchy, axi, vector, lowrank, lralu, port, pentary.isa)
    folders = [Path(module.__file__ or "").parent for module in modules]
    return amaranth.__version__ + "".join(path.read_text() for place in folders for path in sorted(place.glob("*.py")))


def _layout(config: Config) -> str:
    """Return C++ constants: where the fields of the records are, the words of POP, and what memory is like."""
    lines = [
        "#pragma once",
        "#include <array>",
        "#include <cstdint>",
        '#include "Vcore.h"',
        f"#define CACHES {int(config.caches.enabled)}",
    ]
    lines.append(f"constexpr int LINE = {config.caches.line}, SLOT_BITS = {slot_bits(config.caches.line)};")
    moved = retire.moved(Sizes.of(config).beat)
    layouts = _LAYOUTS | {"MOVED": moved}
    lines.append(f"constexpr int BEAT = {Sizes.of(config).beat}, WORD_BITS = {w.WORD.size};")
    lines.append(f"constexpr int RESULTS = {units.RESULTS}, RESULT_BITS = {WRITE.size};")
    lines.append(f"constexpr int LATENCY = {config.memory.latency - DELAY};")
    for name, layout in layouts.items():
        for field, part in layout:
            lines.append(f"constexpr int {name}_{field} = {part.offset}, {name}_{field}_BITS = {part.width};")
    first, second = (encode(BY_NAME["POP"], d=number) for number in (0, 1))
    lines += [*_array(config), *_loaded(config)]
    lines.append(f"constexpr int STAGE_BITS = {retire.STAGES.size // len(STAGES)};")
    lines.append(f"constexpr int64_t POP = {first}, POP_STEP = {second - first};")
    return "\n".join(lines) + "\n"


def _array(config: Config) -> list[str]:
    """Return C++ that connects the behavioural model of the crossbar's array."""
    if not config.units.crossbar:
        return ["#define CROSSBAR 0"]
    sums = WHOLE.sums(Sizes.of(config))
    words, levels = (
        ", ".join(f"core.array_{name}_{place}" for place in range(count))
        for name, count in (("words", WHOLE.inputs), ("levels", WHOLE.levels))
    )
    signals = ", ".join(f"(bool)core.array_{name}" for name in ("loads", "multiplies"))
    return [
        "#define CROSSBAR 1",
        ARRAY.read_text(),
        f"using Crossbar = Array<{WHOLE.rows}, {WHOLE.columns}, {sums}>;",
        "inline Crossbar::Inputs array_inputs(const Vcore& core) {",
        f"    return {{{signals}, core.array_step, core.array_row, {{{levels}}}, {{{words}}}}};",
        "}",
        f"inline void give_sums(Vcore& core, const std::array<uint64_t, {sums}>& sums) {{",
        *(f"    core.array_sums_{place} = sums[{place}];" for place in range(sums)),
        "}",
    ]


def _loaded(config: Config) -> list[str]:
    """Return C++ that gives the vector load/store unit its words from memory without caches."""
    beat = Sizes.of(config).beat if config.units.vector and not config.caches.enabled else 0
    return [
        f"#define MOVES {int(beat > 0)}",
        *([f"inline void give_loaded(Vcore& core, const std::array<uint64_t, {beat}>& words) {{"] if beat else []),
        *(f"    core.moves_loaded_{place} = words[{place}];" for place in range(beat)),
        *(["}"] if beat else []),
    ]


_SIMPLER: Final = (
    "read_rtlil core.il",
    "hierarchy -top core",
    r"delete t:$meminit_v2 r:MEMID=\\words* %i t:$meminit_v2 r:MEMID=\\bank_* %i",
    "proc",
    "flatten",
    "opt_expr",
    "opt_merge",
    "opt_muxtree",
    "opt_clean -purge",
    "memory_collect",
    "opt_merge",
    "opt_clean -purge",
    "write_verilog -noattr core.v",
)
"""Yosys commands that make the core one module without the signals and expressions that occur twice.

Memories of words start with any content: what has not been written is not used, and Verilator builds faster without it.
"""


def _build(
    config: Config,
    files: dict[str, str],
    waves: bool,
    folder: Path,
    made_of: str | Path | None,
    say: Callable[[str], None],
) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    if isinstance(made_of, str):
        (folder / "core.v").write_text(netlist(Core(config), "core", made_of, say))
    elif made_of is None:
        (folder / "core.il").write_text(rtlil_of(Core(config, gated=True), "core"))
        toolchain.yosys(folder, _SIMPLER)
    settings = toolchain.verilator_settings(folder)
    program = [
        *(f"{settings['VERILATOR_ROOT']}/bin/verilator", "--cc", "--exe", "--build", "-j", "0", "-Wno-fatal"),
        *("--x-assign", "fast", "--x-initial", "fast", "--top-module", "core", "-CFLAGS", "-Wall -O1", "-O3"),
        *("-fno-gate", "-Wno-lint", *(["--trace"] if waves else [])),
        *("--output-split", "20000", "--output-split-cfuncs", "500"),
        *("--Mdir", "made", "-o", "../core", "core.v", "driver.cpp"),
    ]
    (folder / "build.log").write_text(toolchain.run("verilator does not build the core", program, folder, settings))


@dataclass(frozen=True)
class Stop:
    """State of a run before an instruction, as those before it have left it.

    Attributes:
        pc: address of the instruction.
        cycles, instructions: so far.
        memory: the watched words, int64.
    """

    pc: int
    cycles: int
    instructions: int
    memory: NDArray[np.int64]


class CoreRun:
    """A run on the core, as of `pentary.machine.engines.Execution`.

    Args:
        process: executable of the process, from `build`.
        setup: what is run.
        max_cycles: the last instruction is the first one that retires in or after this cycle.
        waves: file for the waves of all signals, and the cycle around which they are recorded and after which the run
            ends; for a process with waves.
        stops: addresses of instructions before which the run tells its state, see `stops`.
        watched: how many words of memory it tells, the first ones.

    Attributes:
        setup: what is run.
        stages: of ID, EX, MEM and WB, whether there is an instruction in that cycle, and its address.

    Raises:
        PentaryError: the program does not fit the memory; while records are taken, the process dies.
    """

    outcome: Outcome
    stages: list[tuple[bool, int]]

    def __init__(
        self,
        process: Path,
        setup: Setup,
        max_cycles: int | None = None,
        waves: tuple[Path, int] | None = None,
        stops: Collection[int] = (),
        watched: int = 0,
    ) -> None:
        """Start the process."""
        program, words = setup.program, setup.config.memory.words
        if program.size > words:
            raise PentaryError(f"the program takes {program.size:,} words, but memory.words is {words:,}")
        self.setup, self._max_cycles, self._watched = setup, max_cycles, watched
        self._output: list[int] = []
        # Ctrl-C must reach only this program: the process ends when its pipes are closed.
        window = []
        if waves:
            file, cycle = waves
            window = [str(file), *(str(max(0, cycle + away)) for away in (-AROUND, 0, AROUND))]
        self._process = subprocess.Popen(
            [process, *window], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        counts = [len(program.image), program.text, words, len(setup.input), len(setup.interrupts)]
        limits = [-1 if max_cycles is None else max_cycles, len(stops), watched]
        sent = [[*counts, *limits], program.image, setup.input, sorted(setup.interrupts), list(stops)]
        assert self._process.stdin is not None
        try:
            for part in sent:
                self._process.stdin.write(np.asarray(part, np.int64).tobytes())
            self._process.stdin.close()
        except BrokenPipeError:
            raise self._death() from None

    def __enter__(self) -> "CoreRun":
        """Return the run."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill the process, if it has not ended."""
        self._process.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()

    def __iter__(self) -> Iterator[Records]:
        """Yield the records in batches."""
        return (each for each in self._received() if not isinstance(each, Stop))

    def stops(self) -> Iterator["Stop"]:
        """Yield what the run tells at its stops, instead of the records."""
        return (each for each in self._received() if isinstance(each, Stop))

    def _received(self) -> Iterator["Records | Stop"]:
        last, traps = 0, [(0, 0)]
        while (count := self._receive(1).item()) != ENDED:
            if count == STOPPED:
                pc, cycles, instructions = self._receive(3).tolist()
                yield Stop(pc, cycles, instructions, self._receive(self._watched))
                continue
            written = self._receive(1).item()
            rows = self._receive(count * len(COLUMNS)).reshape(count, len(COLUMNS))
            self._output += self._receive(written).tolist()
            records = {name: rows[:, place] for place, name in enumerate(COLUMNS)}
            if count:
                last = int(records["pc"][-1])
                taken = records["trap"] != 0
                both = zip(records["trap"][taken].tolist(), records["pc"][taken].tolist(), strict=True)
                traps = [*traps, *both][-2:]
            yield records
        ending, cycles, instructions, handled, cause, pc, is_double, status = self._receive(8).tolist()
        pairs = self._receive(2 * len(STAGES)).reshape(-1, 2).tolist()
        self.stages = [(bool(valid), pc) for valid, pc in pairs]
        registers, memory = self._receive(REGISTERS), self._receive(self.setup.config.memory.words)
        met = self._receive(2 * self._receive(1).item()).reshape(-1, 2)
        here, error = self.setup.program.place(last), None
        match ENDINGS[ending]:
            case "fault":
                last = pc
                error = self._told(cause, pc, traps[0] if is_double else None, registers, memory)
            case "hang":
                error = f"the core hangs: no instruction retires after the one at {here}"
            case "cycles" if self._max_cycles is not None:
                error = f"the program has not halted within {self._max_cycles:,} cycles; it is at {here}"
            case "halt" if not 0 <= status <= STATUS_MAX:
                error = f"the program ends with the exit status {status}, outside 0..{STATUS_MAX}"
            case _:
                pass
        self.outcome = Outcome(
            *(ENDINGS[ending], error, cycles, instructions, handled, last, status, registers, memory),
            met=dict(zip(*met.T.tolist(), strict=True)),
        )

    def take_output(self) -> list[int]:
        """Return what has been written to the console since the last call."""
        taken, self._output = self._output, []
        return taken

    def _told(
        self, cause: int, pc: int, handling: tuple[int, int] | None, registers: NDArray[Any], memory: NDArray[Any]
    ) -> str:
        """Return in words what ended the program, as the interpreter finds it in the same state.

        Args:
            cause, pc: of the fault.
            handling: cause and address of the trap whose handler has faulted, None if it was not a double fault.
            registers, memory: state of the core.
        """
        setup = self.setup
        machine = Interpreter(
            setup.program, len(memory), setup.config.exceptions.overflow_trap, absent=setup.config.absent
        )
        machine.registers[:], machine.memory[:], machine.pc = registers.tolist(), memory, pc
        if handling:
            machine.csrs |= {"HANDLER": 1, "TRAPPED": 1, "CAUSE": handling[0], "EPC": handling[1]}
        place = setup.program.place(pc)
        try:
            machine.step()
        except Fault as fault:
            return f"{fault.kind} fault at {place}: {fault.detail}"
        return f"{trap_name(cause)} at {place}"

    def _receive(self, count: int) -> NDArray[Any]:
        assert self._process.stdout is not None
        content = self._process.stdout.read(count * 8)
        if len(content) < count * 8:
            raise self._death()
        return np.frombuffer(content, np.int64)

    def _death(self) -> PentaryError:
        return PentaryError(f"the process of the hardware has ended, with status {self._process.wait()}")


def around(setup: Setup, cycle: int, made_of: str | Path | None = None) -> tuple[str, Path]:
    """Run a program again, and return what is in the stages in a cycle, as text, and a file of the waves around it.

    Args:
        setup: what is run.
        cycle: the cycle.
        made_of: as of `build`.

    Raises:
        PentaryError: as for `build`.
    """
    file = Path(mkdtemp(prefix="pentary-verify-")) / "core.vcd"
    with CoreRun(build(setup.config, say, waves=True, made_of=made_of), setup, waves=(file, cycle)) as run:
        for _ in run:
            pass
    rows = []
    for name, (valid, pc) in zip(STAGES, run.stages, strict=True):
        inside = valid and 0 <= pc < setup.program.text
        text = disassemble_word(int(setup.program.image[pc]), pc, setup.program.label_names()) if inside else ""
        rows.append((name, setup.program.place(pc) if valid else "-", text))
    return table(rows), file


def _start(setup: Setup, max_cycles: int | None, made_of: str | Path | None = None) -> CoreRun:
    return CoreRun(build(setup.config, say, made_of=made_of), setup, max_cycles)


def engine_of(verilog: Path) -> Engine:
    """Return the engine that runs programs on another core, such as a changed one of `pentary verilog core`.

    Args:
        verilog: file with a module `core` that has the ports of `Core` for the configuration of each program.
    """
    return Engine(f"the core in {verilog}, in Verilator", partial(_start, made_of=verilog))


ENGINE: Final = Engine("the Verilog of the core, in Verilator", _start)

NETLIST: Final = Engine("the core after synthesis to generic gates", partial(_start, made_of="netlist"))

NETLIST_ECP5: Final = Engine("the core after synthesis to the ECP5's cells", partial(_start, made_of="netlist-ecp5"))
