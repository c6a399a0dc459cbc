"""Traces of a run, instruction by instruction, in the formats of Konata, waveform viewers (VCD) and Perfetto.

`open_trace` selects the format by the file name extension. All writers work in batches and keep only instructions in
flight, so the length of a run is limited only by disk space.
"""

from pathlib import Path
from typing import Final

from pentary.isa.program import Program
from pentary.numbers.word import PentaryError
from pentary.support.files import GrowingFile
from pentary_sim.trace.konata import KonataTrace
from pentary_sim.trace.perfetto import PerfettoTrace
from pentary_sim.trace.vcd import VcdTrace
from pentary_sim.trace.writer import Trace

ENDINGS: Final[dict[str, type[Trace]]] = {
    ".kanata": KonataTrace,
    ".konata": KonataTrace,
    ".log": KonataTrace,
    ".vcd": VcdTrace,
    ".json": PerfettoTrace,
}
"""Trace class by file name extension."""


def open_trace(path: str | Path, program: Program, cycles: tuple[float, float] | None = None) -> Trace:
    """Create a trace file.

    Args:
        path: the file to write, which appears when the trace is closed; its extension, in upper or lower case, is one
            of `ENDINGS`.
        program: the program that runs.
        cycles: first and last cycle to be traced; None for all.

    Returns:
        The trace writer: pass it the run's events in order with `add`, then `close` it (or use a `with` statement).

    Raises:
        PentaryError: the extension is unknown, or the file cannot be written.
    """
    path = Path(path)
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise PentaryError(
            f"the ending of {path.name} stands for no trace format: use .kanata, .konata or .log for Konata, .vcd for "
            "waveforms, .json for Perfetto"
        )
    try:
        file = GrowingFile(path)
    except OSError as error:
        raise PentaryError(f"cannot write the trace {path}: {error.strerror}") from None
    trace = kind(file, program)
    trace.cycles = cycles or trace.cycles
    return trace
