"""Trainings whose targets are mixed: repeatable, resumable, scored sensibly, or refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from recipes.recipe import Recipe
from tests.zoo.training.test_trainer import StopAfter, same
from zoo import registry, tasks
from zoo.datasets.loading import load
from zoo.datasets.spec import Dataset, Examples
from zoo.errors import UsageError
from zoo.training import trainer
from zoo.training.assembly import make_batches, make_model
from zoo.training.report import Silent
from zoo.training.resolve import resolve
from zoo.training.strategy import make_strategy

MIXES = [{"name": "flip"}, {"name": "mixup", "alpha": 0.4}, {"name": "cutmix"}]


def recipe(name: str = "lenet5", **changes: Any) -> Recipe:
    """A model's own recipe with mixed images, in two epochs of large batches."""
    overrides = {"augmentation": MIXES, **changes}
    return resolve(name, epochs=2, batch_size=256, overrides=overrides)


def test_a_training_on_mixed_images_repeats_and_resumes_to_the_bit(run_dir: Path) -> None:
    asked = recipe("mlp", loss="CategoricalCrossentropy")
    whole, again = (trainer.run_recipe(asked, run_dir=run_dir, reporter=Silent()) for _ in range(2))
    assert same(whole, again)
    with pytest.raises(KeyboardInterrupt):
        trainer.run_recipe(asked, run_dir=run_dir, reporter=StopAfter(1))
    resumed = trainer.resume(zoo.load("latest", run_dir), reporter=Silent())
    assert same(whole, resumed)
    for key, values in whole.history.items():
        if key != "seconds":
            assert again.history[key] == values
            assert resumed.history[key] == values
    # Mixed images are harder than those that a model is tested on.
    assert 0.0 < whole.history["accuracy"][-1] < whole.metrics["test"]["accuracy"]


@pytest.mark.parametrize("loss", [None, "sparse_categorical_crossentropy", "CategoricalHinge"])
def test_a_loss_that_takes_one_class_is_refused_before_a_run_is_made(
    loss: str | None, run_dir: Path
) -> None:
    asked = recipe().model_copy(update={"loss": None}) if loss is None else recipe(loss=loss)
    with pytest.raises(UsageError) as caught:
        trainer.run_recipe(asked, run_dir=run_dir, reporter=Silent())
    named = loss or "sparse_categorical_crossentropy"
    assert str(caught.value) == (
        f"mixup and cutmix make targets of shares, which {named} does not take; "
        "try --set loss=CategoricalCrossentropy"
    )
    assert not run_dir.exists()


def test_what_has_no_classes_is_not_mixed(run_dir: Path) -> None:
    with pytest.raises(UsageError, match="mix classes, and generation has none"):
        trainer.run_recipe(recipe("vae"), run_dir=run_dir, reporter=Silent())
    assert not run_dir.exists()
    task = tasks.make("regression", load("diabetes").spec)
    with pytest.raises(UsageError, match="mix classes, and regression has none"):
        task.require_soft_targets()


def two_digits() -> Dataset:
    """The images of 0 and 1."""
    digits = load("digits", image_size=(32, 32))
    splits = {}
    for name in digits.splits:
        examples = digits.split(name)
        few = examples.targets < 2
        splits[name] = Examples(examples.inputs[few], examples.targets[few])
    return Dataset(dataclasses.replace(digits.spec, class_names=("0", "1")), splits)


def test_two_classes_are_mixed_under_one_output() -> None:
    dataset = two_digits()
    asked = recipe(augmentation=[{"name": "mixup", "alpha": 1.0}]).model_copy(update={"loss": None})
    task = tasks.make("classification", dataset.spec)
    strategy = make_strategy(asked)
    batches = make_batches(asked, task, dataset, strategy)
    _, targets = next(iter(batches.epoch()))
    assert targets.dtype == np.float32
    assert ((targets > 0.01) & (targets < 0.99)).numpy().any()

    model = make_model(asked, registry.card("lenet5"), task, batches, strategy)
    history = model.fit(
        batches.epochs(), steps_per_epoch=batches.steps, epochs=8, shuffle=False, verbose=0
    ).history
    # Keras's own would count a share such as 0.3 as missed by every answer.
    assert history["accuracy"][-1] > 0.8

    sparse = tasks.make("classification", dataset.spec, "sparse_categorical_crossentropy")
    with pytest.raises(UsageError, match="try --set loss=BinaryCrossentropy"):
        make_batches(asked, sparse, dataset, strategy)
