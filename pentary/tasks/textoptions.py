"""The start of `pentary train text`: from options to a run, and what a person should know before it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pentary.nets import products
from pentary.nets.lm.evolve import Parameters
from pentary.nets.lm.model import Model
from pentary.numbers.word import PentaryError
from pentary.support.display import show
from pentary.tasks import corpus
from pentary.tasks.text import TextRun, describe, steps_in

MINUTES: Final = 10.0
"""Minutes of a run for which neither minutes nor steps are given."""


def start(
    input: Sequence[Path] = (),
    minutes: float | None = None,
    steps: int | None = None,
    backend: str = "numpy",
    layers: int = 1,
    dim: int = 64,
    **parameters: Any,
) -> TextRun:
    """Prepare a run and say what it is.

    Args:
        input: files, one document each; none takes `pydoc_data.topics`.
        minutes: that the run shall take on this machine; not with `steps`.
        steps: updates.
        backend: what multiplies.
        layers, dim: of the model.
        parameters: of `Parameters`.

    Returns:
        The run.

    Raises:
        PentaryError: the text cannot be read or is too short, a number is out of range, or the backend is not there.
    """
    if minutes is not None and steps is not None:
        raise PentaryError("--minutes and --steps both say how long to train: give one of them")
    if minutes is not None and not 0 < minutes <= 10**5:
        raise PentaryError(f"--minutes {minutes:g} is not above 0 and at most 100,000")
    model, own = Model(layers, dim), Parameters(**parameters, **({} if steps is None else {"steps": steps}))
    product = products.backend(backend)
    text = corpus.load(input, least=own.tokens + 1)
    show(f"text     {text.name}, {len(text.train):,} bytes to train on and {len(text.held_out):,} held out")
    show(
        f"model    layers {model.layers}, dim {model.dim}: {model.parameters:,} parameters, {model.macs:,} "
        "multiply-accumulates a byte"
    )
    if steps is None:
        minutes = MINUTES if minutes is None else minutes
        own = replace(own, steps=steps_in(minutes, TextRun(text, model, own, product)))
        show(f"run      {minutes:g} minutes are about {own.steps:,} steps here; the same --steps gives the same digest")
    run = TextRun(text, model, own, product)
    show(f"n-grams  {describe(run.ngrams)} bits/byte on the held-out text, fitted on the training text")
    return run
