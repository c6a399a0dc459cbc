"""The end of every command: its messages and its exit status."""

import subprocess
import sys


def test_after_an_interrupt_objects_that_are_broken_off_say_nothing() -> None:
    # Amaranth warns of every part of a design that is never used.
    code = """if True:
        import sys, warnings
        import click
        from pentary.cli.console import exit_status

        class Unused:
            def __del__(self):
                warnings.warn("created but never used")

        try:
            with exit_status():
                unused = Unused()
                raise KeyboardInterrupt
        except click.exceptions.Exit as end:
            sys.exit(end.exit_code)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")
