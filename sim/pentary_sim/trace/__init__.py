"""Traces: what every instruction of a run did in which cycle, in the files of three viewers.

`open_trace` picks the format by the ending of the file's name. All writers work on batches and keep no more than
what is still in flight, so that the length of a run is limited by the disk alone.
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
"""The format that the ending of a file's name stands for."""


def open_trace(path: str | Path, program: Program, cycles: tuple[float, float] | None = None) -> Trace:
    """Begin a trace.

    Args:
        path: the file to write, which appears when the trace is closed; its ending, in capitals or not, is one of
            `ENDINGS`.
        program: what runs.
        cycles: the first and the last to be traced; None for all.

    Returns:
        The writer: give it the run's events in order with `add`, then `close` it (or use it in a `with` statement).

    Raises:
        PentaryError: the ending stands for no format, or the file cannot be written.
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
