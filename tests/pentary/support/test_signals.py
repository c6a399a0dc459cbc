"""Signals that end a command: none is lost."""

import signal
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
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
