"""Saturation monitor: shares of the unperturbed model's activations at a clamp, which is its only nonlinearity."""

from typing import Final

import numpy as np

from pentary.nets.layers import STREAM
from pentary.nets.lm.forward import Forward, Rows, Weights
from pentary.nets.lm.model import ACTIVATION, Bytes
from pentary.nets.operations import OPERAND
from pentary.runs.health import share

_ROWS: Final = 64
_BYTES: Final = 32


def saturation(weights: Weights, text: Bytes) -> dict[str, float]:
    """Return the shares of activations at their limits, at the last byte of some pieces of a text.

    Args:
        weights: of the unperturbed model, filled.
        text: at least 2 bytes.

    Returns:
        By layer, the shares of "gates" at 0 or 624, of "hidden" states at ±312 and of "mlp" operands at ±125, rounded
        to six decimals, as "0.gates" and so on; and of "logits" at ±312 and "stream" at ±1562.
    """
    forward = Forward(weights, _ROWS)
    zero = weights.gemm.zero
    length = min(_BYTES, len(text))
    starts = np.arange(_ROWS) * (len(text) - length) // (_ROWS - 1)
    shares: dict[str, float] = {}

    def watch(number: int, rows: Rows) -> None:
        shares[f"{number}.gates"] = share((rows.gate == 0) | (rows.gate == 2 * ACTIVATION))
        shares[f"{number}.hidden"] = share(np.abs(forward.hidden[number]) == ACTIVATION)
        shares[f"{number}.mlp"] = share(np.abs(rows.wide.astype(np.int16) - zero) == OPERAND)
        shares["stream"] = share(np.abs(rows.stream) == STREAM)

    for place in range(length - 1):
        forward.step(text[starts + place])
    logits = forward.step(text[starts + length - 1], watch=watch)
    shares["logits"] = share(np.abs(logits) == ACTIVATION)
    return {name: round(value, 6) for name, value in shares.items()}
