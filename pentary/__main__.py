"""`python -m pentary` is `pentary`."""

import sys


def run() -> None:
    """Run the command line; Ctrl-C ends it quietly even while it is loaded."""
    try:
        from pentary.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    main(prog_name="pentary")


if __name__ == "__main__":
    run()
