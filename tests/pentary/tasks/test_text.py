"""The start of a run: what is told before it, and how minutes become steps."""

import pytest

from pentary.numbers.word import PentaryError
from pentary.tasks.text import start


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
