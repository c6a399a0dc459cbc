"""The run of a language model: training, and what is told of it."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pentary.es.fitness import Summary
from pentary.es.loop import Resumption
from pentary.es.ties import Ties
from pentary.nets.lm.checkpoint import to_safetensors
from pentary.nets.lm.evaluate import bits_per_byte
from pentary.nets.lm.evolve import Engine, Parameters, State, init
from pentary.nets.lm.forward import Weights
from pentary.nets.lm.model import LATENT, Model
from pentary.nets.lm.saturation import saturation
from pentary.nets.products import Gemm
from pentary.nets.tables import LOSS_PER_BIT
from pentary.numbers.word import PentaryError, limit
from pentary.runs import health, plots
from pentary.runs.checkpoint import Checkpoint
from pentary.runs.health import Health
from pentary.runs.past import Past, tensors_of
from pentary.runs.run import Record
from pentary.support.display import say
from pentary.support.parallel import one_blas_thread
from pentary.support.signals import deferred
from pentary.tasks.language import ngrams
from pentary.tasks.language.corpus import Bytes, Corpus
from pentary.tasks.running import engines
from pentary.tasks.running.vectorised import launcher

if TYPE_CHECKING:
    from pentary.tasks.language.shared import SharedReading

RECORDING: Final = 0.05
"""Share of the time that goes into records, which read the held-out text and as much training text."""

TRIAL: Final = 3.0
"""Seconds for which updates are timed to find how many of them fit some minutes."""

_PIECE: Final = 2000  # bytes: many more than an evaluation needs to warm up


class TextRun:
    """A run of a language model.

    Args:
        corpus: the text.
        model: to train.
        parameters: of the run.
        gemm: what multiplies.
        engine: what trains.
        options: of the engine.
        past: of a run that goes on.

    Raises:
        PentaryError: the text is shorter than one update, the backend is not exact with the model's weights, the engine
            cannot train the model, or the past is that of another run.
    """

    name = "text"

    def __init__(
        self,
        corpus: Corpus,
        model: Model,
        parameters: Parameters,
        gemm: Gemm,
        engine: str = "numpy",
        options: Mapping[str, Any] | None = None,
        past: Past | None = None,
    ) -> None:
        """Make the buffers; train nothing yet."""
        self.seed, self.steps = parameters.seed, parameters.steps
        self._corpus, self._model, self._parameters, self._gemm = corpus, model, parameters, gemm
        self._engine, self._reading = engine, None
        self._first = self._last = self._before = self._state = init(model, parameters)
        resumption = None if past is None else self._resumption(past)
        read = engines.engine(engine).read
        if read is not None:
            self._reading = read(model, parameters, corpus.train, resumption, **(options or {}))
        elif engine != "numpy":
            able = [name for name in engines.MODULES if name == "numpy" or engines.engine(name).read is not None]
            raise PentaryError(f"the engine {engine} trains no language model; it is trained by {' and '.join(able)}")
        self._trainer: Any = self._reading.trainer if self._reading else Engine(model, parameters, corpus.train, gemm)
        self._shared: SharedReading | None = None
        started = None if self._reading else launcher(**(options or {}))
        if started is not None:
            from pentary.tasks.language import shared

            state = resumption.state if resumption else self._state
            self._trainer = self._shared = shared.SharedReading(self._trainer, corpus.train, state, started)
        self._centre = Weights(model, gemm)
        self._sample = spread(corpus.train, len(corpus.held_out))
        self._start = perf_counter()
        self._pace = _Pace()
        self._losses: list[float] = []
        self._tied: list[float] = []
        self._ties = Ties(self.steps)
        self._told: list[tuple[Mapping[str, Any], dict[str, Health]]] = []
        self.last: Record | None = None
        if past is not None and resumption is not None:
            self._recall(past, resumption.state)

    @cached_property
    def ngrams(self) -> dict[str, float]:
        """Cross-entropies of n-gram models on the held-out text, bits/byte, as they are called in the result."""
        return {f"{name}_bits": bits for name, bits in ngrams.bits_per_byte(self._corpus).items()}

    @property
    def step(self) -> int:
        """Updates done."""
        return self._state.step

    def config(self) -> dict[str, Any]:
        """Return everything that determines the run."""
        corpus = self._corpus
        return {
            "task": self.name,
            "model": asdict(self._model),
            "parameters": asdict(self._parameters),
            "corpus": {"name": corpus.name, "sha256": corpus.digest},
            "backend": self._gemm.name,
            "engine": self._engine,
            **({"machine": self._reading.machine} if self._reading else {}),
        }

    def records(self) -> Generator[Record | None, None, None]:
        """Train, and yield a record at the start, after the first step, as `RECORDING` allows, and at the end.

        After the other steps None is yielded.
        """
        if self._told:
            due = perf_counter()
        else:
            self._start = due = perf_counter()
            yield self._record()
        try:
            while self._state.step < self.steps:
                self._update()
                began = perf_counter()
                if began < due and self._state.step < self.steps:
                    yield None
                else:
                    record = self._record()
                    ended = perf_counter()
                    due = ended + (ended - began) / RECORDING
                    yield record
        except GeneratorExit:
            raise
        except BaseException as error:
            if self._state.step > self._told[-1][0]["step"]:  # what was trained since then is not lost
                ended = "Interrupted" if isinstance(error, KeyboardInterrupt) else type(error).__name__
                say(f"{ended} after step {self._state.step:,}: measuring it.")
                yield self._record()
            raise

    def trial(self) -> tuple[float, float]:
        """Train for a few seconds to see how long an update and a record take here, in seconds.

        A run that has been tried is of no further use.
        """
        self._record()  # compiles the evaluation, or loads it
        while self._state.step < self.steps and (self._pace.updates < 2 or self._pace.seconds < TRIAL):
            self._update()
        began = perf_counter()
        self._record()
        return self._pace.mean(), perf_counter() - began

    def _update(self) -> None:
        began = perf_counter()
        with one_blas_thread():
            losses, hidden = self._trainer.evaluate(self._state)
            self._before, self._state = self._state, self._trainer.tell(self._state, losses, hidden)
        found = Summary.of(losses)
        self._losses.append(found.mean() / (LOSS_PER_BIT * self._parameters.tokens))
        self._tied.append(found.tied)
        self._ties.add(self._state.step, self._tied[-1])
        self._pace.add(perf_counter() - began)

    def _rate(self) -> float:
        """Return the bytes read by all members per second."""
        update = self._pace.mean()
        return self._parameters.population * self._parameters.tokens / update if update else 0.0

    def _resumption(self, past: Past) -> Resumption:
        own, model = past.own, self._model
        latents = past.latents({name: (own.rows, own.cols) for name, own in model.tensors.items()}, LATENT)
        hidden = past.checkpoint.tensors.get("hidden")
        if hidden is None or hidden.shape != self._first.hidden.shape or hidden.dtype != np.int16:
            raise PentaryError(f"the checkpoint of step {past.checkpoint.step} has no hidden states of such a run")
        state = State(past.checkpoint.step, latents, hidden)
        if own["engine"] != self._engine:
            return Resumption(state, own["seconds"])
        return Resumption(state, own["seconds"], own["measured"], past.saved(), own["machine"])

    def _recall(self, past: Past, state: State) -> None:
        """Restore the curves, counters and state of a run that goes on."""
        own = past.own
        for line in past.lines:
            health_of = {name: Health(**values) for name, values in line["health"].items()}
            self._told.append((line, health_of))
            self.last = Record(line["step"], line, "", health_of)
        self._start = perf_counter() - own["seconds"]
        self._before = self._state = self._last = state
        self._losses, self._tied = ([float(each) for each in own[name]] for name in ("losses", "tied"))
        self._ties.recall(own["ties"])
        self._pace.seconds, self._pace.updates = (float(own["pace"][0]), int(own["pace"][1]))

    def checkpoint(self) -> Checkpoint:
        """Return all from which the run goes on after the last update."""
        state = self._state
        facts = {
            "engine": self._engine,
            "machine": self._reading.machine if self._reading else None,
            "seconds": perf_counter() - self._start,
            "digest": state.digest(),
            "measured": self._measured(),
            "losses": self._losses,
            "tied": self._tied,
            "ties": self._ties.facts(),
            "pace": (self._pace.seconds, self._pace.updates),
        }
        saved = self._reading.trainer.saved() if self._reading else {}
        hidden = self._shared.hidden(state) if self._shared else state.hidden
        return Checkpoint(state.step, tensors_of(state.latents, saved) | {"hidden": hidden}, facts)

    def close(self) -> None:
        """Dismiss the workers, if there are any."""
        if self._shared:
            self._shared.close()

    def _record(self) -> Record:
        """Measure the state, take it into the run's curves, and say what is told of it.

        A signal comes before that or after it.
        """
        state = self._state
        with one_blas_thread():
            self._centre.fill(state.latents)
            held_out = bits_per_byte(self._centre, self._corpus.held_out)
            train = bits_per_byte(self._centre, self._sample)
            stuck = saturation(self._centre, self._corpus.held_out)
        own = health.of_weights(state.latents, limit(LATENT), self._visible(state), self._visible(self._before))
        line = {
            "step": state.step,
            "bits_per_byte_validation": held_out,
            "bits_per_byte_train": train,
            "bits_per_byte_members": float(np.mean(self._losses)) if self._losses else None,
            "tied": float(np.mean(self._tied)) if self._tied else None,
            "member_tokens": state.step * self._parameters.population * self._parameters.tokens,
            "seconds": perf_counter() - self._start,
            "digest": state.digest(),
            "saturation": stuck,
            "health": health.as_dicts(own),
            **self._measured(),
        }
        figures = f"held-out {held_out:.3f}  train {train:.3f} bits/byte"
        if self._pace.mean():
            worst = max(stuck, key=lambda name: stuck[name])
            figures += f"  {self._rate() / 1e3:,.0f}k member-tokens/s  {stuck[worst]:.0%} of {worst} at limit"
        with deferred():
            self._losses, self._tied = [], []
            self._last = state
            self._told.append((line, own))
            self.last = Record(state.step, line, figures, own, self._ties.news())
        return self.last

    def _measured(self) -> dict[str, Any]:
        """Return the counters of the machine that is modelled, if there is one."""
        return self._reading.trainer.measured() if self._reading else {}

    def _visible(self, state: State) -> dict[str, np.ndarray]:
        """Return the visible weights of the matrices."""
        return {
            name: self._model.visible(tensor, state.latents[name])
            for name, tensor in self._model.tensors.items()
            if tensor.kind == "matrix"
        }

    def result(self) -> dict[str, Any]:
        """Return the figures of the run up to the last record."""
        (last, _), own, model = self._told[-1], self._parameters, self._model
        warning = self._ties.warning()
        rate = self._rate()
        return {
            "task": self.name,
            "backend": self._gemm.name,
            "engine": self._engine,
            "seed": own.seed,
            "steps": last["step"],
            "bits_per_byte_validation": last["bits_per_byte_validation"],
            "bits_per_byte_train": last["bits_per_byte_train"],
            **self.ngrams,
            "member_tokens": last["member_tokens"],
            "seconds": last["seconds"],
            "member_tokens_per_second": rate,
            "gmacs_per_second": rate * model.macs / 1e9,
            "macs_per_token": model.macs,
            "parameters": model.parameters,
            "layers": model.layers,
            "dim": model.dim,
            "population": own.population,
            "tokens": own.tokens,
            "digest": last["digest"],
            "saturation": last["saturation"],
            "health": last["health"],
            **self._measured(),
            **({} if warning is None else {"warning": warning}),
        }

    def weights(self) -> bytes:
        """Return the visible numbers and the latent words as a safetensors file."""
        return to_safetensors(self._model, self._last)

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Draw bits per byte against the n-gram models, the weights before and after, and their health."""
        title = (
            f"text, {self._model.layers} x {self._model.dim}, seed {self.seed}, {self._last.step} steps of "
            f"{self._parameters.population} members"
        )
        tokens, held_out, train = (
            [line[key] for line, _ in self._told]
            for key in ("member_tokens", "bits_per_byte_validation", "bits_per_byte_train")
        )
        lines = {name.removesuffix("_bits"): bits for name, bits in self.ngrams.items()}
        yield "bits.png", plots.bits_png(tokens, held_out, train, lines, title)
        yield "weights.png", plots.weights_png(self._visible(self._first), self._visible(self._last), title)
        steps, stuck = ([line[key] for line, _ in self._told] for key in ("step", "saturation"))
        yield "health.png", plots.health_png(steps, [own for _, own in self._told], title, stuck)
        for name, text in (self._reading.files if self._reading else {}).items():
            yield name, text.encode()

    def summary(self, result: Mapping[str, Any]) -> dict[str, str]:
        """Return the rows of the summary that is printed, by name."""
        return {
            "steps": f"{result['steps']:,} of {self.steps:,}",
            "bits/byte": f"{result['bits_per_byte_validation']:.3f} held out, {result['bits_per_byte_train']:.3f} on "
            "training text",
            "n-grams": describe(self.ngrams),
            "member-tokens": f"{result['member_tokens']:,} in {result['seconds']:.1f} s, "
            f"{result['member_tokens_per_second']:,.0f}/s in updates, {result['gmacs_per_second']:.1f} GMAC/s",
            "weights": health.summary(self._told[-1][1]),
            **(engines.engine(self._engine).summary(result) if self._reading else {}),
            **({"warning": result["warning"]} if "warning" in result else {}),
        }


