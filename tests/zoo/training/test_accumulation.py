"""A batch that is reached in several steps trains as the whole batch does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from recipes.keras_objects import compile_arguments
from tests.zoo.training.reporters import interrupted_after
from zoo import run as zoo_run
from zoo.base.errors import UsageError
from zoo.run import Run
from zoo.training.progress import PlainReporter, Silent
from zoo.training.resolve import resolve

# 105 examples in batches of 16: the last of seven is filled up.
IRIS: dict[str, Any] = {"model": "mlp", "recipe": "mlp-iris", "epochs": 3}


def trained(folder: Path, **changes: Any) -> Run:
    return zoo.train(**{**IRIS, "reporter": Silent(), **changes}, run_dir=folder)


def weights(run: Run) -> list[np.ndarray]:
    return [weight.numpy() for weight in run.model.weights]


@pytest.mark.parametrize(
    ("steps", "overrides"),
    [
        (2, {}),
        (4, {"callbacks": [], "schedule": {"name": "CosineDecay", "decay_fraction": 1.0}}),
        (8, {"optimizer": {"name": "SGD", "learning_rate": 0.1, "momentum": 0.9, "clipnorm": 0.5}}),
        (4, {"optimizer": {"name": "AdamW", "weight_decay": 0.1}, "steps_per_execution": 4}),
    ],
)
def test_several_steps_end_with_the_weights_of_one(
    steps: int, overrides: dict[str, Any], run_dir: Path
) -> None:
    whole = trained(run_dir, overrides=overrides)
    parts = trained(run_dir, accumulate=steps, overrides=overrides)
    for first, second in zip(weights(whole), weights(parts), strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-6)
    assert parts.history["loss"] == pytest.approx(whole.history["loss"], rel=1e-4)
    assert parts.history["learning_rate"] == pytest.approx(whole.history["learning_rate"], rel=1e-5)


@pytest.mark.parametrize(
    "overrides",
    [{}, {"optimizer": {"name": "AdamW", "weight_decay": 0.1, "global_clipnorm": 0.5}}],
)
def test_two_replicas_accumulate_as_one_device_does(
    overrides: dict[str, Any], run_dir: Path
) -> None:
    one = trained(run_dir, accumulate=2, overrides=overrides)
    two = trained(run_dir, accumulate=2, strategy="mirrored", devices=2, overrides=overrides)
    for first, second in zip(weights(one), weights(two), strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-6)


def test_it_is_resumed_to_the_bit(run_dir: Path) -> None:
    whole = trained(run_dir, accumulate=2)
    with pytest.raises(KeyboardInterrupt):
        trained(run_dir, accumulate=2, reporter=interrupted_after(1))
    resumed = zoo_run.resume("latest", run_dir=run_dir, reporter=Silent())
    for first, second in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(first, second)


def test_every_optimizer_accumulates() -> None:
    arguments = compile_arguments(resolve("gan", accumulate=2), steps_per_epoch=5)
    for name in ("generator_optimizer", "discriminator_optimizer"):
        assert arguments[name].gradient_accumulation_steps == 2


def test_what_a_step_computes_is_told(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained(run_dir, accumulate=2, epochs=1, reporter=PlainReporter())
    assert "8 examples at a time, 2 steps to an update" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"accumulate": 3},
            "batch of 16 cannot be divided into 3 equal steps; try --batch-size 15",
        ),
        ({"accumulate": 16, "devices": 2}, "a batch of 1 cannot be shared evenly by 2 devices"),
        (
            {"accumulate": 2, "overrides": {"optimizer.gradient_accumulation_steps": 2}},
            "take it out of optimizer",
        ),
        ({"overrides": {"accumulate": 0}}, "accumulate"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve("mlp", recipe="mlp-iris", **changes)
