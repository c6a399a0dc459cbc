"""What a slot of a command carries through the stages of the unit."""

from amaranth import signed, unsigned
from amaranth.lib import data
from amaranth.utils import ceil_log2

from pentary_hdl.lralu.decoder import OPERATION
from pentary_hdl.lralu.twin import LATENT_BITS, LowRankParameters

MOVE = data.StructLayout({"perturb": unsigned(1), "accumulate": unsigned(1), "width": unsigned(4)})
"""Which of the three operations a beat is for (if neither bit is 1, POPAVG), and WIDTH."""


class Slot(data.StructLayout):
    """One of the cycles that a command occupies the unit for.

    Each stage uses a part; what no later stage uses does not become hardware.

    Members:
        operation: of the command; no bit is 1 where there is no slot, or the command is refused.
        respond, error: it is the command's last slot, which answers it, perhaps with an error.
        rank_last, cols_last: RANK - 1 and COLS - 1.
        group, store: of LRMUL: the group of lanes, and whether its sums are now complete.
        gives: it gives a beat of results.
        beat, last_beat: of the row, and whether it is the last.
        move, operand: what LRADD, LRACC and POPAVG do, with sigma or a pent.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the sizes."""
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
