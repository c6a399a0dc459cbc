"""The run of a task: its steps, whatever the engine, and what is told of them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from pentary.es.loop import Step, Task
from pentary.es.strategy import Parameters, visible_weights
from pentary.es.tensors import Visible
from pentary.es.ties import Ties
from pentary.numbers.word import limit
from pentary.runs import health, plots
from pentary.runs.health import Health
from pentary.runs.run import Record
from pentary.runs.tensorfile import weights_to_bytes
from pentary.support.parallel import one_blas_thread
from pentary.support.signals import deferred
from pentary.tasks.running.engines import Training, choose, engine

_REPORTS: Final = 100  # about as often in a run, accuracies are measured


def start(task: Task, options: Mapping[str, Any]) -> "TaskRun":
    """Prepare the run of a task.

    Args:
        task: what is trained.
        options: that were given, by name: of `Parameters`, where the task's defaults count for the others; `engine`;
            those of the engine; and `backend`, which the task has been made with.

    Raises:
        PentaryError: an option is one of another engine, or the engine cannot train the task with these parameters.
    """
    chosen = choose(options)
    parameters = replace(task.defaults, **chosen.rest)
    return TaskRun(task, parameters, chosen.engine.prepare(task, parameters, **chosen.own), chosen.name)


class TaskRun:
    """A run of a task.

    Args:
        task: what is trained.
        parameters: of the run.
        training: of an engine.
        engine: its name.
    """

    def __init__(self, task: Task, parameters: Parameters, training: Training, engine: str = "numpy") -> None:
        """Create a run without records."""
        self.name, self.seed, self.steps = task.name, parameters.seed, parameters.steps
        self._task, self._parameters, self._engine, self._training = task, parameters, engine, training
        self.last: Record | None = None
        self._first: Step | None = None
        self._last: Step | None = None
        self._visible: Mapping[str, Visible] | None = None
        self._curves: list[tuple[float, float | None, float | None]] = []
        self._health: list[dict[str, Health]] = []
        self._reports: list[tuple[int, dict[str, Any]]] = []
        self._ties = Ties(self.steps)

    def config(self) -> dict[str, Any]:
        """Return everything that determines the run."""
        return {
            "task": self.name,
            "shapes": {name: tensor.shape for name, tensor in self._task.tensors.items()},
            **self._task.config(),
            "parameters": asdict(self._parameters),
            "engine": self._engine,
            **({} if self._training.machine is None else {"machine": self._training.machine}),
        }

    def records(self) -> Iterator[Record]:
        """Train, and yield a record at the start and after every step."""
        for step in self._training.steps:
            yield self.record(step)

    def record(self, step: Step) -> Record:
        """Add a step to the run's curves and return its record; a signal comes before that or after it."""
        latents = step.state.latents
        visible = self._levels(step)
        own = health.of_weights(latents, limit(self._parameters.latent), visible, self._visible)
        report = self._report(step)
        # Floats, since Matplotlib draws no integers beyond 64 bits.
        curves = (float(step.fitness), step.population_mean, None if step.best is None else float(step.best))
        line = {
            "step": step.step,
            "fitness": step.fitness,
            "population_mean": step.population_mean,
            "best": step.best,
            "tied": step.tied,
            "evaluations": step.evaluations,
            "seconds": step.seconds,
            "digest": step.digest,
            "health": health.as_dicts(own),
            **report,
            **step.measured,
        }
        with deferred():
            if step.tied is not None:
                self._ties.add(step.step, step.tied)
            if report:
                self._reports.append((step.step, report))
            figures = f"fitness {step.fitness:.6g}"
            if self._reports:
                figures += "".join(f"  {name} {share}" for name, share in _accuracies(self._reports[-1][1]).items())
            if step.evaluations:
                figures += f"  {_rate(step.evaluations, step.seconds)}"
            self._first, self._last, self._visible = self._first or step, step, visible
            self._health.append(own)
            self._curves.append(curves)
            self.last = Record(step.step, line, figures, own, self._ties.news())
        return self.last

    def result(self) -> dict[str, Any]:
        """Return the figures of the run up to the last record."""
        first, last = self._ends()
        own, warning = self._parameters, self._ties.warning()
        return {
            "task": self.name,
            "engine": self._engine,
            "seed": self.seed,
            "steps": last.step,
            "evaluations": last.evaluations,
            "fitness_first": first.fitness,
            "fitness_last": last.fitness,
            "digest": last.digest,
            "seconds": last.seconds,
            "evaluations_per_second": last.evaluations / last.seconds,
            "population": own.population,
            "rank": own.rank,
            "perturb": own.perturb,
            "health": health.as_dicts(self._health[-1]),
            **({} if warning is None else {"warning": warning}),
            **last.measured,
            **self._task.report(visible_weights(own, last.state)),
        }

    def weights(self) -> bytes:
        """Return the visible weights and the latent words as a safetensors file."""
        _, last = self._ends()
        visible = visible_weights(self._parameters, last.state)
        metadata = {
            "task": self.name,
            "step": str(last.step),
            "latent": str(self._parameters.latent),
            "matrices": json.dumps(list(visible)),  # in the order of the digest, which safetensors does not keep
        }
        return weights_to_bytes(visible, last.state.latents, last.digest, metadata)

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Draw the fitness, the weights before and after, and their health; and give the engine's files."""
        first, last = self._ends()
        title = f"{Path(self.name).name}, seed {self.seed}, {last.step} steps"
        centre, means, bests = (list(curve) for curve in zip(*self._curves, strict=True))
        accuracies = [
            (step, {name: share for name, share in report.items() if name.endswith("accuracy")})
            for step, report in self._reports
        ]
        accuracies = [(step, shares) for step, shares in accuracies if shares]
        yield "fitness.png", plots.fitness_png(centre, means[1:], bests[1:], title, accuracies)
        before, after = (self._levels(step) for step in (first, last))
        yield "weights.png", plots.weights_png(before, after, title)
        yield from self._task.pictures(visible_weights(self._parameters, last.state), title)
        yield "health.png", plots.health_png(range(len(self._health)), self._health, title)
        for name, text in self._training.files.items():
            yield name, text.encode()

    def summary(self, result: Mapping[str, Any]) -> dict[str, str]:
        """Return the rows of the summary that is printed, by name."""
        return {
            "steps": f"{result['steps']} of {self.steps}",
            "fitness": f"{result['fitness_first']:.6g} -> {result['fitness_last']:.6g}",
            "evaluations": f"{result['evaluations']:,} in {result['seconds']:.2f} s, "
            + _rate(result["evaluations"], result["seconds"]),
            **_accuracies(result),
            "weights": health.summary(self._health[-1]),
            **engine(self._engine).summary(result),
            **({"warning": result["warning"]} if "warning" in result else {}),
        }

    def _levels(self, step: Step) -> dict[str, Visible]:
        """Return the five-level weights after a step, without biases and other numbers of more pents."""
        visible = visible_weights(self._parameters, step.state)
        return {name: visible[name] for name, tensor in step.state.tensors.items() if tensor.pents == 1}

    def _report(self, step: Step) -> dict[str, Any]:
        """Return the task's further figures at about a hundred steps of the run and at the last; {} at the others."""
        if step.step % max(1, self.steps // _REPORTS) and step.step != self.steps:
            return {}
        with one_blas_thread():
            return self._task.report(visible_weights(self._parameters, step.state))

    def _ends(self) -> tuple[Step, Step]:
        assert self._first is not None and self._last is not None, "a run without a record has no result"
        return self._first, self._last


def _accuracies(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return the accuracies and coefficients of determination among some figures, for display."""
    forms = {"accuracy": "{:.2%}", "r2": "{:.3f}"}
    return {
        f"{part} {kind}": forms[kind].format(value)
        for name, value in figures.items()
        for part, _, kind in (name.partition("_"),)
        if kind in forms
    }


def _rate(evaluations: int, seconds: float) -> str:
    return f"{evaluations / seconds:,.0f} evaluations/s"
