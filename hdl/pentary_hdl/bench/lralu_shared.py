"""Checks of the constants and functions that the reference model and the gateware share, against `architecture/`.

The model is compared with the oracle at every command. In addition, everything that it shares with the gateware is
compared with the documents here, including values that the hardware under test does not use.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from pentary_hdl.bench.lralu_oracle import ELEMENTS, FIELDS, RESPONSE_DELAY, Hardware, Oracle, kinds, level, limit
from pentary_hdl.lralu.twin import Command, LowRankModel, LowRankParameters, Outcome

_WHOLE: Final = kinds(64, 256, 256)
_REGISTERS: Final = [kind.operands[0] for kind in _WHOLE.values() if kind.name.startswith("LRSET")]

CONSTANTS: Final[dict[str, Any]] = {
    "pentary.lowrank.operations.GAIN_SHIFT": 8,
    "pentary.isa.table.CONTROLS": {each.name: (each.low, each.high) for each in _REGISTERS},
    "pentary.isa.table.CONTROL_RESET": {"ROWS": 1, "COLS": 1, "RANK": 1, "WIDTH": 6, "KEY": 0, "GAIN": 0},
    "pentary.isa.table.MAX_VL": 256,
    "pentary.isa.table.OPERAND": 8,
    "pentary.isa.table.TOTAL": 12,
    "pentary.lowrank.operations.MAX_RANK": 64,
    "pentary_hdl.lralu.twin.CODE_BITS": FIELDS["a"],
    "pentary_hdl.lralu.twin.ELEMENT_BITS": ELEMENTS["base"],
    "pentary_hdl.lralu.twin.IN_PENTS": tuple(each.name for each in _REGISTERS if each.in_pents),
    "pentary_hdl.lralu.twin.LATENT_BITS": ELEMENTS["totals"],
    "pentary_hdl.lralu.twin.OPS": {kind.name.partition(" ")[0]: kind.op for kind in _WHOLE.values()},
    "pentary_hdl.lralu.twin.PENT_BITS": 3,
    "pentary_hdl.lralu.twin.RESPONSE_DELAY": RESPONSE_DELAY,
    "pentary.lowrank.generator.MEMBER_MAX": 195_312,
    "pentary.lowrank.generator.ROUNDS": 8,
    "pentary.numbers.word.PENTS": 16,
}
"""Values that the documents state, by qualified name."""


def _thresholds(rank: int) -> tuple[int, ...]:
    return tuple(next(s for s in range(99) if level(s, rank) == wanted) for wanted in (1, 2))


def _sizes(hardware: Hardware) -> dict[str, int]:
    lanes, size = hardware.lanes, hardware.max_size
    counts = {"generators": lanes / 16, "blocks": size / 16, "groups": size / lanes, "beat_elements": lanes / 4}
    counts |= {"beats": size / (lanes / 4), "word_cycles": 8 / hardware.rounds_per_cycle + 1}
    return {name: -int(-count // 1) for name, count in counts.items()}


def _given_sizes(parameters: LowRankParameters) -> dict[str, int]:
    return {name: getattr(parameters, name) for name in _sizes(parameters)}


FUNCTIONS: Final[dict[str, tuple[Callable[[Any], Any], Iterable[Any]]]] = {
    "pentary.lowrank.operations.pquant_thresholds": (_thresholds, range(1, 65)),
    "pentary.numbers.word.limit": (limit, range(1, 28)),
}
"""Functions as the documents define them, and the arguments to compare them for, by qualified name."""


def differences(parameters: LowRankParameters) -> Iterator[str]:
    """Yield a description of each shared value that differs from the documents."""
    for name, stated in CONSTANTS.items():
        shared = _named(name)
        if str(shared) != str(stated):  # as text: the order of a dictionary counts, as in CONTROLS
            yield f"{name} is {shared}, not {stated}"
    for name, (stated, arguments) in FUNCTIONS.items():
        for argument in arguments:
            given, right = _named(name)(argument), stated(argument)
            if given != right:
                yield f"{name}({argument}) is {given}, not {right}"
    given, right = _given_sizes(parameters), _sizes(parameters)
    if given != right:
        yield f"the sizes of {parameters} are {given}, not {right}"


def port_bits(hardware: Hardware) -> dict[str, int]:
    """Return the widths of the unit's ports."""
    beat_elements = hardware.lanes // 4
    payloads = {"commands": sum(FIELDS.values()), "scalars": FIELDS["a"], "responses": 1}
    payloads |= {stream: beat_elements * bits + (stream == "results") for stream, bits in ELEMENTS.items()}
    ports = {f"{stream}_payload": bits for stream, bits in payloads.items()}
    return ports | {f"{stream}_{wire}": 1 for stream in payloads for wire in ("valid", "ready")}


class CheckedModel(LowRankModel):
    """Reference model that also executes every command in the oracle, and checks that they agree."""

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create both models in their power-on state."""
        self._oracle = Oracle(parameters)
        super().__init__(parameters)

    def reset(self) -> None:
        """Reset both models."""
        super().reset()
        self._oracle.reset()

    def execute(self, command: Command, base: Sequence[int] = (), totals: Sequence[int] = ()) -> Outcome:
        """Execute a command in both models.

        Raises:
            AssertionError: they differ. Rows with elements out of their range are not compared.
        """
        controls, kinds = dict(self.controls), self._oracle.kinds
        rows = {"base": base, "totals": totals}
        outcome = super().execute(command, base, totals)
        answer = self._oracle.execute(*command, base, totals)._asdict()
        kind = next((kind for kind in kinds.values() if kind.op == command.op), None)
        if kind and kind.streams and not outcome.error and not defined(kind.streams, rows, controls["COLS"]):
            answer["results"] = outcome.results
        for name, right in answer.items():
            given = getattr(outcome, name)
            assert given == right, (
                f"the software twin differs from the specification: {name} is {given}, not {right}, "
                f"for {command} under {controls}"
            )
        return outcome


def defined(streams: Sequence[Any], rows: dict[str, Sequence[int]], cols: int) -> bool:
    """Return whether the first `cols` elements of all rows are in range, without which the results are undefined."""
    return all(
        each.low <= min(rows[each.field][:cols]) and max(rows[each.field][:cols]) <= each.high for each in streams
    )


def _named(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)
