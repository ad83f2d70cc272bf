"""A full disk, a read-only folder, damaged files, eight at once: one line, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.cli.conftest import Dlzoo
from tests.zoo.training.killing import Killed, KilledAfterSteps, contents
from zoo.base.errors import DlzooError
from zoo.run import Run
from zoo.runs.folder import RunFolder
from zoo.training.progress import Silent

IRIS: dict[str, Any] = {
    "recipe": "mlp-iris",
    "epochs": 3,
    "batch_size": 16,
    "overrides": {"checkpoint.steps": 2, "steps_per_execution": 1},
}
RESUME = ("train", "--resume", "latest")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run holds that was left alone."""
    folder = tmp_path_factory.mktemp("whole")
    return contents(zoo.train(**IRIS, run_dir=folder, reporter=Silent()))


@pytest.fixture
def killed(dlzoo: Dlzoo) -> RunFolder:
    """A run that was killed in its second epoch, with two checkpoints."""
    with pytest.raises(Killed):
        zoo.train(**IRIS, run_dir="runs", reporter=KilledAfterSteps(12))
    run = RunFolder(Path("runs/mlp-iris-1"))
    assert [path.name[-8:] for path in run.checkpoints] == ["0008.npz", "0010.npz"]
    return run


@pytest.mark.parametrize("left", [0, 1000, -1])
def test_of_a_damaged_checkpoint_the_one_before_is_used(
    left: int, killed: RunFolder, whole: dict[str, Any], dlzoo: Dlzoo
) -> None:
    before, path = killed.checkpoints
    content = path.read_bytes()
    path.write_bytes(content[:left])
    result = dlzoo(*RESUME)
    assert result.code == 0, result.err
    said = f"checkpoint {path} is damaged: going on from the one before it, {before.name}\n"
    assert said in result.err
    assert "Traceback" not in result.err
    assert contents(Run(killed.path)) == whole


def test_where_all_checkpoints_are_damaged_nothing_is_changed(
    killed: RunFolder, dlzoo: Dlzoo
) -> None:
    for path in killed.checkpoints:
        path.write_bytes(path.read_bytes()[:2000])
    before = {path: path.read_bytes() for path in killed.path.rglob("*.*")}
    assert re.fullmatch(
        r"run mlp-iris-1 cannot be resumed: checkpoint \S+ is damaged: .+", dlzoo(*RESUME).failure
    )
    assert {path: path.read_bytes() for path in killed.path.rglob("*.*")} == before


@pytest.mark.parametrize("name", ["recipe.toml", "data.json", "environment.json"])
def test_a_damaged_file_of_a_run_is_named_and_the_rest_still_resumes(
    name: str, killed: RunFolder, whole: dict[str, Any], dlzoo: Dlzoo
) -> None:
    path = killed.path / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    said = dlzoo("train", "--resume", "mlp-iris-1").failure
    assert said.startswith("run mlp-iris-1 is damaged: ")
    assert name in said
    path.write_bytes(content)
    assert dlzoo(*RESUME).code == 0
    assert contents(Run(killed.path)) == whole


def mounted(path: Path, *options: str) -> None:
    """Mount a small file system in memory, or mount it anew in another way."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(path)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("only root may mount a small disk")


@pytest.fixture
def small(dlzoo: Dlzoo) -> Iterator[Path]:
    """./runs on a disk of its own, of half a megabyte."""
    path = Path("runs").absolute()
    path.mkdir()
    mounted(path, "size=600k")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def test_on_a_full_disk_the_last_checkpoint_stays_and_resumes(
    small: Path, whole: dict[str, Any], dlzoo: Dlzoo
) -> None:
    filler = small / "filler"

    class Filling(Silent):
        def epoch(self, epoch: Any) -> None:
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(1000)):
                    pass

    with pytest.raises(DlzooError, match="No space left on device"):
        zoo.train(**IRIS, run_dir="runs", reporter=Filling())
    run = RunFolder(small / "mlp-iris-1")
    assert len(run.checkpoints) >= 1
    assert "cannot be written: No space left on device" in dlzoo(*RESUME).failure
    filler.unlink()
    assert dlzoo(*RESUME).code == 0
    assert contents(Run(run.path)) == whole
    assert not list(run.path.rglob(".*"))


def test_a_read_only_run_is_told_in_one_line_and_resumes_later(
    small: Path, whole: dict[str, Any], dlzoo: Dlzoo
) -> None:
    with pytest.raises(Killed):
        zoo.train(**IRIS, run_dir="runs", reporter=KilledAfterSteps(12))
    mounted(small, "remount", "ro")
    assert "cannot write to the folder" in dlzoo("train", "--resume", "mlp-iris-1").failure
    assert "cannot write to the folder" in dlzoo("train", "--recipe", "mlp-iris").err
    mounted(small, "remount", "rw")
    assert dlzoo(*RESUME).code == 0
    assert contents(Run(Path("runs/mlp-iris-1"))) == whole


@pytest.mark.slow
def test_eight_trainings_at_once_end_in_eight_whole_runs(tmp_path: Path) -> None:
    typed = ["train", "--recipe", "mlp-iris", "--epochs", "2"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "cli.main", *typed],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(8)
    ]
    assert [process.wait(600) for process in processes] == [0] * 8
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == [f"mlp-iris-{number}" for number in range(1, 9)]
    runs = [zoo.load(tmp_path / "runs" / name) for name in names]
    assert {run.status for run in runs} == {"finished"}
    first, *others = [contents(run) for run in runs]
    assert all(other == first for other in others)
