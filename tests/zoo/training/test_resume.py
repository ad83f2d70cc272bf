"""A training that was killed anywhere ends as if it had never stopped, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import zoo
from tests import tiny
from tests.zoo.training.killing import (
    Killed,
    KilledAfterSteps,
    contents,
    killed_and_resumed,
    saved_every,
    whole_steps,
)
from tests.zoo.training.reporters import interrupted_after
from zoo import run as zoo_run
from zoo.base.errors import DlzooError, UsageError
from zoo.training.progress import Silent
from zoo.training.resolve import resolve

STOPPING = {"name": "EarlyStopping", "patience": 1, "restore_best_weights": True}
PLATEAU = {"name": "ReduceLROnPlateau", "monitor": "loss", "patience": 1, "min_delta": 10.0}
LOGGER = {"name": "CSVLogger", "filename": "epochs.log"}
BEST = {"name": "ModelCheckpoint", "filepath": "kept.keras", "save_best_only": True}
AVERAGED = {"optimizer.use_ema": True, "optimizer.ema_momentum": 0.5}
IRIS: dict[str, Any] = {"recipe": "mlp-iris", "epochs": 4, "batch_size": 16}
STEPS = 7
"""Of an epoch of iris in batches of 16."""
DROPOUT = {
    "arguments.dropout": 0.3,
    "arguments.batch_normalization": True,
    "steps_per_execution": 1,
}

# What is trained, and after how many steps of each process it is killed.
KILLED: dict[str, tuple[dict[str, Any], list[int]]] = {
    "dropout and callbacks": (
        {
            **IRIS,
            "epochs": 40,
            "overrides": {
                **DROPOUT,
                "callbacks": [{**STOPPING, "min_delta": 0.2}, PLATEAU, LOGGER, BEST],
            },
        },
        [STEPS + 2, 3],
    ),
    "averaged weights": (
        {
            **IRIS,
            "overrides": {
                **DROPOUT,
                **AVERAGED,
                "callbacks": [{"name": "SwapEMAWeights", "swap_on_epoch": True}],
            },
        },
        [9, 12],
    ),
    "loss scale, executions of two steps": (
        {
            **IRIS,
            "batch_size": 18,
            "precision": "mixed_float16",
            "overrides": {**DROPOUT, "steps_per_execution": 2, "optimizer.global_clipnorm": 1.0},
        },
        [2, 4],
    ),
    "two optimizers": (
        {
            "recipe": "gan-digits",
            "epochs": 2,
            "batch_size": 256,
            "overrides": {**tiny.GAN, "steps_per_execution": 1},
        },
        [3],
    ),
}


@pytest.mark.parametrize("name", KILLED)
def test_a_training_that_was_killed_within_epochs_ends_as_if_it_had_not(
    name: str, tmp_path: Path
) -> None:
    arguments, kills = KILLED[name]
    recipe = saved_every(resolve(None, **arguments), 2)
    whole = zoo.train(recipe=recipe, run_dir=tmp_path / "whole", reporter=Silent())
    again = killed_and_resumed(recipe, tmp_path / "killed", kills)
    assert len(again.sessions) == len(kills) + 1
    assert contents(again) == contents(whole)


XOR: dict[str, Any] = {"recipe": "mlp-xor", "overrides": {"callbacks": []}}


def test_epochs_cannot_be_taken_away(run_dir: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        zoo.train(**XOR, epochs=10, run_dir=run_dir, reporter=interrupted_after(5))
    run = zoo.load("latest", run_dir)
    for epochs in (5, 7):
        with pytest.raises(UsageError, match=r"a training of 10 epochs, which can only be raised"):
            zoo_run.resume(run, epochs=epochs, reporter=Silent())
    assert (run.status, zoo.load(run.path).recipe.epochs) == ("unfinished", 10)


def test_a_longer_training_that_fails_at_once_leaves_the_run_as_it_was(run_dir: Path) -> None:
    class Failing(Silent):
        def begin(self, start: Any) -> None:
            raise RuntimeError("no")

    run = zoo.train(**XOR, epochs=2, run_dir=run_dir, reporter=Silent())
    kept = {path: path.read_bytes() for path in run.path.rglob("*.*") if "env" not in path.name}
    with pytest.raises(DlzooError):
        zoo_run.resume(run, epochs=4, reporter=Failing())
    assert {path: path.read_bytes() for path in kept} == kept
    assert (run.status, run.evaluate()["loss"]) == ("finished", run.metrics["test"]["loss"])


def test_a_longer_training_that_is_killed_goes_on_to_its_own_end(run_dir: Path) -> None:
    every = {"overrides": {**XOR["overrides"], "checkpoint.epochs": 1, "steps_per_execution": 1}}
    whole = zoo.train(**{**XOR, **every}, epochs=5, run_dir=run_dir, reporter=Silent())
    run = zoo.train(**{**XOR, **every}, epochs=2, run_dir=run_dir, reporter=Silent())
    with pytest.raises(Killed):
        zoo_run.resume(run, epochs=5, reporter=KilledAfterSteps(whole_steps(whole) + 1))
    killed = zoo.load(run.path)
    assert (killed.status, killed.recipe.epochs) == ("unfinished", 5)
    with pytest.raises(UsageError, match="has not finished training"):
        _ = killed.metrics
    assert contents(zoo_run.resume(killed, reporter=Silent())) == contents(whole)
