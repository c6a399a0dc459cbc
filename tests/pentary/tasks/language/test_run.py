"""The run of a language model: when it tells what, and that what it tells is true."""

import json
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from safetensors import safe_open

from pentary.nets.lm.evaluate import bits_per_byte
from pentary.nets.lm.evolve import Engine, Parameters, init
from pentary.nets.lm.forward import Weights
from pentary.nets.lm.model import Model
from pentary.nets.products import backend
from pentary.runs.run import Record
from pentary.tasks.language import run as text
from pentary.tasks.language.corpus import Corpus
from pentary.tasks.language.run import TextRun, _Pace, spread, steps_in

MODEL = Model(layers=2, dim=8)
PARAMETERS = Parameters(population=8, tokens=4, steps=5, seed=1)
TEXT = np.frombuffer(b"The quick brown fox jumps over the lazy dog. " * 20, np.uint8)
CORPUS = Corpus("fox", TEXT[:800], TEXT[800:])


def a_run(**changes):
    return TextRun(
        CORPUS, MODEL, Parameters(**{"population": 8, "tokens": 4, "steps": 5, "seed": 1} | changes), backend("numpy")
    )


def recorded(run: TextRun) -> Iterator[Record]:
    """Yield the records of a run, without the steps that have none."""
    return (record for record in run.records() if record is not None)


def by_hand(steps):
    """Train without a run."""
    engine, state = Engine(MODEL, PARAMETERS, CORPUS.train, backend("numpy")), init(MODEL, PARAMETERS)
    for _ in range(steps):
        state = engine.tell(state, *engine.evaluate(state))
    return state


def test_a_record_tells_digest_and_bits_of_its_state(every_step):
    records = list(recorded(a_run()))
    assert [record.step for record in records] == list(range(6))
    state = by_hand(5)
    line = records[-1].line
    assert line["digest"] == state.digest()
    weights = Weights(MODEL, backend("numpy"))
    weights.fill(state.latents)
    assert line["bits_per_byte_validation"] == bits_per_byte(weights, CORPUS.held_out)
    assert line["member_tokens"] == 5 * 8 * 4
    json.dumps([record.line for record in records], allow_nan=False)


@pytest.fixture
def every_step(monkeypatch):
    monkeypatch.setattr(text, "RECORDING", 10**9)


@pytest.fixture
def only_first_and_last(monkeypatch):
    monkeypatch.setattr(text, "RECORDING", 10**-9)


def test_records_that_would_take_more_than_their_share_of_the_time_are_left_out(only_first_and_last):
    records = list(a_run(steps=11).records())
    assert [record.step for record in records if record] == [0, 1, 11]
    assert len(records) == 12


def test_what_an_interrupted_run_has_trained_since_its_last_record_is_recorded(only_first_and_last, monkeypatch):
    run, update, done = a_run(), TextRun._update, []

    def interrupted(self):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(True)
        update(self)

    monkeypatch.setattr(TextRun, "_update", interrupted)
    records = run.records()
    assert [record and record.step for record in islice(records, 5)] == [0, 1, None, None, 3]
    with pytest.raises(KeyboardInterrupt):
        next(records)
    assert run.result()["digest"] == by_hand(3).digest()


def test_an_interrupted_record_leaves_the_run_as_it_was_before_it(every_step, monkeypatch, tmp_path):
    run = a_run()
    records = run.records()
    assert [record and record.step for record in islice(records, 2)] == [0, 1]
    digest = run.result()["digest"]

    def interrupted(state):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("pentary.nets.lm.evolve.State.digest", interrupted)
        next(records)
    assert (run.result()["steps"], run.result()["digest"]) == (1, digest)
    (tmp_path / "weights").write_bytes(run.weights())
    with safe_open(tmp_path / "weights", "numpy") as file:
        assert file.metadata()["digest"] == digest
    assert len(list(run.pictures())) == 3


def test_the_digits_that_changed_are_those_of_the_last_step(only_first_and_last):
    *_, last = recorded(a_run())
    before, after = (MODEL.visible(MODEL.tensors["head"], by_hand(steps).latents["head"]) for steps in (4, 5))
    assert last.health["head"].changed == np.mean(before != after)


