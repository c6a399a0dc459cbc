"""Benchmark of the language model: throughputs, and ratios of those in one run.

The ceiling is the throughput of the matrix products of the forward pass alone, on all members at once, with one part
for each worker. The rest of the time of a forward pass is spent between products. Only the multiply-accumulates with
the shared weights are counted, so perturbations and updates lower a ratio.
"""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Final

import click
import numpy as np

from pentary.nets import products
from pentary.nets.lm.evolve import Engine, Parameters, init
from pentary.nets.lm.forward import Forward
from pentary.nets.lm.model import Model
from pentary.nets.products import Gemm
from pentary.support.parallel import map_items, one_blas_thread, slices, workers
from pentary.tasks.language.corpus import load

SECONDS: Final = {64: 10.0, 512: 35.0}
"""Seconds to measure each width: 64 is the default model, at 512 products take nearly all the time."""

PARAMETERS: Final = Parameters()

_ROUNDS: Final = 2  # at least, since the first one compiles


def run(seconds: Mapping[int, float] = SECONDS, parameters: Parameters = PARAMETERS) -> dict[str, float | int]:
    """Measure a model of one layer with every backend that is installed.

    Args:
        seconds: how long to measure a model of each width; everything is timed in rotation, and the fastest counts.
        parameters: of the population.

    Returns:
        Sizes, then for each BACKEND and WIDTH the figures named BACKEND_WIDTH_...: `ceiling_gmacs`, the products of the
        forward pass alone; `plain_forward_gmacs`, the population without perturbation; `forward_gmacs`, with it;
        `generation_gmacs`, a whole update, all in 1e9 multiply-accumulates with the shared weights a second; their
        ratios `plain_forward_over_ceiling`, `forward_over_ceiling` and `generation_over_forward`; and
        `member_tokens_per_second`, bytes that members read in whole updates.
    """
    figures: dict[str, float | int] = {
        "workers": workers(),
        "population": parameters.population,
        "tokens": parameters.tokens,
    }
    backends = products.installed(lambda why: click.echo(why, err=True))
    for dim, duration in seconds.items():
        model = Model(dim=dim)
        works = {(own.name, name): f for own in backends for name, f in _work(model, parameters, own).items()}
        times = _fastest(works, duration)
        tokens = parameters.population * parameters.tokens
        for backend in backends:
            rates = {name: tokens / times[backend.name, name] for own, name in works if own == backend.name}
            own = {f"{name}_gmacs": round(rate * model.macs / 1e9, 2) for name, rate in rates.items()}
            for part, whole in (("plain_forward", "ceiling"), ("forward", "ceiling"), ("generation", "forward")):
                own[f"{part}_over_{whole}"] = round(rates[part] / rates[whole], 3)
            own["member_tokens_per_second"] = round(rates["generation"])
            figures |= {f"{backend.name}_{dim}_{name}": value for name, value in own.items()}
    return figures


def _work(model: Model, parameters: Parameters, backend: Gemm) -> dict[str, Callable[[], object]]:
    """Return the functions to be timed by name, each for all bytes of one update."""
    text = load().train
    engine = Engine(model, parameters, text, backend)
    state = init(model, parameters)
    engine.weights.fill(state.latents)
    forwards = [Forward(engine.weights, 2 * (own.stop - own.start)) for own in slices(parameters.pairs, engine.chunk)]
    # One slice for each worker, whatever the chunks of the forward pass: their choice must not lower the ceiling.
    whole = [
        Forward(engine.weights, part.stop - part.start)
        for part in slices(parameters.population, -(-parameters.population // workers()))
    ]

    def multiply(forward: Forward) -> None:
        for _ in range(parameters.tokens):
            for product in forward.products:
                product()

    def plain(forward: Forward) -> None:
        starts = np.arange(forward.size) * (len(text) - parameters.tokens) // forward.size
        forward.losses(text[starts + np.arange(parameters.tokens + 1)[:, None]])

    return {
        "ceiling": lambda: map_items(multiply, whole),
        "plain_forward": lambda: map_items(plain, forwards),
        "forward": lambda: engine.evaluate(state),
        "generation": lambda: engine.tell(state, *engine.evaluate(state)),
    }


def _fastest(works: Mapping[tuple[str, str], Callable[[], object]], seconds: float) -> dict[tuple[str, str], float]:
    """Time all functions in rotation until the seconds have passed, and return the least time of each in seconds."""
    times = dict.fromkeys(works, np.inf)
    with one_blas_thread():
        began = perf_counter()
        rounds = 0
        while rounds < _ROUNDS or perf_counter() - began < seconds:
            for name, work in works.items():
                start = perf_counter()
                work()
                times[name] = min(times[name], perf_counter() - start)
            rounds += 1
    return times
