"""The example of architecture/distributed.md runs."""

import re
import subprocess
import sys
from pathlib import Path

from pentary import es
from pentary.tasks.target import Target

PAGE = Path(__file__).parents[2] / "architecture" / "distributed.md"


def test_the_example_trains_to_the_digests_of_one_process(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "example.py").write_text(code)
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    expected = es.train(Target(16, 16), es.Parameters(steps=5))
    assert done.stdout == "".join(f"{step.step} {step.digest[:16]}\n" for step in expected) and not done.stderr
