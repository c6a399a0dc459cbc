"""Signals that end a command: none is lost."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

STATUS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("number", "status"), STATUS, ids=str)
@pytest.mark.parametrize("times", [1, 3])
def test_a_signal_in_a_destructor_is_not_lost(number: int, status: int, times: int) -> None:
    code = f"""if True:
        import os, sys, time
        from pentary.support import signals

        class Dropping:
            def __del__(self):
                os.kill(os.getpid(), {int(number)})
                time.sleep(0.1)

        signals.end_like_ctrl_c()
        try:
            for _ in range({times}):
                Dropping()
            time.sleep(30)
        except KeyboardInterrupt:
            sys.exit(signals.exit_code())
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_destructor_of_what_a_signal_left_half_made_says_nothing(interrupted: bool, tmp_path: Path) -> None:
    code = f"""if True:
        import os, sys, time
        from pentary.support import signals

        class Half:
            def __init__(self):
                if {interrupted}:
                    os.kill(os.getpid(), {int(signal.SIGTERM)})
                    time.sleep(30)
                else:
                    raise KeyboardInterrupt

            def __del__(self):
                del self.never_made

        signals.end_like_ctrl_c()
        try:
            Half()
        except KeyboardInterrupt:
            pass
        sys.exit(signals.exit_code())
    """
    status, told = ended(code, tmp_path)
    assert status == (143 if interrupted else 130)
    assert ("never_made" in told) != interrupted


def ended(code: str, folder: Path, *arguments: str) -> tuple[int, str]:
    """Return the exit status and the messages of a program, started with Ctrl-C in its usual state."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(("number", "status"), STATUS, ids=str)
def test_a_module_being_imported_cannot_turn_a_signal_into_an_error_of_its_own(number, status, tmp_path):
    (tmp_path / "turning.py").write_text(f"""if True:
        import os
        try:
            os.kill(os.getpid(), {int(number)})
            sum(range(100000))
        except BaseException as error:
            raise RuntimeError from error
    """)
    code = """
        import sys, time
        from pentary.support import signals

        signals.end_like_ctrl_c()
        try:
            import turning
            time.sleep(30)
        except KeyboardInterrupt:
            sys.exit(signals.exit_code())
    """
    assert ended(code, tmp_path) == (status, "")


def test_a_module_that_never_ends_is_ended(tmp_path):
    (tmp_path / "endless.py").write_text("import os\nos.kill(os.getpid(), 15)\nwhile True:\n    pass\n")
    code = """
        import sys
        from pentary.support import signals

        signals._LONGEST_IMPORT = 0.1
        signals.end_like_ctrl_c()
        try:
            import endless
        except signals.Terminated:
            sys.exit(signals.exit_code())
    """
    assert ended(code, tmp_path) == (143, "")


@pytest.mark.parametrize(("number", "status"), STATUS, ids=str)
@pytest.mark.parametrize("imports", [1, 100, 500])
def test_a_signal_at_any_import_ends_the_command(number, status, imports, tmp_path):
    code = """
        import os, sys

        class Sending:
            def __init__(self, left, number):
                self.left, self.number = left, number

            def find_spec(self, name, path, target=None):
                self.left -= 1
                if self.left == 0:
                    os.kill(os.getpid(), self.number)

        import pentary.__main__
        sys.meta_path.insert(0, Sending(int(sys.argv.pop(1)), int(sys.argv.pop(1))))
        pentary.__main__.run()
    """
    arguments = ("train", "digits", "--steps", "1000000", "--population", "4", "--out", "run")
    found, told = ended(code, tmp_path, str(imports), str(int(number)), *arguments)
    assert (found, told) in [(status, "Interrupted.\n"), (status, "")]  # before the command line is there, no word
