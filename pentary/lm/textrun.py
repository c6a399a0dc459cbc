"""The run of a language model: training, and what is told of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from time import perf_counter
from typing import Any, Final

import numpy as np

from pentary import health, plots
from pentary.gemm import Gemm
from pentary.health import Health
from pentary.lm import ngrams
from pentary.lm.checkpoint import to_safetensors
from pentary.lm.corpus import Bytes, Corpus
from pentary.lm.evaluate import bits_per_byte
from pentary.lm.evolve import Engine, Parameters, State, init
from pentary.lm.forward import Weights
from pentary.lm.loss import LOSS_PER_BIT
from pentary.lm.model import LATENT, Model
from pentary.lm.saturation import saturation
from pentary.parallel import one_blas_thread
from pentary.run import Record
from pentary.word import limit

RECORDING: Final = 0.05
"""Share of the time that goes into records, which read the held-out text and as much training text."""

_PIECE: Final = 2000  # bytes: many more than an evaluation needs to warm up

CALIBRATION: Final = 3.0
"""Seconds for which a run is timed to find how many steps fit some minutes."""


class TextRun:
    """A run of a language model.

    Args:
        corpus: the text.
        model: to train.
        parameters: of the run.
        gemm: what multiplies.

    Raises:
        PentaryError: the text is shorter than one update.
    """

    name = "text"

    def __init__(self, corpus: Corpus, model: Model, parameters: Parameters, gemm: Gemm) -> None:
        """Measure the n-gram models; train nothing yet."""
        self.seed, self.steps = parameters.seed, parameters.steps
        self.ngrams = {f"{name}_bits": bits for name, bits in ngrams.bits_per_byte(corpus).items()}
        self._corpus, self.model, self.parameters, self._gemm = corpus, model, parameters, gemm
        self._engine = Engine(model, parameters, corpus.train, gemm)
        self._centre = Weights(model, gemm)
        self._sample = spread(corpus.train, len(corpus.held_out))
        self._lines: list[dict[str, Any]] = []
        self._health: list[dict[str, Health]] = []
        self._first: State | None = None
        self._last: State | None = None

    def config(self) -> dict[str, Any]:
        """Give everything that determines the run."""
        corpus = self._corpus
        return {
            "task": self.name,
            "model": asdict(self.model),
            "parameters": asdict(self.parameters),
            "corpus": {"name": corpus.name, "sha256": corpus.digest},
            "backend": self._gemm.name,
        }

    def records(self) -> Iterator[Record]:
        """Train, and yield a record at the start, after the first step, as `RECORDING` allows, and at the end."""
        start = due = perf_counter()
        state, losses = init(self.model, self.parameters), []
        yield self.record(state, losses, start)
        try:
            while state.step < self.steps:
                state, loss = self.update(state)
                losses.append(loss)
                began = perf_counter()
                if began >= due or state.step == self.steps:
                    record, losses = self.record(state, losses, start), []
                    ended = perf_counter()
                    due = ended + (ended - began) / RECORDING
                    yield record
        except KeyboardInterrupt:
            if losses:  # what was trained since the last record is not lost
                yield self.record(state, losses, start)
            raise

    def update(self, state: State) -> tuple[State, float]:
        """Make one update; give the state after it and the members' mean loss before it, in bits/byte."""
        with one_blas_thread():
            losses, hidden = self._engine.evaluate(state)
            state = self._engine.tell(state, losses, hidden)
        return state, float(losses.mean()) / (LOSS_PER_BIT * self.parameters.tokens)

    def record(self, state: State, losses: Sequence[float] = (), start: float | None = None) -> Record:
        """Measure a state, take it into the run's curves, and say what is told of it.

        Args:
            state: of the run.
            losses: mean losses of the members in the updates since the last record, bits/byte.
            start: `time.perf_counter` at the start of the run; now, if not given.

        Returns:
            The record.
        """
        start = perf_counter() if start is None else start
        own, latents = self.parameters, state.latents
        with one_blas_thread():
            self._centre.fill(latents)
            held_out = bits_per_byte(self._centre, self._corpus.held_out)
            train = bits_per_byte(self._centre, self._sample)
            stuck = saturation(self._centre, self._corpus.held_out)
        before = self._last and self._visible(self._last)
        self._health.append(health.of_weights(latents, limit(LATENT), self._visible(state), before))
        self._first, self._last = self._first or state, state
        seconds = perf_counter() - start
        tokens = state.step * own.population * own.tokens
        line = {
            "step": state.step,
            "bits_per_byte_validation": held_out,
            "bits_per_byte_train": train,
            "bits_per_byte_members": float(np.mean(losses)) if len(losses) else None,
            "member_tokens": tokens,
            "seconds": seconds,
            "digest": state.digest(),
            "saturation": stuck,
            "health": health.as_dicts(self._health[-1]),
        }
        self._lines.append(line)
        figures = f"held-out {held_out:.3f}  train {train:.3f} bits/byte"
        if tokens:
            worst = max(stuck, key=lambda name: stuck[name])
            figures += f"  {tokens / seconds / 1e3:,.0f}k member-tokens/s  {worst} at limit {stuck[worst]:.0%}"
        return Record(state.step, line, figures, self._health[-1])

    def _visible(self, state: State) -> dict[str, np.ndarray]:
        """Give the visible weights of the matrices."""
        return {
            name: self.model.visible(tensor, state.latents[name])
            for name, tensor in self.model.tensors.items()
            if tensor.kind == "matrix"
        }

    def result(self) -> dict[str, Any]:
        """Give what the run has come to."""
        last, own, model = self._lines[-1], self.parameters, self.model
        rate = last["member_tokens"] / last["seconds"]
        return {
            "task": self.name,
            "backend": self._gemm.name,
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
        }

    def weights(self) -> bytes:
        """Give the visible numbers and the latent words as a safetensors file."""
        assert self._last is not None, "a run without a record has no weights"
        return to_safetensors(self.model, self._last)

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Draw bits per byte against the n-gram models, the weights before and after, and their health."""
        assert self._first is not None and self._last is not None, "a run without a record has no pictures"
        title = (
            f"text, {self.model.layers} x {self.model.dim}, seed {self.seed}, {self._last.step} steps of "
            f"{self.parameters.population} members"
        )
        tokens, held_out, train = (
            [line[key] for line in self._lines]
            for key in ("member_tokens", "bits_per_byte_validation", "bits_per_byte_train")
        )
        lines = {name.removesuffix("_bits"): bits for name, bits in self.ngrams.items()}
        yield "bits.png", plots.bits_png(tokens, held_out, train, lines, title)
        yield "weights.png", plots.weights_png(self._visible(self._first), self._visible(self._last), title)
        steps = [line["step"] for line in self._lines]
        stuck = [line["saturation"] for line in self._lines]
        yield "health.png", plots.health_png(steps, self._health, title, stuck)

    def summary(self, result: Mapping[str, Any]) -> dict[str, str]:
        """Give what a person wants to know of the result, by name."""
        return {
            "steps": f"{result['steps']:,} of {self.steps:,}",
            "bits/byte": f"{result['bits_per_byte_validation']:.3f} held out, {result['bits_per_byte_train']:.3f} on "
            "training text",
            "n-grams": describe(self.ngrams),
            "member-tokens": f"{result['member_tokens']:,} in {result['seconds']:.1f} s, "
            f"{result['member_tokens_per_second']:,.0f}/s, {result['gmacs_per_second']:.1f} GMAC/s",
            "weights": health.summary(self._health[-1]),
        }


def describe(bits: Mapping[str, float]) -> str:
    """Tell the cross-entropies of n-gram models in one line."""
    return ", ".join(f"{name.removesuffix('_bits')} {value:.3f}" for name, value in bits.items())


def spread(text: Bytes, size: int) -> Bytes:
    """Take as many bytes as `size` from a text, in pieces of about 2,000 that lie evenly over it."""
    pieces = max(1, size // _PIECE)
    length = min(size, len(text)) // pieces
    starts = np.arange(pieces) * (len(text) - length) // max(1, pieces - 1)
    return text[starts[:, None] + np.arange(length)].reshape(-1)


def steps_in(minutes: float, trial: TextRun) -> int:
    """Find how many steps of a run take some minutes on this machine now, by trying for a few seconds.

    The number, not the time, then determines the run: the step size falls to zero at its end, and whoever gives the
    same number gets the same digest.

    Args:
        minutes: that the run may take, this trial included.
        trial: a run of the same model, of at least a few steps; its own end does not matter.

    Returns:
        The number of steps, 1 or more.
    """
    began = perf_counter()
    state = init(trial.model, trial.parameters)
    times: list[float] = []
    while len(times) < 4 or sum(times[1:]) < CALIBRATION:
        before = perf_counter()
        state, _ = trial.update(state)
        times.append(perf_counter() - before)
    step = float(np.mean(times[1:]))  # the first one waits for code to be compiled or loaded
    left = 60 * minutes - (perf_counter() - began)
    return max(1, int(left * (1 - RECORDING) / step))
