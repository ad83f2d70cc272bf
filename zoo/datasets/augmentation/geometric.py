"""Changes of where things are in an image; what comes in from outside is 0.

0 is black or no ink where images lie in [0, 1], and their middle or mean where they are centred.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.datasets.augmentation import random_numbers
from zoo.datasets.augmentation.arguments import Change, Pixels, Step, Strength


def affine(
    *,
    translation: Strength = 0.0,
    rotation: Strength = 0.0,
    zoom: Change = 0.0,
    stretch: Change = 0.0,
    shear: Strength = 0.0,
) -> Step:
    """Move, turn and distort an image in one interpolation.

    Args:
        translation: Largest shift, as a share of the height and of the width.
        rotation: Largest turn to either side, in degrees.
        zoom: Largest change of size: 0.1 is 0.9 to 1.1 times.
        stretch: Largest change of width against height, likewise.
        shear: Largest slant to either side, as the tangent of its angle.
    """
    return _affine((translation, translation), rotation, zoom, stretch, shear)


def translation(
    *,
    strength: Strength = 0.1,
    height: Strength | None = None,
    width: Strength | None = None,
) -> Step:
    """Move an image.

    Args:
        strength: Largest shift, as a share of the height and of the width.
        height: Instead for up and down, as a share of the height.
        width: Instead for left and right, as a share of the width.
    """
    shift = (strength if height is None else height, strength if width is None else width)
    return _affine(shift=shift)


def rotation(*, degrees: Strength = 10.0) -> Step:
    """Turn an image about its centre, by so much at most to either side."""
    return affine(rotation=degrees)


def zoom(*, strength: Change = 0.1) -> Step:
    """Make an image larger or smaller: 0.1 is 0.9 to 1.1 times."""
    return affine(zoom=strength)


def stretching(*, strength: Change = 0.1) -> Step:
    """Change an image's width against its height: 0.1 is 0.9 to 1.1 times."""
    return affine(stretch=strength)


def shearing(*, strength: Strength = 0.1) -> Step:
    """Slant an image to either side, by so much at most as the tangent of the angle."""
    return affine(shear=strength)


def _affine(
    shift: tuple[float, float],
    rotation: float = 0.0,
    zoom: float = 0.0,
    stretch: float = 0.0,
    shear: float = 0.0,
) -> Step:
    def change(images: Any, seeds: Any) -> Any:
        height, width = images.shape[1], images.shape[2]
        drawn = random_numbers.uniform(seeds, 6, -1.0, 1.0)
        dx, dy, turn, size, wide, slant = tf.unstack(drawn, axis=1)
        angle = turn * (rotation * math.pi / 180.0)
        scale = 1.0 + size * zoom
        across, down = scale * (1.0 + wide * stretch), scale
        cos, sin = (random_numbers.each_alone(function, angle) for function in (tf.cos, tf.sin))
        tan = slant * shear
        # The inverse map, from output to input pixels about the centre (a0 a1; b0 b1).
        a0, a1 = cos / across, (sin + tan * cos) / across
        b0, b1 = -sin / down, (cos - tan * sin) / down
        x, y = (width - 1) / 2.0, (height - 1) / 2.0
        a2 = x - a0 * x - a1 * y + dx * shift[1] * width
        b2 = y - b0 * x - b1 * y + dy * shift[0] * height
        return _transform(images, (a0, a1, a2, b0, b1, b2), "BILINEAR")

    return change


def padded_crop(*, padding: Pixels = 4) -> Step:
    """Cut a window of the image's own size out of the image and a margin around it.

    Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2015,
    section 4.2, who pad CIFAR-10 by 4 pixels on each side.

    Args:
        padding: Pixels of 0 on each side; the window lies anywhere.
    """

    def change(images: Any, seeds: Any) -> Any:
        places = tf.floor(random_numbers.uniform(seeds, 2) * (2 * padding + 1)) - padding
        y, x = tf.unstack(places, axis=1)
        zero, one = tf.zeros_like(x), tf.ones_like(x)
        return _transform(images, (one, zero, x, zero, one, y), "NEAREST")

    return change


def _transform(images: Any, inverse: tuple[Any, ...], interpolation: str) -> Any:
    """Return images in which each pixel is what the inverse map finds for it."""
    zero = tf.zeros_like(inverse[0])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([*inverse, zero, zero], axis=1),
        output_shape=tf.constant([images.shape[1], images.shape[2]]),
        fill_value=0.0,
        interpolation=interpolation,
        fill_mode="CONSTANT",
    )


def flip(*, horizontal: bool = True, vertical: bool = False) -> Step:
    """Turn an image over, each way with probability 1/2.

    Args:
        horizontal: Whether left and right may change places.
        vertical: Whether top and bottom may.
    """

    def change(images: Any, seeds: Any) -> Any:
        over = random_numbers.uniform(seeds, 2) < 0.5
        for number, (wanted, axis) in enumerate(((horizontal, 2), (vertical, 1))):
            if wanted:
                turned = over[:, number, None, None, None]
                images = tf.where(turned, tf.reverse(images, [axis]), images)
        return images

    return change


KINDS: dict[str, Callable[..., Step]] = {
    "affine": affine,
    "translation": translation,
    "rotation": rotation,
    "stretching": stretching,
    "shearing": shearing,
    "zoom": zoom,
    "flip": flip,
    "padded_crop": padded_crop,
}
"""By the name that recipes use."""
