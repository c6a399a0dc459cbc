"""A training run on disk, which tells at any moment how far the run has come.

| file | holds | written |
|---|---|---|
| `config.json` | everything that determines the run | at the start |
| `steps.jsonl` | one line for each step, the start included | after each step |
| `weights.safetensors` | the visible weights NAME and the latent words NAME.latent | at the end |
| `result.json` | what the run came to | at the end |
| `fitness.png`, `weights.png` | the figures of `pentary.plots` | at the end |

The files of the end appear whole or not at all, in this order.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from pentary import plots
from pentary.es import Parameters, visible_weights
from pentary.files import write_whole, writing
from pentary.lowrank import Pents
from pentary.train import Step, Task
from pentary.word import PentaryError


def claim(out: Path | None, task: str, seed: int) -> Path:
    """Make the folder of a run; never one that holds anything.

    Args:
        out: the folder to make, or to use if it is empty; None takes the first free one of runs/TASK-seedSEED,
            runs/TASK-seedSEED-2, ...
        task, seed: of the run.

    Returns:
        The folder.

    Raises:
        PentaryError: `out` is taken, or the folder cannot be made.
    """
    if out is None:
        name = re.sub(r"[^\w.-]+", "-", Path(task).name)
        return _first_free(Path("runs") / f"{name}-seed{seed}")
    with writing(out):
        if out.exists() and not out.is_dir():
            raise PentaryError(f"{out} is a file: the output needs a folder")
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            holds = "another run" if (out / "config.json").exists() else "other files"
            raise PentaryError(f"{out} holds {holds}, and nothing is overwritten: give another folder")
    return out


def _first_free(path: Path) -> Path:
    for number in count(1):
        candidate = path if number == 1 else path.with_name(f"{path.name}-{number}")
        with writing(candidate):
            try:
                candidate.mkdir(parents=True)  # making it claims it, even against a run that starts at this moment
                return candidate
            except FileExistsError:
                continue
    raise AssertionError("there is always a greater number")


class RunFolder:
    """The record of one run.

    Args:
        path: an empty folder, from `claim`.
        task: what is trained.
        parameters: of the run.
        engine: what trains it.
        machine: settings of the machine that the engine models, for `config.json`.

    Raises:
        PentaryError: a file cannot be written. So do all methods.
    """

    def __init__(
        self, path: Path, task: Task, parameters: Parameters, engine: str, machine: Mapping[str, Any] | None = None
    ) -> None:
        """Write `config.json`."""
        self.path = path
        self._task = task
        self._parameters = parameters
        self._engine = engine
        self._first: Step | None = None
        self._last: Step | None = None
        self._curves: list[tuple[float, float | None, float | None]] = []
        config = {
            "task": task.name,
            "shapes": task.shapes,
            "parameters": asdict(parameters),
            "engine": engine,
            **({} if machine is None else {"machine": machine}),
            "versions": {"pentary": version("pentary"), "numpy": np.__version__},
        }
        self._write("config.json", _json(config))

    @property
    def is_empty(self) -> bool:
        """Whether no step has been added, not even the start."""
        return self._last is None

    def add(self, step: Step) -> None:
        """Append a step to `steps.jsonl`."""
        line = {
            "step": step.step,
            "fitness": step.fitness,
            "population_mean": step.population_mean,
            "best": step.best,
            "evaluations": step.evaluations,
            "seconds": step.seconds,
            "digest": step.digest,
            **step.measured,
        }
        path = self.path / "steps.jsonl"
        with writing(path), path.open("a", encoding="utf-8") as file:  # closed each time: nothing waits in a buffer
            file.write(json.dumps(line, allow_nan=False) + "\n")
        self._first = self._first or step
        self._last = step
        self._curves.append((step.fitness, step.population_mean, step.best))

    def finish(self, ending: dict[str, Any]) -> dict[str, Any]:
        """Write the files of the end.

        Args:
            ending: what the result says beyond the figures of all runs.

        Returns:
            The result, as in `result.json`.
        """
        first, last = self._first, self._last
        assert first is not None and last is not None, "an empty run has no result: discard it"
        before, after = (visible_weights(self._parameters, step.state.latents) for step in (first, last))
        result = self._result(first, last) | self._task.report(after) | ending
        self._write("weights.safetensors", self._safetensors(last, after))
        self._write("result.json", _json(result))
        centre, means, bests = (list(curve) for curve in zip(*self._curves, strict=True))
        title = f"{Path(self._task.name).name}, seed {self._parameters.seed}, {last.step} steps"
        self._write("fitness.png", plots.fitness_png(centre, means[1:], bests[1:], title))
        self._write("weights.png", plots.weights_png(before, after, title))
        return result

    def discard(self) -> None:
        """Remove the folder of a run that failed before its start: it tells nothing, and its name is wanted again."""
        with writing(self.path):
            (self.path / "config.json").unlink()
            self.path.rmdir()

    def _result(self, first: Step, last: Step) -> dict[str, Any]:
        return {
            "task": self._task.name,
            "engine": self._engine,
            "seed": self._parameters.seed,
            "steps": last.step,
            "evaluations": last.evaluations,
            "fitness_first": first.fitness,
            "fitness_last": last.fitness,
            "digest": last.digest,
            "seconds": last.seconds,
            "evaluations_per_second": last.evaluations / last.seconds,
            "population": self._parameters.population,
            "rank": self._parameters.rank,
            "perturb": self._parameters.perturb,
            "out": str(self.path),
            **last.measured,
        }

    def _safetensors(self, last: Step, visible: Mapping[str, Pents]) -> bytes:
        from safetensors.numpy import save

        latents = {f"{name}.latent": words for name, words in last.state.latents.items()}
        metadata = {
            "task": self._task.name,
            "step": str(last.step),
            "latent": str(self._parameters.latent),
            "matrices": json.dumps(list(visible)),  # in the order of the digest, which safetensors does not keep
            "digest": last.digest,
        }
        return save({**visible, **latents}, metadata)

    def _write(self, name: str, content: bytes) -> None:
        write_whole(self.path / name, content)


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()
