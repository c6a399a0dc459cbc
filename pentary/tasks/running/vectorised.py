"""Engine `numpy`: the vectorised training of `pentary.es.loop`."""

from typing import Final

from pentary.es.loop import Resumption, Task, train
from pentary.es.strategy import Parameters
from pentary.tasks.running.engines import Engine, Training


def _prepare(task: Task, parameters: Parameters, resumption: Resumption | None = None) -> Training:
    return Training(train(task, parameters, resumption))


ENGINE: Final = Engine("vectorised, for real training", _prepare, takes_backend=True)
