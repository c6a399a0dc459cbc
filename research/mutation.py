"""A mutant: a copy of the sources with one change, in which commands are run to find it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

import equivalence

ROOT: Final = Path(__file__).parents[1]

PATIENCE: Final = 600
"""Seconds after which a run counts as hanging, unless another number is given."""

SOFTWARE: Final = ("twin", "shared")
"""Kinds of mutants that leave the gateware as it is."""

OTHER_HARDWARE: Final = "wide"
"""Preset of `pentary verify` in which a survivor of the gateware is looked for, too."""

_COPIED = ("pentary", "sim", "hdl", "tests", "architecture", "research", "pyproject.toml", "README.md")

_DIFFERENCE = re.compile(r"\bcase (\w+): (.*)")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)(?: - (.*))?", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        name, kind: see mutants.toml.
        file: relative to the root.
        old, new: text of it.
        reason: why nothing finds it.
        tests: files that have to find it if `pentary verify` does not.
    """

    name: str
    kind: str
    file: str
    old: str
    new: str
    reason: str = ""
    tests: tuple[str, ...] = ()

    @property
    def is_gateware(self) -> bool:
        return self.kind not in SOFTWARE

    @property
    def module(self) -> str:
        path = Path(self.file)
        return path.parent.name if path.parent.name == "alphabet" else path.stem

    @property
    def test_files(self) -> tuple[str, ...]:
        """Examples in its docstrings, and tests of the same name or those that the table names."""
        if self.is_gateware:
            return ()
        place = self.file.replace("pentary_hdl/", "")
        return self.file, *(self.tests or (f"tests/{Path(place).with_name(f'test_{self.module}.py')}",))

    def applied(self, text: str) -> str:
        """Make the change.

        Raises:
            ValueError: the table is stale.
        """
        if (count := text.count(self.old)) != 1:
            raise ValueError(
                f"mutants.toml is stale: the old text of {self.name} occurs {count} times in {self.file}, not once: "
                f"{self.old}"
            )
        return text.replace(self.old, self.new)


UNCHANGED = Mutant("(unchanged)", "", "README.md", "", "")


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        found: "verify", "hang" (it came to no end), "tests", "" if nothing has found it, or "no mutant": it cannot be
            built.
        by: the case of the bench, or the test.
        message: what that said.
        elsewhere: the case that finds a survivor in the hardware of the preset `OTHER_HARDWARE`.
        proved: of which components it was proved that it changes nothing, if it was not found.
        seconds: that it took.
    """

    found: str
    by: str = ""
    message: str = ""
    elsewhere: str = ""
    proved: str = ""
    seconds: int = 0


@contextmanager
def tree(mutant: Mutant) -> Iterator[Path]:
    """Copy the sources with the change, for a while; with them go functions that are compiled already."""
    with TemporaryDirectory(prefix=f"pentary-{mutant.name.strip('()')}-") as name:
        folder = Path(name)
        for each in _COPIED:
            source = ROOT / each
            if source.is_dir():
                shutil.copytree(source, folder / each, ignore=shutil.ignore_patterns("*.pyc", "*.png"))
            else:
                shutil.copy(source, folder / each)
        if mutant != UNCHANGED:
            changed = folder / mutant.file
            changed.write_text(mutant.applied(changed.read_text()))
        yield folder


class Runner:
    """Runs commands in trees, all of which `stop` ends.

    Args:
        seed: of `pentary verify`.
        cache: folder for the hardware of the trees whose gateware is unchanged, which is built once.
        patience: seconds after which a run counts as hanging.
    """

    def __init__(self, seed: int, cache: Path, patience: int = PATIENCE) -> None:
        self._seed, self._cache, self._patience = seed, cache, patience
        self._running: set[subprocess.Popen] = set()
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True
        for process in list(self._running):
            process.terminate()

    def outcome(self, mutant: Mutant) -> Outcome:
        """Look for a mutant with `pentary verify`, then with tests; of a survivor, prove that it is none."""
        began = monotonic()
        with tree(mutant) as folder:
            found = self._verified(mutant, folder)
            if not found.found and mutant != UNCHANGED and not mutant.is_gateware:
                found = self._tested(mutant, folder)
            if not found.found and mutant.is_gateware:
                proved = equivalence.proof(ROOT, folder, mutant.module, folder)
                other = Outcome("") if proved else self._verified(mutant, folder, "--preset", OTHER_HARDWARE)
                found = Outcome("", elsewhere=other.by, proved=proved)
        return replace(found, seconds=round(monotonic() - began))

    def _verified(self, mutant: Mutant, folder: Path, *options: str) -> Outcome:
        cache = folder / "cache" if mutant.is_gateware else self._cache
        status, said = self.run(folder, cache, "-m", "pentary", "verify", "--seed", str(self._seed), *options)
        last = (said.strip().splitlines() or [""])[-1]
        if status is None:
            return Outcome("hang", "pentary verify", f"not done after {self._patience} s")
        if status == 0:
            return Outcome("")
        if difference := _DIFFERENCE.search(last):
            return Outcome("verify", difference[1], difference[2].partition(" base=")[0])
        if "the simulation broke off" in last or not (mutant.is_gateware or mutant == UNCHANGED):
            return Outcome("verify", "start", last)
        return Outcome("no mutant", message=last)

    def _tested(self, mutant: Mutant, folder: Path) -> Outcome:
        options = ("-q", "-x", "-p", "no:cacheprovider")
        status, said = self.run(folder, self._cache, "-m", "pytest", *options, *mutant.test_files)
        failed = _FAILED.search(said)
        return Outcome("tests", failed[1], failed[2] or "") if status == 1 and failed else Outcome("")

    def run(self, folder: Path, cache: Path, *arguments: str) -> tuple[int | None, str]:
        """Return the exit status, None if it came to no end, and what was printed."""
        if self._stopped:
            raise InterruptedError
        (folder / "tmp").mkdir(exist_ok=True)
        own = {
            "PYTHONPATH": os.pathsep.join(map(str, (folder, folder / "sim", folder / "hdl"))),
            "XDG_CACHE_HOME": str(cache),
            "TMPDIR": str(folder / "tmp"),
            "COCOTB_MAX_FAILURES": "1",
        }
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        self._running.add(process)
        try:
            said, _ = process.communicate(timeout=self._patience)
        except subprocess.TimeoutExpired:
            process.terminate()  # it then ends its simulator, which is in another group
            process.communicate()
            return None, ""
        finally:
            self._running.discard(process)
        return process.returncode, said


def run_each(
    chosen: Iterable[Mutant],
    outcome: Callable[[Mutant], Outcome],
    workers: int,
    stop: Callable[[], None],
    ended: Callable[[str, Outcome], None],
) -> None:
    """Run mutants, several at a time.

    Args:
        chosen: the mutants.
        outcome: runs one.
        workers: how many at a time.
        stop: called at the end, or if it is broken off: ends what runs.
        ended: called with the name and the outcome of each as it ends.
    """
    pool = ThreadPoolExecutor(workers)
    try:
        running = {pool.submit(outcome, each): each for each in chosen}
        for done in as_completed(running):
            ended(running[done].name, done.result())
    finally:
        stop()
        pool.shutdown(cancel_futures=True)


def as_code(text: str) -> str:
    """Return a piece of source code for a cell of a Markdown table, in one line."""
    return f"`{' '.join(text.split())}`".replace("|", "\\|")
