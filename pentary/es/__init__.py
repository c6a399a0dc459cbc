"""Evolution strategies with low-rank perturbations (EGGROLL), in integers.

`tensors` says what is trained. `strategy` has the ask-and-tell interface, which describes a population and updates the
latent words. `loop` trains a
task with it, `fitness` compares members exactly, `ties` warns if pairs of members have equal fitness.
`architecture/training.md` is the specification.
"""

from pentary.es.loop import Step, Task, train
from pentary.es.strategy import (
    Parameters,
    Population,
    State,
    ask,
    digest,
    init,
    shape_fitness,
    tell,
    visible_weights,
)
from pentary.es.tensors import Tensor, Tensors

__all__ = [
    "Parameters",
    "Population",
    "State",
    "Step",
    "Task",
    "Tensor",
    "Tensors",
    "ask",
    "digest",
    "init",
    "shape_fitness",
    "tell",
    "train",
    "visible_weights",
]
