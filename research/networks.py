"""Described networks on data for which others publish figures: accuracy and time, beside the same with gradients.

    python research/networks.py              runs what has no result yet; half an hour on two idle cores
    python research/networks.py --only NAME  runs one again

Results go to networks.json and networks.md beside this file. Each names the digest of the weights after its first
steps; a test makes these steps again, and refuses a record of a network or a training that has changed since.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gradients
import mnist1d_networks
import sources
from pentary import es
from pentary.es.loop import Task
from pentary.es.strategy import Parameters
from pentary.estimators import PentaryClassifier, PentaryRegressor
from pentary.nets.network import Sequential
from pentary.runs.plots import BLUE, GREY, ORANGE, as_png, new_figure
from pentary.tasks import digits
from pentary.tasks.described.data import prepare
from pentary.tasks.described.task import NetworkTask

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "networks.json"

BEGINNING: Final = 2
"""Steps after which a test compares digests."""

FOLDS: Final = 5


@dataclass(frozen=True)
class Case:
    """A network for mnist1d.

    Attributes:
        network: name in mnist1d_networks.
        parameters: of the training.
        batch: examples that compare members.
        goal, aim: accuracies on the test part.
        published: those that the authors of the data set give for this kind of network, for floating point.
        epochs: of the training with gradients.
    """

    network: str
    parameters: Parameters
    batch: int
    goal: float
    aim: float
    published: float
    epochs: int = 60

    @property
    def described(self) -> Sequential:
        """The network."""
        return getattr(mnist1d_networks, self.network)

    def task(self) -> NetworkTask:
        """Return the training."""
        return NetworkTask(self.network, self.described, prepare(self.described, mnist1d_networks.data()), self.batch)

    def command(self) -> str:
        """Return the command that trains."""
        own, file = self.parameters, f"research/{Path(mnist1d_networks.__file__).name}"
        return (
            f"train {file}:{self.network} --data {file}:data --population {own.population} --rank {own.rank} "
            f"--shift {own.shift} --steps {own.steps} --batch {self.batch}"
        )


def _parameters(population: int, steps: int) -> Parameters:
    return Parameters(population=population, rank=1, steps=steps, perturb="factored", shift=2)


MNIST1D: Final = {
    "mnist1d-mlp": Case("MLP", _parameters(1024, 12_000), 128, goal=0.58, aim=0.66, published=0.68),
    "mnist1d-cnn": Case("CNN", _parameters(512, 6000), 128, goal=0.75, aim=0.90, published=0.94),
}

DIGITS: Final = {f"digits-{seed}": seed for seed in range(10, 15)}

TABLES: Final[dict[str, tuple[Callable[..., Any], Any, Any]]] = {
    "breast_cancer": (datasets.load_breast_cancer, PentaryClassifier, LogisticRegression),
    "wine": (datasets.load_wine, PentaryClassifier, LogisticRegression),
    "diabetes": (datasets.load_diabetes, PentaryRegressor, Ridge),
}
"""Data of scikit-learn with the estimators that are compared."""


def trained(arguments: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Train from the command line, and return the result and the records of the steps."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "pentary", *arguments.split(), "--out", str(out), "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, cwd=HERE.parent)
        return json.loads(done.stdout), list(map(json.loads, (out / "steps.jsonl").read_text().splitlines()))


def beginning(task: Task, parameters: Parameters) -> str:
    """Return the digest after the first steps of a training."""
    state = es.init(parameters, task.tensors)
    for _ in range(BEGINNING):
        state = es.tell(parameters, state, task.evaluate(es.ask(parameters, state)))
    return state.digest()


def measure_mnist1d(case: Case) -> dict[str, Any]:
    """Train a network both ways."""
    result, steps = trained(case.command())
    reached = next((each for each in steps if each.get("test_accuracy", 0) >= case.goal), None)
    data = case.task().data
    began, net = perf_counter(), gradients.Network(case.described, seed=0)
    # Inputs in units of their spread, as gradients want them.
    spread = float(data.train.x.std())
    net.train(data.train.x / spread, data.train.y, case.epochs)
    seconds = perf_counter() - began
    parts = {"train": data.train, "test": data.test}
    return {
        "command": f"pentary {case.command()}",
        "processor": sources.processor(),
        "beginning": beginning(case.task(), case.parameters),
        **{key: result[key] for key in ("digest", "evaluations", "seconds", "train_accuracy", "test_accuracy")},
        "goal_seconds": reached and reached["seconds"],
        "curve": [
            [each["evaluations"], round(each["train_accuracy"], 4), round(each["test_accuracy"], 4)]
            for each in steps
            if "test_accuracy" in each
        ],
        "weights": sum(own.size for own in case.described.tensors.values()),
        "gradients": {
            "epochs": case.epochs,
            "seconds": seconds,
            **{
                f"{name}_accuracy": gradients.accuracy(net.results(part.x / spread), part.y)
                for name, part in parts.items()
            },
        },
    }


def measure_digits(seed: int) -> dict[str, Any]:
    """Train the task digits with its defaults."""
    result, _ = trained(f"train digits --seed {seed}")
    return {
        "beginning": beginning(digits.Digits(), _of_digits(seed)),
        "processor": sources.processor(),
        **{key: result[key] for key in ("digest", "seconds", "train_accuracy", "test_accuracy")},
    }


def _of_digits(seed: int) -> Parameters:
    own = asdict(digits.Digits.defaults)
    return Parameters(**{**own, "seed": seed})


def measure_folds(name: str) -> dict[str, Any]:
    """Compare estimators on parts of a data set that they have not seen."""
    load, own, other = TABLES[name]
    x, y = load(return_X_y=True)
    kind = KFold if own is PentaryRegressor else StratifiedKFold
    folds = kind(FOLDS, shuffle=True, random_state=0)
    began = perf_counter()
    scores = cross_val_score(own(), x, y, cv=folds)
    seconds = (perf_counter() - began) / FOLDS
    beside = cross_val_score(make_pipeline(StandardScaler(), other()), x, y, cv=folds)
    return {
        "beginning": first_steps(name),
        "processor": sources.processor(),
        "scores": scores.tolist(),
        "seconds": seconds,
        "beside": beside.tolist(),
        "estimators": [own.__name__, other.__name__],
    }


def first_steps(name: str) -> str:
    """Return the digest of an estimator that makes only the first steps, on all data."""
    load, own, _ = TABLES[name]
    x, y = load(return_X_y=True)
    return own(steps=BEGINNING).fit(x, y).digest_


MEASURES: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    **{name: lambda case=case: measure_mnist1d(case) for name, case in MNIST1D.items()},
    **{name: lambda seed=seed: measure_digits(seed) for name, seed in DIGITS.items()},
    **{name: lambda name=name: measure_folds(name) for name in TABLES},
}
"""What is measured, by name."""

BEGINNINGS: Final[dict[str, Callable[[], str]]] = {
    **{name: lambda case=case: beginning(case.task(), case.parameters) for name, case in MNIST1D.items()},
    **{name: lambda seed=seed: beginning(digits.Digits(), _of_digits(seed)) for name, seed in DIGITS.items()},
    **{name: lambda name=name: first_steps(name) for name in TABLES},
}
"""Digests after the first steps of each."""


def recorded() -> dict[str, Any]:
    """Return the record, empty if there is none."""
    return json.loads(RECORD.read_text()) if RECORD.exists() else {}


TEXT: Final = """\
# Described networks, measured

