"""Training runs of any task: their interface, files, progress display and figures.

`run` has the interface of a run, `folder` its files, `progress` its display, `health` metrics of its weights, `plots`
its figures (they import Matplotlib), `tensorfile` its weights as safetensors.
"""

from pentary.runs.health import Health
from pentary.runs.run import Record, Run

__all__ = ["Health", "Record", "Run"]
