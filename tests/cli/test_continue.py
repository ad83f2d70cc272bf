"""`dlzoo train --continue`: one command starts a run, resumes it, and leaves a finished one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Dlzoo
from tests.zoo.training.reporters import interrupted_after
from zoo.runs.folder import RunFolder
from zoo.training import trainer
from zoo.training.resolve import resolve

TRAIN = ("train", "--recipe", "mlp-iris", "--epochs", "2", "--name", "mine", "--continue")


def test_the_same_command_starts_resumes_and_ends(dlzoo: Dlzoo) -> None:
    with pytest.raises(KeyboardInterrupt):
        trainer.train(
            resolve(None, recipe="mlp-iris", epochs=2),
            name="mine",
            reporter=interrupted_after(1),
        )
    resumed = dlzoo(*TRAIN)
    assert resumed.code == 0, resumed.err
    assert "resumed at epoch 2" in resumed.out
    again = dlzoo(*TRAIN)
    assert (again.code, "epoch" in again.out) == (0, False)
    assert "mine: test accuracy" in again.out
    assert len(RunFolder(Path("runs/mine")).sessions) == 2
    other = dlzoo(*TRAIN, "--seed", "7")
    assert other.refusal.startswith("run mine was begun by another recipe: seed differ")


def test_without_a_run_it_starts_one(dlzoo: Dlzoo) -> None:
    assert dlzoo(*TRAIN).code == 0
    assert RunFolder(Path("runs/mine")).epochs_done == 2
    nameless = dlzoo("train", "mlp", "--continue")
    assert "--continue looks for the run by its --name" in nameless.refusal
