"""Branch target buffer with 2-bit saturating counters, and return-address stack."""

from pentary_sim.compiled import compiled
from pentary_sim.layout import Record


@compiled
def predict(s: Record, pc: int, fetched: int, conditional: bool, turn: int) -> int:
    """Return the address that IF fetches after a jump or branch, and update the return-address stack.

    Args:
        s: machine state; pending updates that are visible in cycle `fetched` are applied to the buffer.
        pc: address of the jump or branch.
        fetched: cycle in which it enters IF.
        conditional: whether it is a conditional branch.
        turn: 1 for a call, -1 for a return, 0 for others.
    """
    target = _target(s, pc, fetched, conditional)
    if turn == 0 or s.returns == 0:
        return target
    if turn > 0:
        s.return_top = (s.return_top + 1) % s.returns
        s.return_addresses[s.return_top] = pc + 1
        s.returns_held = min(s.returns_held + 1, s.returns)
        return target
    if s.returns_held == 0:
        return target
    if s.entries > 0 and s.predictor[pc % s.entries, 0] == pc:  # else IF does not know that it is a return
        target = s.return_addresses[s.return_top]
    s.return_top = (s.return_top - 1 + s.returns) % s.returns
    s.returns_held -= 1
    return target


@compiled
def _target(s: Record, pc: int, fetched: int, conditional: bool) -> int:
    """Return the address after a jump or branch according to the branch target buffer."""
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
