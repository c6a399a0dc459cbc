"""Vector registers, their scoreboard and the vector unit, with ports for the other units that use vector registers."""

from amaranth import Cat, Const, DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.isa.table import MAX_VL, VECTORS
from pentary.machine.config import Config
from pentary_hdl.core import word as w
from pentary_hdl.vector.decoder import CONTROL
from pentary_hdl.vector.gate import ACTIVE
from pentary_hdl.vector.parameters import Sizes
from pentary_hdl.vector.registers import Registers, read_port, wide_port, write_port
from pentary_hdl.vector.scoreboard import USES, Scoreboard, ticket_layout
from pentary_hdl.vector.unit import ANNOUNCED, RESULT, RESULTS, VectorUnit


def user_port(config: Config, users: int) -> wiring.Signature:
    """Return the signature by which another unit uses the vector registers, as that unit sees it.

    Args:
        config: configuration of the machine.
        users: units that use vector registers, the vector unit included.

    Members:
        enters: Out; an instruction of the unit leaves EX.
        uses: Out; with it, the vector registers that it uses.
        ticket: In; with it, its ticket.
        asked, ready, reads, writes: as of `scoreboard.Scoreboard`.
        read, write: as of `registers.Registers`.
    """
    sizes, ticket = Sizes.of(config), ticket_layout(users, config.pipeline.queue)
    return wiring.Signature(
        {
            "enters": Out(1),
            "uses": Out(USES),
            "ticket": In(ticket),
            "asked": Out(ticket),
            "ready": In(1),
            "reads": Out(VECTORS),
            "writes": Out(VECTORS),
            "read": Out(read_port(sizes)),
            "write": Out(write_port(sizes)),
        }
    )


class Vector(wiring.Component):
    """Vector unit with vector registers and scoreboard.

    Args:
        config: configuration of the machine.
        others: how many other units use the vector registers.
        wide: rows that one of them writes at once through a port of its own; 0 if none does.

    Members:
        in_ex, enters, control, x, y, vl, room, results, announced, starts, idle: of the vector unit, see `VectorUnit`.
        active: Out; of `gate.ACTIVE`: something in a clock domain changes at the end of this cycle.
        others: In; of each other unit, of `user_port`; at most one of all units has `enters` in a cycle.
        wide: In; of `registers.wide_port`, if there is one.
    """

    def __init__(self, config: Config, others: int, wide: int = 0) -> None:
        """Create the unit and what it shares."""
        self._config, self._users, self._wide = config, 1 + others, wide
        super().__init__(
            {
                "in_ex": In(1),
                "enters": In(1),
                "control": In(CONTROL),
                "x": In(w.WORD),
                "y": In(w.WORD),
                "vl": In(range(MAX_VL + 1)),
                "room": Out(1),
                "results": Out(RESULT).array(RESULTS),
                "announced": Out(ANNOUNCED).array(RESULTS),
                "starts": Out(1),
                "idle": Out(1),
                "active": Out(ACTIVE),
                "others": In(user_port(config, self._users)).array(others),
                **({"wide": In(wide_port(Sizes.of(config), wide))} if wide else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the vector unit, as the first user, and the others."""
        m = Module()
        sizes = Sizes.of(self._config)
        m.submodules.unit = unit = VectorUnit(self._config, self._users)
        m.submodules.scoreboard = scoreboard = Scoreboard(self._users, self._config.pipeline.queue)
        registers = Registers(sizes, self._users, 1 + self._users, self._wide)
        m.submodules.registers = DomainRenamer("lanes")(registers)
        for name in ("in_ex", "enters", "control", "x", "y", "vl"):
            m.d.comb += getattr(unit, name).eq(getattr(self, name))
        for name in ("room", "starts", "idle"):
            m.d.comb += getattr(self, name).eq(getattr(unit, name))
        for own, theirs in zip([*self.results, *self.announced], [*unit.results, *unit.announced], strict=True):
            m.d.comb += own.eq(theirs)

        widely = Const(0, 1)
        if self._wide:
            wiring.connect(m, registers.wide, wiring.flipped(self.wide))
            widely = self.wide.enable
        writing = Cat(*(other.write.enable for other in self.others), widely).any()
        m.d.comb += [
            self.active.lanes.eq(unit.active.lanes | writing),
            self.active.products.eq(unit.active.products),
            self.active.wide.eq(widely),
        ]

        uses = Signal(USES)
        with m.If(self.enters):
            m.d.comb += uses.eq(self.control.uses)
        for other in self.others:
            with m.If(other.enters):
                m.d.comb += uses.eq(other.uses)
        m.d.comb += [scoreboard.entering.eq(uses), unit.ticket.eq(scoreboard.ticket)]
        for number, user in enumerate([unit, *self.others]):
            m.d.comb += [
                scoreboard.asked[number].eq(user.asked),
                user.ready.eq(scoreboard.ready[number]),
                scoreboard.reads[number].eq(user.reads),
                scoreboard.writes[number].eq(user.writes),
            ]
        wiring.connect(m, unit.read, registers.reads[0])
        for own, theirs in zip(registers.writes, unit.write, strict=False):
            wiring.connect(m, own, theirs)
        for reads, writes, other in zip(
            list(registers.reads)[1:], list(registers.writes)[len(unit.write) :], self.others, strict=True
        ):
            wiring.connect(m, reads, wiring.flipped(other.read))
            wiring.connect(m, writes, wiring.flipped(other.write))
            m.d.comb += other.ticket.eq(scoreboard.ticket)
        return m
