"""Engines: what can train a task, to the same digests. Each is an `ENGINE` in a module that this table names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import click

from pentary.es.loop import Step
from pentary.numbers.word import PentaryError

MODULES: Final = {
    "numpy": "pentary.tasks.running.vectorised",
    "sim": "pentary_sim.engine",
    "core": "pentary_hdl.engine:CORE",
    "rtl": "pentary_hdl.engine",
    "netlist": "pentary_hdl.engine:NETLIST",
    "netlist-ecp5": "pentary_hdl.engine:NETLIST_ECP5",
}
"""By the engine's name; after a colon, what it is in the module, if not `ENGINE`.

The modules load what they need when training starts."""


class Training(NamedTuple):
    """A training that has been prepared.

    Attributes:
        steps: `parameters.steps` + 1 records; training goes on as they are taken.
        machine: settings of the machine that is modelled, for the run's record; None if there is none.
        files: text files for the run's folder, by name.
    """

    steps: Iterator[Step]
    machine: Mapping[str, Any] | None = None
    files: Mapping[str, str] = MappingProxyType({})


class Reading(NamedTuple):
    """The training of a language model that has been prepared.

    Attributes:
        trainer: evaluates and updates as `pentary.nets.lm.evolve.Engine` does; its `measured` gives counters, and its
            `saved` arrays as of `pentary.es.loop.Step`.
        machine, files: as of `Training`.
    """

    trainer: Any
    machine: Mapping[str, Any]
    files: Mapping[str, str]


def _nothing(result: Mapping[str, Any]) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Engine:
    """What trains.

    Attributes:
        help: what it is, for `pentary train --help`.
        prepare: called with a task, parameters, where to go on (None for the start), and each of the engine's own
            options that was given by its name.
        options: its own options.
        summary: what a person wants to know of what it has counted, by name, from the result of a run.
        takes_backend: whether `--backend` chooses what it multiplies with.
        read: prepares the training of a language model: called with the model, parameters, the training text, where to
            go on, and the engine's own options; None if the engine trains none, or if it is numpy.
    """

    help: str
    prepare: Callable[..., Training]
    options: Sequence[click.Option] = ()
    summary: Callable[[Mapping[str, Any]], dict[str, str]] = _nothing
    takes_backend: bool = False
    read: Callable[..., Reading] | None = None

    def own(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of some options that are the engine's."""
        names = {option.name for option in self.options}
        return {name: value for name, value in options.items() if name in names}


def engine(name: str) -> Engine:
    """Return the engine of a name in MODULES."""
    module, _, own = MODULES[name].partition(":")
    return getattr(import_module(module), own or "ENGINE")


def without_others(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without those that only engines other than one take."""
    own, others = engine(name), [engine(other) for other in MODULES]
    foreign = {option for other in others for option in other.own(options)} - set(own.own(options))
    if not own.takes_backend:
        foreign.add("backend")
    return {option: value for option, value in options.items() if option not in foreign}


class Chosen(NamedTuple):
    """The engine of a run.

    Attributes:
        name: of the engine.
        engine: what trains.
        own: those of the options that were given that are the engine's.
        backend: what multiplies.
        rest: all other options.
    """

    name: str
    engine: Engine
    own: dict[str, Any]
    backend: str
    rest: dict[str, Any]


def choose(options: Mapping[str, Any]) -> Chosen:
    """Choose an engine by the options that were given.

    Raises:
        PentaryError: one is an option of another engine.
    """
    rest = dict(options)
    name, backend = rest.pop("engine", "numpy"), rest.pop("backend", "numpy")
    chosen = engine(name)
    if backend != "numpy" and not chosen.takes_backend:
        raise PentaryError(
            f"--backend chooses what multiplies for the engine numpy; the engine {name} multiplies itself"
        )
    own = chosen.own(rest)
    for option in rest:
        takers = [other for other in MODULES if option in engine(other).own(rest)]
        if takers and option not in own:
            engines = f"the engine{'s' * (len(takers) > 1)} {' and '.join(takers)}"
            raise PentaryError(f"--{option} is an option of {engines}: leave it out for {name}")
    return Chosen(name, chosen, own, backend, {key: value for key, value in rest.items() if key not in own})


def options() -> list[click.Option]:
    """Return the option that chooses the engine, and those of all engines."""
    choice = click.Option(["--engine"], type=click.Choice(tuple(MODULES)), help="What trains; numpy if not given.")
    return [choice, *dict.fromkeys(option for name in MODULES for option in engine(name).options)]
