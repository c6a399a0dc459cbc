"""The past of a run: what it goes on from, and what was recorded up to there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary import es
from pentary.lowrank.operations import Latents
from pentary.numbers.word import PentaryError, limit
from pentary.runs.checkpoint import Checkpoint

LATENTS: Final = "latents."
"""Prefix of the names of latent words among the tensors of a checkpoint."""

SAVED: Final = "engine."
"""Prefix of the names of arrays that the engine has saved."""


@dataclass(frozen=True)
class Past:
    """A run up to a checkpoint.

    Attributes:
        checkpoint: of its last step.
        lines: of `steps.jsonl` up to there, as dicts.
    """

    checkpoint: Checkpoint
    lines: Sequence[Mapping[str, Any]]

    @property
    def own(self) -> Mapping[str, Any]:
        """Facts that the run has given."""
        return self.checkpoint.facts["run"]

    @property
    def command(self) -> Mapping[str, Any]:
        """The command that has made it: `task`, and `options` as texts by name."""
        return self.checkpoint.facts["config"]["command"]

    def latents(self, shapes: Mapping[str, tuple[int, int]], pents: int) -> dict[str, Latents]:
        """Return the latent words by name, int64.

        Args:
            shapes: (rows, cols) of each tensor, in the order of the digest.
            pents: of a latent word.

        Raises:
            PentaryError: they are not those of such a run.
        """
        found: dict[str, Latents] = {}
        for name, shape in shapes.items():
            words = self.checkpoint.tensors.get(LATENTS + name)
            if words is None or words.shape != shape or words.dtype.kind != "i":
                raise PentaryError(f"the checkpoint of step {self.checkpoint.step} has no latent words {name} {shape}")
            found[name] = words.astype(np.int64)
            if np.abs(found[name]).max() > limit(pents):
                raise PentaryError(f"latent words {name} of the checkpoint are outside ±{limit(pents)}")
        if es.digest(found) != self.own["digest"]:
            raise PentaryError(f"the latent words of the checkpoint of step {self.checkpoint.step} have another digest")
        return found

    def saved(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that the engine has saved, by name."""
        tensors = self.checkpoint.tensors
        return {name.removeprefix(SAVED): values for name, values in tensors.items() if name.startswith(SAVED)}


def tensors_of(latents: Mapping[str, Latents], saved: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return latent words, which fit 32 bits, and what an engine has saved, as the tensors of a checkpoint."""
    own = {f"{LATENTS}{name}": words.astype(np.int32) for name, words in latents.items()}
    return own | {f"{SAVED}{name}": np.asarray(values) for name, values in saved.items()}


def differences(then: object, now: object, but: Iterable[str] = (), place: str = "") -> list[str]:
    """Return how two configurations differ, a text for each value.

    Args:
        then, now: JSON values.
        but: places that may differ, such as "parameters.steps".
        place: of these values, as in `but`.

    >>> differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 4}}, but=["a.c"])
    ['a.b is 1 there, and 3 here']
    """
    if place in but:
        return []
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        inner = f"{place}." if place else ""
        return [
            told
            for name in {**then, **now}
            for told in differences(then.get(name), now.get(name), but, f"{inner}{name}")
        ]
    return [] if then == now else [f"{place} is {_short(then)} there, and {_short(now)} here"]


def _short(value: object) -> str:
    text = "not told" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
