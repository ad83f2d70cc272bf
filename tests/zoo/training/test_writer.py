"""Checkpoints are written while the training goes on, and nobody misses what is not whole yet."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.training.killing import contents
from zoo import run as zoo_run
from zoo.base.errors import DlzooError
from zoo.run import Run
from zoo.runs.folder import RunFolder
from zoo.training import state
from zoo.training.progress import Silent
from zoo.training.updates import fuse_updates
from zoo.training.writer import Writer, writing

IRIS: dict[str, Any] = {
    "recipe": "mlp-iris",
    "epochs": 2,
    "batch_size": 16,
    "overrides": {"arguments.dropout": 0.3, "checkpoint.steps": 4, "steps_per_execution": 1},
}
SAVE = state.save


class Disk:
    """A disk on which the next checkpoint is not whole before it is told to go on."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.reached = threading.Event()
        self.error: OSError | None = None

    def save(self, path: Path, arrays: Any) -> None:
        """Write as `state.save` does."""
        self.reached.set()
        assert self.free.wait(60)
        if self.error:
            raise self.error
        SAVE(path, arrays)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()
    monkeypatch.setattr(state, "save", disk.save)
    yield disk
    disk.free.set()


class At(Silent):
    """Does something after some of the steps, counted over all epochs."""

    def __init__(self, **does: Any) -> None:
        super().__init__()
        self.does = does
        self.count = 0

    def wants_steps(self) -> bool:
        """Return True."""
        return True

    def step(self, epoch: int, step: int, scores: dict[str, float]) -> None:
        """Do it."""
        self.count += 1
        self.does.get(f"step{self.count}", lambda: None)()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run holds that was left alone."""
    folder = tmp_path_factory.mktemp("whole")
    return contents(zoo.train(**IRIS, run_dir=folder, reporter=Silent()))


def test_a_checkpoint_is_of_its_step_and_until_it_is_whole_the_one_before_is_used(
    disk: Disk, whole: dict[str, Any], tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "mlp-iris-1"

    def look() -> None:  # three steps later, the checkpoint of step 8 is not written
        assert disk.reached.wait(60)
        assert [path.name for path in RunFolder(run).checkpoints] == ["step-000000000004.npz"]
        shutil.copytree(run, tmp_path / "killed" / run.name)  # what SIGKILL would leave
        disk.free.set()

    reporter = At(step5=disk.reached.clear, step8=disk.free.clear, step11=look)
    done = zoo.train(**IRIS, run_dir=tmp_path / "runs", reporter=reporter)
    assert contents(done) == whole
    assert contents(zoo_run.resume(tmp_path / "killed" / run.name, reporter=Silent())) == whole


def test_the_variables_are_copies_of_the_step(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[list[np.ndarray]] = []
    values_of = state.values_of

    def also_kept(variables: Any) -> Any:
        values = values_of(variables)
        kept.append([value.copy() for value in values])
        return values

    monkeypatch.setattr(state, "values_of", also_kept)
    written: list[Any] = []

    def late(path: Path, arrays: Any) -> None:
        disk.save(path, arrays)
        written.append({name: value.copy() for name, value in arrays.items()})

    monkeypatch.setattr(state, "save", late)
    reporter = At(step4=disk.free.clear, step7=disk.free.set)
    zoo.train(**IRIS, run_dir=tmp_path, reporter=reporter)
    for at, value in enumerate(kept[0]):
        np.testing.assert_array_equal(written[0][f"variable{at}"], value)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_values_stay_when_the_training_goes_on(optimizer: str, jit_compile: bool) -> None:
    """Also by TensorFlow's own updates of large variables, and of some rows of an embedding."""
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(50, 100),
            keras.layers.Flatten(),
            keras.layers.Dense(300),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(300),
        ]
    )
    model.compile(optimizer, "mse", metrics=["mae"], jit_compile=jit_compile)
    model.optimizer.learning_rate = 0.1
    if optimizer == "sgd":
        model.optimizer.momentum = 0.9
    model.optimizer.build(model.trainable_variables)
    fuse_updates(model.optimizer)
    x, y = np.arange(24).reshape(8, 3), np.ones((8, 300))
    model.fit(x, y, verbose=0)
    values = state.values_of(state.variables_of(model))
    copies = [value.copy() for value in values]
    model.fit(x, y, batch_size=2, epochs=2, verbose=0)
    for variable in state.variables_of(model):
        variable.assign(variable + keras.ops.ones_like(variable))
    for value, copy in zip(values, copies, strict=True):
        np.testing.assert_array_equal(value, copy)
    now = state.values_of(state.variables_of(model))
    changed = [not np.array_equal(value, copy) for value, copy in zip(now, copies, strict=True)]
    assert all(changed)


