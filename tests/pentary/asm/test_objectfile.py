"""Object files: round trip, and rejection of everything else."""

import errno
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as to_safetensors

from pentary.asm import AssemblyError, assemble_text
from pentary.asm.objectfile import load, load_program, save
from pentary.isa.program import Program
from pentary.numbers.word import WORD_MAX, PentaryError

SOURCE = """
        .param  N, 3
        .equ    WIDE, 5 ** 30
start:  li      p1, 10 ** 9
        bnz     p1, start               ; again ⊕
        .data
x:      .word   -7, 0
y:      .space  N
"""
PROGRAM = assemble_text(SOURCE, "dir/p.s")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "p.pob"


def assert_same(program, wanted):
    for field in fields(Program):
        found, value = getattr(program, field.name), getattr(wanted, field.name)
        assert type(found) is type(value)
        assert np.array_equal(found, value) if field.name == "image" else found == value


@pytest.mark.parametrize("program", [PROGRAM, assemble_text(""), Program(np.array([WORD_MAX, -WORD_MAX]), 1, 9)])
def test_a_program_is_read_as_it_was_written(path, program):
    save(program, path)
    assert_same(load(path), program)
    assert load(path).image.dtype == np.int64


def test_the_same_program_gives_the_same_bytes_and_leaves_nothing_else(path):
    contents = set()
    for _ in range(5):
        save(assemble_text(SOURCE, "dir/p.s"), path)
        contents.add(path.read_bytes())
    assert len(contents) == 1
    assert list(path.parent.iterdir()) == [path]


def test_a_file_cut_anywhere_is_refused(path):
    save(PROGRAM, path)
    content = path.read_bytes()
    for length in [*range(0, len(content), 13), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(PentaryError, match=r"p\.pob is no object file, or only a part of one") as refusal:
            load(path)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"x", b"NOP\n" * 1000, bytes(1000), b"\xff" * 1000])
def test_garbage_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(PentaryError, match=r"^.*p\.pob is no object file, or only a part of one: .*$"):
        load(path)


def test_what_stands_beside_a_program_is_refused(path):
    program = {"program": json.dumps(GOOD)}
    path.write_bytes(to_safetensors({"image": IMAGE, "weights": IMAGE}, program))
    with pytest.raises(PentaryError, match=r"it holds 'weights' too$"):
        load(path)
    path.write_bytes(to_safetensors({"image": IMAGE}, program | {"note": "x"}))
    with pytest.raises(PentaryError, match=r"it holds 'note' too$"):
        load(path)


def test_other_tensors_are_refused(path):
    path.write_bytes(to_safetensors({"image": np.zeros(3, np.int64)}, {"task": "digits"}))
    with pytest.raises(PentaryError, match=r"p\.pob is no object file: it holds other tensors$"):
        load(path)
    path.write_bytes(to_safetensors({"weights": np.zeros(3, np.int64)}, {"program": "{}"}))
    with pytest.raises(PentaryError, match=r"p\.pob is no object file, or only a part of one"):
        load(path)


GOOD = {
    "format": "pentary program",
    "version": 1,
    "text": 1,
    "size": 4,
    "symbols": {"a": 0, "b": 4, "N": 7},
    "labels": ["a", "b"],
    "sources": [["p.s", 1, "NOP"]],
}
IMAGE = np.array([1, 2, 3])


