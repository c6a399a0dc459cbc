"""The command `export`."""

from pathlib import Path

import click

from pentary.cli.console import exit_status
from pentary.support.files import write_whole


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE.s", help="The program.")
@click.option("--examples", type=click.IntRange(1), default=16, show_default=True, help="Of the test part, to hold.")
@click.option("--read", is_flag=True, help="The program reads its examples from the input instead.")
def export(run: Path, output: Path, examples: int, read: bool) -> None:
    """Write a trained network as a program for the processor.

    RUN is the folder of a run of a described network, or of digits. The program holds the weights and some examples of
    the test part, and writes a line for each to the console: the number of the class, or the results.

    \b
    Examples:
      pentary export runs/digits-7 -o net.s
      pentary run net.s
      pentary export runs/mine -o net.s --read
      pentary run net.s --input examples.txt --quiet
    """
    from pentary.compile.inference import inference
    from pentary.tasks.described import saved

    with exit_status():
        own = saved.read(run)
        chosen = None if read else own.data().test.x[:examples]
        text = inference(own.network, own.weights, chosen, f"{own.config['task']}, digest {own.digest[:16]}")
        write_whole(output, text.encode())
        click.echo(f"{output}: run it by `pentary run {output}`")
