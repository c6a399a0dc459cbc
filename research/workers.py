"""Members evaluated by workers: digests, bytes on the wire, speed-ups, and a model of a thousand machines.

    python research/workers.py            writes distributed.json, .md and .png in its folder; five minutes
    python research/workers.py --page     writes the page and the picture of the record

`architecture/distributed.md` describes the protocol.
"""

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

import sources
from dask_cluster import cluster
from pentary import es
from pentary.distributed import Coordinator, Local, Members
from pentary.distributed.cluster import Cluster
from pentary.distributed.launch import Call
from pentary.distributed.members import TaskReplica
from pentary.distributed.worker import JoinInfo, Replica
from pentary.es import loop
from pentary.nets.lm.evolve import Engine, init
from pentary.nets.lm.evolve import Parameters as TextParameters
from pentary.nets.lm.model import Model
from pentary.nets.products import NUMPY
from pentary.support.parallel import one_blas_thread
from pentary.tasks.blackbox import BlackBox, load
from pentary.tasks.digits import Digits
from pentary.tasks.language import corpus, shared
from pentary.tasks.language.shared import SharedReading
from pentary.tasks.running.calls import Processes
from pentary.tasks.target import Target
from thousand import Costs, picture
from workers_page import CONDITIONS, SLOWER, document, models

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "distributed.json"

SOURCES: Final = (*sorted(sources.ROOT.glob("pentary/distributed/*.py")), Path(shared.__file__), HERE / "workers.py")


def digest() -> str:
    """Return the digest of the sources of the record."""
    return sources.digest(SOURCES)


POPULATIONS: Final = {"digits": 1024, "text": 2048}
"""Members of the tasks whose speed is measured."""


class Case:
    """A task, and how it is trained with workers and without.

    Args:
        name: of the task.
        steps: of a run whose digests are compared.
    """

    def __init__(self, name: str, steps: int, population: int | None = None) -> None:
        self.name, self.steps = name, steps
        if name == "text":
            self.text, self.model = corpus.load(()).train, Model()
            self.text_parameters = TextParameters(population=population or 256, steps=steps)
        else:
            self.task = Target(16, 16) if name == "target" else Digits()
            self.parameters = es.Parameters(
                **{
                    **asdict(self.task.defaults),
                    "steps": steps,
                    "population": population or self.task.defaults.population,
                }
            )

    def run(self, launcher: Any = None) -> Iterator[tuple[str, Coordinator | None]]:
        """Train; yield the digest after every step, and the workers."""
        if self.name == "text":
            engine = Engine(self.model, self.text_parameters, self.text, NUMPY)
            state = init(self.model, self.text_parameters)
            reading = SharedReading(engine, self.text, state, launcher) if launcher else None
            trainer: Any = reading or engine
            with closing(reading) if reading else nullcontext():
                while state.step < self.steps:
                    with one_blas_thread():
                        state = trainer.tell(state, *trainer.evaluate(state))
                    yield state.digest(), getattr(trainer, "coordinator", None)
        elif launcher is None:
            for step in es.train(self.task, self.parameters):
                yield step.digest, None
        else:
            coordinator = Coordinator(launcher, partial(TaskReplica, self.task, self.parameters), self.parameters.pairs)
            with closing(coordinator):
                for step in loop.train(self.task, self.parameters, evaluate=Members(self.task, coordinator)):
                    yield step.digest, coordinator


class Slow:
    """A replica that takes several times as long to evaluate."""

    def __init__(self, make: Callable[[], Replica]) -> None:
        self._own = make()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def evaluate(self, part: slice) -> Any:
        """Evaluate, and wait."""
        began = time.monotonic()
        found = self._own.evaluate(part)
        time.sleep((SLOWER - 1) * (time.monotonic() - began))
        return found


class OneSlow(Local):
    """Workers of which the first is slow."""

    def start(self, number: int, join_info: JoinInfo) -> Any:
        """Start a worker."""
        if number == 0:
            join_info = join_info._replace(make=pickle.dumps(partial(Slow, pickle.loads(join_info.make))))
        return super().start(number, join_info)


def compared(case: Case) -> dict[str, dict[str, Any]]:
    """Return, of each condition, in how many steps the digest differs, and how many workers took part."""
    expected = [found for found, _ in case.run()]
    results = {}
    for condition in CONDITIONS:
        found, seen = [], set()
        with ExitStack() as stack:
            if condition.startswith("Dask"):
                address, _ = stack.enter_context(cluster(2))
                time.sleep(4)
                launcher: Any = Cluster(address)
            else:
                kind = OneSlow if "slower" in condition else Local
                launcher = kind(1 if condition in ("1 process", "one joins") else 2)
            for own, coordinator in case.run(launcher):
                assert coordinator is not None
                found.append(own)
                seen |= {*coordinator.workers}
                middle = len(found) == case.steps // 2
                if condition == "one killed" and middle:
                    os.kill(int(coordinator.workers[0].split()[1]), signal.SIGKILL)
                if condition == "one joins" and middle:
                    grow(launcher)
                    while len(coordinator.workers) < 2:  # it comes within these steps, however short they are
                        time.sleep(0.2)
                        coordinator._wait()
        differences = sum(a != b for a, b in zip(found, expected, strict=True))
        results[condition] = {"steps": case.steps, "differences": differences, "workers": len(seen)}
        print(case.name, condition, results[condition], flush=True)
    return results


def grow(launcher: Local) -> None:
    """Let one more worker come."""
    launcher._calls.append(Call())
    launcher._pools.append(None)