def test_the_fields_below_are_those_of_a_program(path):
    path.write_bytes(to_safetensors({"image": IMAGE}, {"program": json.dumps(GOOD)}))
    assert load(path).place(0) == "a (p.s:1)"
    path.write_bytes(to_safetensors({"image": IMAGE}, {"program": json.dumps(GOOD | {"sources": []})}))
    assert load(path).place(0) == "a"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"format": "cow"}, "it is 'cow', not 'pentary program'"),
        ({"text": 4}, "4 instructions, 3 words and a size of 4 do not go together"),
        ({"text": -1}, "-1 instructions"),
        ({"size": 2}, "1 instructions, 3 words and a size of 2"),
        ({"size": 10**30}, "a size of 1000000000000000000000000000000"),
        ({"text": "1"}, "not an integer"),
        ({"text": None}, "not an integer"),
        ({"size": 4.0}, "not an integer"),
        ({"symbols": {"a": 0, "b": "4"}}, "not an integer"),
        ({"symbols": {"a": 0}}, "its labels are not"),
        ({"symbols": {"a": 0, "b": 5}}, "its labels are not"),
        ({"labels": ["b", "a"]}, "its labels are not"),
        ({"sources": GOOD["sources"] * 2}, "its source lines are not"),
        ({"sources": [["p.s", "1", "NOP"]]}, "its source lines are not"),
        ({"sources": [["p.s", 1]]}, "its fields are not those of a program"),
        ({"symbols": []}, "its fields are not those of a program"),
        ({"labels": [[]]}, "its fields are not those of a program"),
        ({"note": 1, "entry": 2}, "it holds 'note', 'entry' too"),
        ({"labels": 3}, "its fields are not those of a program"),
    ],
)
def test_contents_that_do_not_go_together_are_refused(path, changed, told):
    path.write_bytes(to_safetensors({"image": IMAGE}, {"program": json.dumps(GOOD | changed)}))
    with pytest.raises(PentaryError) as refusal:
        load(path)
    assert str(refusal.value).startswith(f"{path} is damaged: ")
    assert told in str(refusal.value)


@pytest.mark.parametrize("version", [0, 2, "0.9"])
def test_an_object_file_of_another_version_is_refused_with_what_to_do(path, version):
    fields = {"format": GOOD["format"], "version": version, "words": 3}
    path.write_bytes(to_safetensors({"image": IMAGE, "more": IMAGE}, {"program": json.dumps(fields)}))
    with pytest.raises(PentaryError) as refusal:
        load(path)
    assert str(refusal.value) == (
        f"{path} is an object file of version {version!r}, and this pentary reads version 1: "
        f"assemble it again with pentary asm SOURCE -o {path}"
    )


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 100_000, "{}", '{"format": ' + "9" * 5000 + "}"])
def test_metadata_that_is_no_program_is_refused(path, text):
    path.write_bytes(to_safetensors({"image": IMAGE}, {"program": text}))
    with pytest.raises(PentaryError, match="is damaged: its fields are not those of a program"):
        load(path)


@pytest.mark.parametrize(
    "image",
    [IMAGE.astype(np.int32), IMAGE.astype(float), IMAGE[None], IMAGE * 10**11, np.full(3, -(2**63)), np.array(1)],
)
def test_an_image_that_is_no_row_of_words_is_refused(path, image):
    path.write_bytes(to_safetensors({"image": image}, {"program": json.dumps(GOOD)}))
    with pytest.raises(PentaryError, match="its image is not a row of words"):
        load(path)


def test_a_file_that_cannot_be_read_is_told(path):
    with pytest.raises(PentaryError, match=rf"^cannot read {path}: No such file or directory"):
        load(path)
    with pytest.raises(PentaryError, match=rf"^cannot read {path.parent}: "):
        load(path.parent)


def test_a_file_that_cannot_be_written_is_told(path):
    with pytest.raises(PentaryError, match=r"^cannot write .*/none/p\.pob: No such file or directory$"):
        save(PROGRAM, path.parent / "none" / "p.pob")


def test_a_full_disk_leaves_the_file_as_it_was(path, monkeypatch):
    save(PROGRAM, path)
    before = path.read_bytes()
    write = Path.write_bytes

    def half(path, content):
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(PentaryError, match=r"^cannot write .*p\.pob: No space left on device$"):
        save(assemble_text("HALT"), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["p.s", "p.asm", "p.S"])
def test_sources_are_assembled_where_a_program_is_wanted(tmp_path, name):
    path = tmp_path / name
    path.write_text(SOURCE)
    assert load_program(path).symbols["N"] == 3
    assert load_program(path, {"N": 5}).symbols["N"] == 5
    path.write_text("FOO")
    with pytest.raises(AssemblyError):
        load_program(path)


def test_all_else_is_loaded_and_takes_no_values(path):
    save(PROGRAM, path)
    assert_same(load_program(path), PROGRAM)
    assert_same(load_program(path, {}), PROGRAM)
    with pytest.raises(PentaryError, match=r"p\.pob is an object file: its constants were fixed"):
        load_program(path, {"N": 5})
