"""Trainings that are killed by SIGKILL at random instants, and resumed until they end."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

import zoo
from cli import main
from recipes.recipe import Recipe
from tests.zoo.training.killing import contents
from zoo.run import Run
from zoo.runs.folder import RunFolder
from zoo.training.resolve import resolve

STOPPING = {"name": "EarlyStopping", "patience": 3, "restore_best_weights": True}
SHIFT = {"name": "affine", "translation": 0.06, "rotation": 8.0, "zoom": 0.08}

# One of each kind; a family that trains in a way of its own gets a line.
TRAININGS: dict[str, dict[str, Any]] = {
    "classifier": {
        "recipe": "mlp-digits",
        "overrides": {"callbacks": [STOPPING], "augmentation": [SHIFT]},
    },
    "lstm": {
        "recipe": "lstm-languages",
        "epochs": 3,
        "overrides": {"arguments.units": 16, "arguments.embedding_dim": 16},
    },
    "transformer": {
        "recipe": "transformer-dates",
        "epochs": 3,
        "overrides": {"arguments.width": 16, "arguments.num_layers": 1, "warmup.epochs": 0.5},
    },
    "gan": {"recipe": "gan-digits", "epochs": 60},
    # Two machines of 60 epochs each, and the classifier; tests/zoo/training/test_unsupervised.py
    # kills between them.
    "dbn": {
        "recipe": "dbn-digits",
        "epochs": 160,
        "overrides": {
            "arguments.hidden_units": [50, 50],
            "arguments.layer_epochs": 60,
            "optimizers.machines.schedule.decay_epochs": 120,
        },
    },
}
TINY: dict[str, Any] = {
    "recipe": "mlp-digits",
    "batch_size": 64,
    "overrides": {
        "callbacks": [{**STOPPING, "patience": 1, "min_delta": 0.1}],
        "augmentation": [SHIFT],
        "checkpoint.steps": 5,
        "steps_per_execution": 1,
    },
}
KILLS = 6
"""Of each kind: 30 in all."""
PROCESSES = multiprocessing.get_context("forkserver")
"""TensorFlow is imported once, and not by each process."""


@pytest.fixture(scope="module", autouse=True)
def ready() -> None:
    PROCESSES.set_forkserver_preload(["tests.zoo.training.ready"])


def test_three_kills(tmp_path: Path) -> None:
    """tests/zoo/training/test_resume.py stops after given steps, in its own process."""
    check(resolve(None, **TINY), tmp_path, kills=3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TRAININGS)
def test_many_kills(kind: str, tmp_path: Path) -> None:
    check(resolve(None, **TRAININGS[kind]), tmp_path, kills=KILLS)


def check(recipe: Recipe, folder: Path, kills: int) -> None:
    """Kill trainings of a recipe so many times, and compare each with one that was left alone."""
    (folder / "recipe.toml").write_text(recipe.to_toml())
    started = train(folder, "whole")
    wait_for_run(started, folder, "whole", session=1)
    begun = time.monotonic()
    while not (folder / "runs" / "whole" / "model.keras").is_file():
        assert not started.exitcode, (folder / "output.txt").read_text()
        time.sleep(0.01)
    length = 1.1 * (time.monotonic() - begun)  # some of the kills hit the end
    assert ended(started, 600) == 0
    whole = contents(run_of(folder, "whole"))
    if recipe.callbacks:
        assert run_of(folder, "whole").epochs_done < recipe.epochs, "it is to stop early"
    left, number = kills, 0
    while left:
        number += 1
        name = f"killed{number}"
        process, session = train(folder, name), 0
        while left:
            session += 1
            wait_for_run(process, folder, name, session)
            instant = random.uniform(0.0, length)  # noqa: S311  (no secret)
            process.join(instant)
            process.kill()
            if ended(process, 60) == 0:
                break
            assert process.exitcode == -signal.SIGKILL
            left -= 1
            run = run_of(folder, name)
            print(f"killed after {instant:.2f} of {length:.2f} s; at {where(run)}")
            if run.finished:  # it was killed after its last file
                break
            process = train(folder, name, "--resume")
        assert run_of(folder, name).finished or ended(process, 600) == 0
        assert contents(run_of(folder, name)) == whole
        assert not list((folder / "runs" / name).rglob(".*")), "no leftovers"


def where(run: Run) -> str:
    """Return in words which checkpoint a run goes on from."""
    return run.checkpoints[-1].name if run.checkpoints else "no checkpoint"


def run_of(folder: Path, name: str) -> Run:
    return zoo.load(folder / "runs" / name)


def train(folder: Path, name: str, resume: str = "") -> ForkServerProcess:
    """Start a training in a process of its own, or resume one."""
    typed = [resume, f"runs/{name}"] if resume else ["--recipe", "recipe.toml", "--name", name]
    process = PROCESSES.Process(target=dlzoo, args=(folder, ["train", *typed]))
    process.start()
    return process


def dlzoo(folder: Path, typed: list[str]) -> None:
    """In a new process: do what is typed in a folder."""
    os.chdir(folder)
    with (folder / "output.txt").open("ab") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    sys.exit(main.run(typed))


def ended(process: ForkServerProcess, seconds: float) -> int | None:
    """Wait until a process has ended, and return its exit code."""
    process.join(seconds)
    return process.exitcode


def wait_for_run(process: ForkServerProcess, folder: Path, name: str, session: int) -> None:
    """Wait until a process trains: it has noted its session in the run."""
    path = folder / "runs" / name
    patience = time.monotonic() + 120.0
    while process.exitcode is None:
        if path.is_dir() and len(RunFolder(path).sessions) >= session:
            return
        assert time.monotonic() < patience, (folder / "output.txt").read_text()
        time.sleep(0.01)
