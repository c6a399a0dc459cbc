"""Task `text`: a language model that predicts bytes. What compiles it is imported when training starts."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pentary.nets import products
from pentary.numbers.word import PentaryError
from pentary.support.display import show
from pentary.tasks.running.engines import choose
from pentary.tasks.running.options import TaskEntry

if TYPE_CHECKING:
    from pentary.runs.past import Past
    from pentary.tasks.language.run import TextRun

MINUTES: Final = 10.0
"""Minutes of a run for which neither minutes nor steps are given."""


def start(
    name: str = "text",
    input: tuple[Path, ...] = (),
    minutes: float | None = None,
    steps: int | None = None,
    layers: int = 1,
    dim: int = 64,
    past: "Past | None" = None,
    **options: Any,
) -> "TextRun":
    """Prepare a run and print what it is.

    Args:
        name: of the task.
        input: files, one document each; none takes `pydoc_data.topics`.
        minutes: that the run shall take on this machine; not with `steps`.
        steps: updates.
        layers, dim: of the model.
        past: of a run that goes on.
        options: `engine` and its own, `backend` (the fastest that is installed if not given), and those of
            `pentary.nets.lm.evolve.Parameters`.

    Returns:
        The run.

    Raises:
        PentaryError: the text cannot be read or is too short, a number is out of range, or the backend is not there.
    """
    from pentary.nets.lm.evolve import Parameters
    from pentary.nets.lm.model import Model
    from pentary.tasks.language import corpus
    from pentary.tasks.language.run import TextRun, describe, steps_in

    if minutes is not None and steps is not None:
        raise PentaryError("--minutes and --steps both say how long to train: give one of them")
    if minutes is not None and not 0 < minutes <= 10**5:
        raise PentaryError(f"--minutes {minutes:g} is not above 0 and at most 100,000")
    chosen = choose(options)
    if chosen.engine.read is not None and steps is None and minutes is None:
        raise PentaryError(
            f"the engine {chosen.name} simulates every cycle: say how long to train, --steps or --minutes, and take "
            "a small model (--dim 16 --population 8 --steps 2)"
        )
    model, own = Model(layers, dim), Parameters(**chosen.rest, **({} if steps is None else {"steps": steps}))
    is_free = chosen.engine.takes_backend and "backend" not in options
    product = products.fastest() if is_free else products.backend(chosen.backend)
    engine = chosen.name, chosen.own
    text = corpus.load(input, least=own.tokens + 1)
    run = TextRun(text, model, own, product, *engine, past)
    show(f"text     {text.name}, {len(text.train):,} bytes to train on and {len(text.held_out):,} held out")
    show(
        f"model    layers {model.layers}, dim {model.dim}: {model.parameters:,} parameters, {model.macs:,} "
        "multiply-accumulates a byte"
    )
    if steps is None:
        minutes = MINUTES if minutes is None else minutes
        with closing(run):
            own = replace(own, steps=steps_in(minutes, run))
        run = TextRun(text, model, own, product, *engine)
        show(f"run      {minutes:g} minutes are about {own.steps:,} steps here; the same --steps gives the same digest")
    show(f"n-grams  {describe(run.ngrams)} bits/byte on the held-out text, fitted on the training text")
    return run


TASK: Final = TaskEntry(
    "text",
    """A language model that predicts bytes

    It trains on the files given, or on Python's own help, with perturbations of rank 1.

    \b
    Examples:
      pentary train text --minutes 2
      pentary train text --input book.txt --dim 128 --minutes 60
      pentary train text --engine sim --dim 16 --population 8 --steps 2
    """,
    (
        click.Option(["--population"], type=int, help="Members evaluated in a step; even. 2048 if not given."),
        click.Option(
            ["--input"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            multiple=True,
            help="A document; may be repeated.",
        ),
        click.Option(["--layers"], type=int, help="Layers of the model; 1 if not given."),
        click.Option(["--dim"], type=int, help="Width of the model; 64 if not given."),
        click.Option(["--tokens"], type=int, help="Bytes that each member reads in a step; 10 if not given."),
        click.Option(["--minutes"], type=float, help="About how long to train, in place of --steps; 10 if not given."),
        click.Option(
            ["--backend"],
            type=click.Choice(products.NAMES),
            help="What multiplies; if not given, int8 where pentary[int8] is installed, else numpy.",
        ),
    ),
    start,
)
