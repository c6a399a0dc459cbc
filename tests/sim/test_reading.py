"""Language models on the model of the processor: losses, hidden states and digests are those of numpy."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary.nets.lm.evolve import Engine, Parameters, init
from pentary.nets.lm.model import Model
from pentary.nets.products import NUMPY
from pentary.numbers.word import PentaryError
from pentary.programs.reading import prepare
from pentary_sim.reading import Reader


@pytest.mark.parametrize(
    ("layers", "dim", "population", "tokens", "seed"), [(1, 16, 8, 10, 0), (2, 9, 6, 3, -7), (1, 70, 4, 5, 3)]
)
def test_losses_hidden_states_and_weights_are_those_of_numpy(layers, dim, population, tokens, seed) -> None:
    rng = np.random.default_rng(seed + 10)
    # Short texts, so that members go past the end, with many ends of documents.
    text = rng.choice(np.frombuffer(b"\0abc \xff", np.uint8), 23)
    model, own = Model(layers, dim), Parameters(population=population, tokens=tokens, steps=3, seed=seed)
    engine, reader, state = Engine(model, own, text, NUMPY), Reader(model, own, text), init(model, own)
    for _ in range(own.steps):
        right, found = engine.evaluate(state), reader.evaluate(state)
        assert np.array_equal(right[0], found[0])
        assert np.array_equal(right[1], found[1])
        state = engine.tell(state, *right)
        assert reader.tell(state, *found).digest() == state.digest()
    assert reader.measured()["cycles"] > 0


def test_no_weight_moves_if_all_losses_are_equal() -> None:
    model, text = Model(1, 8), np.zeros(5, np.uint8)
    for seed in range(200):
        own = Parameters(population=2, tokens=1, steps=1, seed=seed)
        engine, state = Engine(model, own, text, NUMPY), init(model, own)
        if np.ptp(engine.evaluate(state)[0]) == 0:
            break
    else:
        pytest.fail("no seed has equal losses")
    reader = Reader(model, own, text)
    assert reader.tell(state, *reader.evaluate(state)).digest() == state.digest()


def test_after_the_last_step_there_is_no_other() -> None:
    model, own, text = Model(1, 8), Parameters(population=2, tokens=1, steps=1), np.zeros(5, np.uint8)
    reader, state = Reader(model, own, text), init(model, own)
    state = reader.tell(state, *reader.evaluate(state))
    with pytest.raises(PentaryError, match="all its steps"):
        reader.evaluate(state)


def test_the_command_trains_text_on_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text("It was a bright cold day in April. " * 40)
    options = ["--input", "book.txt", "--dim", "8", "--population", "4", "--tokens", "3", "--steps", "2", "--json"]
    results = {}
    for engine in ("numpy", "sim"):
        done = CliRunner().invoke(main, ["train", "text", *options, "--engine", engine, "--out", engine])
        assert done.exit_code == 0, done.output
        results[engine] = json.loads(done.stdout)
    assert results["numpy"]["digest"] == results["sim"]["digest"]
    assert results["sim"]["cycles"] > 0
    config = json.loads((tmp_path / "sim" / "config.json").read_text())
    assert config["engine"] == "sim" and config["machine"]["lowrank"]["lanes"] == 16
    first, *regions = (tmp_path / "sim" / "memory.txt").read_text().splitlines()
    assert first.split() == ["address", "words", "label", "what"]
    assert sum(int(region.split()[1]) for region in regions) == int(regions[-1].split()[0]) + int(
        regions[-1].split()[1]
    )
    done = CliRunner().invoke(main, ["asm", "sim/program.s", "-o", "program.pob"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("model", "changes", "told"),
    [
        (Model(1, 8, "bytes"), {}, "the machine has weights of five levels, not bytes"),
        (Model(1, 8), {"tokens": 1000, "population": 200}, "100 pairs that read 1000 bytes: their losses, as they are"),
        (Model(1, 8), {"steps": 100_000, "population": 200}, "100000 steps of 100 pairs: the square of the step size"),
        (Model(50, 8), {}, r"the program has [\d,]+ instructions, and its branches reach 39,062: take fewer layers"),
        (Model(1, 8), {"tokens": 2000}, "the training text has 2000 bytes, fewer than one update needs"),
        (Model(1, 400), {}, r"the run takes [\d,]+ words, but the memory has 1,953,125"),
    ],
)
def test_what_the_machine_cannot_train_is_told(model, changes, told) -> None:
    own = Parameters(**{"population": 4, "tokens": 2, "steps": 1} | changes)
    with pytest.raises(PentaryError, match=told):
        prepare(model, own, np.zeros(2000, np.uint8))
