"""`python -m pentary` is `pentary`."""

import sys

from pentary import signals


def run() -> None:
    """Run the command line; a signal ends it quietly even while it is loaded."""
    signals.end_like_ctrl_c()
    try:
        from pentary import console
        from pentary.cli import main
    except KeyboardInterrupt:
        sys.exit(signals.exit_code())
    console.prepare_streams()
    try:
        main(prog_name="pentary")
    except OSError:  # standard error takes no message either
        sys.exit(2)
    finally:
        console.release_streams()


if __name__ == "__main__":
    run()
