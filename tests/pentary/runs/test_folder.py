"""The run folder: content of its files, choice of the folder, and the state after a failed write."""

import errno
import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from pentary.es.loop import train
from pentary.es.strategy import Parameters, State, digest, visible_weights
from pentary.numbers.word import PentaryError
from pentary.runs.folder import RunFolder, claim
from pentary.runs.run import Record
from pentary.tasks.running.engines import Training
from pentary.tasks.running.run import TaskRun
from pentary.tasks.target import Target

PARAMETERS = Parameters(population=4, rank=2, steps=3, seed=-5)
TASK = Target(8, 6)
STEPS = list(train(TASK, PARAMETERS))


@pytest.fixture
def run():
    return TaskRun(TASK, PARAMETERS, Training(iter(STEPS)))


@pytest.fixture
def folder(tmp_path, run):
    return RunFolder(tmp_path, run)


def add_all(folder, run):
    for record in run.records():
        folder.add(record)


def no_space(*args, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_config_tells_what_determines_the_run(folder):
    config = json.loads((folder.path / "config.json").read_text())
    assert config["task"] == "target"
    assert config["shapes"] == {"weights": [8, 6]}
    assert Parameters(**config["parameters"]) == PARAMETERS
    assert config["engine"] == "numpy" and "machine" not in config
    assert config["versions"]["numpy"] == np.__version__


def test_config_tells_the_machine_of_an_engine_that_has_one(tmp_path):
    folder = RunFolder(tmp_path, TaskRun(TASK, PARAMETERS, Training(iter(STEPS), {"l2": {"ways": 16}}), "sim"))
    config = json.loads((folder.path / "config.json").read_text())
    assert (config["engine"], config["machine"]) == ("sim", {"l2": {"ways": 16}})


def test_every_record_is_on_disk_before_the_next(folder, run):
    for count, record in enumerate(run.records(), start=1):
        folder.add(record)
        lines = [json.loads(line) for line in (folder.path / "steps.jsonl").read_text().splitlines()]
        assert len(lines) == count
        assert lines[-1] == record.line


@pytest.mark.parametrize("steps", [1, 2])
def test_a_record_that_a_signal_has_kept_from_being_added_is_added_at_the_end(folder, run, steps):
    records = run.records()
    for _ in range(steps):
        folder.add(next(records))
    next(records)
    folder.finish({"interrupted": True})
    lines = [json.loads(line) for line in (folder.path / "steps.jsonl").read_text().splitlines()]
    assert [line["digest"] for line in lines] == [step.digest for step in STEPS[: steps + 1]]
    with safe_open(folder.path / "weights.safetensors", "numpy") as file:
        assert file.metadata()["digest"] == lines[-1]["digest"]


def test_the_end_holds_result_weights_and_figures_and_nothing_half_written(folder, run):
    add_all(folder, run)
    result = folder.finish({"interrupted": True})
    assert json.loads((folder.path / "result.json").read_text()) == result
    assert result["steps"] == 3
    assert result["evaluations"] == 12
    assert result["interrupted"] is True
    assert (result["fitness_first"], result["fitness_last"]) == (STEPS[0].fitness, STEPS[-1].fitness)
    names = ["checkpoints", "config.json", "fitness.png", "health.png", "result.json", "steps.jsonl", "weights.png"]
    names.append("weights.safetensors")
    assert sorted(path.name for path in folder.path.iterdir()) == names


def test_the_weights_on_disk_have_the_digest_of_the_last_step(folder, run):
    add_all(folder, run)
    folder.finish({})
    path = folder.path / "weights.safetensors"
    tensors = load_file(path)
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    latents = {name: tensors[f"{name}.latent"] for name in json.loads(metadata["matrices"])}
    assert metadata["digest"] == digest(latents) == STEPS[-1].digest
    for name, weights in visible_weights(PARAMETERS, State(3, latents, STEPS[-1].state.tensors)).items():
        assert tensors[name].dtype == np.int8
        assert np.array_equal(tensors[name], weights)


def test_a_run_of_the_start_alone_can_be_finished(folder, run):
    folder.add(run.record(STEPS[0]))
    assert folder.finish({})["evaluations_per_second"] == 0
    assert (folder.path / "fitness.png").exists()


def test_a_run_without_a_start_leaves_nothing(folder):
    assert folder.is_empty
    folder.discard()
    assert not folder.path.exists()


def test_default_folders_are_numbered_and_never_shared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    taken = [str(claim(None, "target", 0)) for _ in range(3)]
    assert taken == ["runs/target-seed0", "runs/target-seed0-2", "runs/target-seed0-3"]
    assert str(claim(None, "../code/mine.py:f g", -1)) == "runs/mine.py-f-g-seed-1"


def test_a_given_folder_is_made_or_used_if_empty(tmp_path):
    assert claim(tmp_path / "a" / "b", "target", 0).is_dir()
    assert claim(tmp_path / "a" / "b", "target", 0) == tmp_path / "a" / "b"


@pytest.mark.parametrize(
    ("made", "told"),
    [("run/config.json", "holds another run"), ("run/note", "holds other files"), ("run", "is a file")],
)
def test_a_given_folder_that_holds_anything_is_refused(tmp_path, made, told):
    (tmp_path / made).parent.mkdir(exist_ok=True)
    (tmp_path / made).write_text("precious")
    with pytest.raises(PentaryError, match=told):
        claim(tmp_path / "run", "target", 0)
    assert (tmp_path / made).read_text() == "precious"


@pytest.mark.parametrize("out", [None, Path("runs/deeper")])
def test_a_folder_that_cannot_be_made_is_told_with_its_reason(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    Path("runs").write_text("a file where a folder is needed")
    with pytest.raises(PentaryError, match=r"^cannot write runs/.*: Not a directory$"):
        claim(out, "target", 0)


def test_a_full_disk_is_told_in_one_line_and_leaves_no_half_written_file(folder, run, monkeypatch):
    add_all(folder, run)
    write = Path.write_bytes

    def half(path, content):
        write(path, content[: len(content) // 2])
        no_space()

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(PentaryError, match=r"^cannot write .*/weights\.safetensors: No space left on device$"):
        folder.finish({})
    names = sorted(path.name for path in folder.path.iterdir())
    assert names == [
        "checkpoints",
        "config.json",
        "steps.jsonl",
        "weights.safetensors",
    ]  # the saved weights are complete
    assert not any((folder.path / "checkpoints").iterdir())


def test_a_step_that_cannot_be_written_is_told_in_one_line(folder, monkeypatch):
    monkeypatch.setattr(Path, "open", no_space)
    with pytest.raises(PentaryError, match=r"^cannot write .*/steps\.jsonl: No space left on device$"):
        folder.add(Record(0, {}, "", {}))


def test_weights_are_kept_at_each_tenth_of_a_run(tmp_path):
    steps = list(train(TASK, Parameters(population=4, rank=2, steps=20)))
    run = TaskRun(TASK, Parameters(population=4, rank=2, steps=20), Training(iter(steps)))
    folder = RunFolder(tmp_path, run)
    for record in run.records():
        folder.add(record)
        if record.step:
            with safe_open(tmp_path / "weights.safetensors", "numpy") if record.step > 1 else nullcontext() as file:
                assert file is None or int(file.metadata()["step"]) == record.step // 2 * 2
