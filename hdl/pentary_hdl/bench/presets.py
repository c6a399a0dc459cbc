"""Presets of `pentary verify`: sets of hardware parameters."""

from typing import Final, NamedTuple

from pentary_hdl.lralu.twin import LowRankParameters


class Preset(NamedTuple):
    """Preset of hardware to verify.

    Attributes:
        meaning: description.
        hardware: parameters of the hardware that is verified, one after the other.
    """

    meaning: str
    hardware: tuple[LowRankParameters, ...]


_DEFAULT: Final = LowRankParameters()
_WIDE: Final = LowRankParameters(lanes=64, max_rank=4, max_size=128, rounds_per_cycle=8)

PRESETS: Final = {
    "quick": Preset(
        "the smallest hardware",
        (LowRankParameters(max_rank=1, max_size=16),),
    ),
    "default": Preset(
        "the hardware that the other commands take too",
        (_DEFAULT,),
    ),
    "wide": Preset(
        "more lanes, and all rounds in one cycle",
        (_WIDE,),
    ),
    "all": Preset(
        "many kinds of hardware, one after the other",
        (  # every number of lanes and of rounds, the least and the greatest sizes, sizes that do not fill the lanes
            LowRankParameters(max_rank=1, max_size=16),
            _DEFAULT,
            LowRankParameters(max_rank=3, max_size=48, rounds_per_cycle=2),
            LowRankParameters(max_rank=2, max_size=256, rounds_per_cycle=4),
            LowRankParameters(max_rank=64, max_size=16, rounds_per_cycle=8),
            _WIDE,
            LowRankParameters(lanes=64, max_rank=3, max_size=80, rounds_per_cycle=1),
            LowRankParameters(lanes=256, max_rank=2, max_size=32, rounds_per_cycle=8),
        ),
    ),
}
"""Presets by name."""
