"""Augmentation: drawn for each (seed, epoch, example), whatever a recipe names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recipes.recipe import Named
from tests.zoo.datasets.augmentation.augmented import COLUMNS, MANY, change, make, seeds
from zoo.base.errors import UsageError
from zoo.datasets.augmentation.augmenter import KINDS, augmenter
from zoo.datasets.features.label import Label
from zoo.datasets.features.table import Table

AFFINE = {"translation": 0.1, "rotation": 15.0, "zoom": 0.1, "stretch": 0.1, "shear": 0.2}
# Each step so that it changes nearly every image, and so that it changes none.
STEPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "affine": (AFFINE, {}),
    "translation": ({}, {"strength": 0}),
    "rotation": ({}, {"degrees": 0.0}),
    "stretching": ({}, {"strength": 0.0}),
    "shearing": ({}, {"strength": 0.0}),
    "zoom": ({}, {"strength": 0.0}),
    "flip": ({"vertical": True}, {"horizontal": False}),
    "padded_crop": ({}, {"padding": 0}),
    "brightness": ({}, {"strength": 0.0}),
    "contrast": ({}, {"strength": 0.0}),
    "noise": ({}, {"standard_deviation": 0.0}),
    "cutout": ({}, {"size": 0.0}),
    "mixup": ({"alpha": 1.0}, {"alpha": 0.0}),
    "cutmix": ({}, {"alpha": 0.0}),
}
ALONE = [name for name in STEPS if name not in ("mixup", "cutmix")]


def pictures(count: int, *shape: int) -> np.ndarray:
    """Images of which no two pixels are alike."""
    return np.random.default_rng(0).uniform(size=(count, *shape)).astype("float32")


def augmented(images: np.ndarray, pairs: np.ndarray, name: str, **arguments: Any) -> np.ndarray:
    """Images after one step; where it mixes, each with its own reflection."""
    made = make((name, arguments))
    changed = made(images, pairs)
    if made.mixes:
        labels = np.zeros(len(images), "float32")
        changed, _ = made.mix(changed, labels, images[:, :, ::-1], labels, pairs)
    return np.asarray(changed)


def test_every_kind_is_tried_here() -> None:
    assert STEPS.keys() == KINDS.keys()


def test_no_augmentation_is_none() -> None:
    assert augmenter([], COLUMNS) is None


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 14, 3)], ids=str)
@pytest.mark.parametrize("name", STEPS)
def test_an_image_is_changed_by_its_own_seeds_whatever_its_batch(
    name: str, shape: tuple[int, ...]
) -> None:
    images, pairs = pictures(12, *shape), seeds(12)
    step = STEPS[name][0]
    together = augmented(images, pairs, name, **step)
    assert together.shape == images.shape
    assert together.dtype == np.float32
    assert together.min() >= 0.0
    assert together.max() <= 1.0 + 1e-6
    assert (np.abs(together - images).max(axis=(1, 2, 3)) > 0.001).mean() > 0.6
    backwards = augmented(images[::-1], pairs[::-1], name, **step)[::-1]
    np.testing.assert_array_equal(together, backwards)
    alone = [augmented(images[i : i + 1], pairs[i : i + 1], name, **step) for i in range(12)]
    np.testing.assert_array_equal(together, np.concatenate(alone))


@pytest.mark.parametrize("name", STEPS)
def test_a_strength_of_0_changes_nothing(name: str) -> None:
    images = pictures(20, 8, 9, 3)
    np.testing.assert_array_equal(augmented(images, seeds(20), name, **STEPS[name][1]), images)


@pytest.mark.parametrize("name", STEPS)
def test_another_epoch_gives_another_version(name: str) -> None:
    images = np.repeat(pictures(1, 8, 9, 1), MANY, axis=0)
    first, again, later = (
        augmented(images, seeds(MANY, epoch), name, **STEPS[name][0]) for epoch in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    differs = np.abs(first - later).max(axis=(1, 2, 3)) > 0
    versions = 4 if name == "flip" else MANY / 10
    assert differs.mean() > 0.6
    assert len(np.unique(first.reshape(MANY, -1), axis=0)) >= versions


def test_the_affine_map_draws_what_it_always_drew() -> None:
    # Measured recipes depend on it: six numbers of TensorFlow's for each example.
    images, pairs = pictures(4, 8, 8, 1), seeds(4)
    for number in range(2):
        step = ("affine", {"translation": 0.25})
        one = np.asarray(make(*[("affine", {})] * number, step)(images, pairs))
        for image, pair, changed in zip(images, pairs, one, strict=True):
            own = pair + np.array([0, (number + 1) << 40])
            dx, dy = np.asarray(tf.random.stateless_uniform((6,), own, -1.0, 1.0))[:2] * 2.0
            rows, columns = np.mgrid[:8, :8].astype("float64")
            np.testing.assert_allclose(
                changed[..., 0], bilinear(image[..., 0], rows + dy, columns + dx), atol=1e-5
            )


def bilinear(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """What lies between the pixels of an image that is surrounded by 0."""
    padded = np.pad(image, 8)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, across = rows - top, columns - left
    corner = [padded[top + 8 + i, left + 8 + j] for i in (0, 1) for j in (0, 1)]
    upper = corner[0] * (1 - across) + corner[1] * across
    lower = corner[2] * (1 - across) + corner[3] * across
    return np.asarray(upper * (1 - down) + lower * down)


def test_steps_follow_each_other_and_each_draws_for_itself() -> None:
    images = pictures(MANY, 6, 6, 1) * 0.2 + 0.4
    step = ("brightness", {"strength": 0.1})
    once = np.asarray(make(step)(images, seeds(MANY)))
    twice = np.asarray(make(step, step)(images, seeds(MANY)))
    offsets = np.stack([once - images, twice - once])[..., 0, 0, 0]
    assert abs(np.corrcoef(offsets)[0, 1]) < 0.25
    gone = np.asarray(make(("cutout", {"size": 1.0}), step)(images, seeds(MANY)))
    assert gone.max() > 0.0
    assert np.asarray(make(step, ("cutout", {"size": 1.0}))(images, seeds(MANY))).min() == 0.0


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (Named(name="afine"), "unknown augmentation 'afine'. Did you mean 'affine'?"),
        (Named(name="cut_mix"), "unknown augmentation 'cut_mix'. Did you mean 'cutmix'?"),
        (Named(name="affine", rotate=3), "takes no argument 'rotate'. Did you mean 'rotation'?"),
        (Named(name="affine", qqq=3), "takes no argument 'qqq'. It takes: translation, rotation"),
        (Named(name="noise", spec=3), "takes no argument 'spec'. It takes: standard_deviation."),
        (Named(name="mixup", alfa=3), "takes no argument 'alfa'. Did you mean 'alpha'?"),
    ],
)
def test_what_nobody_knows_is_answered_with_the_nearest(named: Named, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        augmenter([named], COLUMNS)
    assert message in str(caught.value)


NUMBER = "a number of at least 0"


@pytest.mark.parametrize(
    ("name", "key", "value", "expected"),
    [
        ("affine", "zoom", 1.0, f"{NUMBER} and below 1"),
        ("affine", "stretch", 1.5, f"{NUMBER} and below 1"),
        ("affine", "translation", -0.1, NUMBER),
        ("affine", "rotation", "much", NUMBER),
        ("translation", "strength", float("nan"), NUMBER),
        ("translation", "width", -1, NUMBER),
        ("rotation", "degrees", float("inf"), NUMBER),
        ("stretching", "strength", 1, f"{NUMBER} and below 1"),
        ("shearing", "strength", True, NUMBER),
        ("zoom", "strength", 2, f"{NUMBER} and below 1"),
        ("flip", "vertical", 1, "true or false"),
        ("padded_crop", "padding", 1.5, "a whole number of at least 0"),
        ("padded_crop", "padding", -4, "a whole number of at least 0"),
        ("brightness", "strength", 1.1, "a number from 0 to 1"),
        ("contrast", "strength", -0.1, "a number from 0 to 1"),
        ("noise", "standard_deviation", [0.1], NUMBER),
        ("cutout", "size", 16, "a number from 0 to 1"),
        ("mixup", "alpha", -0.2, NUMBER),
        ("cutmix", "alpha", "1", NUMBER),
    ],
)
def test_what_is_out_of_range_is_refused_before_training(
    name: str, key: str, value: Any, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        augmenter([Named.model_validate({"name": name, key: value})], COLUMNS)
    assert str(caught.value) == f"augmentation {name}: {key} must be {expected}, got {value!r}"


def test_mixes_come_last() -> None:
    assert make(("flip", {}), ("mixup", {}), ("cutmix", {})).mixes
    assert not make(("flip", {}), ("cutout", {})).mixes
    with pytest.raises(UsageError, match=r"flip comes after a mix.*put them last"):
        augmenter([Named(name="mixup"), Named(name="flip")], COLUMNS)


@pytest.mark.parametrize("name", ALONE)
def test_images_alone_are_changed_without_looking_at_others(name: str) -> None:
    assert not make((name, STEPS[name][0])).mixes
    images = pictures(3, 8, 8, 1)
    changed = change(images, name, **STEPS[name][0])
    others = np.concatenate([images[:1], np.zeros_like(images[1:])])
    np.testing.assert_array_equal(change(others, name, **STEPS[name][0])[0], changed[0])


def test_only_images_are_augmented() -> None:
    table = {"features": Table(names=("a", "b")), "label": Label(count=2)}
    expected = "augmentation changes images; features is a table, label is a label"
    with pytest.raises(UsageError, match=expected):
        augmenter([Named(name="affine")], table)


def test_the_column_that_is_augmented_is_the_images() -> None:
    assert make(("flip", {})).column == "image"
