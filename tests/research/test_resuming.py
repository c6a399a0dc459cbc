"""Runs that are killed, lose power or find their files altered; and the record of many of them."""

import json
import os
from pathlib import Path

import pytest

import resuming
from pentary.runs import checkpoints, records
from pentary.support import files

SEED = int(os.environ.get("PENTARY_TEST_SEED", "16"))


@pytest.mark.skipif(not resuming.RECORD.exists(), reason="needs the record: python research/resuming.py")
def test_the_record_is_of_these_sources_and_says_what_its_page_says() -> None:
    found = json.loads(resuming.RECORD.read_text())
    assert found.pop("sources") == resuming.digest(), "python research/resuming.py makes it again"
    assert resuming.RECORD.with_suffix(".md").read_text() == resuming.document(found)
    assert {name: each["kills"] for name, each in found["killed"].items()} == {"target": 100, "text": 100, "sim": 20}
    assert all(each["differences"] == [] for each in found["killed"].values())
    assert sum(found["altered"].values()) == resuming.ALTERED


KILLED = {
    "target": ("target", "--shape", "16x16", "--population", "20", "--steps", "300"),
    "text": ("text", "--dim", "8", "--population", "16", "--steps", "200"),
    "sim": ("target", "--engine", "sim", "--shape", "16x16", "--population", "10", "--steps", "60"),
}


@pytest.mark.parametrize("name", KILLED)
def test_a_run_that_is_killed_goes_on_as_if_nothing_had_been(name: str, tmp_path: Path) -> None:
    found = resuming.killed(KILLED[name], 5, SEED, tmp_path)
    assert found.differences == () and found.kills == 5, f"seed {SEED}"


def test_altered_files_lead_to_the_right_digests_or_to_a_message(tmp_path: Path) -> None:
    counts = resuming.altered(150, SEED, tmp_path)
    assert sum(counts.values()) == 150 and all(counts.values())


def test_after_a_loss_of_power_a_run_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    counts = resuming.power_losses(1, SEED, tmp_path)
    assert counts["goes on"] > counts["no checkpoint yet"] > 0


@pytest.mark.parametrize("module", [files, records, checkpoints])
def test_a_loss_of_power_would_be_seen_if_something_were_not_synced(
    module: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "sync", lambda path: None)
    with pytest.raises(SystemExit, match=r"was lost|goes on wrongly"):
        resuming.power_losses(1, SEED, tmp_path)
