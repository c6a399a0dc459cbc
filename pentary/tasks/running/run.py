"""The run of a task: its steps, whatever the engine, and what is told of them."""

import json
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from pentary.es.loop import Resumption, Step, Task
from pentary.es.strategy import Parameters, State, init, visible_weights
from pentary.es.tensors import Visible
from pentary.es.ties import Ties
from pentary.numbers.word import limit
from pentary.runs import health, plots
from pentary.runs.checkpoint import Checkpoint
from pentary.runs.health import Health
from pentary.runs.past import Past, tensors_of
from pentary.runs.run import Record
from pentary.runs.tensorfile import weights_to_bytes
from pentary.support.parallel import one_blas_thread
from pentary.support.signals import deferred
from pentary.tasks.running.engines import Training, choose, engine

_REPORTS: Final = 100  # about as often in a run, accuracies are measured


_KINDS: Final = {"accuracy": "{:.2%}", "r2": "{:.3f}"}
"""Endings of the names of figures that say how well a task is done, and how they are told."""


def start(task: Task, options: Mapping[str, Any]) -> "TaskRun":
    """Prepare the run of a task.

    Args:
        task: what is trained.
        options: that were given, by name: of `Parameters`, where the task's defaults count for the others; `engine`;
            those of the engine; `backend`, which the task has been made with; and `past` of a run that goes on.

    Raises:
        PentaryError: an option is one of another engine, the engine cannot train the task with these parameters, or the
            past is that of another run.
    """
    rest = dict(options)
    past: Past | None = rest.pop("past", None)
    chosen = choose(rest)
    parameters = replace(task.defaults, **chosen.rest)
    resumption = None if past is None else _resumption(task, parameters, past, chosen.name)
    run = TaskRun(task, parameters, chosen.engine.prepare(task, parameters, resumption, **chosen.own), chosen.name)
    if past is not None and resumption is not None:
        run.recall(past, resumption.state)
    return run


def _resumption(task: Task, parameters: Parameters, past: Past, engine: str) -> Resumption:
    latents = past.latents({name: own.shape for name, own in task.tensors.items()}, parameters.latent)
    state, own = State(past.checkpoint.step, latents, task.tensors), past.own
    if own["engine"] != engine:
        return Resumption(state, own["seconds"])
    return Resumption(state, own["seconds"], own["measured"], past.saved(), own["machine"])


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

    @property
    def step(self) -> int:
        """Updates done."""
        return self._last.step if self._last else 0

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

    def records(self) -> Generator[Record, None, None]:
        """Train, and yield a record at the start and after every step."""
        for step in self._training.steps:
            yield self.record(step)

    def close(self) -> None:
        """End what trains."""
        if isinstance(self._training.steps, Generator):
            self._training.steps.close()

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

    def recall(self, past: Past, state: State) -> None:
        """Restore the curves and the last record of a run that goes on.

        Args:
            past: of the run.
            state: after the last step of it.
        """
        for line in past.lines:
            own = {name: Health(**values) for name, values in line["health"].items()}
            report = _accuracies_in(line)
            if line["tied"] is not None:
                self._ties.add(line["step"], line["tied"])
            if report:
                self._reports.append((line["step"], report))
            self._health.append(own)
            best = None if line["best"] is None else float(line["best"])
            self._curves.append((float(line["fitness"]), line["population_mean"], best))
            self.last = Record(line["step"], line, "", own, self._ties.news())
        start = init(self._parameters, self._task.tensors)
        self._first, self._last = _step(past.lines[0], start), _step(past.lines[-1], state, past.own["measured"])
        self._visible = self._levels(self._last)

    def checkpoint(self) -> Checkpoint:
        """Return all from which the run goes on after the last record."""
        _, last = self._ends()
        facts = {
            "engine": self._engine,
            "machine": self._training.machine,
            "seconds": last.seconds,
            "digest": last.digest,
            "measured": dict(last.measured),
        }
        return Checkpoint(last.step, tensors_of(last.state.latents, last.saved), facts)

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


def _step(line: Mapping[str, Any], state: State, measured: Mapping[str, Any] | None = None) -> Step:
    """Return the step that a line of `steps.jsonl` tells of."""
    names = ("step", "fitness", "population_mean", "best", "tied", "evaluations", "seconds", "digest")
    return Step(**{name: line[name] for name in names}, state=state, measured=measured or {})


def _accuracies_in(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return those figures of a line that say how well the task is done."""
    return {name: value for name, value in line.items() if name.endswith(tuple(f"_{kind}" for kind in _KINDS))}


def _accuracies(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return the accuracies and coefficients of determination among some figures, for display."""
    return {
        f"{part} {kind}": _KINDS[kind].format(value)
        for name, value in figures.items()
        for part, _, kind in (name.partition("_"),)
        if kind in _KINDS
    }


def _rate(evaluations: int, seconds: float) -> str:
    return f"{evaluations / seconds:,.0f} evaluations/s"
