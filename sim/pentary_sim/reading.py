"""Language models on the cycle-level model: the program reads, evaluates and updates; the host looks on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pentary.es.loop import Resumption
from pentary.machine.config import Config
from pentary.nets.lm.evolve import Parameters, State
from pentary.nets.lm.model import Bytes, Model
from pentary.programs.reading import prepare
from pentary.programs.training import listing
from pentary_sim.snapshot import SavedMachine
from pentary_sim.training import begin, check, first_step, going_on, measured, run_to, saved


class Reader:
    """What `pentary.nets.lm.evolve.Engine` is, on the machine: updates are made one after the other, from the start.

    Args:
        model: to train.
        parameters: of the run.
        text: (bytes,) uint8, the training text.
        config: of the machine.
        resumption: where to go on; None for the start.

    Raises:
        PentaryError: the machine cannot train the model with these parameters, or has too little memory.
    """

    def __init__(
        self,
        model: Model,
        parameters: Parameters,
        text: Bytes,
        config: Config | None = None,
        resumption: Resumption | None = None,
    ) -> None:
        """Load the program and the text, and draw the start, or take over what was saved."""
        config = config or Config()
        check(config)
        own = config
        self._prepared, resumption = going_on(
            resumption, own, lambda start: prepare(model, parameters, text, own.memory.words, start)
        )
        self._machine = SavedMachine(self._prepared.program, config)
        self._stops = (self._prepared.step_done, self._prepared.evaluated)
        begin(self._machine, self._prepared, resumption)
        self._first = first_step(resumption)
        self._keep()

    def evaluate(self, state: State) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        """Evaluate every member of the next population: see `pentary.nets.lm.evolve.Engine.evaluate`."""
        run_to(self._machine, self._stops)
        memory = self._machine.memory
        return self._prepared.losses(memory), self._prepared.hidden(memory)

    def tell(self, state: State, losses: NDArray[np.int64], hidden: NDArray[np.int16]) -> State:
        """Return the state after the update: see `pentary.nets.lm.evolve.Engine.tell`."""
        run_to(self._machine, self._stops)
        self._keep()
        return State(state.step + 1, self._prepared.latents(self._machine.memory), hidden)

    def listing(self) -> dict[str, str]:
        """Return the program and its memory map: see `pentary.programs.training.listing`."""
        return listing(self._prepared)

    def measured(self) -> dict[str, Any]:
        """Return the counters of the machine up to the last update."""
        return self._measured

    def saved(self) -> dict[str, NDArray[Any]]:
        """Return what a machine takes over to go on from the last update."""
        return self._saved

    def _keep(self) -> None:
        self._measured, self._saved = measured(self._machine), saved(self._machine, self._first)