class Wire:
    """A proxy between the workers and a run, which counts what goes through it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address, self._there, self.bytes = self._server.getsockname()[:2], address, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more workers."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, far = self._server.accept()[0], socket.create_connection(self._there)
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError), source:
            while content := source.recv(2**16):
                self.bytes += len(content)
                sink.sendall(content)
            sink.shutdown(socket.SHUT_WR)


class Tapped(Local):
    """Workers that connect through a proxy."""

    wire: Wire | None = None

    def start(self, number: int, join_info: JoinInfo) -> Any:
        """Start a worker."""
        self.wire = self.wire or Wire(join_info.address)
        return super().start(number, join_info._replace(address=self.wire.address))


def on_the_wire(name: str, population: int, workers: int) -> dict[str, Any]:
    """Return the greatest number of bytes of a step and worker, after the first step."""
    case, launcher, sizes = Case(name, 6, population), Tapped(workers), []
    for _ in case.run(launcher):
        assert launcher.wire is not None
        before = -1
        while launcher.wire.bytes != before:  # what was sent ahead comes through, and is answered
            before = launcher.wire.bytes
            time.sleep(0.3)
        sizes.append(before)
    assert launcher.wire is not None
    launcher.wire.close()
    steps = np.diff(sizes)[1:-1] / workers
    most = int(np.ceil(steps.max()))
    print(name, population, workers, most, flush=True)
    return {"task": name, "population": population, "workers": workers, "bytes": most, "limit": 64 + population}


BOX: Final = """
def fitness(weights):
    total = 0
    for _ in range(200):
        for row in weights.tolist():
            for value in row:
                total = (total * 31 + value) % 1000003
    return total
"""


def paces(runs: dict[str, Callable[[], Iterator[Any]]], steps: int) -> dict[str, float]:
    """Return the median seconds of a step of each run, of three turns."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(3):
        for name, run in runs.items():
            began = []
            for _ in run():
                began.append(time.perf_counter())
            found[name].append(float(median(np.diff(began)[1:steps])))
    return {name: min(each) for name, each in found.items()}


def speed_ups() -> dict[str, Any]:
    """Return the seconds of a step with threads and with workers."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "box.py"
        file.write_text(BOX)
        name = f"{file}:fitness"

        def boxes(count: int) -> Iterator[Any]:
            box = BlackBox(name, load(name), (32, 32), processes=Processes(name, count))
            return es.train(box, es.Parameters(population=40, rank=1, steps=8))

        results["black box"] = paces({"1 process": lambda: boxes(1), "2 processes": lambda: boxes(2)}, 8)
    for name, steps, population in (("digits", 30, 1024), ("text", 12, 2048)):
        case = Case(name, steps, population)
        runs: dict[str, Callable[[], Iterator[Any]]] = {
            "threads": case.run,
            "1 process": lambda case=case: case.run(Local(1)),
            "2 processes": lambda case=case: case.run(Local(2)),
        }
        results[name] = paces(runs, steps)
        print(name, results[name], flush=True)
    return results


def costs(name: str) -> Costs:
    """Measure in a process of one core what a pair costs, to evaluate it and in an update; and the record of a step."""
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-c", f"import workers; workers.print_costs({name!r})"]
    done = subprocess.run(command, env={**os.environ, **one}, cwd=HERE, capture_output=True, text=True, check=True)
    return Costs(*json.loads(done.stdout.splitlines()[-1]))


def print_costs(name: str) -> None:
    """Measure here."""
    pairs = 512
    case, best = Case(name, 3, 2 * pairs), [1e9] * 3
    if name == "text":
        engine, before = (
            Engine(case.model, case.text_parameters, case.text, NUMPY),
            init(case.model, case.text_parameters),
        )
        shaped = np.resize(np.arange(-20, 21), pairs)

        def move() -> None:
            engine._kept = (0, {})  # as of pairs that others have evaluated
            engine.move(before, shaped, before.hidden)

        work: tuple[Callable[[], object], ...] = (lambda: engine.evaluate(before), move, before.digest)
    else:
        start, few = es.init(case.parameters, case.task.tensors), np.resize(np.arange(-2, 3), pairs).astype(np.int8)
        population = es.ask(case.parameters, start)
        work = (
            lambda: case.task.evaluate(population),
            lambda: loop.strategy.move(case.parameters, start, few),
            lambda: loop.record(case.task, case.parameters, start, None, 0.0),
        )
    with one_blas_thread():
        for _ in range(6):
            for number, each in enumerate(work):
                began = time.perf_counter()
                each()
                best[number] = min(best[number], time.perf_counter() - began)
    print(json.dumps([best[0] / pairs, best[1] / pairs, best[2]]))


def write_page() -> None:
    """Write the page and the picture of the record."""
    found = json.loads(RECORD.read_text())
    RECORD.with_suffix(".md").write_text(document(found))
    picture(models(found), RECORD.with_suffix(".png"))


def main() -> None:
    """Measure, simulate, and write the record, the page and the picture."""
    found: dict[str, Any] = {"processor": sources.processor(), "populations": POPULATIONS, "digests": {}}
    found["costs"] = {name: list(asdict(costs(name)).values()) for name in POPULATIONS}
    found["seconds"] = speed_ups()
    for name, steps in (("target", 30), ("digits", 12), ("text", 10)):
        found["digests"][name] = compared(Case(name, steps))
    sizes = (("target", 10), ("target", 100), ("target", 1000), ("target", 10_000), *POPULATIONS.items())
    found["bytes"] = [on_the_wire(name, population, workers) for name, population in sizes for workers in (2, 4)]
    RECORD.write_text(json.dumps({"sources": digest(), **found}, indent=1) + "\n")
    write_page()


if __name__ == "__main__":
    if sys.argv[1:] == ["--page"]:
        write_page()
    else:
        main()
