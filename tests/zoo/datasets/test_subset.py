"""Training on a few examples: which ones they are, and who counts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from recipes.recipe import Data
from zoo.base.errors import UsageError
from zoo.datasets.loading import Dataset, load
from zoo.datasets.split import Split
from zoo.datasets.subset import subset
from zoo.training.progress import Silent


def digits(**arguments: Any) -> Dataset:
    return load(Data(name="digits", **arguments))


def column(split: Split, name: str) -> np.ndarray:
    return np.concatenate(list(split.column(name)))


@pytest.mark.parametrize("count", [10, 57, 100])
def test_each_class_keeps_its_share(count: int) -> None:
    few = digits(train_examples=count)
    counts = np.bincount(column(few.split("train"), "label"), minlength=10)
    assert counts.sum() == count == few.spec.sizes["train"]
    assert counts.max() - counts.min() <= 1  # digits' classes are all but equally frequent
    assert len(few.split("test")) == len(digits().split("test"))


def test_rare_classes_stay_rare() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    split = Split.in_memory({"label": labels, "row": np.arange(100)})
    features = {"label": digits().spec.features["label"]}
    few = subset(split, 20, 0, targets=("label",), features=features)
    assert np.bincount(column(few, "label")).tolist() == [18, 2]


def test_the_seed_decides_which() -> None:
    def images(seed: int) -> np.ndarray:
        return column(digits(train_examples=30, train_seed=seed).split("train"), "image")

    np.testing.assert_array_equal(images(1), images(1))
    assert not np.array_equal(images(1), images(2))


def test_a_run_keeps_its_few_examples(run_dir: Path) -> None:
    run = zoo.train(recipe="mlp-digits-100-labels", epochs=1, run_dir=run_dir, reporter=Silent())
    assert run.spec.sizes["train"] == 100
    loaded = zoo.load(run.path)
    assert len(loaded.dataset.split("train")) == 100
    assert loaded.evaluate("train") == pytest.approx(run.evaluate("train"))


def test_more_than_there_are_is_refused(run_dir: Path) -> None:
    with pytest.raises(UsageError, match="there are 1257 to train on, got 1258"):
        zoo.train("mlp", overrides={"data.train_examples": 1258}, run_dir=run_dir)
    with pytest.raises(UsageError, match="train_examples"):
        zoo.train("mlp", overrides={"data.train_examples": 0}, run_dir=run_dir)
    assert not run_dir.exists()
