"""The population of a language model evaluated by workers, of which each reads on with its own pairs."""

from functools import cached_property, partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.distributed.fleet import Fleet, Launcher
from pentary.distributed.members import arrays, joined, packed
from pentary.distributed.sharing import Staying
from pentary.es.fitness import Summary
from pentary.nets.lm.evolve import Engine, Parameters, State, init, shape_fitness
from pentary.nets.lm.model import Bytes, Model
from pentary.nets.products import Gemm
from pentary.numbers.word import PentaryError

GATHERING: Final = 1000
"""Steps after which hidden states are gathered, if no checkpoint was made since then."""


class Copy:
    """A language model in a worker, with its own copy: see `pentary.distributed.worker.Replica`."""

    def __init__(self, model: Model, parameters: Parameters, text: Bytes, gemm: Gemm) -> None:
        """Begin as a run does."""
        self._engine, self._state = Engine(model, parameters, text, gemm), init(model, parameters)
        self._read = np.zeros_like(
            self._state.hidden
        )  # hidden states after the next step, of pairs that were evaluated

    @property
    def step(self) -> int:
        """Updates done."""
        return self._state.step

    @property
    def pairs(self) -> int:
        """Pairs of a population."""
        return self._engine.parameters.pairs

    def load(self, step: int, arrays: dict[str, NDArray[Any]]) -> None:
        """Take latent words over; hidden states follow with the pairs."""
        latents = {name: arrays[name].astype(np.int64) for name in self._state.latents}
        self._state = State(step, latents, np.zeros_like(self._state.hidden))

    def move(self, shaped: NDArray[np.int64]) -> None:
        """Do an update."""
        self._state = self._engine.move(self._state, shaped, self._read.copy())

    def digest(self) -> str:
        """Return the digest of the latent words."""
        return self._state.digest()

    def evaluate(self, part: slice) -> Any:
        """Return the differences of the losses, their sum and the greatest loss."""
        losses, self._read[part] = self._engine.evaluate(self._state, part)
        return packed(Summary.of(losses))

    def carry(self, part: slice, content: bytes) -> None:
        """Take over the hidden states of pairs."""
        hidden = self._state.hidden[part]
        hidden[...] = np.frombuffer(content, hidden.dtype).reshape(hidden.shape)

    def carried(self, part: slice) -> bytes:
        """Return the hidden states of pairs."""
        return self._state.hidden[part].tobytes()


class SharedReading:
    """What `pentary.nets.lm.evolve.Engine` is, with workers that evaluate.

    Its states tell no hidden states: they are with the workers, from where `hidden` gathers them.

    Args:
        engine: that updates here, and reads again what a worker has taken with it when it was lost.
        text: that the workers read.
        state: from which the run begins or goes on.
        launcher: starts the workers.
    """

    def __init__(self, engine: Engine, text: Bytes, state: State, launcher: Launcher) -> None:
        """Start no workers before they are needed."""
        self._engine, self._text, self._base, self._launcher = engine, text, state, launcher
        self._sharing = Staying(self._recover, state.step)

    @cached_property
    def fleet(self) -> Fleet:
        """The workers."""
        engine = self._engine
        make = partial(Copy, engine.model, engine.parameters, self._text, engine.gemm)
        return Fleet(self._launcher, make, engine.parameters.pairs, self._sharing)

    def evaluate(self, state: State) -> tuple[Summary, NDArray[np.int16]]:
        """Return what the losses of the members have come to, and the hidden states of `state` as they are."""
        step = state.step + 1
        if step - self._base.step > GATHERING:
            self.hidden(state)
        found = self.fleet.found(step, state.digest(), lambda: arrays(state.latents))
        summary = joined(found, self.fleet.pieces)
        self.fleet.told(step, shape_fitness(summary))
        if step < self._engine.parameters.steps:
            self.fleet.ask(step + 1)
        return summary, state.hidden

    def tell(self, state: State, losses: Summary, hidden: NDArray[np.int16]) -> State:
        """Return the state after an update: see `Engine.tell`."""
        return self._engine.tell(state, losses, hidden)

    def hidden(self, state: State) -> NDArray[np.int16]:
        """Return the hidden states of all pairs in a state, (pairs, layers, dim) int16.

        Args:
            state: the last one; or the one before it, if a signal came in between: then all is read again.
        """
        if state.step == self._base.step:
            return self._base.hidden
        hidden = np.empty_like(state.hidden)
        for part in self._sharing.parts:
            try:
                content = self.fleet.carried(state.step, part)
            except PentaryError:  # it is told by the step that needs the workers, if any
                content = None
            content = self._recover(part, state.step) if content is None else content
            hidden[part] = np.frombuffer(content, hidden.dtype).reshape(hidden[part].shape)
        self._base = State(state.step, state.latents, hidden)
        self._sharing.base = state.step
        self.fleet.forget(state.step + 1)
        return hidden

    def _recover(self, part: slice, step: int) -> bytes:
        """Read again, from the last hidden states that are known here, what some pairs have read up to a step."""
        state = self._base
        for number in range(state.step + 1, step + 1):
            hidden = state.hidden.copy()
            hidden[part] = self._engine.evaluate(state, part)[1]
            state = self._engine.move(state, self.fleet.shaped(number), hidden)
        return state.hidden[part].tobytes()

    def close(self) -> None:
        """Dismiss the workers, if any were started."""
        if "fleet" in vars(self):
            self.fleet.close()
