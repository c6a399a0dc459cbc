"""Cores built ahead, by a process beside the one that checks them: most of the time of a check is that of builds."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pentary.numbers.word import PentaryError
from pentary.support import signals
from pentary.support.display import say
from pentary_hdl.bench.core_presets import configuration
from pentary_hdl.engine import core


@contextmanager
def built_ahead(names: Sequence[str], technology: str | None) -> Iterator[Callable[[str], None]]:
    """Build cores in a process of its own, which ends with the body.

    Args:
        names: of the configurations, of `core_presets.CONFIGURATIONS`, in the order in which they are needed.
        technology: as of `engine.core.build`.

    Yields:
        A function that waits until the core of the configuration with a name is built, or cannot be.
    """
    if not names:
        yield lambda name: None
        return
    command = [sys.executable, "-m", __name__, technology or "", *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0) as process:
        assert process.stdout is not None
        waiting, lines = list(names), process.stdout

        def wait(name: str) -> None:
            while name in waiting and lines.readline():
                waiting.pop(0)

        try:
            yield wait
        finally:
            process.terminate()  # as at Ctrl-C, so that it ends its compilers and deletes what is half built


def main(technology: str, *names: str) -> None:
    """Build cores, and write a line after each."""
    for name in names:
        core.build(configuration(name), say, made_of=technology or None)
        print(name, flush=True)


if __name__ == "__main__":
    signals.end_like_ctrl_c()
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(signals.exit_code())
    except (PentaryError, OSError):  # the one who waits builds the core itself, and says what is wrong
        sys.exit(2)
