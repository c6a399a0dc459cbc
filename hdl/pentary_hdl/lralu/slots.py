"""Slots: the fields that each cycle of a command carries down the pipeline."""

from amaranth import signed, unsigned
from amaranth.lib import data
from amaranth.utils import ceil_log2

from pentary_hdl.lralu.decoder import OPERATION
from pentary_hdl.lralu.twin import LATENT_BITS, LowRankParameters

MOVE = data.StructLayout({"perturb": unsigned(1), "accumulate": unsigned(1), "width": unsigned(4)})
"""Operation of a beat (`perturb`: LRADD, `accumulate`: LRACC, neither: POPAVG), and WIDTH."""


class Slot(data.StructLayout):
    """Pipeline payload of one of the cycles for which a command occupies the unit.

    Each stage uses some of the fields; synthesis removes those that no later stage uses.

    Members:
        operation: one-hot operation of the command; all 0 in an empty slot or for a refused command.
        respond, error: this is the command's last slot, which sends the response; its error flag.
        rank_last, cols_last: RANK - 1 and COLS - 1.
        group, store: LRMUL: index of the group of lanes; its sums are complete and to be stored.
        gives: this slot produces a beat of results.
        beat, last_beat: index of the beat in the row; it is the last one.
        move, operand: operation of LRADD, LRACC or POPAVG, and the operand sigma (LRADD) or pent (LRACC).
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the layout for the given parameters."""
        super().__init__(
            {
                "operation": OPERATION,
                "respond": 1,
                "error": 1,
                "rank_last": ceil_log2(parameters.max_rank),
                "cols_last": ceil_log2(parameters.max_size),
                "group": ceil_log2(parameters.groups),
                "store": 1,
                "gives": 1,
                "beat": ceil_log2(parameters.beats),
                "last_beat": 1,
                "move": MOVE,
                "operand": signed(LATENT_BITS),
            }
        )
