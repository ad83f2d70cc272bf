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
from zoo.datasets.subset import divided
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
    few, others = divided(split, 20, 0, key="few", targets=("label",), features=features)
    assert np.bincount(column(few, "label")).tolist() == [18, 2]
    assert sorted([*column(few, "row"), *column(others, "row")]) == list(range(100))


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


def test_most_of_the_validation_split_can_be_trained_on() -> None:
    whole, more = digits(), digits(validation_examples=20)
    sizes = whole.spec.sizes
    assert more.spec.sizes == {
        "train": sizes["train"] + sizes["validation"] - 20,
        "validation": 20,
        "test": sizes["test"],
    }

    def images(dataset: Dataset, *names: str) -> list[bytes]:
        return sorted(
            one.tobytes() for name in names for one in column(dataset.split(name), "image")
        )

    both = ("train", "validation")
    assert images(more, *both) == images(whole, *both)
    assert images(more, "test") == images(whole, "test")
    counts = np.bincount(column(more.split("validation"), "label"), minlength=10)
    assert counts.tolist() == [2] * 10


def test_own_data_have_no_validation_split_to_give_away(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "".join(f"{n},{n % 2}\n" for n in range(60)))
    with pytest.raises(UsageError, match="only for data sets that come with their splits"):
        load(Data(name=f"csv:{table}", target="b:class", validation_examples=3))


def test_more_than_there_are_is_refused(run_dir: Path) -> None:
    with pytest.raises(UsageError, match="validation_examples: there are 180, got 181"):
        digits(validation_examples=181)
    with pytest.raises(UsageError, match="train_examples: there are 1257, got 1258"):
        zoo.train("mlp", overrides={"data.train_examples": 1258}, run_dir=run_dir)
    with pytest.raises(UsageError, match="train_examples"):
        zoo.train("mlp", overrides={"data.train_examples": 0}, run_dir=run_dir)
    assert not run_dir.exists()
