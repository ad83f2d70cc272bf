"""From a raw example to what the model gets: the same in training, prediction and serving."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.datasets import draws
from zoo.datasets.spec import DatasetSpec

CAFFE_MEANS = (103.939, 116.779, 123.68)
"""Of blue, green and red over ImageNet's training images, as VGG's and ResNet's authors published
them with their weights."""
CROP_SEED = 1 << 62
"""Added to an example's second seed, out of the way of what augmentation draws."""


class Encoder(tf.Module):
    """Turns raw batches into the model's inputs, by what the spec holds and nothing else.

    It is `prepare` and then `crop`: training does the first once, and draws a window of each image
    anew in every epoch.
    """

    def __init__(self, spec: DatasetSpec) -> None:
        super().__init__()
        self.spec = spec
        # As tensors, so that float64 figures are rounded once.
        self.mean = tf.constant(spec.mean, tf.float32)
        self.standard_deviation = tf.constant(spec.standard_deviation, tf.float32)
        if spec.kind == "text":
            self.vectorize = keras.layers.TextVectorization(
                standardize=None,  # its "lower" leaves all letters but A to Z as they are
                split=spec.split_text,
                output_sequence_length=spec.input_shape[0],
                vocabulary=list(spec.vocabulary),
            )

    def signature(self) -> tf.TensorSpec:
        """Return the raw batch's shape and type, named as serving names it.

        An image comes in the size that images are brought to, so that a served image is computed
        on as it was sent.
        """
        spec = self.spec
        if spec.kind == "text":
            return tf.TensorSpec((None,), tf.string, name=spec.input_name)
        shape = spec.whole_shape if spec.kind == "image" else spec.raw_shape
        return tf.TensorSpec((None, *shape), tf.float32, name=spec.input_name)

    def __call__(self, raw: Any) -> Any:
        """Return the model's inputs (B, *input_shape).

        Args:
            raw: Images (B, height, width, 1 or 3) of any size, as floats in [0, 1] or as bytes;
                rows of a table (B, features); or texts (B,).
        """
        return self.crop(self.prepare(raw))

    def prepare(self, raw: Any) -> Any:
        """Return the model's inputs (B, *whole_shape), of which images may still be cropped."""
        if self.spec.kind == "text":
            if self.spec.lowercase:
                raw = tf.strings.lower(raw, encoding="utf-8")
            return tf.cast(self.vectorize(raw), tf.int32)
        if self.spec.kind == "table":
            return (tf.cast(raw, tf.float32) - self.mean) / self.standard_deviation
        images = self.bring_to_size(raw)
        if self.spec.scaling == "centred":
            return images - self.mean
        if self.spec.scaling == "caffe":
            return 255.0 * images[..., ::-1] - tf.constant(CAFFE_MEANS)
        return images

    def bring_to_size(self, raw: Any) -> Any:
        """Return images (B, *whole_shape) in [0, 1]."""
        images = tf.cast(raw, tf.float32)
        if raw.dtype == np.uint8:
            images = images / 255.0
        height, width, channels = self.spec.whole_shape
        if images.shape[-1] == 3 and channels == 1:
            images = tf.image.rgb_to_grayscale(images)
        elif images.shape[-1] == 1 and channels == 3:
            images = tf.image.grayscale_to_rgb(images)
        if tuple(images.shape[1:3]) == (height, width):
            return images
        if self.spec.resize == "shorter-side":
            return _cut(_cover(images, height, width), height, width)
        if self.spec.resize == "pad":
            images = tf.image.resize_with_crop_or_pad(_fit(images, height, width), height, width)
            return tf.ensure_shape(images, (None, height, width, channels))
        return tf.image.resize(images, (height, width), method="bilinear", antialias=True)

    def crop(self, prepared: Any, seeds: Any = None) -> Any:
        """Return the model's inputs (B, *input_shape): a window of each image, all else as it is.

        Args:
            prepared: What `prepare` returned.
            seeds: (B, 2) int64, by which each window is drawn; None takes the middle.
        """
        if self.spec.whole_shape == self.spec.input_shape:
            return prepared
        height, width = self.spec.input_shape[:2]
        if seeds is None:
            return _cut(prepared, height, width)
        drawn = draws.uniform(seeds + tf.constant([0, CROP_SEED], tf.int64), 2)
        room = tf.constant([prepared.shape[1] - height + 1, prepared.shape[2] - width + 1])
        top, left = tf.unstack(tf.cast(drawn * tf.cast(room, tf.float32), tf.int32), axis=1)
        prepared = tf.gather(prepared, top[:, None] + tf.range(height), axis=1, batch_dims=1)
        return tf.gather(prepared, left[:, None] + tf.range(width), axis=2, batch_dims=1)

    def encode(self, raw: np.ndarray, chunk: int = 4096) -> np.ndarray:
        """Return the model's inputs for a whole array, a chunk at a time."""
        parts = [self(raw[at : at + chunk]).numpy() for at in range(0, max(len(raw), 1), chunk)]
        return np.concatenate(parts)


def _cover(images: Any, height: int, width: int) -> Any:
    """Scale images, sides in proportion, until they just cover a height and width."""
    sides = tf.cast(tf.shape(images)[1:3], tf.float64)
    wanted = tf.constant([height, width], tf.float64)
    scaled = sides * tf.reduce_max(wanted / sides)
    size = tf.cast(tf.maximum(tf.round(scaled), wanted), tf.int32)
    return tf.image.resize(images, size, method="bilinear", antialias=True)


def _fit(images: Any, height: int, width: int) -> Any:
    """Scale images down, sides in proportion, until they fit into a height and width."""
    sides = tf.cast(tf.shape(images)[1:3], tf.float64)
    scale = tf.reduce_min(tf.constant([height, width], tf.float64) / sides)
    size = tf.cast(tf.maximum(tf.round(sides * tf.minimum(scale, 1.0)), 1.0), tf.int32)
    return tf.image.resize(images, size, method="bilinear", antialias=True)


def _cut(images: Any, height: int, width: int) -> Any:
    """Return the middle of images, whose sides may be known only when they are there."""
    top, left = tf.unstack((tf.shape(images)[1:3] - [height, width]) // 2)
    cut = images[:, top : top + height, left : left + width]
    cut.set_shape((None, height, width, None))
    return cut
