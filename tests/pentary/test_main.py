"""How the program starts."""

import builtins
import sys

import pytest

from pentary import __main__ as program


def test_ctrl_c_while_the_command_line_is_loaded_ends_quietly(monkeypatch, capsys):
    load = builtins.__import__

    def interrupted(name, *arguments, **options):
        if name == "pentary.cli":
            raise KeyboardInterrupt
        return load(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    with pytest.raises(SystemExit) as ending:
        program.run()
    assert ending.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_the_program_is_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pentary", "--version"])
    with pytest.raises(SystemExit) as ending:
        program.run()
    assert ending.value.code == 0
    assert capsys.readouterr().out.startswith("pentary, version ")
