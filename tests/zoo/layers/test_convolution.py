"""Convolution: Keras's own in all but how it is computed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.convolution import Conv2D


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("size", "arguments"),
    [
        (3, {}),
        (3, {"groups": 2}),
        (3, {"groups": 4, "strides": 2, "padding": "same"}),
        (3, {"groups": 2, "padding": "same", "dilation_rate": 2, "use_bias": False}),
        (3, {"groups": 2, "activation": "relu", "bias_initializer": "ones"}),
        (1, {"activation": "tanh", "bias_initializer": "ones"}),
        (1, {"strides": 2, "use_bias": False}),
        (1, {"groups": 2}),
        ((9, 8), {"activation": "tanh", "bias_initializer": "ones"}),
        ((9, 8), {"padding": "same"}),
        ((9, 8), {"strides": 2, "use_bias": False}),
    ],
)
def test_outputs_and_gradients_are_those_of_keras(
    size: Any, arguments: dict[str, Any], training: bool
) -> None:
    images = tf.constant(np.random.default_rng(0).normal(size=(3, 9, 8, 8)), tf.float32)
    ours, theirs = Conv2D(12, size, **arguments), keras.layers.Conv2D(12, size, **arguments)
    both: list[tuple[Any, dict[str, Any]]] = [(theirs, {}), (ours, {"training": training})]
    found = []
    for layer, mode in both:
        layer.build(images.shape)
        layer.set_weights(theirs.get_weights())
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, **mode)
            loss = tf.reduce_sum(outputs * outputs)
        found.append([outputs, *tape.gradient(loss, [images, *(w.value for w in layer.weights)])])
    for wanted, given in zip(*found, strict=True):
        assert given.shape == wanted.shape
        np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-3)


def test_sizes_of_images_may_be_unknown_when_it_is_built() -> None:
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, Conv2D(4, 1)(Conv2D(8, 3)(inputs)))
    assert model.output_shape == (None, None, None, 4)
    assert model(tf.zeros((2, 7, 9, 3)), training=True).shape == (2, 5, 7, 4)


def test_config_and_weights_are_interchangeable_with_keras() -> None:
    ours = Conv2D(4, 3, groups=2, name="conv")
    theirs = keras.layers.Conv2D.from_config(ours.get_config())
    for layer in (ours, theirs):
        layer.build((None, 8, 8, 6))
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
