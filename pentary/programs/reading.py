"""The assembly program that trains a language model on the machine."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pentary.compile.losses import ENTROPY
from pentary.compile.plan import WORDS
from pentary.compile.streamed import Reading, streaming
from pentary.nets.lm.evolve import FITNESS_LIMIT, FITNESS_MEAN, Parameters, State, check_text
from pentary.nets.lm.model import LATENT, Bytes, Model
from pentary.numbers.word import WORD_MAX, PentaryError
from pentary.programs.training import Prepared, assembled, check_data, check_memory


@dataclass(frozen=True)
class PreparedReading(Prepared):
    """A program that trains a language model, and the layout of its data.

    Attributes:
        layers, dim: of the model.
    """

    layers: int = 1
    dim: int = 1

    def losses(self, memory: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the losses of each member, (pairs, 2), from a machine's memory at `evaluated`."""
        return -self.fitness(memory)

    def hidden(self, memory: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return the hidden states of the pairs, (pairs, layers, dim), from a machine's memory at `evaluated`."""
        first, words = self.program.address("states"), self.pairs * self.layers * self.dim
        return memory[first : first + words].reshape(self.pairs, self.layers, self.dim).astype(np.int16)


def prepare(
    model: Model, parameters: Parameters, text: Bytes, memory: int = 5**9, start: State | None = None
) -> PreparedReading:
    """Assemble the program that trains a language model.

    Args:
        model: to train, with five-level weights.
        parameters: of the run.
        text: (bytes,) uint8, the training text, at least as long as one update reads.
        memory: memory size of the machine, in words.
        start: what the program goes on from; None lets it draw the start itself.

    Raises:
        PentaryError: the machine cannot run that; the message says why.
    """
    if model.weights != "pents":
        raise PentaryError(f"the machine has weights of five levels, not {model.weights}")
    pairs, most = parameters.pairs, (2 * FITNESS_MEAN + 1) * parameters.pairs * parameters.tokens * ENTROPY
    if most > WORD_MAX:
        raise PentaryError(
            f"{pairs} pairs that read {parameters.tokens} bytes: their losses, as they are compared, can reach {most}, "
            f"and a word holds {WORD_MAX}: take fewer"
        )
    most = 4 * parameters.steps * pairs * FITNESS_LIMIT**2
    if most > WORD_MAX:
        raise PentaryError(
            f"{parameters.steps} steps of {pairs} pairs: the square of the step size can reach 1 / {most}, and a word "
            f"holds {WORD_MAX}: take fewer"
        )
    if (pairs - 1) * len(text) > WORD_MAX:
        raise PentaryError(
            f"{pairs} pairs in a text of {len(text):,} bytes: their places do not fit a word: take fewer"
        )
    check_text(text, parameters)
    check_data(len(text), memory)
    own = Reading(
        population=parameters.population,
        tokens=parameters.tokens,
        steps=parameters.steps,
        seed=parameters.seed,
        length=len(text),
    )
    written = streaming(model.network, own, LATENT, f"text, {model.layers} x {model.dim}")
    program = assembled(written, 0 if start is None else start.step)
    check_memory(program, parameters.population, memory)
    tensors = {name: tensor.own for name, tensor in model.tensors.items()}
    again = np.concatenate([text, text[: parameters.tokens + 1]]).astype(np.int64)
    prepared = PreparedReading(
        program,
        tensors,
        pairs,
        contents={label: what for label, _, what in written.regions},
        prefix=WORDS,
        data={"text": again},
        text=written.text,
        layers=model.layers,
        dim=model.dim,
    )
    if start is None:
        return prepared
    prepared = prepared.after(start.latents)
    return replace(prepared, data={**prepared.data, "states": start.hidden.astype(np.int64)})
