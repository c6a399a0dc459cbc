"""A model of the seconds that a step takes with many machines, from what a pair costs on one core and what is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from pentary.distributed.scheduling import MARGIN, SLACK

POPULATION: Final = 10_000_000
MACHINES: Final = (1, 3, 10, 30, 100, 300, 1000, 3000)
CORES: Final = 16
"""Cores of each machine."""

LOST_PER_HOUR: Final = 0.01
"""Share of the machines that is lost in an hour; new ones take their places."""

STALL: Final = (0.001, 10.0)
"""Chance that a machine takes several times as long in a step, and how many times."""

SPREAD: Final = 0.1
"""Standard deviation of the logarithm of the time that a machine takes for the same work."""

STEPS: Final = 400
"""Steps that are simulated."""

BITS: Final = 3
"""Of a pair's shaped fitness."""

DIFFERENCE: Final = 16
"""Bits of a pair's difference of fitness."""


@dataclass(frozen=True)
class Costs:
    """Seconds of one core.

    Attributes:
        evaluate: for the two members of a pair.
        move: for a pair in an update.
        record: of a step, with the digest.
    """

    evaluate: float
    move: float
    record: float = 0.0


@dataclass(frozen=True)
class Network:
    """The connection of the machine on which the run is.

    Attributes:
        bandwidth: bytes a second, in each direction.
        latency: seconds of a message.
    """

    bandwidth: float = 1.25e9
    latency: float = 1e-4


@dataclass(frozen=True)
class Parts:
    """Seconds of a step.

    Attributes:
        evaluate: members, on a machine of the usual pace.
        wait: for the slowest machines, and for pairs that are evaluated again.
        update: of every machine's copy.
        send: shaped fitness to all machines, and differences back.
    """

    evaluate: float
    wait: float
    update: float
    send: float

    @property
    def total(self) -> float:
        """Seconds of a step."""
        return self.evaluate + self.wait + self.update + self.send


def local(costs: Costs, pairs: int, workers: int, cores: int) -> float:
    """Return the seconds of a step with workers that share the cores of the machine of the run.

    Args:
        costs: of the task.
        pairs: of the population.
        workers: processes.
        cores: of the machine.
    """
    each = (costs.evaluate / workers + costs.move) * pairs / max(1, cores // workers)
    own = costs.move * pairs + costs.record
    return max(each, own, (costs.evaluate * pairs + workers * costs.move * pairs + own) / cores)


def simulated(costs: Costs, machines: int, network: Network = Network(), population: int = POPULATION) -> Parts:
    """Return the mean seconds of a step with many machines.

    Args:
        costs: of the task.
        machines: besides that of the run.
        network: of the run's machine.
        population: members.
    """
    rng = np.random.default_rng(machines)
    pairs = population // 2
    evaluate, update = costs.evaluate * pairs / machines / CORES, costs.move * pairs / CORES
    down, up = machines * (64 + pairs * BITS / 8), machines * 64 + pairs * DIFFERENCE / 8
    send = (down + up) / network.bandwidth + 2 * network.latency
    waits = []
    for _ in range(STEPS):
        times = evaluate * rng.lognormal(0, SPREAD, machines)
        times[rng.random(machines) < STALL[0]] *= STALL[1]
        lost = rng.random(machines) < LOST_PER_HOUR / 3600 * (evaluate + update + send)
        waits.append(_until_all_is_found(times, lost, evaluate) - evaluate)
    return Parts(evaluate, max(0.0, float(np.mean(waits))), update, send)


def _until_all_is_found(times: np.ndarray, lost: np.ndarray, usual: float) -> float:
    """Return when every pair is evaluated: those of a lost or slow machine are evaluated again by a free one.

    The connection of a lost machine breaks; its pairs are taken over by the first that is free. Those of a machine that
    takes too long are taken over when twice the longest time and a tenth of a second have passed.
    """
    if lost.all():
        return float(times.max()) + usual
    sound = np.sort(times[~lost])
    ends = [sound[0] + usual] if lost.any() else []
    usually = sound[: max(1, int(len(sound) * 0.99))]
    again = SLACK * usually[-1] + MARGIN + usual
    return float(max([min(sound[-1], again), *ends]))


def picture(found: Mapping[str, Sequence[Parts]], path: Path) -> None:
    """Draw the parts of a step against the number of machines."""
    import matplotlib.pyplot as plt

    figure, places = plt.subplots(1, len(found), figsize=(11, 4.2), layout="constrained", sharey=True)
    names = ("evaluate", "wait", "update", "send")
    labels = ("evaluate members", "wait for slow and lost machines", "update each copy", "send and receive")
    for (task, parts), place in zip(found.items(), np.atleast_1d(places), strict=True):
        for name, label in zip(names, labels, strict=True):
            place.plot(MACHINES, [getattr(each, name) or np.nan for each in parts], "o-", label=label)
        place.plot(MACHINES, [each.total for each in parts], "k--", label="a step")
        place.set(xscale="log", yscale="log", xlabel=f"machines of {CORES} cores", title=task)
        place.grid(alpha=0.3)
    np.atleast_1d(places)[0].set_ylabel(f"seconds, {POPULATION:,} members")
    figure.legend(*np.atleast_1d(places)[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
