"""The branch target buffer with its 2-bit counters."""

from pentary_sim.compiled import compiled
from pentary_sim.layout import Record


@compiled
def predict(s: Record, pc: int, fetched: int, conditional: bool) -> int:
    """Give the address that IF fetches after a jump or branch.

    Args:
        s: the machine; outcomes that have become visible are written into the buffer.
        pc: address of the jump or branch.
        fetched: cycle in which it enters IF.
        conditional: whether it is a branch.

    Returns:
        The address.
    """
    entries = s.entries
    if entries == 0:
        return pc + 1
    while s.outcomes_held > 0 and s.outcomes[0, 0] <= fetched:
        _train(s, s.outcomes[0, 1], s.outcomes[0, 2], s.outcomes[0, 3] != 0)
        s.outcomes_held -= 1
        for row in range(s.outcomes_held):
            s.outcomes[row] = s.outcomes[row + 1]
    entry = s.predictor[pc % entries]
    if entry[0] != pc or (conditional and entry[2] < 2):
        return pc + 1
    return entry[1]


@compiled
def resolve(s: Record, pc: int, target: int, taken: bool, executed: int) -> None:
    """Note the outcome of a jump or branch that enters EX in cycle `executed`; it is visible from the next cycle on."""
    if s.entries == 0:
        return
    row = s.outcomes[s.outcomes_held]
    row[0], row[1], row[2], row[3] = executed + 1, pc, target, taken
    s.outcomes_held += 1


@compiled
def _train(s: Record, pc: int, target: int, taken: bool) -> None:
    entry = s.predictor[pc % s.entries]
    if entry[0] != pc:
        if taken:
            entry[0], entry[1], entry[2] = pc, target, 2
    elif taken:
        entry[1], entry[2] = target, min(entry[2] + 1, 3)
    else:
        entry[2] = max(entry[2] - 1, 0)
