"""Scoreboard of the vector registers: whether an instruction may start, by what those before it still do."""

from typing import Final

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import VECTORS
from pentary_hdl.vector.arithmetic import picked

NUMBER: Final = ceil_log2(VECTORS)
REGISTER: Final = data.StructLayout({"used": 1, "number": NUMBER})
USES: Final = data.StructLayout({"first": REGISTER, "second": REGISTER, "written": REGISTER})
"""Vector registers that an instruction reads, at most two of them, and the one that it writes."""


def ticket_layout(users: int, queue: int) -> data.StructLayout:
    """Return the layout of a ticket: for each register that an instruction uses, how many uses there are before it.

    Args:
        users: units that use vector registers.
        queue: entries of their queues.
    """
    # More accesses than these are not outstanding, so counters of so many values tell them apart.
    count = ceil_log2(users * (queue + 1) + 1)
    return data.StructLayout(
        {"uses": USES, "first": count, "second": count, "writes_before": count, "reads_before": count}
    )


class Scoreboard(wiring.Component):
    """Scoreboard of the vector registers.

    All instructions that use vector registers are entered in program order, by which each gets a ticket. It says how
    many writes of its sources, and how many writes and reads of its destination, there are before it. An instruction is
    ready when so many are complete: those of one register are complete in program order, but for the reads between two
    writes, whose order does not matter.

    Args:
        users: units that use vector registers; each starts its instructions in program order.
        queue: entries of the queue of each.

    Members:
        entering: In; what an instruction uses that enters a queue in this cycle; zeros if none does.
        ticket: Out; its ticket.
        asked: In; for each user, the ticket of the instruction that it would start next.
        ready: Out; for each user, whether this instruction may start in the next cycle.
        reads: In; for each user, the registers, a bit for each, that one of its instructions does not read any more
            from the next cycle on, which is the one of start + occupancy.
        writes: In; for each user, the registers that are complete from the next cycle on, that of start + latency.
        complete: Out; the registers, a bit for each, that no instruction entered before is still to write from the next
            cycle on; without the one that enters in this cycle.
    """

    def __init__(self, users: int, queue: int) -> None:
        """Create a scoreboard."""
        self._users = users
        self.layout = ticket_layout(users, queue)
        super().__init__(
            {
                "entering": In(USES),
                "ticket": Out(self.layout),
                "asked": In(self.layout).array(users),
                "ready": Out(users),
                "reads": In(VECTORS).array(users),
                "writes": In(VECTORS).array(users),
                "complete": Out(VECTORS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count the accesses of each register: those that have been entered, and those that are complete."""
        m = Module()
        shape = self.layout["first"].shape
        entering = self.entering
        kinds = ("reads", "writes")
        entered = {kind: [Signal(shape, name=f"{kind}_entered_{k}") for k in range(VECTORS)] for kind in kinds}
        complete = {kind: [Signal(shape, name=f"{kind}_complete_{k}") for k in range(VECTORS)] for kind in kinds}
        by_next = {kind: [Signal(shape, name=f"{kind}_by_next_{k}") for k in range(VECTORS)] for kind in kinds}

        def is_for(register: Value, number: int) -> Value:
            return register.used & (register.number == number)

        for number in range(VECTORS):
            enters = {
                "reads": is_for(entering.first, number) | is_for(entering.second, number),
                "writes": is_for(entering.written, number),
            }
            for kind in kinds:
                ended = sum(events[number] for events in getattr(self, kind))
                m.d.comb += by_next[kind][number].eq(complete[kind][number] + ended)
                with m.If(Cat(events[number] for events in getattr(self, kind)).any()):
                    m.d.sync += complete[kind][number].eq(by_next[kind][number])
                with m.If(enters[kind]):
                    m.d.sync += entered[kind][number].eq(entered[kind][number] + 1)

        ticket = self.ticket
        pairs = zip(by_next["writes"], entered["writes"], strict=True)
        m.d.comb += [
            self.complete.eq(Cat(now == all_ for now, all_ in pairs)),
            ticket.uses.eq(entering),
            ticket.first.eq(picked(entered["writes"], entering.first.number)),
            ticket.second.eq(picked(entered["writes"], entering.second.number)),
            ticket.writes_before.eq(picked(entered["writes"], entering.written.number)),
            ticket.reads_before.eq(picked(entered["reads"], entering.written.number)),
        ]
        for user, asked in enumerate(self.asked):
            uses = asked.uses
            first, second = (picked(by_next["writes"], part.number) for part in (uses.first, uses.second))
            writes, reads = (picked(by_next[kind], uses.written.number) for kind in ("writes", "reads"))
            m.d.comb += self.ready[user].eq(
                (~uses.first.used | (first == asked.first))
                & (~uses.second.used | (second == asked.second))
                & (~uses.written.used | ((writes == asked.writes_before) & (reads == asked.reads_before)))
            )
        return m
