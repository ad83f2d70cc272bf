"""Trainings that fail, are stopped or meet each other: told in one line, and honest afterwards."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo
from tests import tiny
from tests.zoo.training.reporters import AfterEpoch, interrupt, interrupted_after
from zoo import run as zoo_run
from zoo.base.errors import DlzooError, UsageError
from zoo.run import Run
from zoo.training import conclusion, state, trainer
from zoo.training.progress import Silent, TrainingStart

IRIS: dict[str, Any] = {
    "model": "mlp",
    "recipe": "mlp-iris",
    "epochs": 2,
    "overrides": tiny.STEP,
}


def full(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


def out_of_memory(*_: Any, **__: Any) -> None:
    raise MemoryError


def test_a_loss_that_turns_nan_fails_with_the_epoch_the_rate_and_what_to_try(
    run_dir: Path,
) -> None:
    sound = zoo.train("perceptron", epochs=1, run_dir=run_dir, reporter=Silent())
    with pytest.raises(DlzooError, match=r"in epoch \d at a learning rate of .*\. Try --learn"):
        zoo.train(
            "mlp",
            recipe="mlp-diabetes",
            epochs=5,
            learning_rate=1e30,
            run_dir=run_dir,
            reporter=Silent(),
        )
    failed = Run(run_dir / "mlp-diabetes-1")
    assert failed.status == "failed"
    assert failed.failure is not None
    assert failed.failure.startswith("loss is ")
    assert zoo.load("latest", run_dir).path == sound.path


@pytest.mark.parametrize(
    ("where", "name", "cause", "message"),
    [
        (state, "written_whole", full, "run mlp-iris-1 cannot be written: No space left on device"),
        (trainer, "written_whole", full, "cannot be written: No space left on device"),
        (conclusion, "write_text", full, "cannot be written: No space left on device"),
        (state, "save", out_of_memory, "does not fit into memory; try a smaller --batch-size"),
    ],
    ids=["checkpoint", "model", "metrics", "memory"],
)
def test_a_failure_is_one_line_and_the_run_says_so(
    where: Any,
    name: str,
    cause: Callable[..., None],
    message: str,
    run_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(where, name, cause)
        with pytest.raises(DlzooError) as caught:
            zoo.train(**IRIS, run_dir=run_dir, reporter=Silent())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    run = Run(run_dir / "mlp-iris-1")
    assert (run.status, run.failure) == ("failed", str(caught.value))
    # With room again it goes on from where it was, and nothing is left of the failure.
    resumed = zoo_run.resume(run, reporter=Silent())
    assert (resumed.status, resumed.epochs_done) == ("finished", 2)
    assert not list(run.path.rglob(".*"))


def test_any_other_failure_names_its_kind(run_dir: Path) -> None:
    def fail() -> None:
        raise RuntimeError("first line\nsecond line")

    with pytest.raises(DlzooError, match=r"^the training failed: RuntimeError: first line$"):
        zoo.train(**IRIS, run_dir=run_dir, reporter=AfterEpoch(1, fail))
    assert Run(run_dir / "mlp-iris-1").status == "failed"


class InterruptedAtOnce(Silent):
    """Presses Ctrl-C before the first step."""

    def begin(self, start: TrainingStart) -> None:
        """Press it."""
        interrupt()


@pytest.mark.parametrize("there", [False, True])
def test_ctrl_c_before_the_first_epoch_ends_leaves_nothing(there: bool, run_dir: Path) -> None:
    if there:
        zoo.train("perceptron", epochs=1, run_dir=run_dir, reporter=Silent())
    with pytest.raises(KeyboardInterrupt):
        zoo.train(**IRIS, run_dir=run_dir, reporter=InterruptedAtOnce())
    left = [path.name for path in run_dir.iterdir()] if run_dir.exists() else None
    assert left == (["perceptron-and-1"] if there else None)


def test_ctrl_c_later_leaves_a_run_to_go_on_with(run_dir: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        zoo.train(**IRIS, run_dir=run_dir, reporter=interrupted_after(1))
    run = zoo.load("latest", run_dir)
    assert (run.status, run.epochs_done, run.failure) == ("unfinished", 1, None)
    with pytest.raises(UsageError, match=r"has not finished training.*--resume"):
        _ = run.metrics
    with pytest.raises(KeyboardInterrupt):  # before the next step ends, nothing is lost
        zoo_run.resume(run, reporter=InterruptedAtOnce())
    assert zoo_run.resume(run, reporter=Silent()).status == "finished"


def test_what_the_system_ends_is_unfinished_and_not_failed(run_dir: Path) -> None:
    def leave() -> None:
        raise SystemExit(143)

    with pytest.raises(SystemExit):
        zoo.train(**IRIS, run_dir=run_dir, reporter=AfterEpoch(1, leave))
    assert zoo.load("latest", run_dir).status == "unfinished"


def test_a_process_killed_before_its_first_checkpoint_starts_again(run_dir: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        zoo.train(**IRIS, run_dir=run_dir, reporter=interrupted_after(1))
    run = zoo.load("latest", run_dir)
    for checkpoint in run.checkpoints:
        checkpoint.unlink()
    resumed = zoo_run.resume(run, reporter=Silent())
    assert resumed.history["epoch"] == [1, 2]


# Two at once.


def test_the_second_of_two_trainings_of_one_run_is_told(
    shared_run_dir: Path, run_dir: Path
) -> None:
    run = tiny.copy(tiny.run("table", shared_run_dir), run_dir)
    descriptor = os.open(run.path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(UsageError, match="run mlp-iris-1 is being trained by another process"):
            zoo_run.resume(run, epochs=3, reporter=Silent())
        assert run.status == "finished"
    finally:
        os.close(descriptor)
    assert zoo_run.resume(run, epochs=2, reporter=Silent()).epochs_done == 2


RESUME = """
import sys
from zoo import run
from zoo.base.errors import UsageError
from zoo.training.progress import Silent
try:
    run.resume(sys.argv[1], epochs=9, reporter=Silent())
except UsageError as error:
    print(error)
"""


def test_while_one_process_trains_a_run_another_is_told(run_dir: Path) -> None:
    said: list[str] = []

    def resume_elsewhere() -> None:
        assert Run(run_dir / "mlp-iris-1").status == "training"
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(RESUME), str(run_dir / "mlp-iris-1")],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        said.append(done.stdout.strip())

    run = zoo.train(**IRIS, run_dir=run_dir, reporter=AfterEpoch(1, resume_elsewhere))
    assert said == ["run mlp-iris-1 is being trained by another process"]
    assert (run.status, run.epochs_done) == ("finished", 2)
