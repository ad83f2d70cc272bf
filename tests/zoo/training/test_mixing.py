"""Trainings whose targets are mixed: repeatable, resumable, scored sensibly, or refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from recipes.recipe import Recipe
from tests.zoo.training.test_trainer import same, stopped
from zoo import registry, tasks
from zoo import run as zoo_run
from zoo.base.errors import UsageError
from zoo.datasets.features.label import Label
from zoo.datasets.loading import Dataset, load
from zoo.datasets.split import Split
from zoo.training.preparation import build_model
from zoo.training.progress import Silent
from zoo.training.resolve import resolve
from zoo.training.strategy import make_strategy

MIXES = [{"name": "flip"}, {"name": "mixup", "alpha": 0.4}, {"name": "cutmix"}]


def recipe(name: str = "lenet5", **changes: Any) -> Recipe:
    """A model's own recipe with mixed images, in two epochs of large batches."""
    overrides = {"augmentation": MIXES, **changes}
    return resolve(name, epochs=2, batch_size=256, overrides=overrides)


def test_a_training_on_mixed_images_resumes_to_the_bit(run_dir: Path) -> None:
    asked = recipe("mlp", loss="CategoricalCrossentropy")
    whole = zoo.train(recipe=asked, run_dir=run_dir, reporter=Silent())
    resumed = zoo_run.resume(stopped(asked, run_dir, 1), reporter=Silent())
    assert same(whole, resumed)
    for key, values in whole.history.items():
        if key != "seconds":
            assert resumed.history[key] == values
    # Mixed images are harder than those that a model is tested on.
    assert 0.0 < whole.history["accuracy"][-1] < whole.metrics["test"]["accuracy"]


@pytest.mark.parametrize("loss", [None, "sparse_categorical_crossentropy", "CategoricalHinge"])
def test_a_loss_that_takes_one_class_is_refused_before_a_run_is_made(
    loss: str | None, run_dir: Path
) -> None:
    asked = recipe().model_copy(update={"loss": None}) if loss is None else recipe(loss=loss)
    with pytest.raises(UsageError) as caught:
        zoo.train(recipe=asked, run_dir=run_dir, reporter=Silent())
    named = loss or "sparse_categorical_crossentropy"
    assert str(caught.value) == (
        f"mixup and cutmix make targets of shares, which {named} does not take; "
        "try --set loss=CategoricalCrossentropy"
    )
    assert not run_dir.exists()


def test_what_has_no_classes_is_not_mixed(run_dir: Path) -> None:
    with pytest.raises(UsageError, match="mix classes, and generation has none"):
        zoo.train(recipe=recipe("vae"), run_dir=run_dir, reporter=Silent())
    assert not run_dir.exists()
    task = tasks.make("regression", load("diabetes").spec)
    with pytest.raises(UsageError, match="mix classes, and regression has none"):
        task.require_soft_targets()


def two_digits() -> Dataset:
    """The images of 0 and 1."""
    digits = load("digits", {"image": {"size": [32, 32]}})
    splits = {}
    for name in digits.splits:
        (chunk,) = digits.split(name).chunks(2000)
        few = chunk["label"] < 2
        splits[name] = Split.in_memory({key: values[few] for key, values in chunk.items()})
    features = {**digits.spec.features, "label": Label(names=("0", "1"))}
    return Dataset(dataclasses.replace(digits.spec, features=features), splits)


def test_two_classes_are_mixed_under_one_output() -> None:
    from zoo.datasets.augmentation.augmenter import augmenter

    dataset = two_digits()
    asked = recipe(augmentation=[{"name": "mixup", "alpha": 1.0}]).model_copy(update={"loss": None})
    task = tasks.make("classification", dataset.spec)
    augment = augmenter(asked.augmentation, task.asked)
    batches = task.training_batches(dataset, batch_size=64, seed=0, augment=augment)
    _, targets = next(iter(batches.epoch()))
    assert targets.dtype == np.float32
    assert ((targets > 0.01) & (targets < 0.99)).numpy().any()

    model, _, _ = build_model(asked, registry.card("lenet5"), task, batches, make_strategy(asked))
    history = model.fit(
        batches.start(), steps_per_epoch=batches.steps, epochs=8, shuffle=False, verbose=0
    ).history
    # Keras's own would count a share such as 0.3 as missed by every answer.
    assert history["accuracy"][-1] > 0.8

    sparse = tasks.make("classification", dataset.spec, "sparse_categorical_crossentropy")
    with pytest.raises(UsageError, match="try --set loss=BinaryCrossentropy"):
        sparse.require_soft_targets()
