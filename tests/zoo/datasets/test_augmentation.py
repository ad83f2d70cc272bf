"""Augmentation: drawn for each (seed, epoch, example), within what the recipe allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recipes.recipe import Named
from zoo.datasets.augmentation import augmenter
from zoo.datasets.loading import load
from zoo.errors import UsageError

SPEC = load("digits").spec
SIZE = 33
CENTRE = (SIZE - 1) / 2
MANY = 200


def augment(images: np.ndarray, seeds: np.ndarray, *steps: dict[str, Any]) -> np.ndarray:
    """Images changed by ``affine`` steps."""
    function = augmenter([Named(name="affine", **step) for step in steps], SPEC)
    assert function is not None
    return np.asarray(function(images, seeds))


def seeds(count: int) -> np.ndarray:
    """A pair of seeds for each image."""
    return np.stack([np.full(count, 5), np.arange(count)], axis=1).astype("int64")


def digits(count: int) -> np.ndarray:
    """The first training images."""
    return load("digits").split("train").inputs[:count]


def dots(row: float, column: float) -> np.ndarray:
    """Many images of one soft dot, at this distance from the centre."""
    rows, columns = np.mgrid[:SIZE, :SIZE] - CENTRE
    dot = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 8.0)
    return np.repeat(dot[None, ..., None], MANY, axis=0).astype("float32")


def moved(row: float, column: float, **step: float) -> np.ndarray:
    """Where the dot is afterwards in each image: (MANY, 2), from the centre."""
    images = augment(dots(row, column), seeds(MANY), step)[..., 0]
    rows, columns = np.mgrid[:SIZE, :SIZE] - CENTRE
    ink = images.sum(axis=(1, 2))
    found = [(images * axis).sum(axis=(1, 2)) / ink for axis in (rows, columns)]
    return np.stack(found, axis=1)


def assert_spread(values: np.ndarray, limit: float, slack: float) -> None:
    """Check that values lie within plus and minus a limit, and use most of that room."""
    assert np.abs(values).max() <= limit + slack
    assert values.max() > 0.8 * limit
    assert values.min() < -0.8 * limit
    assert abs(values.mean()) < 0.25 * limit


ALL = {"translation": 0.1, "rotation": 15.0, "zoom": 0.1, "stretch": 0.1, "shear": 0.2}


def test_no_augmentation_is_none() -> None:
    assert augmenter([], SPEC) is None


def test_strengths_of_0_change_nothing() -> None:
    images = digits(20)
    np.testing.assert_array_equal(augment(images, seeds(20), {}), images)
    nothing = dict.fromkeys(ALL, 0.0)
    np.testing.assert_array_equal(augment(images, seeds(20), nothing, nothing), images)


def test_an_image_is_changed_by_its_own_seeds_whatever_its_batch() -> None:
    images, pairs = digits(12), seeds(12)
    together = augment(images, pairs, ALL)
    assert np.all(np.abs(together - images).max(axis=(1, 2, 3)) > 0.01)
    backwards = augment(images[::-1], pairs[::-1], ALL)[::-1]
    alone = np.concatenate([augment(images[i : i + 1], pairs[i : i + 1], ALL) for i in range(12)])
    np.testing.assert_array_equal(together, backwards)
    np.testing.assert_array_equal(together, alone)


def test_other_seeds_change_an_image_otherwise() -> None:
    same = np.repeat(digits(1), MANY, axis=0)
    changed = augment(same, seeds(MANY), ALL)
    assert len(np.unique(changed.reshape(MANY, -1), axis=0)) == MANY


def test_a_step_that_is_given_twice_draws_twice() -> None:
    step = {"translation": 0.2}
    once = moved(0.0, 0.0, **step)
    images = augment(dots(0.0, 0.0), seeds(MANY), step, step)[..., 0]
    rows = np.mgrid[:SIZE, :SIZE][0] - CENTRE
    twice = (images * rows).sum(axis=(1, 2)) / images.sum(axis=(1, 2))
    assert np.abs(twice - 2.0 * once[:, 0]).max() > 2.0


def test_images_keep_form_and_range_and_what_comes_in_is_empty() -> None:
    full = np.ones((MANY, 8, 8, 3), "float32")
    changed = augment(full, seeds(MANY), ALL)
    assert changed.shape == full.shape
    assert changed.dtype == np.float32
    assert changed.min() == 0.0
    assert changed.max() <= 1.0 + 1e-6


def test_translation_is_a_share_of_the_height_and_of_the_width() -> None:
    places = moved(0.0, 0.0, translation=0.2)
    assert_spread(places[:, 0], 0.2 * SIZE, 0.1)
    assert_spread(places[:, 1], 0.2 * SIZE, 0.1)
    # Up and down is drawn apart from left and right.
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.3


def test_rotation_is_in_degrees_to_either_side_about_the_centre() -> None:
    places = moved(0.0, 9.0, rotation=30.0)
    np.testing.assert_allclose(np.hypot(*places.T), 9.0, atol=0.15)
    assert_spread(np.degrees(np.arctan2(places[:, 0], places[:, 1])), 30.0, 1.0)


def test_zoom_is_a_change_of_size_alike_in_both_directions() -> None:
    places = moved(6.0, 8.0, zoom=0.25)
    sizes = places / np.array([6.0, 8.0])
    np.testing.assert_allclose(sizes[:, 0], sizes[:, 1], atol=0.02)
    assert_spread(sizes[:, 0] - 1.0, 0.25, 0.02)


def test_stretch_changes_the_width_against_the_height() -> None:
    places = moved(6.0, 8.0, stretch=0.25)
    np.testing.assert_allclose(places[:, 0], 6.0, atol=0.1)
    assert_spread(places[:, 1] / 8.0 - 1.0, 0.25, 0.02)


def test_shear_slants_by_the_tangent_of_its_angle() -> None:
    places = moved(10.0, 0.0, shear=0.4)
    np.testing.assert_allclose(places[:, 0], 10.0, atol=0.1)
    assert_spread(places[:, 1] / 10.0, 0.4, 0.02)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (Named(name="afine"), "unknown augmentation 'afine'. Did you mean 'affine'?"),
        (Named(name="affine", rotate=3), "takes no argument 'rotate'. Did you mean 'rotation'?"),
        (Named(name="affine", qqq=3), "takes no argument 'qqq'. It takes: translation, rotation"),
    ],
)
def test_what_nobody_knows_is_answered_with_the_nearest(named: Named, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        augmenter([named], SPEC)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "step",
    [{"zoom": 1.0}, {"stretch": 1.5}, {"translation": -0.1}, {"rotation": "much"}],
)
def test_strengths_out_of_range_are_refused_before_training(step: dict[str, Any]) -> None:
    key, value = next(iter(step.items()))
    with pytest.raises(UsageError, match=f"{key}.*{value}"):
        augmenter([Named(name="affine", **step)], SPEC)


def test_only_images_are_augmented() -> None:
    with pytest.raises(UsageError, match="augmentation is for images; iris is table data"):
        augmenter([Named(name="affine")], load("iris").spec)
