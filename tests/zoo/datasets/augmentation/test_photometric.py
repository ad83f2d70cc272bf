"""Brightness, contrast and noise: measured, in their range, and within the images'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.zoo.datasets.augmentation.augmented import MANY, assert_spread, change

# Half way between black and white, with room on both sides; each channel has a mean of its own.
IMAGE = np.random.default_rng(0).uniform(0.4, 0.6, (5, 7, 3)).astype("float32")
IMAGE += np.array([-0.05, 0.0, 0.05], "float32")
IMAGES = np.repeat(IMAGE[None], MANY, axis=0)
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("brightness", {"strength": 0.3}),
    ("contrast", {"strength": 0.5}),
    ("noise", {"standard_deviation": 0.1}),
]


def test_brightness_is_one_offset_for_the_whole_image() -> None:
    offsets = change(IMAGES, "brightness", strength=0.3) - IMAGES
    assert np.ptp(offsets, axis=(1, 2, 3)).max() < 1e-6
    assert_spread(offsets[:, 0, 0, 0], 0.3, 1e-6)


def test_contrast_is_one_factor_about_each_channels_mean() -> None:
    changed = change(IMAGES, "contrast", strength=0.5)
    mean = IMAGE.mean(axis=(0, 1))
    np.testing.assert_allclose(
        changed.mean(axis=(1, 2)), np.broadcast_to(mean, (MANY, 3)), atol=1e-5
    )
    factors = (changed - mean).std(axis=(1, 2)) / (IMAGE - mean).std(axis=(0, 1))
    assert np.ptp(factors, axis=1).max() < 1e-4
    assert_spread(factors[:, 0] - 1.0, 0.5, 1e-4)


def test_noise_is_gaussian_and_every_values_own() -> None:
    added = change(IMAGES, "noise", standard_deviation=0.1) - IMAGES
    assert added.mean() == pytest.approx(0.0, abs=0.003)
    assert added.std() == pytest.approx(0.1, abs=0.003)
    assert (np.abs(added) < 0.1).mean() == pytest.approx(0.6827, abs=0.02)
    assert len(np.unique(added.round(7))) > 0.9 * added.size
    assert abs(np.corrcoef(added[..., 0].ravel(), added[..., 1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize(("name", "arguments"), STEPS)
def test_images_stay_within_0_and_1(name: str, arguments: dict[str, Any]) -> None:
    extremes = np.tile(np.array([0.0, 1.0], "float32"), (MANY, 4, 2))[..., None]
    changed = change(extremes, name, **arguments)
    assert changed.min() == 0.0
    assert changed.max() == 1.0


@pytest.mark.parametrize(("name", "arguments"), STEPS)
def test_strengths_are_shares_of_the_range_however_images_are_scaled(
    name: str, arguments: dict[str, Any]
) -> None:
    offset = np.array([100.0, 120.0, 130.0], "float32")
    expected = change(IMAGES, name, **arguments)
    caffe = change(255.0 * IMAGES - offset, name, scaling="caffe", **arguments)
    np.testing.assert_allclose((caffe + offset) / 255.0, expected, atol=1e-5)
    centred = change(IMAGES - 0.5, name, scaling="centred", **arguments)
    assert centred.min() < 0.0
    np.testing.assert_allclose(centred + 0.5, expected, atol=1e-5)
