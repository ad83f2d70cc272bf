"""The GAN's two networks: a schedule and a scaled loss for each, and the recipe's metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from tests import tiny
from zoo.training.preparation import Prepared
from zoo.training.progress import Silent
from zoo.training.resolve import resolve
from zoo.training.trainer import ready


def prepared(precision: str | None = None, **overrides: Any) -> Prepared:
    changes = {key.replace("__", "."): value for key, value in overrides.items()}
    recipe = resolve(
        "gan", epochs=2, batch_size=314, precision=precision, overrides={**tiny.GAN, **changes}
    )
    with ready(recipe) as (made, _):
        return made


def rates(optimizer: Any, steps: int) -> list[float]:
    """The learning rates of an optimizer's first steps."""
    schedule = optimizer._learning_rate
    return [float(schedule(step)) for step in range(steps)]


def test_each_optimizer_follows_its_own_schedule() -> None:
    model = prepared(
        optimizers__generator__schedule={"name": "CosineDecay", "decay_fraction": 1.0},
        optimizers__discriminator__warmup={"epochs": 1, "start": 0.0},
    ).model
    generator, discriminator = model.optimizers
    falling, rising = rates(generator, 8), rates(discriminator, 8)
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == pytest.approx(0.001)
    assert falling[-1] < 0.0003
    assert rising[0] == 0.0
    assert rising[5:] == pytest.approx([0.001] * 3)  # an epoch has five steps


def test_a_schedule_of_the_recipe_is_that_of_both() -> None:
    model = prepared(schedule={"name": "CosineDecay", "decay_fraction": 1.0}).model
    first, second = (rates(optimizer, 8) for optimizer in model.optimizers)
    assert first == second == sorted(first, reverse=True)


def test_the_recipes_metrics_are_computed(run_dir: Path) -> None:
    run = zoo.train(
        **{**tiny.TRAININGS["gan"], "overrides": {**tiny.GAN, "metrics": ["AUC"]}},
        epochs=1,
        run_dir=run_dir,
        reporter=Silent(),
    )
    assert {"auc", "val_auc"} <= run.history.keys()
    assert 0.0 <= run.metrics["test"]["auc"] <= 1.0


def test_both_losses_are_scaled_under_mixed_float16() -> None:
    made = prepared(precision="mixed_float16", optimizers__generator={"name": "SGD"})
    if keras.config.dtype_policy().name != "float32":
        pytest.fail("the process's policy is not put back")
    for optimizer in made.model.optimizers:
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        assert scaled == (made.model.dtype_policy.name == "mixed_float16")


def test_a_gan_of_half_precision_scales_both_losses() -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = zoo.build(
            "gan", input_shape=(4, 4, 1), generator_units=[4], discriminator_units=[4]
        )
        model.compile(generator_optimizer="sgd", discriminator_optimizer="sgd")
        model.fit(np.ones((8, 4, 4, 1), "float32"), batch_size=4, verbose=0)
    finally:
        keras.config.set_dtype_policy(before)
    for optimizer in model.optimizers:
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        assert int(optimizer.step_counter) == 2 or float(optimizer.dynamic_scale) != 2.0**15


def test_the_learning_rate_is_that_of_every_optimizer() -> None:
    recipe = resolve("gan", learning_rate=0.25)
    found = [one.arguments["learning_rate"] for one in recipe.all_optimizers.values()]
    assert found == [0.25, 0.25]
