"""Configuration of a machine: default and allowed values, and reading them from a TOML file.

`default.toml` in this folder documents every setting.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from math import isqrt
from pathlib import Path
from typing import Any, Final, Self

from pentary.isa.table import LOWRANK_HARDWARE
from pentary.numbers.word import PentaryError
from pentary.support.messages import MOST, in_words, shortened


def _setting(default: int | bool | None, allowed: Collection[int]) -> Any:
    return field(default=default, metadata={"allowed": allowed})


MAX_QUEUE: Final = 64
MAX_ENTRIES: Final = 5**6
MAX_RETURNS: Final = 64
MAX_SETS: Final = 5**5
MAX_WAYS: Final = 64
MAX_STAGES: Final = 16

_SETS: Final = (1, 5, 25, 125, 625, MAX_SETS)
_WAYS: Final = range(1, MAX_WAYS + 1)
_LATENCY: Final = range(10_001)
_STAGES: Final = range(1, MAX_STAGES + 1)
_BEAT: Final = (1, 5, 25, 125, 625)


@dataclass(frozen=True)
class Pipeline:
    """Depth of the queues between the pipeline and the other units."""

    queue: int = _setting(4, range(1, MAX_QUEUE + 1))


@dataclass(frozen=True)
class Predictor:
    """Branch target buffer, and return-address stack."""

    entries: int = _setting(125, range(MAX_ENTRIES + 1))
    returns: int = _setting(8, range(MAX_RETURNS + 1))


@dataclass(frozen=True)
class Caches:
    """Settings common to all caches, and whether there are any."""

    line: int = _setting(25, (5, 25, 125, 625))
    critical_first: bool = _setting(True, (False, True))
    enabled: bool = _setting(True, (False, True))


@dataclass(frozen=True)
class L1:
    """A first-level cache; its latency follows from its size if it is None, and is 1 without caches."""

    sets: int = _setting(25, _SETS)
    ways: int = _setting(8, _WAYS)
    latency: int | None = _setting(None, _STAGES)


@dataclass(frozen=True)
class L1Data(L1):
    """The first-level data cache, with the port of the vector load/store unit."""

    beat: int = _setting(25, _BEAT)


@dataclass(frozen=True)
class L2:
    """The second-level cache; its latency follows from its size if it is None."""

    sets: int = _setting(125, _SETS)
    ways: int = _setting(16, _WAYS)
    latency: int | None = _setting(None, _LATENCY)
    beat: int = _setting(5, _BEAT)


@dataclass(frozen=True)
class Memory:
    """Main memory."""

    words: int = _setting(5**9, range(5**6, 5**11 + 1))
    latency: int = _setting(60, _LATENCY)
    beat: int = _setting(1, _BEAT)


@dataclass(frozen=True)
class Devices:
    """Console, input and exit status."""

    latency: int = _setting(10, _LATENCY)


@dataclass(frozen=True)
class Units:
    """Which units there are; `vector` are two, the vector unit and the vector load/store unit."""

    vector: bool = _setting(True, (False, True))
    crossbar: bool = _setting(True, (False, True))
    lowrank: bool = _setting(True, (False, True))


@dataclass(frozen=True)
class LowRank:
    """Low-rank unit; the vector unit has the same number of lanes."""

    lanes: int = _setting(16, LOWRANK_HARDWARE["lanes"])
    rounds_per_cycle: int = _setting(1, LOWRANK_HARDWARE["rounds_per_cycle"])


@dataclass(frozen=True)
class Exceptions:
    """Optional faults."""

    overflow_trap: bool = _setting(False, (False, True))


@dataclass(frozen=True)
class Config:
    """Configuration of a machine, one attribute for each TOML table; the defaults are those of `default.toml`.

    Raises:
        PentaryError: a setting has a value that is not allowed; the message has a line for each.

    >>> Config(pipeline=Pipeline(queue=8)).pipeline.queue
    8
    >>> Config(caches=Caches(line=24))
    Traceback (most recent call last):
    pentary.numbers.word.PentaryError: caches.line is 24; it must be 5, 25, 125 or 625
    """

    pipeline: Pipeline = Pipeline()
    predictor: Predictor = Predictor()
    caches: Caches = Caches()
    icache: L1 = L1()
    dcache: L1Data = L1Data()
    l2: L2 = L2()
    memory: Memory = Memory()
    devices: Devices = Devices()
    units: Units = Units()
    lowrank: LowRank = LowRank()
    exceptions: Exceptions = Exceptions()

    def __post_init__(self) -> None:
        """Raise PentaryError if a value is not allowed."""
        _raise_all([problem for name in _TABLES for problem in _wrong_values(name, getattr(self, name))])

    @property
    def absent(self) -> frozenset[str]:
        """Units that the machine does not have, by their names in the instruction table.

        >>> sorted(Config(units=Units(vector=False, crossbar=False, lowrank=False)).absent)
        ['crossbar', 'lowrank', 'memory', 'vector']
        """
        present = {"memory": self.units.vector, **asdict(self.units)}
        return frozenset(name for name, there in present.items() if not there)

    def l1_latency(self, cache: L1) -> int:
        """Return the cycles of an access to `icache` or `dcache` that hits.

        It grows with the side of the square that the words fill: a cycle up to 11,249 words, two up to 31,249. Without
        caches it is 1 unless it is set.

        >>> config = Config(dcache=L1Data(sets=125))
        >>> config.l1_latency(config.icache), config.l1_latency(config.dcache)
        (1, 2)
        """
        if cache.latency is not None:
            return cache.latency
        if not self.caches.enabled:
            return 1
        return max(1, _side(cache.sets * cache.ways * self.caches.line, 5000))

    def l2_latency(self) -> int:
        """Return the cycles until the first words of a line come from L2: 5 for the way there and back, and its own.

        >>> Config().l2_latency(), Config(l2=L2(sets=625)).l2_latency()
        (10, 16)
        """
        if self.l2.latency is not None:
            return self.l2.latency
        return 5 + _side(self.l2.sets * self.l2.ways * self.caches.line, 2000)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the settings from a TOML file; omitted settings have their default values.

        Args:
            path: path of the TOML file.

        Raises:
            PentaryError: the file cannot be read, or its content is invalid as described for `loads`.
        """
        try:
            text = Path(path).read_bytes().decode("utf-8-sig")  # some editors begin a file with a byte order mark
        except OSError as error:
            raise PentaryError(f"cannot read the configuration {path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise PentaryError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8 text") from None
        return cls.loads(text, str(path))

    @classmethod
    def loads(cls, text: str, file: str = "configuration") -> Self:
        """Read the settings from TOML text.

        Args:
            text: TOML text.
            file: name to use for it in error messages.

        Raises:
            PentaryError: the text is not TOML, contains an unknown table or key, or a value that is not allowed; the
                message has a line for each error.

        >>> Config.loads("predictor.entries = 0").predictor.entries
        0
        >>> Config.loads("[l2]\\nway = 4")
        Traceback (most recent call last):
        pentary.numbers.word.PentaryError: configuration: there is no setting l2.way; the nearest is l2.ways
        """
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise PentaryError(f"{file}: not TOML: {error}") from None
        problems: list[str] = []
        tables: dict[str, Any] = {}
        for name, given in document.items():
            if name not in _TABLES:
                problems.append(f"there is no table {shortened(name)}{_nearest(name)}")
            elif not isinstance(given, dict):
                problems.append(f"{name} is {_toml(given)}; it must be a table, [{name}]")
            else:
                kind = type(_TABLES[name])
                known = {setting.name for setting in fields(kind)}
                problems += [
                    f"there is no setting {name}.{shortened(key)}{_nearest(f'{name}.{key}')}"
                    for key in given
                    if key not in known
                ]
                tables[name] = kind(**{key: value for key, value in given.items() if key in known})
                problems += _wrong_values(name, tables[name])
        _raise_all([f"{file}: {problem}" for problem in problems])
        return cls(**tables)


