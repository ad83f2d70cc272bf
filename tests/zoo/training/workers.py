"""Trainings in several processes on loopback, by `dlzoo launch` as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from recipes.recipe import Recipe
from zoo.run import Run
from zoo.training.launcher import _free_addresses
from zoo.training.resolve import resolve

LAUNCH = (sys.executable, "-c", "from cli.main import main; main()", "launch")
TIMEOUT = 600


def started(
    workers: int, recipe: Recipe, folder: Path, *more: str, restarts: int = 0
) -> subprocess.Popen[str]:
    """Start a training in several processes; both its streams come on standard output."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder.parent / f"{recipe.name}.toml"
    file.write_text(recipe.to_toml(), encoding="utf-8")
    train = ["train", "--recipe", str(file), "--run-dir", str(folder), *more]
    return subprocess.Popen(
        [*LAUNCH, "--workers", str(workers), "--max-restarts", str(restarts), "--", *train],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def trained(workers: int, recipe: Recipe, folder: Path, *more: str) -> tuple[Run, str]:
    """A finished training in several processes, and what it printed."""
    process = started(workers, recipe, folder, *more)
    output, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, output
    (path,) = folder.iterdir()
    return zoo.load(path), output


def tiny_recipe(changes: dict[str, Any], **more: Any) -> Recipe:
    """The resolved recipe of `zoo.train`'s arguments."""
    both = {"epochs": 1, **changes, **more}
    return resolve(both.pop("model", None), **both)


def processes_of(launcher: int) -> dict[int, int]:
    """The workers of a launcher: their processes by their number."""
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            environment = (folder / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if parent == launcher and '"index": ' in environment:
            found[int(environment.partition('"index": ')[2][0])] = int(folder.name)
    return found


def wait_for_epochs(folder: Path, count: int) -> None:
    """Return once the only run of a folder has finished that many epochs."""
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        if any(run.epochs_done >= count for run in zoo.runs.folder.list_runs(folder)):
            return
        time.sleep(0.05)
    raise TimeoutError(f"{folder} has no run of {count} epochs")


def kill(process: int) -> None:
    """End a process at once."""
    os.kill(process, signal.SIGKILL)


def assert_same_weights(one: Run, other: Run, tolerance: float) -> None:
    """Compare all weights of two runs' models; 0 asks for the same bits."""
    for first, second in zip(one.model.weights, other.model.weights, strict=True):
        np.testing.assert_allclose(second.numpy(), first.numpy(), rtol=tolerance, atol=tolerance)


def lines(output: str, prefix: str) -> Sequence[str]:
    """The lines of one worker."""
    return [line for line in output.splitlines() if line.startswith(prefix)]


def two_configs() -> tuple[list[str]]:
    """TF_CONFIG of each of two workers on this machine."""
    cluster = {"worker": list(_free_addresses(2))}
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    return ([json.dumps({"cluster": cluster, "task": task}) for task in tasks],)


def upstream(config: str) -> list[str]:
    """What tests/zoo/training/upstream.py says as the worker of a TF_CONFIG."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("upstream.py"))],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "TF_CONFIG": config,
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return done.stdout.splitlines()
