"""Training in several processes on loopback ends as training in one does."""

from __future__ import annotations

import re
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from tests import tiny
from tests.zoo.training import workers
from zoo.training.progress import Silent

IRIS: dict[str, Any] = {"model": "mlp", "recipe": "mlp-iris", "epochs": 3}
# Without dropout, for which each replica draws its own random numbers, as small as they go.
EXACT: dict[str, dict[str, Any]] = {
    "classifier": {"model": "lenet5", "batch_size": 256},
    "lstm": tiny.TRAININGS["text"],
    "tagger": tiny.TRAININGS["tags"],
    "accumulated": {**IRIS, "accumulate": 2},
    "transformer": {
        "model": "transformer",
        "batch_size": 512,
        "overrides": {
            "arguments.width": 8,
            "arguments.num_heads": 2,
            "arguments.num_layers": 1,
            "arguments.dropout": 0.0,
        },
    },
    "language model": {
        "model": "gpt",
        "batch_size": 32,
        "overrides": {
            "arguments.width": 8,
            "arguments.num_heads": 2,
            "arguments.num_layers": 1,
            "arguments.dropout": 0.0,
            "data.text.length": 16,
        },
    },
}


def alone(changes: dict[str, Any], folder: Path) -> zoo.Run:
    """The same training in this process."""
    both = {"epochs": 1, **changes}
    return zoo.train(**both, strategy="one-device", run_dir=folder, reporter=Silent())


def test_two_workers_train_as_one_process_does(tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("dlzoo-*"))
    run, output = workers.trained(2, workers.tiny_recipe(IRIS), tmp_path / "two")
    one = alone(IRIS, tmp_path / "one")
    workers.assert_same_weights(one, run, 1e-5)
    for split in ("validation", "test"):  # 15 and 30 examples: padding counts in no score
        assert run.metrics[split] == pytest.approx(one.metrics[split], rel=1e-4)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert run.history[name] == pytest.approx(one.history[name], rel=1e-4)
    assert run.environment["devices"] == "2 × CPU"
    assert "8 examples on each of 2 replicas" in output
    # Only the chief tells of the training and writes it.
    assert len(workers.lines(output, "[0] epoch")) == 3
    assert workers.lines(output, "[1]") == [
        "[1] worker 1 of 2 computes 8 of the 16 examples of each step"
    ]
    assert set(Path(tempfile.gettempdir()).glob("dlzoo-*")) <= before


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("kind", EXACT)
def test_workers_end_with_the_weights_of_one_process(kind: str, count: int, tmp_path: Path) -> None:
    changes = EXACT[kind]
    run, _ = workers.trained(count, workers.tiny_recipe(changes), tmp_path / "many")
    one = alone(changes, tmp_path / "one")
    difference = max(
        float(np.abs(first.numpy() - second.numpy()).max())
        for first, second in zip(one.model.weights, run.model.weights, strict=True)
    )
    print(f"{kind}, {count} workers: greatest difference of a weight {difference:.1e}")
    workers.assert_same_weights(one, run, 1e-4)
    assert run.metrics["test"] == pytest.approx(one.metrics["test"], rel=1e-3, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gan", "vae"])
def test_generators_train_on_two_workers(kind: str, tmp_path: Path) -> None:
    recipe = workers.tiny_recipe(tiny.TRAININGS[kind])
    run, _ = workers.trained(2, recipe, tmp_path / "runs")
    assert all(np.isfinite(value) for values in run.history.values() for value in values)
    assert run.generate(2).shape == (2, 8, 8, 1)


@pytest.mark.slow
def test_a_normalised_network_scores_the_same_on_two_workers(tmp_path: Path) -> None:
    changes = {"model": "resnet20", "epochs": 6}
    run, _ = workers.trained(2, workers.tiny_recipe(changes), tmp_path / "two")
    one = alone(changes, tmp_path / "one")
    print(
        f"test accuracy: {one.metrics['test']['accuracy']:.4f} in one process, "
        f"{run.metrics['test']['accuracy']:.4f} on two workers"
    )
    assert run.metrics["test"]["accuracy"] == pytest.approx(
        one.metrics["test"]["accuracy"], abs=0.03
    )


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_worker_is_started_again_and_nothing_is_lost(victim: int, tmp_path: Path) -> None:
    changes = {**IRIS, "epochs": 12, "overrides": {"checkpoint.epochs": 1}}
    recipe = workers.tiny_recipe(changes)
    whole, _ = workers.trained(2, recipe, tmp_path / "whole")
    folder = tmp_path / "killed"
    process = workers.started(2, recipe, folder, restarts=1)
    workers.wait_for_epochs(folder, 3)
    workers.kill(workers.processes_of(process.pid)[victim])
    output, _ = process.communicate(timeout=workers.TIMEOUT)
    assert process.returncode == 0, output
    assert f"worker {victim} was ended by SIGKILL" in output
    assert "resumed at epoch" in output
    (path,) = folder.iterdir()
    workers.assert_same_weights(whole, zoo.load(path), 0.0)


@pytest.mark.slow
def test_who_is_lost_is_named(tmp_path: Path) -> None:
    process = workers.started(2, workers.tiny_recipe({**IRIS, "epochs": 500}), tmp_path / "runs")
    workers.wait_for_epochs(tmp_path / "runs", 1)
    workers.kill(workers.processes_of(process.pid)[1])
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 128 + signal.SIGKILL
    assert re.search(r"\[0\] dlzoo: worker 1 \(127\.0\.0\.1:\d+\) is gone", output)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_all_workers(number: int, code: int, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    process = workers.started(2, workers.tiny_recipe({**IRIS, "epochs": 500}), folder)
    workers.wait_for_epochs(folder, 1)
    children = workers.processes_of(process.pid)
    process.send_signal(number)
    output, _ = process.communicate(timeout=90)
    assert process.returncode == code, output
    assert len(children) == 2
    assert not any(Path(f"/proc/{child}").exists() for child in children.values())
    assert "train --resume" in output


@pytest.mark.slow
def test_keras_still_fails_under_several_workers() -> None:
    """Remove the mend of each fault that is gone from `zoo.training.keras_multi_worker`."""
    with ThreadPoolExecutor() as pool:
        for told in pool.map(workers.upstream, *workers.two_configs()):
            assert told == ["build True", "scores True", "mended False", "steps True"]
