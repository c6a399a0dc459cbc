"""The commands `sample` and `eval` of the language model.

Modules with compiled kernels are imported only when a command runs, so that `pentary --help` stays quick.
"""

import codecs
import json
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from pentary.cli.console import exit_status
from pentary.cli.options import FILE, json_option
from pentary.nets import products
from pentary.nets.lm import checkpoint, odds
from pentary.numbers.word import PentaryError
from pentary.support.parallel import one_blas_thread
from pentary.tasks.language import corpus

if TYPE_CHECKING:
    from pentary.nets.lm.forward import Weights


@click.command()
@click.argument("run", type=FILE)
@click.option("--prompt", metavar="TEXT", help="Text to go on from; if not given, a document begins.")
@click.option("--bytes", "count", type=int, default=400, show_default=True, help="Bytes to draw.")
@click.option(
    "--temperature",
    type=float,
    default=odds.TEMPERATURE,
    show_default=True,
    help="1 draws with the model's probabilities, less prefers likely bytes, 0 always takes the likeliest.",
)
@click.option(
    "--min-p",
    type=float,
    default=odds.MIN_P,
    show_default=True,
    help="Leave out bytes less likely than this share of the likeliest's probability, at that temperature.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same text.")
def sample(run: Path, prompt: str | None, count: int, temperature: float, min_p: float, seed: int) -> None:
    """Generate text with the language model in the folder RUN.

    The prompt comes first. A pipe or a file gets the bytes as they are, in which byte 0 ends a document. On a terminal
    a document's end is an empty line, and what is neither UTF-8 nor printable becomes a replacement character.

    \b
    Examples:
      pentary sample runs/text-seed0
      pentary sample runs/text-seed0 --prompt 'The "for" statement' --bytes 1000 --seed 1
    """
    with exit_status():
        if prompt == "":
            raise PentaryError("the prompt is empty: leave --prompt out to begin a document")
        start = b"" if prompt is None else os.fsencode(prompt)
        from pentary.nets.lm import sampling

        # Products of one row are too small to share.
        with one_blas_thread():
            drawn = sampling.generate(_centre(run), start, count, temperature=temperature, min_p=min_p, seed=seed)
            stream = chain(start, drawn)
            if sys.stdout.isatty():
                try:
                    for text in readable(stream):
                        click.echo(text, nl=False)
                finally:
                    click.echo()
            else:
                for byte in stream:
                    click.echo(bytes([byte]), nl=False)


@click.command()
@click.argument("run", type=FILE)
@click.argument("file", type=FILE)
@json_option()
def eval(run: Path, file: Path, as_json: bool) -> None:
    """Measure the language model in the folder RUN on FILE, in bits per byte.

    The file is one document, and every byte of it counts. It is read in up to 256 pieces in parallel, each with the 64
    bytes before it as context.
    """
    with exit_status():
        from pentary.nets.lm.evaluate import bits_per_byte

        text = np.frombuffer(corpus.read(file), np.uint8)
        bits = bits_per_byte(_centre(run), text)
        if as_json:
            click.echo(json.dumps({"run": str(run), "file": str(file), "bytes": len(text), "bits_per_byte": bits}))
        else:
            click.echo(f"{bits:.3f} bits/byte on the {len(text):,} bytes of {file}")


def _centre(run: Path) -> "Weights":
    """Load the unperturbed weights of a run for the forward pass."""
    from pentary.nets.lm.forward import Weights

    model, latents = checkpoint.load(run)
    weights = Weights(model, products.backend("numpy"))
    weights.fill(latents)
    return weights


def readable(stream: Iterable[int]) -> Iterator[str]:
    """Decode bytes for a terminal; yield each character as soon as its last byte arrives.

    >>> "".join(readable("für €".encode()))
    'für €'
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for byte in stream:
        yield from map(_shown, decoder.decode(bytes([byte])))
    yield from map(_shown, decoder.decode(b"", final=True))


def _shown(character: str) -> str:
    if character == "\0":
        return "\n\n"
    return character if character in "\n\t" or character.isprintable() else "\N{REPLACEMENT CHARACTER}"
