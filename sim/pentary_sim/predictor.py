"""Branch target buffer with 2-bit saturating counters, and return-address stack."""

from typing import Final

from pentary_sim.compiled import compiled
from pentary_sim.layout import STATE, Record

_COLUMNS: Final = STATE["outcomes"].shape[1]


@compiled
def predict(s: Record, c: Record, pc: int, fetched: int) -> int:
    """Return the address that IF fetches after a jump or branch, and update the return-address stack.

    Args:
        s: machine state; pending updates that are visible in cycle `fetched` are applied to the buffer.
        c: the jump or branch.
        pc: its address.
        fetched: cycle in which it enters IF.
    """
    target, turn = _target(s, c, pc, fetched), c.turn
    if turn == 0 or s.returns == 0:
        return target
    if turn > 0:
        s.return_top = (s.return_top + 1) % s.returns
        s.return_addresses[s.return_top] = pc + 1
        s.returns_held = min(s.returns_held + 1, s.returns)
        return target
    if s.returns_held == 0:
        return target
    if s.entries > 0 and s.predictor[c.entry, 0] == pc:  # else IF does not know that it is a return
        target = s.return_addresses[s.return_top]
    s.return_top = (s.return_top - 1 + s.returns) % s.returns
    s.returns_held -= 1
    return target


@compiled
def _target(s: Record, c: Record, pc: int, fetched: int) -> int:
    """Return the address after a jump or branch according to the branch target buffer."""
    if s.entries == 0:
        return pc + 1
    while s.outcomes_held > 0 and s.outcomes[0, 0] <= fetched:
        _train(s.predictor[s.outcomes[0, 4]], s.outcomes[0, 1], s.outcomes[0, 2], s.outcomes[0, 3] != 0)
        s.outcomes_held -= 1
        for row in range(s.outcomes_held):
            for column in range(_COLUMNS):
                s.outcomes[row, column] = s.outcomes[row + 1, column]
    entry = s.predictor[c.entry]
    if entry[0] != pc or (c.conditional and entry[2] < 2):
        return pc + 1
    return entry[1]


@compiled
def resolve(s: Record, c: Record, pc: int, target: int, taken: bool, executed: int) -> None:
    """Queue the update for a jump or branch that enters EX in cycle `executed`; it takes effect in the next cycle."""
    if s.entries == 0:
        return
    row = s.outcomes[s.outcomes_held]
    row[0], row[1], row[2], row[3], row[4] = executed + 1, pc, target, taken, c.entry
    s.outcomes_held += 1


@compiled
def _train(entry: Record, pc: int, target: int, taken: bool) -> None:
    if entry[0] != pc:
        if taken:
            entry[0], entry[1], entry[2] = pc, target, 2
    elif taken:
        entry[1], entry[2] = target, min(entry[2] + 1, 3)
    else:
        entry[2] = max(entry[2] - 1, 0)
