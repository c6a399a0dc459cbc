"""Start of the command line program."""

import builtins
import signal
import sys

import pytest

from pentary import __main__ as program
from pentary.support import signals


@pytest.fixture(autouse=True)
def same_signals_afterwards():
    handlers = {number: signal.getsignal(number) for number in signals.ENDING}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_ctrl_c_while_the_command_line_is_loaded_ends_quietly(monkeypatch, capsys):
    load = builtins.__import__

    def interrupted(name, *arguments, **options):
        if name == "pentary.cli.commands":
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


@pytest.mark.parametrize("number", signals.ENDING)
@pytest.mark.parametrize("moment", ["support.signals.end_like_ctrl_c", "cli.console.prepare_streams"])
def test_a_signal_at_the_edges_of_the_program_ends_it_quietly(number, moment, monkeypatch, capsys):
    signals.end_like_ctrl_c()
    monkeypatch.setattr(sys, "argv", ["pentary", "--version"])
    monkeypatch.setattr(f"pentary.{moment}", lambda: signal.raise_signal(number))
    monkeypatch.setattr(signals, "_received", signal.SIGINT)
    with pytest.raises(SystemExit) as ending:
        program.run()
    assert ending.value.code == 128 + number
    assert capsys.readouterr() == ("", "")


def test_after_the_end_a_signal_raises_nothing(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["pentary", "--version"])
    with pytest.raises(SystemExit):
        program.run()
    assert all(signal.getsignal(number) is signal.SIG_DFL for number in signals.ENDING)


@pytest.mark.parametrize("number", signals.ENDING)
def test_a_signal_between_two_commands_ends_the_program_like_one_in_a_command(number, monkeypatch, capsys):
    from pentary.cli.commands import main

    monkeypatch.setattr(sys, "argv", ["pentary", "train", "digits"])
    monkeypatch.setattr(type(main), "invoke", lambda self, context: signal.raise_signal(number), raising=False)
    monkeypatch.setattr(signals, "_received", signal.SIGINT)
    with pytest.raises(SystemExit) as ending:
        program.run()
    assert ending.value.code == 128 + number
    assert capsys.readouterr().err.strip() == "Interrupted."
