"""Low-rank perturbations: the generator that draws them and the operations on them.

`generator` is the keyed bijection from which all randomness comes, `permutation` its compiled core; `operations`
defines LRGEN, LRMUL, PQUANT, LRADD and POPAVG for whole populations. `architecture/randomness.md` and
`architecture/lowrank.md` are the specifications.
"""

from pentary.lowrank.operations import (
    MAX_RANK,
    check_rank,
    check_shape,
    lradd,
    lrgen,
    lrmul,
    popavg,
    pquant,
    pquant_thresholds,
    visible,
    weighted_sum,
)

__all__ = [
    "MAX_RANK",
    "check_rank",
    "check_shape",
    "lradd",
    "lrgen",
    "lrmul",
    "popavg",
    "pquant",
    "pquant_thresholds",
    "visible",
    "weighted_sum",
]
