"""Updates against the reference model in Python integers."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary.nets import products
from pentary.nets.lm import evolve
from pentary.nets.lm.evolve import Engine, Parameters, State, init, shape_fitness
from pentary.nets.lm.model import Model
from pentary.numbers.word import PENTS, PentaryError
from pentary.support import parallel

TEXT = np.frombuffer(b"a cat sat on a mat\0the rat saw that\0", np.uint8)
SMALL = Parameters(population=10, tokens=3, steps=4, seed=-7)


def run(model: Model, parameters: Parameters, steps: int, backend: str = "numpy", text: np.ndarray = TEXT) -> State:
    engine = Engine(model, parameters, text, products.backend(backend))
    state = init(model, parameters)
    for _ in range(steps):
        state = engine.tell(state, *engine.evaluate(state))
    return state


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (Model(1, 8), Parameters(population=2, tokens=1, steps=1, seed=0)),
        (Model(2, 17), replace(SMALL, population=6)),
        (Model(1, 16, "bytes"), replace(SMALL, population=6)),
        # 36 bytes of text: the streams of the last pairs wrap around at its end.
        (Model(1, 8), Parameters(population=12, tokens=14, steps=2, seed=76_293_945_312)),
    ],
)
def test_whole_runs_equal_the_plain_interpreter(reference, model: Model, parameters: Parameters) -> None:
    plain = reference.Reference(model.layers, model.dim, model.weights)
    training = reference.Training(plain, **vars(parameters))
    latents = training.start()
    hidden = [[[0] * model.dim for _ in range(model.layers)] for _ in range(parameters.pairs)]
    engine = Engine(model, parameters, TEXT, products.backend("numpy"))
    state = init(model, parameters)
    assert state.digest() == reference.digest(latents)
    assert state.hidden.tolist() == hidden
    for step in range(1, parameters.steps + 1):
        losses, latents, hidden = training.update(step, latents, hidden, TEXT.tobytes())
        own, states = engine.evaluate(state)
        assert own.tolist() == [list(pair) for pair in losses]
        state = engine.tell(state, own, states)
        assert state.step == step
        assert {name: words.tolist() for name, words in state.latents.items()} == latents
        assert state.hidden.tolist() == hidden
        assert state.digest() == reference.digest(latents)


def test_the_start_of_means_of_five_words_equals_the_plain_interpreter(reference) -> None:
    model = Model(1, 32)
    assert (model.tensors["0.up"].shift, model.tensors["0.up"].own.start) == (1, 5)
    plain = reference.Training(reference.Reference(1, 32), **vars(SMALL))
    assert init(model, SMALL).digest() == reference.digest(plain.start())


def test_backends_give_the_same_digest() -> None:
    pytest.importorskip("onnxruntime")
    first, second = (run(Model(2, 24), SMALL, 3, name) for name in ("numpy", "int8"))
    assert first.digest() == second.digest()
    assert np.array_equal(first.hidden, second.hidden)


@pytest.mark.parametrize(("workers", "rows", "noise"), [(1, 1024, 2**23), (5, 4, 2**23), (2, 1024, 4096)])
def test_digests_do_not_depend_on_how_the_population_is_cut(monkeypatch, workers: int, rows: int, noise: int) -> None:
    model, parameters = Model(1, 16), replace(SMALL, population=46)
    expected = run(model, parameters, 2)
    monkeypatch.setattr(evolve, "workers", lambda: workers)
    monkeypatch.setattr(evolve, "ROWS", rows)
    monkeypatch.setattr(evolve, "NOISE_BYTES", noise)
    found = run(model, parameters, 2)
    assert found.digest() == expected.digest()
    assert np.array_equal(found.hidden, expected.hidden)


def test_digests_do_not_depend_on_the_number_of_threads() -> None:
    code = (
        "import numpy as np\n"
        "from pentary.nets import products\n"
        "from pentary.nets.lm.evolve import Engine, Parameters, init\n"
        "from pentary.nets.lm.model import Model\n"
        "model, own = Model(1, 16), Parameters(population=46, tokens=3, steps=4, seed=-7)\n"
        "engine = Engine(model, own, np.arange(200, dtype=np.uint8), products.backend('numpy'))\n"
        "state = init(model, own)\n"
        "for _ in range(2):\n"
        "    state = engine.tell(state, *engine.evaluate(state))\n"
        "print(state.digest())\n"
    )
    threads = "1" if parallel.workers() > 1 else "3"
    env = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    text = np.arange(200, dtype=np.uint8)
    assert done.stdout.split() == [run(Model(1, 16), replace(SMALL, population=46), 2, text=text).digest()]


def test_another_seed_gives_another_start_and_other_noise() -> None:
    model = Model(1, 8)
    first, second = init(model, SMALL), init(model, replace(SMALL, seed=8))
    assert first.digest() != second.digest()
    engine = Engine(model, replace(SMALL, seed=8), TEXT, products.backend("numpy"))
    losses, _ = engine.evaluate(first)
    assert not np.array_equal(losses, Engine(model, SMALL, TEXT, products.backend("numpy")).evaluate(first)[0])


def test_a_run_goes_on_from_any_state() -> None:
    model = Model(1, 8)
    half = run(model, SMALL, 2)
    engine = Engine(model, SMALL, TEXT, products.backend("numpy"))
    for _ in range(2):
        half = engine.tell(half, *engine.evaluate(half))
    assert half.digest() == run(model, SMALL, 4).digest()


def test_evaluating_changes_nothing() -> None:
    model = Model(1, 8)
    engine, state = Engine(model, SMALL, TEXT, products.backend("numpy")), init(model, SMALL)
    digest, hidden = state.digest(), state.hidden.copy()
    first, second = engine.evaluate(state), engine.evaluate(state)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert state.digest() == digest and np.array_equal(state.hidden, hidden)


def test_the_digest_is_sha256_of_the_latent_words_and_leaves_the_hidden_states_out() -> None:
    state = init(Model(1, 8), SMALL)
    plain = b"".join(int(w).to_bytes(8, "little", signed=True) for m in state.latents.values() for w in m.ravel())
    assert state.digest() == hashlib.sha256(plain).hexdigest()
    assert replace(state, hidden=state.hidden + 1).digest() == state.digest()


def test_the_state_is_integers() -> None:
    state = run(Model(1, 8), SMALL, 2)
    assert {words.dtype for words in state.latents.values()} == {np.dtype(np.int64)}
    assert state.hidden.dtype == np.int16
    assert max(int(abs(words).max()) for words in state.latents.values()) <= 7812


def test_members_that_agree_move_nothing() -> None:
    model = Model(1, 8)
    engine, state = Engine(model, SMALL, TEXT, products.backend("numpy")), init(model, SMALL)
    after = engine.tell(state, np.full((SMALL.pairs, 2), 77), state.hidden)
    assert after.step == 1
    assert after.digest() == state.digest()


def test_an_update_goes_towards_the_member_with_the_smaller_loss(reference) -> None:
    model = Model(1, 8)
    own = Parameters(population=2, tokens=1, steps=1)
    engine, state = Engine(model, own, TEXT, products.backend("numpy")), init(model, own)
    after = engine.tell(state, np.array([[10, 20]]), state.hidden)
    plain = reference.Training(reference.Reference(1, 8), 2, 1, 1, 0)
    noise = plain.noise(1, 0)
    start = 16 * plain.model.blocks["head.bias"][1].start
    moved = np.sign(after.latents["head.bias"][0])
    assert moved.tolist() == np.sign(noise[start : start + 256]).tolist()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=30))
def test_shaping_equals_the_plain_interpreter(reference, losses: list[tuple[int, int]]) -> None:
    found = shape_fitness(np.array(losses, np.int64)).tolist()
    assert found == reference.shaped(losses)
    assert max(map(abs, found)) <= 62


def test_the_gain_is_constant_for_half_of_the_run_and_then_falls_to_its_last_share() -> None:
    for steps in (10, 11):
        own = Parameters(steps=steps)
        gains = [own.gain(step, 1000, 4) for step in range(1, steps + 1)]
        falling = (steps + 1) // 2
        assert gains[: steps // 2 + 1] == [gains[0]] * (steps // 2 + 1)
        assert gains[steps // 2 :] == [gains[0] * left // falling for left in range(falling, 0, -1)]
        assert gains[-1] > 0


def test_a_weight_whose_pairs_agree_on_nothing_wanders_over_three_tenths_of_its_range() -> None:
    own = Parameters(steps=400)
    squares = 1000 * 20**2
    deviation = own.gain(1, squares, 4) / 5**8 * (4 * squares) ** 0.5  # of one step
    assert deviation * 400**0.5 == pytest.approx(0.6 * 7812, rel=1e-4)
    assert own.gain(1, squares, 2) / own.gain(1, squares, 4) == pytest.approx(2**0.5, rel=1e-4)


def test_no_gain_where_all_fitness_is_zero() -> None:
    assert Parameters().gain(1, 0, 4) == 0


def test_the_streams_of_the_pairs_lie_evenly_and_wrap(monkeypatch) -> None:
    """Each pair reads its own piece, continues in the next update, and wraps around at the end of the text."""
    model, own = Model(1, 8), Parameters(population=6, tokens=5, steps=9)
    engine, state = Engine(model, own, TEXT, products.backend("numpy")), init(model, own)
    read: dict[int, list[int]] = {}
    losses = evolve.Forward.losses

    def watched(self, tokens: np.ndarray, noise: np.ndarray) -> np.ndarray:
        for column in tokens.T.tolist():
            read.setdefault(state.step, []).append(column)
        return losses(self, tokens, noise)

    monkeypatch.setattr(evolve.Forward, "losses", watched)
    for step in (0, 1, 7):
        state = replace(state, step=step)
        engine.evaluate(state)
        wanted = [[int(TEXT[(12 * pair + 5 * step + i) % 36]) for i in range(6)] for pair in range(3)]
        assert sorted(read[step]) == sorted(wanted + wanted)


def test_a_text_shorter_than_an_update_is_refused() -> None:
    model = Model(1, 8)
    with pytest.raises(PentaryError, match=r"has 3 bytes, fewer than one update needs \(4\): take more text or fewer"):
        Engine(model, SMALL, TEXT[:3], products.backend("numpy"))
    own = replace(SMALL, population=4)
    engine = Engine(model, own, TEXT[:4], products.backend("numpy"))
    state = init(model, own)
    for _ in range(4):
        state = engine.tell(state, *engine.evaluate(state))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"population": 3}, "population 3 is odd"),
        ({"population": 0}, "population 0 is outside 2..135300"),
        ({"population": 135_302}, "population 135302 is outside"),
        ({"tokens": 0}, "number of tokens 0 is outside 1.."),
        ({"steps": 0}, "number of steps 0 is outside 1.."),
        ({"steps": 4_882_813}, "number of steps 4882813 is outside"),
        ({"seed": 5**16}, "seed 152587890625 is outside"),
    ],
)
def test_parameters_out_of_range_are_refused(change: dict, message: str) -> None:
    with pytest.raises(PentaryError, match=message):
        replace(Parameters(), **change)


def test_the_largest_population_keeps_sums_exact() -> None:
    """Every pair adds at most 62 * 4 to the sum of an element."""
    assert Parameters(population=135_300).pairs * 62 * 4 <= 2**24 < (67_650 + 1) * 62 * 4


def test_noise_that_is_held_at_a_time_does_not_grow_with_the_model() -> None:
    model = Model(layers=6, dim=256)
    engine = Engine(model, Parameters(population=8192), np.zeros(100, np.uint8), products.backend("numpy"))
    assert engine.chunk * PENTS * model.blocks <= 16 * 2**20  # bytes
