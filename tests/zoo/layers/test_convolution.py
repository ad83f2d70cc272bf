"""Grouped convolution: Keras's own in all but how it is computed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.convolution import GroupedConv2D


@pytest.mark.parametrize(
    "arguments",
    [
        {"groups": 1},
        {"groups": 2},
        {"groups": 4, "strides": 2, "padding": "same"},
        {"groups": 2, "padding": "same", "dilation_rate": 2, "use_bias": False},
        {"groups": 2, "activation": "relu", "bias_initializer": "ones"},
    ],
)
def test_outputs_and_gradients_are_those_of_keras(arguments: dict[str, Any]) -> None:
    images = tf.constant(np.random.default_rng(0).normal(size=(3, 9, 8, 8)), tf.float32)
    ours, theirs = GroupedConv2D(12, 3, **arguments), keras.layers.Conv2D(12, 3, **arguments)
    found = []
    for layer in (theirs, ours):
        layer.build(images.shape)
        layer.set_weights(theirs.get_weights())
        with tf.GradientTape() as tape:
            outputs = layer(images)
            loss = tf.reduce_sum(outputs * outputs)
        found.append([outputs, *tape.gradient(loss, [w.value for w in layer.weights])])
    for wanted, given in zip(*found, strict=True):
        np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-3)


def test_config_and_weights_are_interchangeable_with_keras() -> None:
    ours = GroupedConv2D(4, 3, groups=2, name="conv")
    theirs = keras.layers.Conv2D.from_config(ours.get_config())
    for layer in (ours, theirs):
        layer.build((None, 8, 8, 6))
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
