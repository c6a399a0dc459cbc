"""Which sources a record was made from: their digest stands in the record, and a test refuses a record of others."""

import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

_LIST: Final = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
for name, module in sorted(sys.modules.items()):
    if name.split(".")[0] in ("pentary", "pentary_sim", "pentary_hdl"):
        print(name, module.__file__)
"""


def imported(modules: Iterable[str], but: Iterable[str] = ()) -> list[Path]:
    """Return the files of this project that some modules import, themselves among them.

    Args:
        modules: importable names.
        but: names of modules, or of packages, that do not matter to the record.
    """
    lines = subprocess.run([sys.executable, "-c", _LIST, *modules], capture_output=True, text=True, check=True).stdout
    files = dict(line.split(" ", 1) for line in lines.splitlines())
    return [Path(file) for name, file in files.items() if not any(f"{name}.".startswith(f"{each}.") for each in but)]


def digest(files: Iterable[Path], beside: str = "") -> str:
    """Return the SHA-256 of the names and contents of files below the root, and of a text beside them."""
    total = sha256(beside.encode())
    for file in sorted(set(files)):
        content = file.read_bytes()
        total.update(f"{file.relative_to(ROOT).as_posix()} {len(content)}\n".encode() + content)
    return total.hexdigest()
