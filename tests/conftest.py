"""What the whole suite shares: TensorFlow started once and quietly, devices, folders for runs."""

from __future__ import annotations

from pathlib import Path

import pytest

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


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A folder for the runs of one test; it is not made yet."""
    return tmp_path / "runs"


# Trained runs that several files look at: train each once, in here, as a session-scoped fixture.


@pytest.fixture(scope="session")
def shared_run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for runs that are trained once for the whole session."""
    return tmp_path_factory.mktemp("shared") / "runs"
