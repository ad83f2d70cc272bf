"""Training on two logical CPU devices ends as training on one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from tests import tiny
from tests.few import FewDigits
from tests.zoo.training.reporters import interrupted_after
from zoo import run as zoo_run
from zoo.base.errors import UsageError
from zoo.datasets import sources
from zoo.run import Run
from zoo.training.progress import Silent

# Several replicas draw other random numbers than one: without dropout.
TINY: dict[str, dict[str, Any]] = {
    "perceptron": {"model": "perceptron", "batch_size": 2, "overrides": tiny.STEP},
    # 105, 15 and 30 examples: the last batches of each are padded or filled up
    "table": {
        "model": "mlp",
        "recipe": "mlp-iris",
        "overrides": {"arguments.batch_normalization": True},
    },
    "text": {**tiny.TRAININGS["text"], "overrides": {}},
    # Outputs that only training uses, and a loss of the model's own; 10, 5 and 3 examples.
    "capsnet": {
        "model": "capsnet",
        "dataset": "few-digits",
        "batch_size": 4,
        "overrides": {**tiny.STEP, "data.image.size": [17, 17]},
    },
    "googlenet": {
        "model": "googlenet",
        "dataset": "few-digits",
        "batch_size": 4,
        "learning_rate": 0.0001,
        "overrides": {
            "data.image.size": [32, 32],
            "augmentation": [],
            "arguments.dropout": 0.0,
            "arguments.auxiliary_dropout": 0.0,
        },
    },
}


@pytest.fixture(autouse=True)
def few_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the few digits known for one test."""
    monkeypatch.setattr(sources, "_registered", {})
    sources.register(FewDigits.name, FewDigits)


def weights(run: Run) -> list[np.ndarray]:
    return [weight.numpy() for weight in run.model.weights]


def on_one_and_two(folder: Path, **arguments: Any) -> tuple[Run, Run]:
    one, two = (
        zoo.train(
            **{"epochs": 1, **arguments},
            strategy=strategy,
            devices=devices,
            run_dir=folder,
            reporter=Silent(),
        )
        for strategy, devices in (("one-device", 1), ("mirrored", 2))
    )
    assert two.environment["devices"] == "2 × CPU"
    return one, two


@pytest.mark.parametrize(
    "kind",
    [
        # 25 seconds of tracing; zoo/layers holds such models on two devices without training
        pytest.param(kind, marks=[pytest.mark.slow] if kind == "googlenet" else [])
        for kind in TINY
    ],
)
def test_two_replicas_train_and_score_as_one_does(kind: str, run_dir: Path) -> None:
    one, two = on_one_and_two(run_dir, **TINY[kind])
    for first, second in zip(weights(one), weights(two), strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-3, atol=1e-4)
    for split in ("validation", "test"):
        assert two.metrics[split] == pytest.approx(one.metrics[split], rel=1e-3, abs=1e-4)
    for name, values in one.history.items():
        if name.startswith("val_"):  # padding counts in no score
            assert two.history[name] == pytest.approx(values, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("kind", ["vae", "gan"])
def test_generators_train_on_two_replicas(kind: str, run_dir: Path) -> None:
    arguments = {**tiny.TRAININGS[kind], "batch_size": 628, "epochs": 1}
    run = zoo.train(**arguments, strategy="mirrored", devices=2, run_dir=run_dir, reporter=Silent())
    assert run.status == "finished"
    assert all(np.isfinite(value) for values in run.history.values() for value in values)
    assert run.generate(2).shape == (2, 8, 8, 1)


def test_a_training_on_two_replicas_is_resumed_to_the_bit(run_dir: Path) -> None:
    arguments: dict[str, Any] = {
        "recipe": "mlp-iris",
        "epochs": 3,
        "overrides": tiny.STEP,
        "strategy": "mirrored",
        "devices": 2,
        "run_dir": run_dir,
    }
    whole = zoo.train("mlp", **arguments, reporter=Silent())
    with pytest.raises(KeyboardInterrupt):
        zoo.train("mlp", **arguments, reporter=interrupted_after(1))
    resumed = zoo_run.resume("latest", run_dir=run_dir, reporter=Silent())
    assert resumed.path != whole.path
    for first, second in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(first, second)


def test_two_replicas_start_from_weights_as_one_does(shared_run_dir: Path, run_dir: Path) -> None:
    start = tiny.run("table", shared_run_dir)
    same: dict[str, Any] = {"init_from": start, "freeze": "hidden*", "overrides": tiny.STEP}
    one, two = on_one_and_two(run_dir, model="mlp", recipe="mlp-iris", **same)
    for first, second in zip(weights(one), weights(two), strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-3, atol=1e-4)


def test_a_batch_that_devices_cannot_share_evenly_is_refused(run_dir: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be shared evenly by 2 devices.*--batch-size 14"):
        zoo.train("mlp", recipe="mlp-iris", batch_size=15, devices=2, run_dir=run_dir)
    # The whole split of 105 examples is odd; that is known once it is loaded.
    with pytest.raises(UsageError, match=r"a batch of 105 cannot be shared evenly"):
        zoo.train("mlp", recipe="mlp-iris", batch_size="full", devices=2, run_dir=run_dir)
    assert not run_dir.exists()
