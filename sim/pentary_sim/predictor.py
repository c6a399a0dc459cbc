"""Branch target buffer with 2-bit saturating counters."""

from pentary_sim.compiled import compiled
from pentary_sim.layout import Record


@compiled
def predict(s: Record, pc: int, fetched: int, conditional: bool) -> int:
    """Return the address that IF fetches after a jump or branch.

    Args:
        s: machine state; pending updates that are visible in cycle `fetched` are applied to the buffer.
        pc: address of the jump or branch.
        fetched: cycle in which it enters IF.
        conditional: whether it is a conditional branch.
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
    """Queue the update for a jump or branch that enters EX in cycle `executed`; it takes effect in the next cycle."""
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
