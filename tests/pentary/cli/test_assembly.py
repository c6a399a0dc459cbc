"""The commands `asm` and `disasm` on the command line."""

import os
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from pentary.asm import assemble, disassemble
from pentary.asm.objectfile import load
from pentary.cli.assembly import asm, disasm

SOURCE = (
    "        .param N, 3\nstart:  li p1, N\n        halt\n        .data\nx:      .word 1, 2\n        .space 10 ** 3\n"
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.s").write_text(SOURCE)
    return tmp_path


def invoke(command, *arguments, **options):
    return CliRunner().invoke(command, arguments, **options)


def test_asm_writes_an_object_file_beside_the_source(here):
    result = invoke(asm, "p.s")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "2 instructions, 2 words of data, 1,004 words of memory: p.pob\n"
    assert load(here / "p.pob").symbols == {"N": 3, "start": 0, "x": 2}
    assert load(here / "p.pob").sources[0].file == "p.s"


def test_asm_takes_an_output_and_values(here):
    result = invoke(asm, "p.s", "-o", "out.x", "-D", "N=-3", "-DN=-0p1=")
    assert result.exit_code == 0
    assert result.stdout.endswith(": out.x\n")
    assert load(here / "out.x").symbols["N"] == -3
    assert not (here / "p.pob").exists()


def test_asm_reports_every_mistake_and_writes_nothing(here):
    (here / "p.s").write_text("FOO\nNOP 1\n")
    result = invoke(asm, "p.s")
    assert (result.exit_code, result.stdout) == (2, "")
    report = "p.s:1:1: unknown instruction 'FOO'\nFOO\n^\np.s:2:1: NOP takes no operands\nNOP 1\n^\n2 errors\n"
    assert result.stderr.endswith(report)
    assert not (here / "p.pob").exists()


@pytest.mark.parametrize("text", ["N", "N=", "=3", "N=x", "N=1+1", "N=--1", "N=3 4", "N=0x5", "N=3.5", 'N="'])
def test_a_value_that_is_no_integer_is_refused(text):
    result = invoke(asm, "p.s", "-D", text)
    assert result.exit_code == 2
    assert f"{text!r} is not NAME=VALUE with an integer value" in result.stderr


def test_two_values_for_one_name_are_refused():
    result = invoke(asm, "p.s", "-D", "N=5", "-D", "N=6")
    assert result.exit_code == 2
    assert "N is given two values, 5 and 6" in result.stderr


def test_asm_into_the_null_device_is_a_check(here):
    result = invoke(asm, "p.s", "-o", "/dev/null")
    assert (result.exit_code, result.stderr) == (0, "")
    assert not Path("/dev/null").is_file()
    assert [path.name for path in here.iterdir()] == ["p.s"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none.s",), "none.s: cannot be read: No such file or directory"),
        (("p.s", "-o", "none/p.pob"), "cannot write none/p.pob: No such file or directory"),
        (("p.s", "-o", "link.s"), "link.s is the source: -o gives the object file another name"),
        (("p.s", "-o", "./p.s"), "p.s is the source: -o gives the object file another name"),
        (("p.s", "-D", "M=3"), "M is given a value, but no .param declares it"),
    ],
)
def test_mistakes_are_told_without_a_traceback(here, arguments, told):
    (here / "link.s").symlink_to("p.s")
    result = invoke(asm, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert (here / "p.s").read_text() == SOURCE


def test_disasm_takes_sources_and_object_files(here):
    assert invoke(asm, "p.s").exit_code == 0
    wanted = disassemble(assemble(here / "p.s"))
    for name in ("p.s", "p.pob"):
        result = invoke(disasm, name)
        assert (result.exit_code, result.stdout) == (0, wanted)
    assert "LI    p1, 9 " in invoke(disasm, "p.s", "-D", "N=9").stdout
    assert invoke(disasm, "p.pob", "-D", "N=9").exit_code == 2
    assert invoke(disasm, "none.pob").exit_code == 2


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_a_program_from_standard_input_is_told_by_its_content(here, name):
    assert invoke(asm, "p.s").exit_code == 0
    wanted = disassemble(assemble(here / "p.s"))
    for file in ("p.s", "p.pob"):
        result = invoke(disasm, name, input=(here / file).read_bytes())
        assert (result.exit_code, result.stdout) == (0, wanted)
    result = invoke(asm, name, "-o", "q.pob", "-D", "N=9", input=SOURCE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert load(here / "q.pob").symbols["N"] == 9
    assert load(here / "q.pob").sources[0].file == "<stdin>"


def test_a_source_from_standard_input_includes_files_of_the_current_folder(here):
    (here / "part.s").write_text("halt\n")
    (here / "-").write_text("nop\n")
    result = invoke(disasm, "-", input='nop\n.include "part.s"\n.include "-"\n')
    assert (result.exit_code, [line.split()[0] for line in result.stdout.splitlines()]) == (0, ["NOP", "HALT", "NOP"])


def test_a_pipe_with_a_name_is_a_program_too(here):
    os.mkfifo(here / "pipe")
    writer = threading.Thread(target=lambda: (here / "pipe").write_text(SOURCE))
    writer.start()
    result = invoke(disasm, "pipe")
    writer.join()
    assert (result.exit_code, result.stdout) == (0, disassemble(assemble(here / "p.s")))


@pytest.mark.parametrize(
    ("command", "arguments", "content", "told"),
    [
        (asm, ["-"], b"halt", "Error: a source from a pipe has no name: -o says which object file to write\n"),
        (
            asm,
            ["-", "-o", "q"],
            bytes(100),
            "Error: <stdin> is no source: it is an object file, or other binary data\n",
        ),
        (asm, ["-", "-o", "q"], b"fo\n", "<stdin>:1:1: unknown instruction 'fo'\nfo\n^\n1 error\n"),
        (disasm, ["-"], b"", "<stdin>: the program has no instructions\n1 error\n"),
        (disasm, ["-"], b"nop\n\xff", "<stdin>: line 2 is not UTF-8 text\n1 error\n"),
        (disasm, ["-"], bytes(100), "Error: <stdin> is no object file, or only a part of one: "),
        (disasm, ["-", "-D", "N=3"], bytes(100), "Error: <stdin> is an object file: its constants were fixed"),
    ],
)
def test_a_mistake_in_standard_input_is_told(here, command, arguments, content, told):
    result = invoke(command, *arguments, input=content)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(told)
    assert [path.name for path in here.iterdir()] == ["p.s"]


def test_several_sources_become_one_object_file(here):
    (here / "lib.s").write_text(".global four\nfour: li p2, 4\n      ret\n")
    (here / "main.s").write_text("start: call four\n       halt\n")
    result = invoke(asm, "main.s", "lib.s", "-o", "all.pob")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "4 instructions, 0 words of data, 4 words of memory: all.pob\n"
    assert load(here / "all.pob").symbols == {"main.start": 0, "four": 2}
    assert "    CALL  four" in invoke(disasm, "all.pob").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("p.s", "q.s"), "Error: of several sources, -o says which object file to write"),
        (("p.s", "-", "-o", "x.pob"), "Error: - is a pipe: several sources are files"),
        (("p.s", "p.pob", "-o", "x.pob"), "Error: p.pob is no source: it is an object file, or other binary data"),
        (("p.s", "q.s", "-o", "q.s"), "Error: q.s is the source: -o gives the object file another name"),
        (("p.s", "none.s", "-o", "x.pob"), "none.s: cannot be read: No such file or directory"),
        ((), "Error: Missing argument 'FILE...'."),
    ],
)
def test_wrong_sources_are_told(here, arguments, told):
    (here / "q.s").write_text("NOP\n")
    assert invoke(asm, "p.s").exit_code == 0
    result = invoke(asm, *arguments)
    assert result.exit_code == 2 and told in result.stderr.splitlines()
    assert (here / "q.s").read_text() == "NOP\n"
    assert not (here / "x.pob").exists()
