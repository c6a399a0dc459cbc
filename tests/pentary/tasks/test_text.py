<<<<<<< HEAD
"""The start of a run: what is told before it, and how minutes become steps."""
=======
"""The run of a language model: times and correctness of its reports."""
>>>>>>> w-d3

import pytest

<<<<<<< HEAD
from pentary.numbers.word import PentaryError
from pentary.tasks.text import start
=======
from pentary.nets.lm.evaluate import bits_per_byte
from pentary.nets.lm.evolve import Engine, Parameters, init
from pentary.nets.lm.forward import Weights
from pentary.nets.lm.model import Model
from pentary.nets.products import backend
from pentary.tasks import text
from pentary.tasks.corpus import Corpus
from pentary.tasks.text import TextRun, spread, steps_in

MODEL = Model(layers=2, dim=8)
PARAMETERS = Parameters(population=8, tokens=4, steps=5, seed=1)
TEXT = np.frombuffer(b"The quick brown fox jumps over the lazy dog. " * 20, np.uint8)
CORPUS = Corpus("fox", TEXT[:800], TEXT[800:])


def a_run(**changes):
    return TextRun(
        CORPUS, MODEL, Parameters(**{"population": 8, "tokens": 4, "steps": 5, "seed": 1} | changes), backend("numpy")
    )


def by_hand(steps):
    """Train directly, without the run command."""
    engine, state = Engine(MODEL, PARAMETERS, CORPUS.train, backend("numpy")), init(MODEL, PARAMETERS)
    for _ in range(steps):
        state = engine.tell(state, *engine.evaluate(state))
    return state


def test_a_record_tells_digest_and_bits_of_its_state(every_step):
    records = list(a_run().records())
    assert [record.step for record in records] == list(range(6))
    state = by_hand(5)
    line = records[-1].line
    assert line["digest"] == state.digest()
    weights = Weights(MODEL, backend("numpy"))
    weights.fill(state.latents)
    assert line["bits_per_byte_validation"] == bits_per_byte(weights, CORPUS.held_out)
    assert line["member_tokens"] == 5 * 8 * 4
    json.dumps([record.line for record in records], allow_nan=False)
>>>>>>> w-d3


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text"
    path.write_text("The quick brown fox jumps over the lazy dog. " * 20)
    return path


def test_a_run_is_described_before_it_starts(text, capsys):
    run = start(input=(text,), steps=7, dim=8, layers=2, population=6, tokens=4, seed=3)
    assert (run.steps, run.seed, run.config()["model"]["layers"], run.config()["parameters"]["population"]) == (
        7,
        3,
        2,
        6,
    )
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"text     {text}, 811 bytes to train on and 91 held out"
    assert [line.split()[0] for line in out] == ["text", "model", "n-grams"]


def test_without_steps_some_are_timed_and_their_number_is_told(text, capsys, monkeypatch):
    monkeypatch.setattr("pentary.tasks.language.run.steps_in", lambda minutes, trial: round(100 * minutes))
    assert start(input=(text,), dim=8).steps == 1000
    assert start(input=(text,), dim=8, minutes=0.5).steps == 50
    assert "0.5 minutes are about 50 steps here" in capsys.readouterr().out


def test_a_backend_that_is_not_there_is_refused_before_anything_is_told(text, capsys):
    with pytest.raises(PentaryError, match="unknown backend 'abacus'"):
        start(input=(text,), backend="abacus")
    assert capsys.readouterr().out == ""
