"""A training run as the command line and the disk see it, whatever is trained.

`run` is what a run offers, `folder` its files, `progress` its display, `health` the figures of its weights, `plots` its
pictures (they import Matplotlib), `tensorfile` its weights as safetensors.
"""

from pentary.runs.health import Health
from pentary.runs.run import Record, Run

__all__ = ["Health", "Record", "Run"]
