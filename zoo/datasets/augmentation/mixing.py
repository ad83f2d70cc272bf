"""Squares cut out of images, and images mixed into one another with their targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.datasets.augmentation import random_numbers
from zoo.datasets.augmentation.arguments import Mix, Share, Step, Strength


def cutout(*, size: Share = 0.5) -> Step:
    """Set a square to 0 whose centre is anywhere in the image, so that it may hang over the edge.

    Source: DeVries and Taylor, "Improved regularization of convolutional neural networks with
    cutout", 2017, who cut 16 of 32 pixels on CIFAR-10 and 8 on CIFAR-100.

    Args:
        size: The square's side, as a share of the image's shorter one.
    """

    def change(images: Any, seeds: Any) -> Any:
        side = round(size * min(images.shape[1], images.shape[2]))
        sides = tf.fill((tf.shape(seeds)[0], 2), side)
        inside = _boxes(images, random_numbers.uniform(seeds, 2), sides)
        return tf.where(inside, tf.zeros_like(images), images)

    return change


def mixup(*, alpha: Strength = 0.2) -> Mix:
    """Blend each image with another, and their targets, by a share drawn from Beta(alpha, alpha).

    Source: Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", 2017,
    who take 0.2 on ImageNet and 1 on CIFAR-10. There a batch has one share, here each image.

    Args:
        alpha: 0 blends nothing, 1 draws all shares alike.
    """

    def change(images: Any, others: Any, seeds: Any) -> tuple[Any, Any]:
        kept = _kept(random_numbers.uniform(seeds, 2), alpha)
        share = kept[:, None, None, None]
        return share * images + (1.0 - share) * others, kept

    return change


def cutmix(*, alpha: Strength = 1.0) -> Mix:
    """Put a box of another image into each, and mix the targets by the areas.

    Source: Yun et al., "CutMix: regularization strategy to train strong classifiers with
    localizable features", 2019, section 3.1. The box's area has a share drawn from
    Beta(alpha, alpha) and its centre is anywhere; what hangs over the edge counts for nothing.

    Args:
        alpha: 0 cuts nothing; the paper's is 1.
    """

    def change(images: Any, others: Any, seeds: Any) -> tuple[Any, Any]:
        height, width = images.shape[1], images.shape[2]
        drawn = random_numbers.uniform(seeds, 4)
        share = random_numbers.each_alone(tf.sqrt, 1.0 - _kept(drawn[:, :2], alpha))[:, None]
        sides = tf.cast(share * tf.constant([height, width], tf.float32), tf.int32)
        inside = _boxes(images, drawn[:, 2:], sides)
        kept = 1.0 - tf.reduce_mean(tf.cast(inside, tf.float32), axis=(1, 2, 3))
        return tf.where(inside, others, images), kept

    return change


def _kept(drawn: Any, alpha: float) -> Any:
    """Return the share (B,) of each image that stays its own."""
    return random_numbers.symmetric_beta(drawn, alpha) if alpha else tf.ones_like(drawn[:, 0])


def _boxes(images: Any, centres: Any, sides: Any) -> Any:
    """Return where the pixels of a box are: (B, height, width, 1).

    Args:
        images: (B, height, width, channels).
        centres: (B, 2) in [0, 1), as shares of height and width.
        sides: (B, 2) in pixels, int32.
    """
    within = []
    for axis in (0, 1):
        length = images.shape[1 + axis]
        first = tf.cast(centres[:, axis] * length, tf.int32) - sides[:, axis] // 2
        at = tf.range(length)[None] - first[:, None]  # (B, length), counted from the box's edge
        within.append((at >= 0) & (at < sides[:, axis, None]))
    return within[0][:, :, None, None] & within[1][:, None, :, None]


CUTS: dict[str, Callable[..., Step]] = {"cutout": cutout}
"""By the name that recipes use."""
MIXES: dict[str, Callable[..., Mix]] = {"mixup": mixup, "cutmix": cutmix}
"""By the name that recipes use."""
