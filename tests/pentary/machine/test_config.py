"""Settings: defaults equal those of the file, limits are enforced, and errors name the setting and its place."""

import re
from importlib.resources import files

import pytest

from pentary.machine.config import L1, Caches, Config, LowRank, Pipeline, Units
from pentary.numbers.word import PentaryError

SETS = {1, 5, 25, 125, 625, 3125}
ALLOWED = {  # allowed values, repeated independently as limits and lists
    "pipeline.queue": (1, 64),
    "predictor.entries": (0, 15_625),
    "caches.line": {5, 25, 125, 625},
    "icache.sets": SETS,
    "icache.ways": (1, 64),
    "dcache.sets": SETS,
    "dcache.ways": (1, 64),
    "l2.sets": SETS,
    "l2.ways": (1, 64),
    "l2.latency": (0, 10_000),
    "memory.words": (15_625, 48_828_125),
    "memory.latency": (0, 10_000),
    "lowrank.lanes": {16, 64, 256},
    "lowrank.rounds_per_cycle": {1, 2, 4, 8},
}
SWITCHES = [
    *("caches.critical_first", "caches.enabled", "units.vector", "units.crossbar", "units.lowrank"),
    "exceptions.overflow_trap",
]
EDGES = [
    (name, value, good)
    for name, allowed in ALLOWED.items()
    for value, good in (
        [(value, value in allowed) for value in range(-1, 4000)]
        if isinstance(allowed, set)
        else [(allowed[0] - 1, False), (allowed[0], True), (allowed[1], True), (allowed[1] + 1, False)]
    )
]


def problems(text):
    with pytest.raises(PentaryError) as caught:
        Config.loads(text, "my.toml")
    return str(caught.value).splitlines()


def setting(config, name):
    table, key = name.split(".")
    return getattr(getattr(config, table), key)


def default_text():
    return files("pentary.machine").joinpath("default.toml").read_text("utf-8")


def test_default_file_says_what_the_defaults_are():
    assert Config.loads(default_text()) == Config() == Config.loads("")


def test_default_file_gives_every_setting():
    for name in [*ALLOWED, *SWITCHES]:
        table, key = name.split(".")
        section = default_text().split(f"[{table}]")[1].split("\n[")[0]
        assert re.search(rf"^(# )?{key} = ", section, re.MULTILINE), name


def test_every_value_that_a_setting_takes_is_kept_and_every_other_refused():
    for name, value, good in EDGES:
        text = f"{name} = {value}"
        if good:
            assert setting(Config.loads(text), name) == value
        else:
            (line,) = problems(text)
            assert line.startswith(f"my.toml: {name} is {value}; it must be ")


@pytest.mark.parametrize("value", ["25.0", "true", "'25'", "[25]", "1979-05-27", "{a = 1}", "nan"])
@pytest.mark.parametrize("name", ["caches.line", "predictor.entries"])
def test_only_an_integer_is_an_integer(name, value):
    (line,) = problems(f"{name} = {value}")
    assert line.startswith(f"my.toml: {name} is ")


@pytest.mark.parametrize("value", ["0", "1", "'true'", "0.0"])
@pytest.mark.parametrize("name", SWITCHES)
def test_only_true_and_false_are_booleans(name, value):
    assert problems(f"{name} = {value}") == [f"my.toml: {name} is {value}; it must be true or false"]


def test_settings_that_a_file_leaves_out_have_their_defaults():
    config = Config.loads("[icache]\nways = 2\n[exceptions]\noverflow_trap = true")
    assert config.icache == L1(25, 2)
    assert config.exceptions.overflow_trap is True
    assert (config.dcache, config.l2, config.pipeline) == (Config().dcache, Config().l2, Config().pipeline)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[pipline]", "my.toml: there is no table pipline; the nearest is pipeline"),
        ("queue = 4", "my.toml: there is no table queue; the nearest is pipeline.queue"),
        ("[l2]\nwais = 4", "my.toml: there is no setting l2.wais; the nearest is l2.ways"),
        ("[icache]\nline = 5", "my.toml: there is no setting icache.line; the nearest is caches.line"),
        ("l2 = 4", "my.toml: l2 is 4; it must be a table, [l2]"),
    ],
)
def test_unknown_name_is_answered_with_the_nearest(text, line):
    assert problems(text) == [line]


