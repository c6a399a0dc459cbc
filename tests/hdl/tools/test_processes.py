"""All processes that a tool starts end when waiting for it ends."""

import os
import signal
import subprocess
import threading
import time

import pytest

from pentary_hdl.tools import processes


def interrupt_when(path):
    def wait():
        while not path.exists() or not path.read_text():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait).start()


@pytest.mark.parametrize("output", [subprocess.PIPE, subprocess.DEVNULL])
@pytest.mark.parametrize("library", [False, True])
def test_ctrl_c_ends_a_program_and_what_it_has_started(tmp_path, output, library):
    command = ["sh", "-c", "sleep 1000 & echo $! > started; wait"]
    interrupt_when(tmp_path / "started")
    with pytest.raises(KeyboardInterrupt):
        if library:
            with processes.ending_with_us():
                subprocess.run(command, cwd=tmp_path, stdout=output, check=False)
        else:
            processes.run(command, cwd=tmp_path, stdout=output)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "started").read_text()), 0)


def test_a_program_that_ends_is_as_with_subprocess():
    ended = processes.run(["sh", "-c", "echo told; exit 3"], stdout=subprocess.PIPE, text=True)
    assert (ended.returncode, ended.stdout) == (3, "told\n")
