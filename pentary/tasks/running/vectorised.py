"""Engine `numpy`: the vectorised training of `pentary.es.loop`, here or by workers."""

from typing import TYPE_CHECKING, Final

import click

from pentary.es.loop import Resumption, Task, train
from pentary.es.strategy import Parameters
from pentary.numbers.word import PentaryError
from pentary.support.extras import extra
from pentary.tasks.running.engines import Engine, Training

if TYPE_CHECKING:
    from pentary.distributed.coordinator import Launcher

OPTIONS: Final = (
    click.Option(
        ["--workers"],
        type=click.IntRange(0, 1024),
        help="Processes of this machine that evaluate the members; 0, if not given: threads of this one.",
    ),
    click.Option(
        ["--dask"], metavar="ADDRESS", help="Scheduler of a Dask cluster whose workers evaluate them: tcp://host:8786."
    ),
)
"""Options that say who evaluates the members."""


def launcher(workers: int | None = None, dask: str | None = None) -> "Launcher | None":
    """Return what starts the workers that some options ask for; None for none.

    Raises:
        PentaryError: both are given, or no scheduler can be reached.
    """
    if not workers and dask is None:
        return None
    if workers and dask is not None:
        raise PentaryError("--workers is for this machine, --dask for a cluster: give one of them")
    with extra("workers", "evaluation by workers"):
        from pentary.distributed.cluster import Cluster
        from pentary.distributed.launch import Local
    return Local(workers) if workers else Cluster(str(dask))


def _prepare(
    task: Task,
    parameters: Parameters,
    resumption: Resumption | None = None,
    workers: int | None = None,
    dask: str | None = None,
) -> Training:
    started = launcher(workers, dask)
    if started is None:
        return Training(train(task, parameters, resumption))
    from pentary import distributed

    task.check(parameters)
    return Training(distributed.train(task, parameters, started, resumption))


ENGINE: Final = Engine("vectorised, for real training", _prepare, OPTIONS, takes_backend=True)
