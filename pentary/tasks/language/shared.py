"""Populations of the language model, evaluated by workers that hold the hidden states of their pairs."""

from functools import cached_property, partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.distributed.coordinator import Coordinator, Launcher
from pentary.distributed.members import arrays, joined, packed
from pentary.distributed.scheduling import StickyScheduling
from pentary.es.fitness import Summary
from pentary.nets.lm.evolve import Engine, Parameters, State, init, shape_fitness
from pentary.nets.lm.model import Bytes, Model
from pentary.nets.products import Gemm
from pentary.numbers.word import PentaryError

GATHERING: Final = 1000
"""Most steps between two gatherings of all hidden states."""


class ModelReplica:
    """Replica of a language model: see `pentary.distributed.worker.Replica`."""

    def __init__(self, model: Model, parameters: Parameters, text: Bytes, gemm: Gemm) -> None:
        """Initialise the latent words from the seed, and all hidden states to zero."""
        self._engine, self._state = Engine(model, parameters, text, gemm), init(model, parameters)
        self._next = np.zeros_like(
            self._state.hidden
        )  # after the step that is evaluated, of the pairs evaluated so far

    @property
    def step(self) -> int:
        """Updates done."""
        return self._state.step

    @property
    def pairs(self) -> int:
        """Pairs of a population."""
        return self._engine.parameters.pairs

    def load(self, step: int, arrays: dict[str, NDArray[Any]]) -> None:
        """Set the latent words; hidden states are set by `load_pairs`."""
        latents = {name: arrays[name].astype(np.int64) for name in self._state.latents}
        self._state = State(step, latents, np.zeros_like(self._state.hidden))

    def move(self, shaped: NDArray[np.int64]) -> None:
        """Update the latent words, and advance the hidden states."""
        self._state = self._engine.move(self._state, shaped, self._next.copy())

    def digest(self) -> str:
        """Return the digest of the latent words."""
        return self._state.digest()

    def evaluate(self, part: slice) -> Any:
        """Return the packed summary of the losses."""
        losses, self._next[part] = self._engine.evaluate(self._state, part)
        return packed(Summary.of(losses))

    def load_pairs(self, part: slice, content: bytes) -> None:
        """Set the hidden states of pairs."""
        hidden = self._state.hidden[part]
        hidden[...] = np.frombuffer(content, hidden.dtype).reshape(hidden.shape)

    def save_pairs(self, part: slice) -> bytes:
        """Return the hidden states of pairs."""
        return self._state.hidden[part].tobytes()


class SharedReading:
    """A `pentary.nets.lm.evolve.Engine` whose populations are evaluated by workers.

    The hidden states are in the workers; `hidden` gathers them. Those in the states that it returns are not valid.

    Args:
        engine: updates the latent words, and recomputes the hidden states of a lost worker.
        text: training text, (bytes,) uint8.
        state: from which the run starts or resumes.
        launcher: starts the workers.
    """

    def __init__(self, engine: Engine, text: Bytes, state: State, launcher: Launcher) -> None:
        """Start no workers before the first evaluation."""
        self._engine, self._text, self._base, self._launcher = engine, text, state, launcher
        self._scheduling = StickyScheduling(self._recover, state.step)

    @cached_property
    def coordinator(self) -> Coordinator:
        """Coordinator of the workers."""
        engine = self._engine
        make = partial(ModelReplica, engine.model, engine.parameters, self._text, engine.gemm)
        return Coordinator(self._launcher, make, engine.parameters.pairs, self._scheduling)

    def evaluate(self, state: State) -> tuple[Summary, NDArray[np.int16]]:
        """Return the summary of the losses, and the hidden states of `state`, unchanged."""
        step = state.step + 1
        if step - self._base.step > GATHERING:
            self.hidden(state)
        found = self.coordinator.collect(step, state.digest(), lambda: arrays(state.latents))
        summary = joined(found, self.coordinator.pieces)
        self.coordinator.publish(step, shape_fitness(summary), step == self._engine.parameters.steps)
        return summary, state.hidden

    def tell(self, state: State, losses: Summary, hidden: NDArray[np.int16]) -> State:
        """Return the state after an update: see `Engine.tell`."""
        return self._engine.tell(state, losses, hidden)

    def hidden(self, state: State) -> NDArray[np.int16]:
        """Return the hidden states of all pairs in a state, (pairs, layers, dim) int16.

        Args:
            state: after the last published step; after the one before, all hidden states are recomputed.
        """
        if state.step == self._base.step:
            return self._base.hidden
        hidden = np.empty_like(state.hidden)
        for part in self._scheduling.parts:
            try:
                content = self.coordinator.pair_state(state.step, part)
            except PentaryError:  # the next step raises it again if workers are needed
                content = None
            content = self._recover(part, state.step) if content is None else content
            hidden[part] = np.frombuffer(content, hidden.dtype).reshape(hidden[part].shape)
        self._base = State(state.step, state.latents, hidden)
        self._scheduling.base = state.step
        self.coordinator.forget(state.step + 1)
        return hidden

    def _recover(self, part: slice, step: int) -> bytes:
        """Recompute the hidden states of some pairs after a step from those of the last gathering."""
        state = self._base
        for number in range(state.step + 1, step + 1):
            hidden = state.hidden.copy()
            hidden[part] = self._engine.evaluate(state, part)[1]
            state = self._engine.move(state, self.coordinator.shaped(number), hidden)
        return state.hidden[part].tobytes()

    def close(self) -> None:
        """Stop the workers, if any were started."""
        if "coordinator" in vars(self):
            self.coordinator.close()