def _side(words: int, unit: int) -> int:
    """Return the square root of words / unit, rounded to the nearest integer."""
    return (isqrt(4 * words // unit) + 1) // 2


_TABLES: Final[Mapping[str, Any]] = {table.name: table.default for table in fields(Config)}
_NAMES: Final = [f"{name}.{setting.name}" for name, table in _TABLES.items() for setting in fields(table)]


def _wrong_values(name: str, table: Any) -> Iterator[str]:
    for setting in fields(table):
        value, allowed = getattr(table, setting.name), setting.metadata["allowed"]
        # The type is compared, too: in Python, True == 1 and 25.0 == 25.
        if value is None and setting.default is None:
            continue
        kind = int if setting.default is None else type(setting.default)
        if type(value) is not kind or value not in allowed:
            yield f"{name}.{setting.name} is {_toml(value)}; it must be {in_words(allowed)}"
    if isinstance(table, Units) and table.vector is False:
        for unit in ("crossbar", "lowrank"):
            if getattr(table, unit) is True:
                yield f"units.{unit} is true but units.vector is false; without vector registers it must be false"


def _toml(value: object) -> str:
    return shortened(str(value).lower() if isinstance(value, bool) else repr(value))


def _nearest(wrong: str) -> str:
    same_key = [name for name in _NAMES if name.split(".")[1] == wrong.split(".")[-1]]
    near = same_key or get_close_matches(wrong, [*_TABLES, *_NAMES], n=1)
    return f"; the nearest is {near[0]}" if near else f"; there are {', '.join(_TABLES)}"


def _raise_all(problems: list[str]) -> None:
    if len(problems) > MOST:
        problems = [*problems[:MOST], f"{len(problems):,} settings are wrong; the first {MOST} are shown"]
    if problems:
        raise PentaryError("\n".join(problems))
