"""The whole program: constants, the routines around `evaluate`, and the data."""

from typing import Final

from pentary.compile import general, losses, pipelined
from pentary.compile.pairs import COLUMNS
from pentary.compile.pieces import Parts, Text, comment, data, described, latent_words, matrix_line
from pentary.compile.plan import Pipelined, Plan
from pentary.es.strategy import Parameters
from pentary.isa.table import MAX_VL


def training(plan: Plan, examples: int, title: str) -> Text:
    """Return a program that trains a network.

    Args:
        plan: of the network.
        examples: of the training part; a host writes them to `inputs` and `targets`.
        title: of the program.
    """
    own = pipelined.parts(plan) if isinstance(plan, Pipelined) else general.parts(plan)
    found = [*latent_words(plan.network), *own.regions, *losses.regions(plan), *_examples(plan)]
    found.append(("read_ahead", str(own.read_ahead + MAX_VL), "read as if it were one more example, and not used"))
    parts = [
        _head(plan, own, examples, title),
        _constants(plan, own, examples),
        _matrices(plan, own),
        "        .text\n",
        *own.routines,
        losses.add_loss(plan),
        data(found, {**losses.TABLES, **own.tables}),
    ]
    return Text("\n\n".join(part.strip("\n") for part in parts) + "\n", found)


def _head(plan: Plan, own: Parts, examples: int, title: str) -> str:
    members = _FACTORED if plan.factored else _QUANTIZED
    return comment(f"""\
{title}: trained with {plan.parameters.perturb} perturbations. Written by the compiler, from

{described(plan.network)}
{own.told}
{members}
Its fitness is minus the loss on the {plan.batch} training examples of the step, which go through all {examples}
again and again. Before the run a host writes them to `inputs` and `targets`.

Crossbar: {own.crossbar}
""")


_FACTORED: Final = """\
A member has W +- S / 5^q in place of the visible weights W, S = A B^T, with the factors A and B of the pair, and biases
likewise. q is SIGMA_SHIFT; a sum is in units of 5^-q until it is rescaled."""

_QUANTIZED: Final = """\
A member has the top pents of latents +- SIGMA E as weights, where E is the product of the pair's factors, quantised to
pents, and biases likewise."""


def _constants(plan: Plan, parts: Parts, examples: int) -> str:
    own: Parameters = plan.parameters
    largest = max(tensor.size for tensor in plan.network.tensors.values())
    size = f"SIGMA_SHIFT, {own.sigma_shift}" if plan.factored else "SIGMA, limit(LATENT - 1)"
    variance, quantised = ("4 * RANK", "") if plan.factored else ("2", "\n        PQUANT")
    return f"""\
        .param  POPULATION, {own.population}
        .param  RANK, {own.rank}
        .param  STEPS, {own.steps}
        .param  SEED, {own.seed}
        .param  LATENT, {own.latent}               ; pents of a latent word
        .param  SHAPING, {int(own.shaping == "rank")}              ; 0 sign, 1 rank
        .param  {size}
        .param  FIRST_GAIN, limit(LATENT) * 5**8 // isqrt(STEPS * (POPULATION // 2) * {variance})
        .param  EXAMPLES, {examples}

        .equ    BATCH, {plan.batch}
        .equ    BLOCK, {plan.block}              ; examples
        .equ    CLASSES, {plan.results}            ; results of an example
        .equ    OUTPUTS, BLOCK * CLASSES
        .equ    BASE, {losses.base(plan)}              ; initial fitness, see add_loss
        .equ    LARGEST, {largest}
        .equ    FITNESS_LIMIT, {losses.largest(plan)}
        .equ    STARTS, 1               ; lines of `matrices` say how latent words are drawn
        .equ    NOISE, {int(bool(parts.in_memory))}                ; 1: and where factors are that are in memory
        .equ    QUANTIZED, {int(not plan.factored)}

        .macro  perturb row
        LRMUL   \\row{quantised}
        .endm"""


def _matrices(plan: Plan, own: Parts) -> str:
    rest = {name: own.in_memory.get(name, ["0"] * COLUMNS if own.in_memory else []) for name in plan.network.tensors}
    rows = [matrix_line(name, tensor, rest[name]) for name, tensor in plan.network.tensors.items()]
    noise = ['        .include "noise.s"'] if own.in_memory else []
    return "\n".join(["        .data", "matrices:", *rows, "matrices_end:", '        .include "es.s"', *noise])


def _examples(plan: Plan) -> list[tuple[str, str, str]]:
    return [
        ("inputs", f"EXAMPLES * {plan.network.input.values().size}", "training examples"),
        ("targets", f"EXAMPLES * {losses.target_words(plan)}", "of the training examples"),
    ]
