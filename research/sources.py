"""Digest of the source files from which a record was made; a test rejects records with an outdated digest."""

import ast
import io
import platform
import re
import subprocess
import sys
import tokenize
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
    """Return the files of this project that the given modules import, including their own.

    Args:
        modules: names of importable modules.
        but: names of modules or packages to be excluded, since they do not affect the record.
    """
    lines = subprocess.run([sys.executable, "-c", _LIST, *modules], capture_output=True, text=True, check=True).stdout
    files = dict(line.split(" ", 1) for line in lines.splitlines())
    return [Path(file) for name, file in files.items() if not any(f"{name}.".startswith(f"{each}.") for each in but)]


def digest(files: Iterable[Path], beside: str = "") -> str:
    """Return the SHA-256 of the contents of files, independent of their paths, and of the text `beside`.

    Python files are reduced to their code, see `code`, so a record stays valid if a module is moved or its
    documentation changes.
    """
    total = sha256(beside.encode())
    for content in sorted(map(_content, set(files))):
        total.update(f"{len(content)}\n".encode() + content)
    return total.hexdigest()


def _content(file: Path) -> bytes:
    content = file.read_bytes()
    return code(content.decode()).encode() if file.suffix == ".py" else content


def code(text: str) -> str:
    r"""Return a module's text without docstrings, imports, comments and empty lines.

    >>> code("from math import pi\n\ndef f():\n    'Return pi.'\n    return pi  # about 3\n")
    'def f():\n    return pi'
    """
    lines = text.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(text)):
        is_string = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_string or isinstance(node, (ast.Import, ast.ImportFrom)):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)  # type: ignore
    return "\n".join(stripped for line in lines if (stripped := line.rstrip()))


def processor() -> str:
    """Return the name of this computer's processor, as Linux gives it."""
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()
