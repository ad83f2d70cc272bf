"""The page of a recipe's augmentation: what its run is given, in exactly those epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recipes.recipe import Recipe
from tests.mocked import downloads
from zoo.base.errors import UsageError
from zoo.datasets import preview
from zoo.datasets.augmentation.augmenter import augmenter
from zoo.datasets.batches import Batches, prepared
from zoo.datasets.loading import load
from zoo.datasets.sources import open_source
from zoo.datasets.split import Columns, Split
from zoo.runs import pictures
from zoo.training.resolve import resolve

MIXUP = [{"name": "rotation"}, {"name": "mixup", "alpha": 1.0}]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What was drawn last."""
    kept: dict[str, Any] = {}

    def keep(images: np.ndarray, path: Path, **more: Any) -> None:
        kept.update(more, images=images, path=path)

    monkeypatch.setattr(pictures, "image_grid", keep)
    return kept


def recipe(**changes: Any) -> Recipe:
    """LeNet-5's recipe, changed."""
    return resolve("lenet5", overrides=changes)


def first(of: Recipe) -> np.ndarray:
    """The first eight training images as a model gets them, without augmentation."""
    dataset = load(of.data.name, of.data.forms)
    (chunk, *_) = dataset.split("train").chunks(8)
    return np.asarray(dataset.spec.features["image"].encode(chunk["image"]))


def trained_on(of: Recipe, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """The first eight examples as a training by the recipe is given them."""
    dataset = load(of.data.name, of.data.forms)
    features = dict(dataset.spec.features)
    split = prepared(dataset.split("train"), features)
    assert split.take is not None
    numbered = Split.in_memory({**split.take(np.arange(len(split))), "at": np.arange(len(split))})

    def feed(columns: Columns) -> Any:
        return columns["image"], tf.one_hot(columns["label"], 10), None

    def number(columns: Columns) -> Any:
        return columns["image"], columns["at"], None

    # Whose example a row is, is read off a second pass over the same order.
    drawn, numbers = (
        next(
            iter(
                Batches(
                    split=numbered,
                    features=features,
                    feed=fed,
                    batch_size=len(split),
                    seed=of.seed,
                    augment=augment,
                ).epoch(epoch)
            )
        )
        for fed, augment in ((feed, augmenter(of.augmentation, features)), (number, None))
    )
    places = np.argsort(numbers[1])[:8]
    return np.asarray(drawn[0])[places], np.asarray(drawn[1])[places]


@pytest.mark.parametrize(
    "changes",
    [{"seed": 3}, {"augmentation": MIXUP, "data.image.channels": 3, "data.image.size": [12, 16]}],
    ids=["affine", "mixup"],
)
def test_each_column_is_an_epoch_of_the_run(drawn: dict[str, Any], changes: dict[str, Any]) -> None:
    of = recipe(**changes)
    preview.draw_augmented(of, Path("page.png"))
    rows = drawn["images"].reshape(8, 8, *drawn["images"].shape[1:])
    np.testing.assert_allclose(rows[:, 0], first(of), atol=1e-6)
    for epoch in (0, 3, 6):
        images, _ = trained_on(of, epoch)
        np.testing.assert_allclose(rows[:, 1 + epoch], images, atol=1e-5)
    assert drawn["headings"] == ["original", *(f"epoch {epoch}" for epoch in range(1, 8))]


def test_titles_say_the_class_and_of_a_mix_the_shares(drawn: dict[str, Any]) -> None:
    preview.draw_augmented(recipe(), Path("page.png"))
    (chunk, *_) = load("digits").split("train").chunks(8)
    classes = [str(at) for at in chunk["label"]]
    assert drawn["titles"] == [name for name in classes for _ in range(8)]

    of = recipe(augmentation=MIXUP)
    preview.draw_augmented(of, Path("page.png"))
    titles = np.reshape(drawn["titles"], (8, 8))
    assert titles[:, 0].tolist() == classes
    for epoch in (0, 5):
        _, shares = trained_on(of, epoch)
        for title, target, own in zip(titles[:, 1 + epoch], shares, classes, strict=True):
            lines = dict(line.split("% ")[::-1] for line in title.split("\n") if "%" in line)
            assert next(iter(lines), title) == own  # its own class comes first
            for name, share in lines.items():
                assert int(share) == pytest.approx(100 * target[int(name)], abs=0.51)


@pytest.mark.parametrize("scaling", ["centred", "caffe"])
def test_images_are_shown_in_their_colours_however_they_are_scaled(
    drawn: dict[str, Any], scaling: str
) -> None:
    flipped = {"data.image.channels": 3, "augmentation": [{"name": "flip"}]}
    preview.draw_augmented(recipe(**flipped), Path("page.png"))
    expected = drawn["images"]
    assert expected.shape[-1] == 3
    preview.draw_augmented(recipe(**flipped, **{"data.image.scaling": scaling}), Path("page.png"))
    np.testing.assert_allclose(drawn["images"], expected, atol=1e-5)


def test_a_window_is_drawn_where_an_epoch_has_it_and_the_middle_for_the_original(
    drawn: dict[str, Any],
) -> None:
    cropped = {
        "data.image.size": [32, 32],
        "data.image.crop": [24, 24],
        "augmentation": [{"name": "flip"}],
    }
    of = recipe(**cropped)
    preview.draw_augmented(of, Path("page.png"))
    np.testing.assert_allclose(drawn["images"][0], first(of)[0], atol=1e-6)
    assert len({image.tobytes() for image in drawn["images"][1:8]}) > 3


def test_images_from_disk_are_drawn_too(drawn: dict[str, Any], tmp_path: Path) -> None:
    with downloads(tmp_path / "data", 1):
        of = resolve(None, recipe="alexnet-imagenet", overrides={"data.image.crop": [64, 64]})
        preview.draw_augmented(of, Path("page.png"))
    assert drawn["images"].shape == (8 * 8, 64, 64, 3)
    assert drawn["titles"][0].startswith("n0")


def test_a_page_of_examples_has_their_titles(drawn: dict[str, Any]) -> None:
    preview.draw_examples(open_source("digits").describe(), Path("page.png"))
    (chunk, *_) = load("digits").split("train").chunks(64)
    np.testing.assert_allclose(drawn["images"], chunk["image"], atol=1e-6)
    assert drawn["titles"] == [str(at) for at in chunk["label"]]


def test_images_of_any_size_are_drawn_small(drawn: dict[str, Any], tmp_path: Path) -> None:
    with downloads(tmp_path / "data", 1):
        preview.draw_examples(open_source("imagenet").describe(), Path("page.png"))
    assert drawn["images"].shape == (26, 128, 128, 3)
    assert all(title.startswith("n0") for title in drawn["titles"])


def test_only_images_are_drawn() -> None:
    with pytest.raises(UsageError, match="a preview draws images, and the input is a text"):
        preview.draw_examples(open_source("languages").describe(), Path("page.png"))
    of = resolve(None, recipe="mlp-iris", overrides={"augmentation": [{"name": "flip"}]})
    with pytest.raises(UsageError, match="augmentation changes images; features is a table"):
        preview.draw_augmented(of, Path("page.png"))
