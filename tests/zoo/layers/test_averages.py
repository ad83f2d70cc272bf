"""Averages of weights: their rule, and that a network computes with them where it is asked to."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from zoo.layers.averages import WeightAverages


def network() -> keras.Model:
    inputs = keras.Input((2,))
    return keras.Model(inputs, keras.layers.Dense(3)(inputs))


def test_they_begin_as_the_weights_and_move_towards_them() -> None:
    followed, averages = network(), WeightAverages(0.9)
    averages.follow(followed)
    before = [weight.numpy() for weight in followed.weights]
    for average, weight in zip(averages.weights, before, strict=True):
        np.testing.assert_array_equal(average, weight)
    for weight in followed.weights:
        weight.assign(weight + 1.0)
    averages.update(followed.weights, 1_000_000)
    for average, weight in zip(averages.weights, before, strict=True):
        np.testing.assert_allclose(average, weight + 0.1, atol=1e-6)
    averages.update(followed.weights, 0)  # (1 + 0) / (10 + 0) of the average is kept
    for average, weight in zip(averages.weights, before, strict=True):
        np.testing.assert_allclose(average, weight + 0.1 + 0.9 * 0.9, atol=1e-6)


def test_a_network_computes_with_them_and_keeps_its_own_weights() -> None:
    followed, averages = network(), WeightAverages(0.9)
    averages.follow(followed)
    x = np.ones((1, 2), "float32")
    before = followed(x).numpy()
    for weight in followed.weights:
        weight.assign(weight + 1.0)
    after = followed(x).numpy()
    with averages.instead_of(followed.weights):
        np.testing.assert_array_equal(followed(x), before)
    np.testing.assert_array_equal(followed(x), after)
    assert np.any(before != after)


def test_nothing_of_them_is_trained() -> None:
    averages = WeightAverages(0.9)
    averages.follow(network())
    assert averages.trainable_variables == []
    assert averages.multiply_adds() == 0


@pytest.mark.parametrize("momentum", [-0.1, 1.0])
def test_a_momentum_outside_0_to_1_is_refused(momentum: float) -> None:
    with pytest.raises(ValueError, match="momentum must be in"):
        WeightAverages(momentum)
