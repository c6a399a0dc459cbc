"""Entry point of `pentary` and `python -m pentary`."""

import sys

from pentary.support import signals


def run() -> None:
    """Run the command line; a signal ends it without a traceback, even during imports and while Python shuts down."""
    try:
        signals.end_like_ctrl_c()
        from pentary.cli import console
        from pentary.cli.commands import main

        console.prepare_streams()
        try:
            console.conduct(main)
        except OSError:  # standard error cannot be written either
            sys.exit(2)
        finally:
            console.release_streams()
            signals.end_at_once()
    except KeyboardInterrupt:
        sys.exit(signals.exit_code())


if __name__ == "__main__":
    run()
