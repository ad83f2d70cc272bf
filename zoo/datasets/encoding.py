"""From a raw example to what the model gets: the same in training, prediction and serving."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.datasets.spec import DatasetSpec


class Encoder(tf.Module):
    """Turns raw batches into the model's inputs, by what the spec holds and nothing else."""

    def __init__(self, spec: DatasetSpec) -> None:
        super().__init__()
        self.spec = spec
        if spec.kind == "table":
            # As tensors, so that float64 figures are rounded once.
            self.mean = tf.constant(spec.mean, tf.float32)
            self.standard_deviation = tf.constant(spec.standard_deviation, tf.float32)
        elif spec.kind == "text":
            self.vectorize = keras.layers.TextVectorization(
                standardize=None,  # its "lower" leaves all letters but A to Z as they are
                split=spec.split_text,
                output_sequence_length=spec.input_shape[0],
                vocabulary=list(spec.vocabulary),
            )

    def signature(self) -> tf.TensorSpec:
        """Return the raw batch's shape and type, named as serving names it.

        An image comes in the size that the model gets it in, so that a served image is computed
        on as it was sent.
        """
        spec = self.spec
        if spec.kind == "text":
            return tf.TensorSpec((None,), tf.string, name=spec.input_name)
        shape = spec.input_shape if spec.kind == "image" else spec.raw_shape
        return tf.TensorSpec((None, *shape), tf.float32, name=spec.input_name)

    def __call__(self, raw: Any) -> Any:
        """Return the model's inputs (B, *input_shape).

        Args:
            raw: Images (B, height, width, 1 or 3) in [0, 1] of any size, rows of a table
                (B, features), or texts (B,).
        """
        if self.spec.kind == "text":
            if self.spec.lowercase:
                raw = tf.strings.lower(raw, encoding="utf-8")
            return tf.cast(self.vectorize(raw), tf.int32)
        raw = tf.cast(raw, tf.float32)
        if self.spec.kind == "table":
            return (raw - self.mean) / self.standard_deviation
        height, width, channels = self.spec.input_shape
        if raw.shape[-1] == 3 and channels == 1:
            raw = tf.image.rgb_to_grayscale(raw)
        elif raw.shape[-1] == 1 and channels == 3:
            raw = tf.image.grayscale_to_rgb(raw)
        if tuple(raw.shape[1:3]) != (height, width):
            raw = tf.image.resize(raw, (height, width), method="bilinear", antialias=True)
        return raw

    def encode(self, raw: np.ndarray, chunk: int = 4096) -> np.ndarray:
        """Return the model's inputs for a whole array, a chunk at a time."""
        parts = [self(raw[at : at + chunk]).numpy() for at in range(0, max(len(raw), 1), chunk)]
        return np.concatenate(parts)