def test_a_run_is_not_finished_before_its_last_checkpoint_is_whole(
    disk: Disk, whole: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "mlp-iris-1"
    seen: list[tuple[str, list[str]]] = []
    wait = Writer.wait

    def wait_while_scored(self: Writer) -> None:
        if (run / "model.keras").is_file():
            seen.append((RunFolder(run).status, [path.name for path in Run(run).checkpoints]))
            disk.free.set()
        wait(self)

    monkeypatch.setattr(Writer, "wait", wait_while_scored)
    done = zoo.train(**IRIS, run_dir=tmp_path, reporter=At(step13=disk.free.clear))
    assert seen[0][0] == "training"
    assert "step-000000000014.npz" not in seen[0][1]
    assert done.status == "finished"
    assert done.checkpoints[-1].name == "step-000000000014.npz"
    assert contents(done) == whole


@pytest.mark.parametrize("step", [4, 14], ids=["in the middle", "at the end"])
def test_a_full_disk_is_told_and_the_run_resumes(
    step: int, disk: Disk, whole: dict[str, Any], tmp_path: Path
) -> None:
    def fill() -> None:
        disk.error = OSError(28, "No space left on device")

    with pytest.raises(DlzooError, match="cannot be written: No space left on device"):
        zoo.train(**IRIS, run_dir=tmp_path, reporter=At(**{f"step{step}": fill}))
    disk.error = None
    run = RunFolder(tmp_path / "mlp-iris-1")
    assert run.status == "failed"
    assert contents(zoo_run.resume(run.path, reporter=Silent())) == whole


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_checkpoint(
    number: int, disk: Disk, whole: dict[str, Any], tmp_path: Path
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press() -> None:
        disk.free.clear()
        threading.Timer(0.3, disk.free.set).start()
        os.kill(os.getpid(), number)

    try:
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            zoo.train(**IRIS, run_dir=tmp_path, reporter=At(step6=press))
    finally:
        signal.signal(signal.SIGINT, before)
    (run,) = tmp_path.iterdir()
    assert RunFolder(run).checkpoints[-1].name == "step-000000000006.npz"
    assert contents(zoo_run.resume(run, reporter=Silent())) == whole


# The writer by itself.


def test_an_error_is_raised_once_by_the_next_call() -> None:
    def fail() -> None:
        raise OSError(28, "full")

    writer = Writer()
    writer.start(fail)
    with pytest.raises(OSError, match="full"):
        writer.start(lambda: None)
    writer.start(fail)
    with pytest.raises(OSError, match="full"):
        writer.wait()
    writer.wait()
    writer.look()


def test_a_body_that_fails_tells_its_own_error_when_all_is_written() -> None:
    done: list[int] = []

    def fail_late() -> None:
        done.append(1)
        raise OSError(28, "full")

    with pytest.raises(ValueError, match="mine"), writing() as writer:  # noqa: PT012
        writer.start(fail_late)
        raise ValueError("mine")
    assert done == [1]


def test_the_second_ctrl_c_does_not_wait() -> None:
    free = threading.Event()

    def work() -> None:
        free.wait(60)

    writer = Writer()
    writer.start(work)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            writer.wait()
        writer.wait()  # it was given up
    finally:
        signal.signal(signal.SIGINT, before)
        free.set()
