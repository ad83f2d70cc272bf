"""A learned scale for each input."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import zoo
from zoo.layers.input_scales import InputScales


def test_inputs_pass_unchanged_at_first_and_their_scales_are_learned_faster() -> None:
    x = np.ones((2, 3), np.float32)
    scales = InputScales(4.0)
    np.testing.assert_array_equal(scales(x), x)
    steps = []
    for speed in (1.0, 4.0):
        model = keras.Sequential([keras.Input((3,)), InputScales(speed)])
        model.compile(keras.optimizers.Adam(0.01), "mse")
        model.train_on_batch(x, 0.0 * x)
        steps.append(1.0 - float(model(x)[0, 0]))
    assert steps[1] == pytest.approx(4.0 * steps[0], rel=1e-3)


def test_a_speed_is_above_zero() -> None:
    with pytest.raises(ValueError, match="speed must be above 0, got 0"):
        InputScales(0.0)


def test_a_network_forgets_inputs_that_tell_nothing() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(256, 8)).astype(np.float32)
    y = x[:, :1] - x[:, 1:2]
    keras.utils.set_random_seed(0)
    model = zoo.build(
        "mlp", input_shape=(8,), classes=None, hidden_units=(16,), activation="relu", input_scales=6
    )
    model.compile(keras.optimizers.AdamW(0.01, weight_decay=1.0), "mse")
    model.fit(x, y, batch_size=32, epochs=20, verbose=0)
    scales = np.abs(model.get_layer("input_scales").scale.numpy())
    assert scales[:2].min() > 2.0 * scales[2:].max()
