"""What the whole suite shares: TensorFlow started once and quietly, devices, folders for runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo.base.processes import run_apart
from zoo.base.runtime import claim_devices, start_tensorflow


def pytest_sessionstart() -> None:
    # Before any test module imports Keras: the devices are fixed by TensorFlow's first computation,
    # and mirrored training is tested on two logical CPU devices.
    start_tensorflow()
    claim_devices(2)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Begin every test from the same random state, so that none depends on those before it."""
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _verified_here() -> Iterator[None]:
    """Check exports in this process: to import TensorFlow in a fresh one takes seconds each time.

    Fixtures of every scope do so. Tests marked `fresh` check them as users do.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.serving.verify.run_apart", here)
        yield


@pytest.fixture(autouse=True)
def _verified_apart(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("fresh"):
        monkeypatch.setattr("zoo.serving.verify.run_apart", run_apart)


def here(function: Any, *arguments: Any) -> Iterator[Any]:
    """Do what `zoo.base.processes.run_apart` does, in this process."""
    sent: list[Any] = []
    function(sent.append, *arguments)
    yield from sent


# Files that take a minute or more come first: one that came last would leave a processor idle.
LONG = (
    "test_readme.py",
    "models/test_all.py",
    "training/test_trainer.py",
    "training/test_unsupervised.py",
    "training/test_papers.py",
    "cli/test_train.py",
    "training/test_replicas.py",
    "training/test_resume.py",
    "training/test_failures.py",
    "serving/test_export.py",
    "tasks/test_translation.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of long files first."""

    def rank(item: pytest.Item) -> int:
        return next((at for at, end in enumerate(LONG) if str(item.path).endswith(end)), len(LONG))

    items.sort(key=rank)


QUICK_JUDGES: dict[str, object] = {}
"""Of each data set, for the whole session."""


@pytest.fixture(scope="module", autouse=True)
def _quick_scores(request: pytest.FixtureRequest) -> Iterator[None]:
    """Score generators by few samples and a judge that has hardly learned.

    A module that tests the scores themselves sets `FULL_SCORES`.
    """
    with pytest.MonkeyPatch.context() as patch:
        full = getattr(request.module, "FULL_SCORES", False)
        patch.setattr("zoo.tasks.quality._references", {} if full else QUICK_JUDGES)
        if not full:
            patch.setattr("zoo.tasks.judge.SHOWN", 0)  # two epochs, not 40
            patch.setattr("zoo.tasks.quality.PARZEN_SAMPLES", 100)
            for place in ("quality", "generation"):
                patch.setattr(f"zoo.tasks.{place}.SCORED_SAMPLES", 200)
        yield


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A folder for the runs of one test; it is not made yet."""
    return tmp_path / "runs"


# Trained runs that several files look at: train each once, in here, as a session-scoped fixture.


@pytest.fixture(scope="session")
def shared_run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for runs that are trained once for the whole session."""
    return tmp_path_factory.mktemp("shared") / "runs"
