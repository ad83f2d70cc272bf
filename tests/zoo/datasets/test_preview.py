"""The page of a recipe's augmentation: what its run is given, in exactly those epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipes.recipe import Recipe
from tests.mocked import downloads
from zoo import figures
from zoo.datasets import preview
from zoo.datasets.augmentation import augmenter
from zoo.datasets.batches import TrainingBatches
from zoo.datasets.encoding import Encoder
from zoo.datasets.loading import load
from zoo.training.resolve import resolve

MIXUP = [{"name": "rotation"}, {"name": "mixup", "alpha": 1.0}]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What was drawn last."""
    kept: dict[str, Any] = {}

    def keep(images: np.ndarray, path: Path, **more: Any) -> None:
        kept.update(more, images=images, path=path)

    monkeypatch.setattr(figures, "image_grid", keep)
    return kept


def recipe(**changes: Any) -> Recipe:
    """LeNet-5's recipe, changed."""
    return resolve("lenet5", overrides=changes)


def trained_on(of: Recipe, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """The first eight examples as a training by the recipe is given them."""
    dataset = load(**of.data.model_dump())
    train = dataset.split("train")
    targets = np.eye(len(dataset.spec.class_names), dtype="float32")[train.targets]
    inputs, size = Encoder(dataset.spec).encode(train.inputs), len(train)
    # Whose example a row is, is read off a second pass over the same order.
    batches, numbers = (
        TrainingBatches(x, y, batch_size=size, seed=of.seed, augment=augment)
        for x, y, augment in (
            (inputs, targets, augmenter(of.augmentation, dataset.spec)),
            (np.arange(size), np.arange(size), None),
        )
    )
    (images, shares), (at, _) = (next(iter(made.epoch(epoch))) for made in (batches, numbers))
    places = np.argsort(at)[:8]
    return np.asarray(images)[places], np.asarray(shares)[places]


@pytest.mark.parametrize(
    "changes",
    [{"seed": 3}, {"augmentation": MIXUP, "data.channels": 3, "data.image_size": [12, 16]}],
    ids=["affine", "mixup"],
)
def test_each_column_is_an_epoch_of_the_run(drawn: dict[str, Any], changes: dict[str, Any]) -> None:
    of = recipe(**changes)
    preview.draw_augmented(of, Path("page.png"))
    rows = drawn["images"].reshape(8, 8, *drawn["images"].shape[1:])
    dataset = load(**of.data.model_dump())
    encoded = Encoder(dataset.spec)(dataset.split("train").inputs[:8])
    np.testing.assert_allclose(rows[:, 0], encoded, atol=1e-6)
    for epoch in (0, 3, 6):
        images, _ = trained_on(of, epoch)
        np.testing.assert_allclose(rows[:, 1 + epoch], images, atol=1e-5)
    assert drawn["headings"] == ["original", *(f"epoch {epoch}" for epoch in range(7))]


def test_titles_say_the_class_and_of_a_mix_the_shares(drawn: dict[str, Any]) -> None:
    preview.draw_augmented(recipe(), Path("page.png"))
    classes = [str(at) for at in load("digits").split("train").targets[:8]]
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
    flipped = {"data.channels": 3, "augmentation": [{"name": "flip"}]}
    preview.draw_augmented(recipe(**flipped), Path("page.png"))
    expected = drawn["images"]
    assert expected.shape[-1] == 3
    preview.draw_augmented(recipe(**flipped, **{"data.scaling": scaling}), Path("page.png"))
    np.testing.assert_allclose(drawn["images"], expected, atol=1e-5)


def test_a_window_is_drawn_where_an_epoch_has_it_and_the_middle_for_the_original(
    drawn: dict[str, Any],
) -> None:
    cropped = {
        "data.image_size": [32, 32],
        "data.crop": [24, 24],
        "augmentation": [{"name": "flip"}],
    }
    of = recipe(**cropped)
    preview.draw_augmented(of, Path("page.png"))
    spec = load(**of.data.model_dump()).spec
    first = load("digits").split("train").inputs[:1]
    np.testing.assert_allclose(drawn["images"][0], Encoder(spec)(first)[0], atol=1e-6)
    assert len({image.tobytes() for image in drawn["images"][1:8]}) > 3


def test_images_from_disk_are_drawn_too(drawn: dict[str, Any], tmp_path: Path) -> None:
    with downloads(tmp_path / "data", 1):
        of = resolve(None, recipe="alexnet-imagenet", overrides={"data.crop": [64, 64]})
        preview.draw_augmented(of, Path("page.png"))
    assert drawn["images"].shape == (8 * 8, 64, 64, 3)
    assert drawn["titles"][0].startswith("n0")
