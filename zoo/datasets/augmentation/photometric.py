"""Changes of the values of an image; strengths are shares of the range that values have.

Images in [0, 1] stay in it; where they are centred, nothing is cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.datasets.augmentation import random_numbers
from zoo.datasets.augmentation.arguments import Share, Step, Strength
from zoo.datasets.features.base import PixelRange


def brightness(pixels: PixelRange, *, strength: Share = 0.2) -> Step:
    """Make an image lighter or darker, by so much of the range at most."""

    def change(images: Any, seeds: Any) -> Any:
        offset = random_numbers.uniform(seeds, 1, -strength, strength)[:, :, None, None]
        return _within_range(pixels, images + pixels.span * offset)

    return change


def contrast(pixels: PixelRange, *, strength: Share = 0.2) -> Step:
    """Make an image's differences from its mean larger or smaller: 0.2 is 0.8 to 1.2 times.

    The mean is each channel's own, so that it does not matter what was taken off a channel before.
    """

    def change(images: Any, seeds: Any) -> Any:
        factor = random_numbers.uniform(seeds, 1, -strength, strength)[:, :, None, None]
        mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
        return _within_range(pixels, images + factor * (images - mean))

    return change


def noise(pixels: PixelRange, *, standard_deviation: Strength = 0.05) -> Step:
    """Add Gaussian noise to every value, of a standard deviation that is a share of the range."""

    def change(images: Any, seeds: Any) -> Any:
        drawn = random_numbers.normal(seeds, tuple(images.shape[1:]))
        return _within_range(pixels, images + pixels.span * standard_deviation * drawn)

    return change


def _within_range(pixels: PixelRange, images: Any) -> Any:
    return tf.clip_by_value(images, 0.0, 1.0) if pixels.clipped else images


KINDS: dict[str, Callable[..., Step]] = {
    "brightness": brightness,
    "contrast": contrast,
    "noise": noise,
}
"""By the name that recipes use; each takes the images' range first."""
