"""Exported programs of every kind of layer: on the interpreter they write what numpy computes."""

import random

import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.compile.inference import inference
from pentary.interpreter import Interpreter
from pentary.nets.forward import Forward
from pentary.nets.network import Sequential
from tests.pentary.nets import drawn


def written(network: Sequential, weights, x) -> list[list[int]]:
    program = assemble_text(inference(network, weights, x, "drawn"))
    machine = Interpreter(program, memory=program.size + 100)
    machine.run(max_instructions=10**7)
    return [list(map(int, line.split())) for line in "".join(map(chr, machine.output)).splitlines()]


@pytest.mark.parametrize("kind", drawn.KINDS)
def test_random_networks_give_the_results_of_numpy(kind: str) -> None:
    for seed in range(6):
        network, rng = drawn.network(kind, random.Random(f"{kind} {seed}")), np.random.default_rng(seed)
        weights = {
            name: rng.integers(-2, 3, size=own.shape)
            if own.pents == 1
            else own.offset + rng.integers(-60, 61, own.shape)
            for name, own in network.tensors.items()
        }
        values = network.input.values()
        x = rng.integers(values.low, values.high + 1, size=(3, *values.shape))
        results = Forward(network).centre(weights, x.astype(np.float32))
        if network.loss.goal == "classification":
            results = results.argmax(axis=1)[:, None]
        assert written(network, weights, x) == results.astype(int).tolist(), (seed, network)
