"""The commands `sample` and `eval` on the command line."""

import json
import os

import numpy as np
import pytest
from click.testing import CliRunner

from pentary.cli.language import eval, readable, sample
from pentary.nets import products
from pentary.nets.lm import evolve, sampling
from pentary.nets.lm.checkpoint import WEIGHTS, to_safetensors
from pentary.nets.lm.evaluate import bits_per_byte
from pentary.nets.lm.forward import Weights
from pentary.nets.lm.model import Model

MODEL = Model(1, 8)
STATE = evolve.init(MODEL, evolve.Parameters(population=2))


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / WEIGHTS).write_bytes(to_safetensors(MODEL, STATE))
    return tmp_path


def invoke(command, *arguments):
    return CliRunner().invoke(command, arguments)


def weights():
    filled = Weights(MODEL, products.backend("numpy"))
    filled.fill(STATE.latents)
    return filled


def test_sample_writes_the_bytes_that_are_drawn():
    result = invoke(sample, "run", "--bytes", "30")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == bytes(sampling.generate(weights(), count=30))


def test_sample_takes_its_options():
    result = invoke(
        sample, "run", "--prompt", "für", "--bytes", "20", "--temperature", "2", "--min-p", "0.5", "--seed", "-3"
    )
    start = "für".encode()
    drawn = sampling.generate(weights(), start, 20, temperature=2, min_p=0.5, seed=-3)
    assert result.stdout_bytes == start + bytes(drawn)


def test_a_prompt_need_not_be_utf_8():
    result = invoke(sample, "run", "--prompt", os.fsdecode(b"\xff\xc3"), "--bytes", "5")
    assert result.exit_code == 0
    assert result.stdout_bytes == b"\xff\xc3" + bytes(sampling.generate(weights(), b"\xff\xc3", 5))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none",), "Error: there is no folder none\n"),
        (("run", "--prompt", ""), "Error: the prompt is empty: leave --prompt out to begin a document\n"),
        (("run", "--bytes", "0"), "Error: number of bytes 0 is outside 1..76293945312\n"),
        (("run", "--temperature", "-1"), "Error: temperature -1.0 is outside 0..100\n"),
        (("run", "--min-p", "2"), "Error: min-p 2.0 is outside 0..1\n"),
        (("run", "--seed", "9" * 30), "is outside -76293945312..76293945312\n"),
    ],
)
def test_mistakes_of_sample_are_told_before_anything_is_written(arguments, told):
    result = invoke(sample, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(told)


def test_ctrl_c_ends_a_sample_with_130(monkeypatch):
    def interrupted(*arguments, **options):
        yield 65
        raise KeyboardInterrupt

    monkeypatch.setattr(sampling, "generate", interrupted)
    result = invoke(sample, "run")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "A", "Interrupted.\n")


def test_a_terminal_gets_each_character_as_soon_as_it_is_whole():
    seen = []

    def stream():
        for byte in "aü€".encode():
            yield byte
            seen.append("".join(shown))

    shown = []
    for character in readable(stream()):
        shown.append(character)
    assert seen == ["a", "a", "aü", "aü", "aü", "aü€"]


def test_a_terminal_gets_nothing_that_could_command_it():
    for byte in range(128):
        wanted = chr(byte) if 32 <= byte < 127 or byte in b"\n\t" else "\n\n" if byte == 0 else "\ufffd"
        assert "".join(readable([byte])) == wanted
    assert "".join(readable(b"\xff\xc2\x9b\xe2\x82")) == "\ufffd\ufffd\ufffd"


def test_eval_tells_bits_per_byte_and_the_size(here):
    text = np.arange(1000).astype(np.uint8)
    (here / "text").write_bytes(text.tobytes())
    bits = bits_per_byte(weights(), text)
    result = invoke(eval, "run", "text")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{bits:.3f} bits/byte on the 1,000 bytes of text\n"
    result = invoke(eval, "run", "text", "--json")
    assert json.loads(result.stdout) == {"run": "run", "file": "text", "bytes": 1000, "bits_per_byte": bits}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none", "text"), "Error: there is no folder none\n"),
        (("run", "none"), "Error: cannot read none: No such file or directory\n"),
        (("run", "run"), "Error: cannot read run: Is a directory\n"),
        (("run", "empty"), "Error: empty is empty: there is nothing to read in it\n"),
    ],
)
def test_mistakes_of_eval_are_told(here, arguments, told):
    (here / "text").write_text("text")
    (here / "empty").touch()
    result = invoke(eval, *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", told)