@dataclass
class _Pace:
    """Pace of updates; the first one in a process counts only as long as it is the only one, since it may compile code.

    Attributes:
        seconds, updates: that count.
        first: seconds of the first update; None before it.
    """

    seconds: float = 0.0
    updates: int = 0
    first: float | None = None

    def add(self, seconds: float) -> None:
        """Count an update."""
        if self.first is None:
            self.first = seconds
        else:
            self.seconds, self.updates = self.seconds + seconds, self.updates + 1

    def mean(self) -> float:
        """Return the seconds of an update; 0 if there was none."""
        return self.seconds / self.updates if self.updates else self.first or 0.0


def describe(bits: Mapping[str, float]) -> str:
    """Return the cross-entropies of n-gram models as one line of text."""
    return ", ".join(f"{name.removesuffix('_bits')} {value:.3f}" for name, value in bits.items())


def spread(text: Bytes, size: int) -> Bytes:
    """Return a sample of `size` bytes of a text: pieces of about 2,000 bytes at equal distances."""
    pieces = max(1, size // _PIECE)
    length = min(size, len(text)) // pieces
    starts = np.arange(pieces) * (len(text) - length) // max(1, pieces - 1)
    return text[starts[:, None] + np.arange(length)].reshape(-1)


def steps_in(minutes: float, run: TextRun) -> int:
    """Find how many steps of a run take some minutes on this machine now, by trying.

    The number, not the time, then determines the run: the step size falls to zero at its end, and whoever gives the
    same number gets the same digest.

    Args:
        minutes: that the run may take, this trial included.
        run: one of the same model, to be tried; the number of its steps does not matter.

    Returns:
        The number of steps, 1 or more.
    """
    began = perf_counter()
    update, record = run.trial()
    # There are records at the start, after the first step and at the end in any case.
    left = 60 * minutes - (perf_counter() - began) - 3 * record
    return max(1, int(left * (1 - RECORDING) / update))
