"""Which worker of how many this process is, as TF_CONFIG or Slurm say; needs no TensorFlow."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.recipe import Recipe
from zoo.base.errors import DlzooError, UsageError
from zoo.runs.folder import RunFolder

RUN_NOTE = "DLZOO_RUN_NOTE"
"""An environment variable: the file in which the chief notes its run's folder, for a launcher."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The processes that train one model together, and which of them this one is."""

    source: str
    """Who says so: ``"TF_CONFIG"`` or ``"Slurm"``."""
    workers: int
    index: int
    """Of this process, counted from 0. The first worker is the chief: it alone writes the run."""
    addresses: tuple[str, ...] = ()
    """``host:port`` of each worker; empty under Slurm, where TensorFlow works them out."""

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run."""
        return self.index == 0

    def worker(self, index: int) -> str:
        """Return what a worker is called in messages."""
        where = f" ({self.addresses[index]})" if index < len(self.addresses) else ""
        return f"worker {index}{where}"


def find_cluster(environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """Return the cluster that the environment describes, or None if this process is alone.

    Args:
        environment: ``TF_CONFIG`` as TensorFlow and Kubeflow's TFJob set it; or the variables that
            Slurm's ``srun`` sets for each task of a step.

    Raises:
        UsageError: ``TF_CONFIG`` cannot be understood.
    """
    text = environment.get("TF_CONFIG", "").strip()
    if text:
        return _from_tf_config(text)
    try:
        workers = int(environment.get("SLURM_STEP_NUM_TASKS", "1"))
        index = int(environment["SLURM_PROCID"]) if workers > 1 else 0
    except (KeyError, ValueError):
        return None
    return Cluster(source="Slurm", workers=workers, index=index) if workers > 1 else None


def _from_tf_config(text: str) -> Cluster | None:
    example = (
        '{"cluster": {"worker": ["a:1234", "b:1234"]}, "task": {"type": "worker", "index": 0}}'
    )
    try:
        values = json.loads(text)
        jobs = {name: [str(one) for one in hosts] for name, hosts in values["cluster"].items()}
        kind, number = str(values["task"]["type"]), int(values["task"]["index"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"TF_CONFIG is not like {example}; got {text[:200]}") from None
    if kind not in ("chief", "worker"):
        raise UsageError(
            f"TF_CONFIG makes this process a '{kind}': dlzoo trains on chiefs and workers only, "
            "and they evaluate too"
        )
    if "ps" in jobs:
        raise UsageError(
            "TF_CONFIG names parameter servers, for which Keras 3 has no fit: "
            "leave 'ps' out and use workers only"
        )
    addresses = [*jobs.get("chief", []), *jobs.get("worker", [])]
    if not 0 <= number < len(jobs.get(kind, [])):
        raise UsageError(f"TF_CONFIG has no {kind} {number} in its cluster")
    index = number if kind == "chief" else number + len(jobs.get("chief", []))
    if len(addresses) < 2:
        return None
    return Cluster(
        source="TF_CONFIG", workers=len(addresses), index=index, addresses=tuple(addresses)
    )


def chosen_strategy(recipe: Recipe, environment: Mapping[str, str] = os.environ) -> str:
    """Return a recipe's strategy; for ``auto`` the one that the environment asks for.

    It is still ``auto`` where only the devices decide, see `zoo.training.strategy`.
    """
    if recipe.strategy != "auto":
        return recipe.strategy
    if find_cluster(environment) is not None:
        return "multi-worker"
    if environment.get("TPU_NAME") or environment.get("TPU_WORKER_HOSTNAMES"):
        return "tpu"
    return "auto"


def cluster_of(recipe: Recipe) -> Cluster | None:
    """Return the cluster that a recipe is trained on, or None for this process alone.

    Raises:
        UsageError: The recipe asks for several workers, and there is one.
    """
    if chosen_strategy(recipe) != "multi-worker":
        return None
    cluster = find_cluster()
    if cluster is None:
        raise UsageError(
            "strategy multi-worker needs several workers: start them by "
            "'dlzoo launch --workers N -- train …', by Slurm's srun, or with TF_CONFIG"
        )
    return cluster


def is_chief(recipe: Recipe) -> bool:
    """Return whether this process is the one that writes the run."""
    cluster = cluster_of(recipe)
    return cluster is None or cluster.is_chief


# Only the chief writes. Every worker runs the same program all the same: reading a variable may be
# an operation that all take part in. What the others write goes to a folder that is removed.


def own_run_dir(recipe: Recipe, run_dir: Path) -> Path:
    """Return the folder in which this worker makes its run: `run_dir` itself for the chief."""
    return run_dir if is_chief(recipe) else _temporary_folder()


def own_run(run: RunFolder) -> RunFolder:
    """Return the run that this worker goes on with: for others than the chief, a copy.

    No worker can start a step before all are ready, so the chief does not write while they copy.

    Raises:
        DlzooError: The run cannot be read, for example because it lies on the chief's own disk.
    """
    if is_chief(run.recipe):
        return run
    copy = _temporary_folder() / run.name
    try:
        shutil.copytree(run.path, copy, ignore=shutil.ignore_patterns(".*"))
    except (OSError, shutil.Error) as error:
        raise DlzooError(f"this worker cannot read run {run.name}: {error}") from None
    return RunFolder(copy)


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="dlzoo-worker-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def note_run(run: RunFolder) -> None:
    """Tell a launcher where the run is, if one asks by `RUN_NOTE`."""
    note = os.environ.get(RUN_NOTE)
    if note and is_chief(run.recipe):
        Path(note).write_text(str(run.path.absolute()), encoding="utf-8")


_GONE = ("UnavailableError", "AbortedError", "DeadlineExceededError", "CancelledError")
_TASK = re.compile(r"/job:(\w+)/replica:\d+/task:(\d+)")


def lost_worker(error: BaseException, recipe: Recipe) -> DlzooError | None:
    """Return the error of a worker that others lost, in one line, or None for any other error.

    Args:
        error: What TensorFlow raised, such as an `UnavailableError` of a collective operation.
        recipe: That is trained.
    """
    if type(error).__name__ not in (*_GONE, "InternalError"):
        return None
    cluster = cluster_of(recipe)
    if cluster is None:
        return None
    text = str(error)
    lost = {_index(job, int(task), text) for job, task in _TASK.findall(text)}
    names = [cluster.worker(index) for index in sorted(lost - {cluster.index})]
    if not names and type(error).__name__ == "InternalError":
        return None
    who = ", ".join(names) or "another worker"
    return DlzooError(
        f"{who} is gone, or cannot be reached from worker {cluster.index}: the training stops. "
        "Start all workers again with --resume"
    )


def _index(job: str, task: int, text: Any) -> int:
    """Return a worker's number over all jobs, where the chief has a job of its own."""
    return task + (1 if job == "worker" and "/job:chief" in text else 0)
