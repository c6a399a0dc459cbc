"""Exported networks: what the program writes on the model is what numpy computes."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pentary.asm import assemble
from pentary.cli.commands import main
from pentary.interpreter import Interpreter
from pentary.nets.forward import Forward
from pentary.tasks.described import saved
from pentary.tasks.described.saved import Saved

NETS = """
import numpy as np
from pentary.nets import Clamp, Conv1d, CrossEntropy, Dense, Flatten, Input, Sequential, SquaredError

CLASSES = Sequential(Input(4), Dense(8), Clamp(100, "relu"), Dense(3), Clamp(312), loss=CrossEntropy())
NUMBERS = Sequential(Input(4), Dense(8, bias=False), Clamp(62), Dense(2), Clamp(312), loss=SquaredError())
CONV = Sequential(Input((4, 1)), Conv1d(2, 2), Flatten(), Dense(3), Clamp(312), loss=CrossEntropy())
SHIFT = 0


def classes():
    y = np.arange(90) % 3
    return np.random.default_rng(0).normal(size=(90, 4)) + y[:, None] + SHIFT, y


def windows():
    x, y = classes()
    return x[:, :, None], y


def numbers():
    x = np.random.default_rng(0).normal(size=(90, 4))
    return x, x[:, :2]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(NETS)
    return tmp_path


def pentary(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def trained(network: str, data: str) -> Saved:
    short = ("--steps", "2", "--population", "4", "--batch", "16", "--out", "run")
    done = pentary("train", f"nets.py:{network}", "--data", f"nets.py:{data}", *short)
    assert done.exit_code == 0, done.output
    return saved.read(Path("run"))


def changed(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def expected(own: Saved, x: np.ndarray) -> list[list[int]]:
    results = Forward(own.network).centre(own.weights, x)
    if own.network.loss.goal == "classification":
        results = results.argmax(axis=1)[:, None]
    return results.astype(int).tolist()


@pytest.mark.parametrize(("network", "data"), [("CLASSES", "classes"), ("NUMBERS", "numbers"), ("CONV", "windows")])
def test_the_program_writes_the_results_of_its_examples(folder: Path, network: str, data: str) -> None:
    own = trained(network, data)
    assert pentary("export", "run", "-o", "net.s", "--examples", "7").exit_code == 0
    done = pentary("run", "net.s", "--quiet")
    assert done.exit_code == 0, done.output
    assert [list(map(int, line.split())) for line in done.stdout.splitlines()] == expected(own, own.data().test.x[:7])


@pytest.mark.parametrize(("network", "data"), [("CLASSES", "classes"), ("NUMBERS", "numbers")])
def test_the_program_reads_examples_on_the_interpreter_too(folder: Path, network: str, data: str) -> None:
    own = trained(network, data)
    assert pentary("export", "run", "-o", "net.s", "--read").exit_code == 0
    x = own.data().test.x[:3]
    text = "\n".join(", ".join(str(int(number)) for number in row) for row in x) + "\n"
    machine = Interpreter(assemble(folder / "net.s"), memory=5**7, input=list(map(ord, text)))
    machine.run(max_instructions=100_000)
    written = "".join(map(chr, machine.output))
    assert [list(map(int, line.split())) for line in written.splitlines()] == expected(own, x)


def test_digits_are_exported_too(folder: Path) -> None:
    assert pentary("train", "digits", "--steps", "1", "--population", "4", "--out", "run").exit_code == 0
    assert pentary("export", "run", "-o", "net.s", "--examples", "3").exit_code == 0
    own, done = saved.read(Path("run")), pentary("run", "net.s", "--quiet")
    assert [[int(line)] for line in done.stdout.splitlines()] == expected(own, own.data().test.x[:3])


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("", 0, ""),
        ("1 2 3", 1, "the input ends within an example\n"),
        ("1 2 3 four", 1, "the input has something else than whole numbers\n"),
        ("1 2 3 0.5", 1, "the input has something else than whole numbers\n"),
        ("1 2 3 -", 1, "the input has something else than whole numbers\n"),
        ("1 2 3 63", 1, "a number is not in -62..62\n"),
        ("1 2 3 -63", 1, "a number is not in -62..62\n"),
    ],
)
def test_input_that_is_no_example_is_told(folder: Path, text: str, status: int, told: str) -> None:
    trained("CLASSES", "classes")
    assert pentary("export", "run", "-o", "net.s", "--read").exit_code == 0
    Path("input.txt").write_text(text)
    done = pentary("run", "net.s", "--quiet", "--input", "input.txt")
    assert (done.exit_code, done.stdout) == (status, told)


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda run: None, "there is no folder none: give the folder of a run"),
        (lambda run: Path("none").mkdir(), "none holds no run: give the folder that `pentary train` has written"),
        (lambda run: Path("none").symlink_to("target"), "none is a run of target, which is no described network"),
        (lambda run: (run / "config.json").write_text("[]"), "run/config.json is damaged: it tells no run"),
        (lambda run: (run / "config.json").write_text('{"network": 5}'), "run/config.json is damaged"),
        (lambda run: changed(run / "config.json", "Sequential(", "Parallel("), "no description of a network"),
        (lambda run: changed(run / "config.json", '"latent": 6', '"latent": "x"'), "run/config.json is damaged"),
        (lambda run: changed(run / "config.json", '"latent"', '"laten"'), "run/config.json is damaged"),
        (lambda run: changed(run / "config.json", '"sha256"', '"sha"'), "run/config.json is damaged"),
        (lambda run: (run / "weights.safetensors").unlink(), "cannot read run/weights.safetensors"),
        (lambda run: (run / "weights.safetensors").write_bytes(b"pentary"), "run/weights.safetensors is damaged"),
        (lambda run: Path("nets.py").write_text(NETS.replace("SHIFT = 0", "SHIFT = 1")), "has other data than when"),
    ],
)
def test_what_cannot_be_exported_is_told(folder: Path, prepare, told: str) -> None:
    trained("CLASSES", "classes")
    pentary("train", "target", "--shape", "4x4", "--steps", "1", "--population", "4", "--out", "target")
    prepare(Path("run"))
    done = pentary("export", "none" if "none" in told else "run", "-o", "net.s")
    assert done.exit_code == 2
    assert told in done.output
    assert not Path("net.s").exists()
