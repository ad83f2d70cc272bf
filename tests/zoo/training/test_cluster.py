"""Which worker a process is, as the environment says."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from zoo.base.errors import UsageError
from zoo.runs.folder import RunFolder
from zoo.training import cluster
from zoo.training.cluster import chosen_strategy, find_cluster, lost_worker
from zoo.training.resolve import resolve

TWO = {"worker": ["a:1", "b:2"]}
THREE = {"worker": ["a:1", "b:1", "c:1"]}


def config(jobs: dict[str, list[str]], kind: str = "worker", index: int = 0) -> dict[str, str]:
    task = {"type": kind, "index": index}
    return {"TF_CONFIG": json.dumps({"cluster": jobs, "task": task})}


def slurm(tasks: int, rank: int) -> dict[str, str]:
    return {"SLURM_STEP_NUM_TASKS": str(tasks), "SLURM_PROCID": str(rank)}


@pytest.mark.parametrize(
    ("environment", "workers", "index"),
    [
        (config(TWO), 2, 0),
        (config(TWO, index=1), 2, 1),
        # Kubeflow's TFJob may have a chief beside the workers.
        (config({"chief": ["c:0"], **TWO}, "chief"), 3, 0),
        (config({"chief": ["c:0"], **TWO}, index=1), 3, 2),
        (slurm(4, 3), 4, 3),
        ({**slurm(4, 3), **config(TWO)}, 2, 0),
    ],
)
def test_a_cluster_is_found(environment: dict[str, str], workers: int, index: int) -> None:
    found = find_cluster(environment)
    assert found is not None
    assert (found.workers, found.index, found.is_chief) == (workers, index, index == 0)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"TF_CONFIG": "  "},
        config({"worker": ["a:1"]}),
        slurm(1, 0),
        # An allocation alone (salloc, sbatch) is not yet a step of several tasks.
        {"SLURM_NTASKS": "4", "SLURM_PROCID": "0"},
    ],
)
def test_one_process_is_no_cluster(environment: dict[str, str]) -> None:
    assert find_cluster(environment) is None


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"TF_CONFIG": "{"}, "TF_CONFIG is not like"),
        ({"TF_CONFIG": "[]"}, "TF_CONFIG is not like"),
        ({"TF_CONFIG": '{"cluster": {"worker": ["a:1"]}}'}, "TF_CONFIG is not like"),
        (config(TWO, index=2), "has no worker 2"),
        (config(TWO, "evaluator"), "makes this process a 'evaluator'"),
        (config({**TWO, "ps": ["p:1"]}), "names parameter servers"),
    ],
)
def test_a_wrong_tf_config_is_refused(environment: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_cluster(environment)


@pytest.mark.parametrize(
    ("environment", "strategy"),
    [
        (config(TWO), "multi-worker"),
        (slurm(2, 0), "multi-worker"),
        ({"TPU_NAME": "local"}, "tpu"),
        ({}, "auto"),
    ],
)
def test_auto_looks_at_the_environment(environment: dict[str, str], strategy: str) -> None:
    assert chosen_strategy(resolve("mlp"), environment) == strategy
    assert chosen_strategy(resolve("mlp", strategy="mirrored"), environment) == "mirrored"


def test_strategies_that_cannot_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="Keras 3 has no fit for it"):
        resolve("mlp", strategy="parameter-server")
    with pytest.raises(UsageError, match="multi-worker needs several workers"):
        resolve("mlp", strategy="multi-worker")
    monkeypatch.setitem(os.environ, "TF_CONFIG", config(THREE)["TF_CONFIG"])
    with pytest.raises(UsageError, match="a batch of 32 cannot be shared evenly by 3 devices"):
        resolve("mlp", strategy="multi-worker")


def test_other_workers_than_the_chief_write_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "mlp-1"
    (run / "checkpoints").mkdir(parents=True)
    recipe = resolve("mlp")
    (run / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    (run / ".half-written-tmp01234567").touch()
    monkeypatch.setitem(os.environ, "TF_CONFIG", config(TWO, index=1)["TF_CONFIG"])
    assert cluster.own_run_dir(recipe, run.parent) != run.parent
    copy = cluster.own_run(RunFolder(run))
    assert copy.name == run.name
    assert copy.recipe == recipe
    assert not run.samefile(copy.path)
    assert sorted(path.name for path in copy.path.iterdir()) == ["checkpoints", "recipe.toml"]
    monkeypatch.setitem(os.environ, "TF_CONFIG", config(TWO, index=0)["TF_CONFIG"])
    assert cluster.own_run_dir(recipe, run.parent) == run.parent
    assert cluster.own_run(RunFolder(run)).path == run


class UnavailableError(Exception):
    """TensorFlow's, by its name."""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UnavailableError("to /job:worker/replica:0/task:1: Socket closed"), r"worker 1 \(b:2\)"),
        (UnavailableError("Socket closed"), "another worker is gone"),
        (ValueError("of /job:worker/replica:0/task:1"), None),
    ],
)
def test_a_lost_worker_is_named(
    error: Exception, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = resolve("mlp")
    assert lost_worker(error, recipe) is None  # alone, there is nobody to lose
    monkeypatch.setitem(os.environ, "TF_CONFIG", config(TWO)["TF_CONFIG"])
    found = lost_worker(error, recipe)
    if told is None:
        assert found is None
    else:
        assert found is not None
        assert re.search(told, str(found))
