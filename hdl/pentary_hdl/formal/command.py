"""The command `prove`: formal proofs of properties of the gateware."""

import json
from typing import TYPE_CHECKING, Any

import click

from pentary.cli.console import exit_status
from pentary.cli.options import json_option
from pentary.numbers.word import PentaryError
from pentary.support.extras import extra

if TYPE_CHECKING:
    from pentary_hdl.formal.prover import Proof, Verdict


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option()
def prove(names: tuple[str, ...], as_json: bool) -> None:
    """Prove properties of the gateware: all of them, or those named; some of those of the core take minutes.

    Prints a line for each property, with the inputs or states for which it was proved. If one does not hold, a
    counterexample follows, and the exit status is 2.

    \b
    Examples:
      pentary prove
      pentary prove digit-adder quantiser
      pentary prove core-legal
    """
    with exit_status():
        with extra("fpga", "proving"):  # imported late: Amaranth is slow to load
            from pentary_hdl.formal import prover
            from pentary_hdl.formal.proofs import ALL
        for name in names:
            if name not in ALL:
                raise PentaryError(f"there is no proof {name!r}; there are {', '.join(ALL)}")
        found: dict[str, dict[str, Any]] = {}
        for name in names or ALL:
            proof = ALL[name]
            verdict = prover.prove(proof)
            found[name] = {
                "claim": proof.claim,
                "kind": proof.kind,
                "seconds": round(verdict.seconds, 1),
                "proved": verdict.proved,
                "counterexample": verdict.counterexample,
            }
            if not as_json:
                click.echo(told(name, proof, verdict))
        if as_json:
            click.echo(json.dumps(found))
        failed = [name for name, each in found.items() if not each["proved"]]
        if failed:
            raise PentaryError(f"{len(failed)} of {len(found)} do not hold: {', '.join(failed)}")


def told(name: str, proof: "Proof", verdict: "Verdict") -> str:
    """Return a verdict as text: a line, and for a counterexample the changed ports of each cycle in a line."""
    word = "proved" if verdict.proved else "FAILS"
    lines = [f"{name:18} {word:6} {verdict.seconds:5.1f} s  {proof.claim} [{proof.kind}]"]
    before: dict[str, str] = {}
    for cycle, frame in enumerate(verdict.counterexample):
        changed = [f"{port} {value}" for port, value in frame.items() if before.get(port) != value]
        lines.append(f"    cycle {cycle}: {', '.join(changed)}")
        before = frame
    return "\n".join(lines)