def test_name_without_a_near_one_is_answered_with_the_tables():
    (line,) = problems("[zzz]")
    assert "pipeline, predictor, caches" in line


def test_all_mistakes_are_told():
    told = problems("[pipeline]\nqueue = 0\nqeue = 1\n[l2]\nways = 65\nsets = 2\n[nothing]\n")
    assert len(told) == 5
    assert all(line.startswith("my.toml: ") for line in told)


@pytest.mark.parametrize(
    "text", ["[pipeline\nqueue = 4", "\n\na = ", "a = 1\na = 2", f"a = {'[' * 50_000}", f"a = {'9' * 5000}"]
)
def test_text_that_is_not_toml_is_refused_in_one_line(text):
    (line,) = problems(text)
    assert line.startswith("my.toml: not TOML: ")


def test_syntax_error_is_told_with_its_place():
    (line,) = problems("[pipeline]\nqueue = = 4")
    assert "line 2, column 9" in line


def test_settings_made_in_python_are_checked_as_well():
    with pytest.raises(PentaryError, match=r"^pipeline.queue is 0; .* 1..64\nlowrank.lanes is 32; .* 16, 64 or 256$"):
        Config(pipeline=Pipeline(0), lowrank=LowRank(lanes=32))
    assert Config(caches=Caches(5)).caches.line == 5


def test_file_is_read_with_or_without_a_byte_order_mark(tmp_path):
    for mark in (b"", b"\xef\xbb\xbf"):
        path = tmp_path / "machine.toml"
        path.write_bytes(mark + "# Größe\r\n[pipeline]\r\nqueue = 9\r\n".encode())
        assert Config.load(path) == Config.load(str(path)) == Config(pipeline=Pipeline(9))


@pytest.mark.parametrize("kind", ["missing", "directory", "latin-1"])
def test_file_that_cannot_be_read_is_named(tmp_path, kind):
    path = tmp_path / "machine.toml"
    if kind == "directory":
        path.mkdir()
    elif kind == "latin-1":
        path.write_bytes(b"# Gr\xf6\xdfe")
    with pytest.raises(PentaryError, match=r"^[^\n]*machine\.toml[^\n]*$"):
        Config.load(path)


def test_of_many_wrong_settings_the_first_are_told_and_the_others_counted():
    text = "[l2]\n" + "".join(f"way{n} = {n}\n" for n in range(300)) + f"ways = {[0] * 10_000}"
    with pytest.raises(PentaryError) as refusal:
        Config.loads(text)
    *told, last = str(refusal.value).splitlines()
    assert len(told) == 20 and all(len(line) < 400 for line in told)
    assert last == "301 settings are wrong; the first 20 are shown"


@pytest.mark.parametrize(
    ("absent", "names"),
    [
        ((), set()),
        (("crossbar",), {"crossbar"}),
        (("lowrank",), {"lowrank"}),
        (("crossbar", "lowrank"), {"crossbar", "lowrank"}),
        (("vector", "crossbar", "lowrank"), {"vector", "memory", "crossbar", "lowrank"}),
    ],
)
def test_a_machine_lacks_the_units_that_are_switched_off(absent, names):
    assert Config.loads("".join(f"units.{unit} = false\n" for unit in absent)).absent == names


def test_a_unit_that_needs_vector_registers_is_refused_without_them():
    told = [
        f"units.{unit} is true but units.vector is false; without vector registers it must be false"
        for unit in ("crossbar", "lowrank")
    ]
    assert problems("units.vector = false") == [f"my.toml: {line}" for line in told]
    assert problems("units = {vector = false, crossbar = false}") == [f"my.toml: {told[1]}"]
    assert problems("units = {vector = false, crossbar = 1, lowrank = false}") == [
        "my.toml: units.crossbar is 1; it must be true or false"
    ]
    with pytest.raises(PentaryError) as refusal:
        Config(units=Units(vector=False))
    assert str(refusal.value).splitlines() == told


def test_without_caches_a_latency_that_is_left_out_is_1():
    text = "icache = {sets = 625, ways = 64}\ndcache = {sets = 625, ways = 64, latency = 3}\n"
    cached, without = Config.loads(text), Config.loads(f"{text}caches.enabled = false")
    assert [cached.l1_latency(cached.icache), cached.l1_latency(cached.dcache)] == [14, 3]
    assert [without.l1_latency(without.icache), without.l1_latency(without.dcache)] == [1, 3]
