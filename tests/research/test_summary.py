"""The table of results in README.md."""

import json
from pathlib import Path

import pytest

import summary


def test_the_table_is_that_of_the_records() -> None:
    assert summary.readme() == summary.README.read_text(encoding="utf-8"), "stale: python research/summary.py"


def test_a_changed_record_changes_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = ("results.md", "networks.json", "text.json", "random_programs.md")
    for name in (*records, "alphabets.json", "verification.json", "core.json"):
        (tmp_path / name).write_bytes((summary.HERE / name).read_bytes())
    before = summary.table()
    monkeypatch.setattr(summary, "HERE", tmp_path)
    assert summary.table() == before
    record = json.loads((tmp_path / "text.json").read_text())
    record["run"]["bits_per_byte_validation"] = 9.87
    (tmp_path / "text.json").write_text(json.dumps(record))
    assert "9.87 bits/byte" in summary.table()
    (tmp_path / "results.md").write_text("nothing")
    with pytest.raises(AssertionError, match=r"results\.md has no line"):
        summary.table()
