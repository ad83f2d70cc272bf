"""ddpm in plain Keras: a U-Net of its own layers, and the loop of its examples."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

MOMENTUM = 0.9999


class PlainAttention(layers.Layer):
    """Keras's attention of a sequence to itself, by one head."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)

    def build(self, input_shape: Any) -> None:
        """Make Keras's layer."""
        self.attend = layers.MultiHeadAttention(1, input_shape[-1])
        self.attend.build(input_shape, input_shape)

    def call(self, inputs: Any) -> Any:
        """Return (B, T, C)."""
        return self.attend(inputs, inputs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PlainAttention:
        """Return a layer of the name of dlzoo's."""
        return cls(name=config["name"])


class PlainDiffusion(keras.Model):
    """The training of algorithm 1 of Ho et al. 2020, with averages of the weights.

    Args:
        network: From ``image``, ``time`` and perhaps ``label`` to the noise.
        averaged: Another of the same weights.
        alpha_bar: (T + 1,).
    """

    def __init__(self, network: keras.Model, averaged: keras.Model, alpha_bar: np.ndarray) -> None:
        super().__init__()
        self.network = network
        self.averaged = averaged
        self.averaged.trainable = False
        self.alpha_bar = tf.constant(alpha_bar, tf.float32)
        self.average_loss = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[Any]:
        """The mean loss."""
        return [self.average_loss]

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train by one batch of images (B, H, W, C) in [0, 1]."""
        images = 2.0 * keras.utils.unpack_x_y_sample_weight(data)[0] - 1.0
        count = ops.shape(images)[0]
        times = tf.random.uniform((count,), 1, len(self.alpha_bar), tf.int32)
        noise = tf.random.normal(ops.shape(images))
        level = tf.gather(self.alpha_bar, times)[:, None, None, None]
        noisy = tf.sqrt(level) * images + tf.sqrt(1.0 - level) * noise
        with tf.GradientTape() as tape:
            predicted = self.network(self.given(noisy, times), training=True)
            loss = ops.mean(ops.square(noise - predicted))
        weights = self.network.trainable_variables
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        self.optimizer.apply(gradients, weights)
        for weight, average in zip(self.network.weights, self.averaged.weights, strict=True):
            average.assign(MOMENTUM * average + (1.0 - MOMENTUM) * weight)
        self.average_loss.update_state(loss)
        return {"loss": self.average_loss.result()}

    def given(self, noisy: Any, times: Any) -> dict[str, Any]:
        """Return what the network is called with."""
        return {"image": noisy, "time": ops.cast(times, "float32")}
