"""Changes to training images, drawn for each (seed, epoch, example) and for nothing else."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from recipes.recipe import Named
from zoo.datasets.spec import DatasetSpec
from zoo.errors import UsageError, suggestion, unknown


def augmenter(named: Sequence[Named], spec: DatasetSpec) -> Callable[[Any, Any], Any] | None:
    """Return a function of (images, one pair of seeds for each), or None for no changes.

    Args:
        named: The recipe's list.
        spec: Of the data, which must be images.

    Raises:
        UsageError: A name or an argument is unknown, or the data are not images.
    """
    if not named:
        return None
    if spec.kind != "image":
        raise UsageError(f"augmentation is for images; {spec.name} is {spec.kind} data")
    steps = [_make(one) for one in named]

    def augment(images: Any, seeds: Any) -> Any:
        for number, step in enumerate(steps):
            images = step(images, seeds + tf.constant([0, (number + 1) << 40], tf.int64))
        return images

    return augment


def _make(named: Named) -> Callable[[Any, Any], Any]:
    if named.name not in KINDS:
        raise unknown("augmentation", named.name, KINDS)
    kind = KINDS[named.name]
    known = list(inspect.signature(kind).parameters)
    for key in named.arguments:
        if key not in known:
            hint = suggestion(key, known) or f" It takes: {', '.join(known)}."
            raise UsageError(f"augmentation {named.name} takes no argument '{key}'.{hint}")
    return kind(**named.arguments)


def affine(
    *,
    translation: float = 0.0,
    rotation: float = 0.0,
    zoom: float = 0.0,
    stretch: float = 0.0,
    shear: float = 0.0,
) -> Callable[[Any, Any], Any]:
    """Move, turn and distort an image in one interpolation; what comes in from outside is 0.

    Args:
        translation: Largest shift, as a share of the height and of the width.
        rotation: Largest turn to either side, in degrees.
        zoom: Largest change of size: 0.1 is 0.9 to 1.1 times.
        stretch: Largest change of width against height, likewise.
        shear: Largest slant to either side, as the tangent of its angle.

    Raises:
        UsageError: A strength is negative or not a number, or an image could lose all its size.
    """
    for name, value in (
        ("translation", translation),
        ("rotation", rotation),
        ("zoom", zoom),
        ("stretch", stretch),
        ("shear", shear),
    ):
        most = 1.0 if name in ("zoom", "stretch") else math.inf
        if not isinstance(value, int | float) or not 0.0 <= value < most:
            below = f" and below {most:g}" if most < math.inf else ""
            raise UsageError(
                f"augmentation affine: {name} must be a number of at least 0{below}, got {value!r}"
            )

    def change(images: Any, seeds: Any) -> Any:
        height, width = images.shape[1], images.shape[2]
        drawn = tf.map_fn(
            lambda seed: tf.random.stateless_uniform((6,), seed, -1.0, 1.0),
            seeds,
            fn_output_signature=tf.TensorSpec((6,), tf.float32),
        )
        dx, dy, turn, size, wide, slant = tf.unstack(drawn, axis=1)
        angle = turn * (rotation * math.pi / 180.0)
        scale = 1.0 + size * zoom
        across, down = scale * (1.0 + wide * stretch), scale
        cos, sin, tan = tf.cos(angle), tf.sin(angle), slant * shear
        # The inverse map, from output to input pixels about the centre (a0 a1; b0 b1).
        a0, a1 = cos / across, (sin + tan * cos) / across
        b0, b1 = -sin / down, (cos - tan * sin) / down
        x, y = (width - 1) / 2.0, (height - 1) / 2.0
        a2 = x - a0 * x - a1 * y + dx * translation * width
        b2 = y - b0 * x - b1 * y + dy * translation * height
        zero = tf.zeros_like(a0)
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=tf.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1),
            output_shape=tf.constant([height, width]),
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="CONSTANT",
        )

    return change


KINDS: dict[str, Callable[..., Callable[[Any, Any], Any]]] = {"affine": affine}
"""By the name that recipes use."""