def test_the_rate_is_that_of_updates_after_the_first():
    run = a_run()
    list(run.records())
    run._pace = _Pace()
    for seconds in (100.0, 1.0, 2.0, 3.0):
        run._pace.add(seconds)
    assert run.result()["member_tokens_per_second"] == 8 * 4 * 3 / 6


def test_the_result_names_what_determines_the_run_and_what_it_reached():
    run = a_run()
    *_, last = recorded(run)
    result = run.result()
    assert result["bits_per_byte_validation"] == last.line["bits_per_byte_validation"]
    assert result["macs_per_token"] == 2 * (4 * 8 * 8 + 8 * 8 * 4 * 2) + 8 * 256
    assert result["gmacs_per_second"] == pytest.approx(
        result["member_tokens_per_second"] * result["macs_per_token"] / 1e9
    )
    assert run.config()["model"] == {"layers": 2, "dim": 8, "weights": "pents"}
    assert run.config()["corpus"]["sha256"] == CORPUS.digest
    assert set(run.summary(result)) == {"steps", "bits/byte", "n-grams", "member-tokens", "weights"}


def test_health_is_of_every_matrix_and_activations_of_every_layer():
    *_, last = recorded(a_run())
    matrices = [name for name, tensor in MODEL.tensors.items() if tensor.kind == "matrix"]
    assert list(last.health) == matrices
    stuck = {f"{layer}.{what}" for layer in range(2) for what in ("gates", "hidden", "mlp")} | {"stream", "logits"}
    assert set(last.line["saturation"]) == stuck


def test_pictures_are_drawn_of_the_start_alone_too():
    run = a_run()
    next(run.records())
    assert [name for name, png in run.pictures() if png.startswith(b"\x89PNG")] == [
        "bits.png",
        "weights.png",
        "health.png",
    ]


@pytest.mark.parametrize(("length", "size"), [(100_000, 10_000), (100, 100), (100, 7), (5_000, 4_999), (3, 10)])
def test_a_sample_of_a_text_lies_evenly_over_it_and_is_as_long_as_asked(length, size):
    text = (np.arange(length) // max(1, length // 256)).astype(np.uint8)
    sample = spread(text, size)
    assert min(size, length) - 5 <= len(sample) <= size
    if length == 100_000:
        assert sample[0] == text[0] and sample[-1] == text[-1]
        assert len(np.unique(sample // 16)) > 5


@pytest.mark.parametrize(("minutes", "steps"), [(30, (1800 - 100 - 3 * 4) * 0.95 / 0.5), (1, 1), (0.01, 1)])
def test_minutes_become_the_steps_that_fit_them(monkeypatch, minutes, steps):
    run, clock = a_run(), iter([0.0, 100.0])
    monkeypatch.setattr(text, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(TextRun, "trial", lambda self: (0.5, 4.0))
    assert steps_in(minutes, run) == int(steps)


def test_a_trial_times_updates_and_a_record(monkeypatch):
    monkeypatch.setattr(text, "TRIAL", 0)
    update, record = a_run().trial()
    assert update > 0 and record > 0


def test_a_run_without_differences_says_so_and_others_tell_how_many_pairs_tie(every_step, monkeypatch):
    run = a_run()
    tied = [record.line["tied"] for record in recorded(run)]
    assert tied[0] is None and all(0 <= share < 1 for share in tied[1:])
    assert "warning" not in run.result() and "warning" not in run.summary(run.result())

    evaluate = Engine.evaluate

    def flat(self, state):
        losses, hidden = evaluate(self, state)
        return np.full_like(losses, 7), hidden

    monkeypatch.setattr(Engine, "evaluate", flat)
    run = a_run(steps=12)
    records = list(recorded(run))
    assert [record.line["tied"] for record in records] == [None] + [1] * 12
    assert [record.step for record in records if record.warning is not None] == [10]
    result = run.result()
    assert result["warning"].startswith("in 12 steps in a row, 1 to 12, both members of every pair had equal fitness")
    assert run.summary(result)["warning"] == result["warning"]
    assert len({record.line["digest"] for record in records}) == 1
