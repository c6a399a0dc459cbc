"""Reference model of the language model in Python integers, written from `architecture/text.md`.

It shares nothing with `pentary.nets.lm`, not even constants, except the generator, which has a reference of its own.
Latent words are lists of rows by tensor name; a hidden state is a list of rows, one for each layer.
"""

import struct
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from hashlib import sha256
from math import floor, isqrt

from pentary.lowrank.generator import prng

Row = list[int]
Matrix = list[Row]

GAINS = {"embedding": 1, "gru": Fraction(11, 10), "forget": Fraction(11, 10), "candidate": Fraction(11, 10)}
GAINS |= {"up": Fraction(11, 10), "down": Fraction(45, 100), "head": Fraction(23, 100)}


def clamp(value: int, largest: int) -> int:
    return max(-largest, min(largest, value))


def divide(value: int, by: int) -> int:
    """Return value / by, rounded to the nearest integer, ties to even."""
    return round(Fraction(value, by))


def single(value: float) -> float:
    """Return the nearest float32."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def pents_of(word: int) -> Row:
    found = []
    for _ in range(16):
        found.append((word + 2) % 5 - 2)
        word = (word - found[-1]) // 5
    return found


def words_at(seed: int, step: int, matrix: int, member: int, blocks: range) -> list[int]:
    key = prng(seed, step * 5**6 + matrix).item()
    return prng(key, [member * 5**8 + block for block in blocks]).tolist()


@dataclass(frozen=True)
class Reference:
    """Shape of a model."""

    layers: int
    dim: int
    weights: str = "pents"

    @cached_property
    def tensors(self) -> dict[str, tuple[str, int, int]]:
        """Kind, rows and columns of each tensor by name."""
        d = self.dim
        found = {"embedding": ("matrix", 256, d)}
        for layer in range(self.layers):
            found |= {
                f"{layer}.gru.norm": ("norm", 1, d),
                f"{layer}.gru": ("matrix", d, 2 * d),
                f"{layer}.gru.bias": ("bias", 1, 2 * d),
                f"{layer}.gru.forget": ("matrix", d, d),
                f"{layer}.gru.candidate": ("matrix", d, d),
                f"{layer}.mlp.norm": ("norm", 1, d),
                f"{layer}.up": ("matrix", d, 4 * d),
                f"{layer}.up.bias": ("bias", 1, 4 * d),
                f"{layer}.down": ("matrix", 4 * d, d),
                f"{layer}.down.bias": ("bias", 1, d),
            }
        return found | {"norm": ("norm", 1, d), "head": ("matrix", d, 256), "head.bias": ("bias", 1, 256)}

    @cached_property
    def blocks(self) -> dict[str, tuple[range, range]]:
        """Generator blocks of the two factors of each tensor by name; vectors have only the second."""
        found, first = {}, 0
        for name, (kind, rows, cols) in self.tensors.items():
            middle = first + (-(-rows // 16) if kind == "matrix" else 0)
            end = middle + -(-cols // 16)
            found[name] = range(first, middle), range(middle, end)
            first = end
        return found

    @property
    def all_blocks(self) -> int:
        return self.blocks["head.bias"][1].stop

    def scale(self, name: str) -> tuple[int, int]:
        """Return the pents dropped by the rescaling, and the number of words averaged in an initial latent word."""
        wanted = Fraction(GAINS[name.split(".")[-1]]) ** 2
        rows = self.tensors[name][1]
        found = []
        for shift in (1, 2, 3):
            for words, variance in ((1, Fraction(25, 12)), (5, Fraction(1, 2))):
                square = rows * variance / 25**shift
                found.append((max(square / wanted, wanted / square), shift, words))
        return min(found)[1:]

    @property
    def level(self) -> int:
        return {"pents": 1, "bytes": 50}[self.weights]

    def visible(self, latents: dict[str, Matrix]) -> dict[str, Matrix]:
        """Return the visible numbers of the latent words, in the units in which the forward pass adds them."""

        @cache
        def seen(name: str, latent: int) -> int:
            kind = self.tensors[name][0]
            if kind == "norm":
                return 62 + divide(latent, 125)
            if kind == "bias":
                return self.level * divide(latent, 5)
            weight = divide(latent, 3125) if self.weights == "pents" else divide(2 * latent, 125)
            return divide(125 * weight, self.level) if name == "embedding" else weight

        return {name: [[seen(name, word) for word in row] for row in words] for name, words in latents.items()}


@dataclass(frozen=True)
class Member:
    """A member of an antithetic pair: the perturbed visible numbers. Sign 0 is the unperturbed centre.

    `noise` contains the pents of the pair, 16 for each block.
    """

    model: Reference
    visible: dict[str, Matrix]
    sign: int
    noise: Row

    def column_factor(self, name: str) -> Row:
        start = 16 * self.model.blocks[name][0].start
        return self.noise[start : start + self.model.tensors[name][1]]

    def row_factor(self, name: str) -> Row:
        """Return the row factor of a matrix, or the noise of a vector."""
        start = 16 * self.model.blocks[name][1].start
        return self.noise[start : start + self.model.tensors[name][2]]

    def vector(self, name: str) -> Row:
        """Return a bias vector or the gains of a norm."""
        size = {"norm": 1, "bias": 25 * self.model.level}[self.model.tensors[name][0]]
        centre, noise = self.visible[name][0], self.row_factor(name)
        return [value + self.sign * size * pent for value, pent in zip(centre, noise, strict=True)]

    def product(self, name: str, x: Row) -> Row:
        a, b = self.column_factor(name), self.row_factor(name)
        coefficient = self.model.level * self.sign * divide(sum(v * pent for v, pent in zip(x, a, strict=True)), 25)
        sums = [coefficient * pent for pent in b]
        for v, weights in zip(x, self.visible[name], strict=True):
            for j, weight in enumerate(weights):
                sums[j] += v * weight
        return sums

    def rescaled(self, name: str, sums: Row, largest: int) -> Row:
        shift = self.model.scale(name)[0]
        if self.model.weights == "pents":
            return [clamp(divide(z, 5**shift), largest) for z in sums]
        reciprocal = single(1 / (50 * 5**shift))
        return [clamp(round(single(z * reciprocal)), largest) for z in sums]

    def normalised(self, name: str, stream: Row) -> Row:
        reciprocal = divide(len(stream) * 5**8, max(len(stream), sum(map(abs, stream))))
        gains = self.vector(name)
        return [clamp(divide(v * gain * reciprocal, 5**8), 125) for v, gain in zip(stream, gains, strict=True)]

    def read(self, hidden: Matrix, byte: int) -> tuple[Row, Matrix, dict[str, Row]]:
        """Process a byte; return the logits, the new hidden states, and the intermediate values that can saturate."""
        if byte == 0:
            hidden = [[0] * self.model.dim for _ in hidden]
        a, b = self.column_factor("embedding")[byte], self.row_factor("embedding")
        stream = [v + self.sign * 5 * a * pent for v, pent in zip(self.visible["embedding"][byte], b, strict=True)]
        after, seen = [], {}
        for layer, h in enumerate(hidden):
            dim, of = self.model.dim, f"{layer}.".__add__
            x = self.normalised(of("gru.norm"), stream)
            both = add(self.product(of("gru"), x), self.vector(of("gru.bias")))
            forget = self.product(of("gru.forget"), [divide(2 * v, 5) for v in h])
            gates = [312 + v for v in self.rescaled(of("gru"), add(both[:dim], forget), 312)]
            gated = [divide(2 * divide(f * v, 625), 5) for f, v in zip(gates, h, strict=True)]
            candidate = self.product(of("gru.candidate"), gated)
            candidates = self.rescaled(of("gru"), add(both[dim:], candidate), 312)
            h = [v + divide(f * (c - v), 625) for v, f, c in zip(h, gates, candidates, strict=True)]
            stream = [clamp(v, 1562) for v in add(stream, h)]
            up = add(self.product(of("up"), self.normalised(of("mlp.norm"), stream)), self.vector(of("up.bias")))
            inner = self.rescaled(of("up"), up, 125)
            down = add(self.product(of("down"), inner), self.vector(of("down.bias")))
            stream = [clamp(v, 1562) for v in add(stream, self.rescaled(of("down"), down, 312))]
            after.append(h)
            seen |= {of("gates"): gates, of("hidden"): h, of("mlp"): inner}
        sums = add(self.product("head", self.normalised("norm", stream)), self.vector("head.bias"))
        logits = self.rescaled("head", sums, 312)
        return logits, after, seen | {"stream": stream, "logits": logits}


def add(x: Row, y: Row) -> Row:
    return [a + b for a, b in zip(x, y, strict=True)]


def root(number: int, degree: int) -> int:
    """Return the largest integer whose power of the given degree does not exceed the number."""
    low, high = 0, 2 ** (number.bit_length() // degree + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= number else (low, middle)
    return low


@cache
def power(z: int) -> int:
    """Return round(2**(z/25 + 20)) in integer arithmetic."""
    return (root(2 ** (z + 500 + 25), 25) + 1) // 2


@cache
def logarithm(leading: int) -> int:
    """Return round(625 (log2(leading + 1/2) - 20)) in integer arithmetic, for the eleven leading bits of a sum."""
    assert 1024 <= leading < 2048
    twice = ((2 * leading + 1) ** 1250).bit_length() - 1 - 1250
    return (twice + 1) // 2 - 625 * 20


def byte_loss(logits: Row, target: int) -> int:
    total = sum(map(power, logits))
    shift = total.bit_length() - 11
    return logarithm(total >> shift) + 625 * shift - 25 * logits[target]


def shaped(losses: list[tuple[int, int]]) -> Row:
    differences = [minus - plus for plus, minus in losses]
    total = max(1, sum(map(abs, differences)))
    found = []
    for d in differences:
        size = min(62, floor(Fraction(20 * len(losses) * abs(d), total) + Fraction(1, 2)))
        found.append(size if d > 0 else -size)
    return found


@dataclass(frozen=True)
class Training:
    """Training run in Python integers."""

    model: Reference
    population: int
    tokens: int
    steps: int
    seed: int

    def start(self) -> dict[str, Matrix]:
        latents = {}
        for number, (name, (kind, rows, cols)) in enumerate(self.model.tensors.items()):
            latents[name] = [[0] * cols for _ in range(rows)]
            if kind != "matrix":
                continue
            count = self.model.scale(name)[1]
            for i in range(rows):
                words = words_at(self.seed, 0, number, i, range(count * cols))
                low = [sum(pent * 5**k for k, pent in enumerate(pents_of(word)[:6])) for word in words]
                latents[name][i] = [divide(sum(low[j::cols]), count) for j in range(cols)]
        return latents

    def noise(self, step: int, pair: int) -> Row:
        blocks = range(self.model.all_blocks)
        return [pent for word in words_at(self.seed, step, 0, pair, blocks) for pent in pents_of(word)]

    def gain(self, step: int, squares: int, variance: int) -> int:
        if squares == 0:
            return 0
        first = 7812 * 5**8 * 6 // (10 * isqrt(self.steps * squares * variance))
        falling = (self.steps + 1) // 2
        return first * min(falling, self.steps - step + 1) // falling

    def update(
        self, step: int, latents: dict[str, Matrix], hidden: list[Matrix], text: bytes
    ) -> tuple[list[tuple[int, int]], dict[str, Matrix], list[Matrix]]:
        """Perform update `step` (1, 2, ...); return the members' losses, and the new latent words and hidden states."""
        pairs, visible = self.population // 2, self.model.visible(latents)
        losses, means = [], []
        for pair in range(pairs):
            noise = self.noise(step, pair)
            start = pair * len(text) // pairs + (step - 1) * self.tokens
            own, states = [], []
            for sign in (1, -1):
                member, state, loss = Member(self.model, visible, sign, noise), hidden[pair], 0
                for place in range(start, start + self.tokens):
                    logits, state, _ = member.read(state, text[place % len(text)])
                    loss += byte_loss(logits, text[(place + 1) % len(text)])
                own.append(loss)
                states.append(state)
            losses.append((own[0], own[1]))
            both = zip(*states, strict=True)  # int() of a Fraction rounds towards zero
            means.append([[int(Fraction(a + b, 2)) for a, b in zip(*two, strict=True)] for two in both])
        fitness = shaped(losses)
        squares = sum(f * f for f in fitness)
        moved = {}
        for name, (kind, rows, cols) in self.model.tensors.items():
            total = [[0] * cols for _ in range(rows)]
            for pair, f in enumerate(fitness):
                member = Member(self.model, visible, 1, self.noise(step, pair))
                a = member.column_factor(name) if kind == "matrix" else [1]
                b = member.row_factor(name)
                for i in range(rows):
                    for j in range(cols):
                        total[i][j] += f * a[i] * b[j]
            gain = self.gain(step, squares, 4 if kind == "matrix" else 2)
            moved[name] = [
                [clamp(word + divide(clamp(t, 195_312) * gain, 5**8), 7812) for word, t in zip(*two, strict=True)]
                for two in zip(latents[name], total, strict=True)
            ]
        return losses, moved, means


def digest(latents: dict[str, Matrix]) -> str:
    words = (word for matrix in latents.values() for row in matrix for word in row)
    return sha256(b"".join(word.to_bytes(8, "little", signed=True) for word in words)).hexdigest()
