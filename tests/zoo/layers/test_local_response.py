"""Local response normalisation: the paper's formula, and TensorFlow's values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.local_response import LocalResponseNormalization


def test_it_is_the_formula_of_section_3_3() -> None:
    a = np.random.default_rng(0).normal(scale=30.0, size=(2, 3, 4, 7)).astype("float32")
    expected = np.empty_like(a)
    for i in range(7):
        near = a[..., max(0, i - 2) : min(6, i + 2) + 1]
        expected[..., i] = a[..., i] / (2.0 + 1e-4 * (near**2).sum(-1)) ** 0.75
    np.testing.assert_allclose(LocalResponseNormalization()(a), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"size": 3, "bias": 1.0, "alpha": 0.5, "beta": 0.75}, {"alpha": 0.1, "beta": 0.5}],
)
def test_values_and_gradients_are_those_of_tensorflows_kernel(arguments: dict[str, Any]) -> None:
    layer = LocalResponseNormalization(**arguments)
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 5, 4, 16)), tf.float32)

    def theirs(x: Any) -> Any:
        return tf.nn.local_response_normalization(
            x, layer.size // 2, layer.bias, layer.alpha, layer.beta
        )

    found = []
    for function in (theirs, layer):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = function(x)
            loss = tf.reduce_sum(outputs**3)
        found.append((outputs, tape.gradient(loss, x)))
    for wanted, given in zip(*found, strict=True):
        np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-5)


def test_large_activations_stay_finite_in_half_precision() -> None:
    layer = LocalResponseNormalization(dtype="mixed_float16")
    outputs = layer(tf.fill((1, 1, 1, 8), tf.constant(1000.0, tf.float16)))
    assert outputs.dtype == tf.float16
    assert np.isfinite(np.asarray(outputs)).all()


def test_its_config_makes_it_again() -> None:
    layer = LocalResponseNormalization(7, 1.0, 0.01, 0.5, name="norm")
    assert LocalResponseNormalization.from_config(layer.get_config()).get_config() == (
        layer.get_config()
    )
