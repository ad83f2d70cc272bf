"""Moving, turning, distorting, cropping and flipping: measured on a dot, in its range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.zoo.datasets.augmentation.augmented import MANY, assert_spread, change, make, seeds

SIZE = 33
CENTRE = (SIZE - 1) / 2
ALL: dict[str, Any] = {
    "translation": 0.1,
    "rotation": 15.0,
    "zoom": 0.1,
    "stretch": 0.1,
    "shear": 0.2,
}


def dots(row: float, column: float) -> np.ndarray:
    """Many images of one soft dot, at this distance from the centre."""
    rows, columns = np.mgrid[:SIZE, :SIZE] - CENTRE
    dot = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 8.0)
    return np.repeat(dot[None, ..., None], MANY, axis=0).astype("float32")


def places(images: np.ndarray) -> np.ndarray:
    """Where the dot is in each image: (MANY, 2), from the centre."""
    rows, columns = np.mgrid[:SIZE, :SIZE] - CENTRE
    ink = images[..., 0].sum(axis=(1, 2))
    found = [(images[..., 0] * axis).sum(axis=(1, 2)) / ink for axis in (rows, columns)]
    return np.stack(found, axis=1)


def moved(row: float, column: float, name: str = "affine", **arguments: Any) -> np.ndarray:
    """Where the dot is after a step."""
    return places(change(dots(row, column), name, **arguments))


def test_a_step_that_is_given_twice_draws_twice() -> None:
    step = ("translation", {"strength": 0.2})
    once = moved(0.0, 0.0, "translation", strength=0.2)
    twice = places(np.asarray(make(step, step)(dots(0.0, 0.0), seeds(MANY))))
    assert np.abs(twice - 2.0 * once).max() > 2.0


def test_images_keep_form_and_range_and_what_comes_in_is_empty() -> None:
    full = np.ones((MANY, 8, 8, 3), "float32")
    changed = change(full, "affine", **ALL)
    assert changed.shape == full.shape
    assert changed.dtype == np.float32
    assert changed.min() == 0.0
    assert changed.max() <= 1.0 + 1e-6


def test_translation_is_a_share_of_the_height_and_of_the_width() -> None:
    found = moved(0.0, 0.0, translation=0.2)
    assert_spread(found[:, 0], 0.2 * SIZE, 0.1)
    assert_spread(found[:, 1], 0.2 * SIZE, 0.1)
    # Up and down is drawn apart from left and right.
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.3


def test_height_and_width_can_be_moved_apart() -> None:
    found = moved(0.0, 0.0, "translation", height=0.1, width=0.2)
    assert_spread(found[:, 0], 0.1 * SIZE, 0.1)
    assert_spread(found[:, 1], 0.2 * SIZE, 0.1)
    only = moved(0.0, 0.0, "translation", strength=0.2, height=0)
    np.testing.assert_allclose(only[:, 0], 0.0, atol=0.01)
    assert_spread(only[:, 1], 0.2 * SIZE, 0.1)


def test_rotation_is_in_degrees_to_either_side_about_the_centre() -> None:
    found = moved(0.0, 9.0, rotation=30.0)
    np.testing.assert_allclose(np.hypot(*found.T), 9.0, atol=0.15)
    assert_spread(np.degrees(np.arctan2(found[:, 0], found[:, 1])), 30.0, 1.0)


def test_zoom_is_a_change_of_size_alike_in_both_directions() -> None:
    found = moved(6.0, 8.0, zoom=0.25)
    sizes = found / np.array([6.0, 8.0])
    np.testing.assert_allclose(sizes[:, 0], sizes[:, 1], atol=0.02)
    assert_spread(sizes[:, 0] - 1.0, 0.25, 0.02)


def test_stretch_changes_the_width_against_the_height() -> None:
    found = moved(6.0, 8.0, stretch=0.25)
    np.testing.assert_allclose(found[:, 0], 6.0, atol=0.1)
    assert_spread(found[:, 1] / 8.0 - 1.0, 0.25, 0.02)


def test_shear_slants_by_the_tangent_of_its_angle() -> None:
    found = moved(10.0, 0.0, shear=0.4)
    np.testing.assert_allclose(found[:, 0], 10.0, atol=0.1)
    assert_spread(found[:, 1] / 10.0, 0.4, 0.02)


@pytest.mark.parametrize(
    ("name", "arguments", "affine"),
    [
        ("translation", {"strength": 0.1}, {"translation": 0.1}),
        ("rotation", {"degrees": 20}, {"rotation": 20.0}),
        ("stretching", {"strength": 0.2}, {"stretch": 0.2}),
        ("shearing", {"strength": 0.3}, {"shear": 0.3}),
        ("zoom", {"strength": 0.2}, {"zoom": 0.2}),
    ],
)
def test_each_part_of_the_affine_map_has_a_name_of_its_own(
    name: str, arguments: dict[str, Any], affine: dict[str, Any]
) -> None:
    images = dots(6.0, 8.0)
    own = change(images, name, **arguments)
    assert np.abs(own - images).max() > 0.1
    np.testing.assert_array_equal(own, change(images, "affine", **affine))


def test_a_padded_crop_moves_by_whole_pixels_as_far_as_the_padding() -> None:
    image = np.random.default_rng(0).uniform(0.1, 1.0, (6, 9, 3)).astype("float32")
    cropped = change(np.repeat(image[None], MANY, axis=0), "padded_crop", padding=2)
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)))
    windows = {
        padded[top : top + 6, left : left + 9].tobytes(): (top, left)
        for top in range(5)
        for left in range(5)
    }
    found = [windows[one.tobytes()] for one in cropped]
    assert set(found) == set(windows.values())
    assert max(found.count(place) for place in set(found)) < 4 * MANY / 25


@pytest.mark.parametrize(
    ("arguments", "axes"),
    [
        ({}, [(), (1,)]),
        ({"horizontal": False, "vertical": True}, [(), (0,)]),
        ({"vertical": True}, [(), (0,), (1,), (0, 1)]),
        ({"horizontal": False}, [()]),
    ],
    ids=str,
)
def test_flips_turn_over_half_of_the_images_each_way(
    arguments: dict[str, Any], axes: list[tuple[int, ...]]
) -> None:
    image = np.random.default_rng(0).uniform(size=(4, 7, 3)).astype("float32")
    ways = {np.flip(image, way).tobytes(): way for way in axes}
    flipped = change(np.repeat(image[None], MANY, axis=0), "flip", **arguments)
    found = [ways[one.tobytes()] for one in flipped]
    for way in axes:
        assert found.count(way) == pytest.approx(MANY / len(axes), abs=3 * np.sqrt(MANY / 4))
