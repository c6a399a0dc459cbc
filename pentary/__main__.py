"""`python -m pentary` is `pentary`."""

from pentary.cli import main

if __name__ == "__main__":
    main(prog_name="pentary")