`python research/networks.py` remakes this page. Times are of {processors}, with two cores.

## mnist1d

4,000 rows of 40 numbers to train on and 1,000 to test, in ten classes; the data set of
[its authors](https://arxiv.org/abs/2011.14439), generated and split by their package. The networks are in
[mnist1d_networks.py](mnist1d_networks.py). "Five levels" is `pentary train`, in integers; "gradients" is the same
network in floating point with weights of any value, Adam and cross-entropy for {epochs} epochs
([gradients.py](gradients.py)). Published are accuracies of networks of the same kind by the authors of the
data: logistic regression 32 %, MLP 68 %, CNN 94 %, GRU 91 %, people 96 %.

| network | weights | trained by | train accuracy | test accuracy | evaluations | time | published |
|---|---:|---|---:|---:|---:|---:|---:|
{mnist1d}

{goals}

![Accuracies while the networks train](networks.png)

{commands}

## digits

`pentary train digits` with its defaults, seeds {seeds}: test accuracy {mean:.4f} in the mean, from {least:.4f} to
{greatest:.4f}; {longest:.0f} s at most. Gradients in floating point reach 0.980 with this network
([results.md](results.md)).

## Tables of scikit-learn

Five folds, shuffled; the estimators with their defaults, one network each with a hidden layer of 32, beside
scikit-learn's with features of unit variance. Accuracies; of diabetes, coefficients of determination.

| data | estimator | mean | of the folds | beside it | mean | of the folds | time of a fit |
|---|---|---:|---|---|---:|---|---:|
{tables}
"""


def page(found: dict[str, Any]) -> str:
    """Return the text of networks.md."""
    of_digits = [found[name]["test_accuracy"] for name in DIGITS]
    return TEXT.format(
        processors=" and ".join(sorted({each["processor"] for each in found.values()})),
        epochs=", ".join(sorted({str(case.epochs) for case in MNIST1D.values()})),
        mnist1d="\n".join(row for name, case in MNIST1D.items() for row in _rows(case, found[name])),
        goals="\n".join(_goal(case, found[name]) for name, case in MNIST1D.items()),
        commands="\n".join(f"    {found[name]['command']}" for name in MNIST1D),
        seeds=f"{min(DIGITS.values())} to {max(DIGITS.values())}",
        mean=mean(of_digits),
        least=min(of_digits),
        greatest=max(of_digits),
        longest=max(found[name]["seconds"] for name in DIGITS),
        tables="\n".join(_folds(name, found[name]) for name in TABLES),
    )


def _rows(case: Case, found: dict[str, Any]) -> Iterator[str]:
    own, other = found, found["gradients"]
    yield (
        f"| {case.network} | {own['weights']:,} | five levels | {own['train_accuracy']:.3f} | "
        f"{own['test_accuracy']:.3f} | {own['evaluations']:,} | {_time(own['seconds'])} | |"
    )
    yield (
        f"| | | gradients | {other['train_accuracy']:.3f} | {other['test_accuracy']:.3f} | | "
        f"{_time(other['seconds'])} | {case.published:.2f} |"
    )


def _time(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def _goal(case: Case, found: dict[str, Any]) -> str:
    reached = found["goal_seconds"]
    after = f"reached after {_time(reached)}" if reached else "not reached"
    aim = "reached" if found["test_accuracy"] >= case.aim else "not reached"
    return f"- {case.network}: the goal of {case.goal:.2f} was {after}, the aim of {case.aim:.2f} was {aim}."


def _folds(name: str, found: dict[str, Any]) -> str:
    cells = [name]
    for estimator, scores in zip(found["estimators"], (found["scores"], found["beside"]), strict=True):
        cells += [f"`{estimator}`", f"{mean(scores):.3f}", " ".join(f"{score:.3f}" for score in scores)]
    return f"| {' | '.join(cells)} | {found['seconds']:.0f} s |"


def picture(found: dict[str, Any]) -> bytes:
    """Draw the accuracies of the networks for mnist1d while they train."""
    figure = new_figure(10, 4, "Accuracy on mnist1d against evaluations of members")
    for axes, (name, case) in zip(figure.subplots(1, 2, sharey=True), MNIST1D.items(), strict=True):
        evaluations, train, test = zip(*found[name]["curve"], strict=True)
        millions = [count / 1e6 for count in evaluations]
        axes.plot(millions, train, color=GREY, label="training part")
        axes.plot(millions, test, color=BLUE, label="test part")
        axes.axhline(found[name]["gradients"]["test_accuracy"], color=ORANGE, label="test part, gradients")
        axes.set(title=case.network, xlabel="evaluations, millions", ylim=(0, 1))
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(loc="lower right", frameon=False)
    return as_png(figure)


def write(found: dict[str, Any]) -> None:
    """Write the record, and page and picture if it is whole."""
    RECORD.write_text(json.dumps({name: found[name] for name in MEASURES if name in found}, indent=1) + "\n")
    if found.keys() >= MEASURES.keys():
        RECORD.with_suffix(".md").write_text(page(found), encoding="utf-8")
        RECORD.with_suffix(".png").write_bytes(picture(found))


def main() -> None:
    """Measure what has no result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", choices=MEASURES)
    only, found = parser.parse_args().only, recorded()
    for name in [only] if only else [name for name in MEASURES if name not in found]:
        found[name] = MEASURES[name]()
        write(found)
        print(name, {key: value for key, value in found[name].items() if key != "curve"}, flush=True)
    write(found)


if __name__ == "__main__":
    main()
