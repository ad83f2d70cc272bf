"""A folded network answers as the network does, with fewer layers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.serving.folding import folded


def trained_looking(model: Any) -> Any:
    """Give a network's normalisations statistics as if it had been trained."""
    draw = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.moving_mean.shape
            layer.moving_mean.assign(draw.normal(size=shape))
            layer.moving_variance.assign(draw.uniform(0.5, 2.0, size=shape))
            if layer.gamma is not None:
                layer.gamma.assign(draw.uniform(0.5, 2.0, size=shape))
            if layer.beta is not None:
                layer.beta.assign(draw.normal(size=shape))
    return model


def norms(model: Any) -> int:
    return sum(isinstance(one, keras.layers.BatchNormalization) for one in model.layers)


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_a_residual_network_loses_its_normalisations(name: str) -> None:
    model = trained_looking(zoo.build(name, input_shape=(32, 32, 3), classes=5))
    found = folded(model)
    assert norms(model) >= 19
    assert norms(found) == 0
    x = np.random.default_rng(1).normal(size=(3, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(found(x), model(x), atol=1e-5)


def branched(**options: Any) -> Any:
    """A normalised convolution whose output something else reads, and others that can be folded."""
    x = keras.Input((8, 8, 2))
    first = keras.layers.Conv2D(4, 3, padding="same", name="first")(x)
    y = keras.layers.BatchNormalization(name="first_norm")(first)
    y = keras.layers.Add()([y, first])
    y = keras.layers.Conv2D(4, 3, activation="relu", name="second")(y)
    y = keras.layers.BatchNormalization(name="second_norm")(y)
    y = keras.layers.Conv2D(4, 3, name="third", use_bias=False)(y)
    y = keras.layers.BatchNormalization(name="third_norm", **options)(y)
    y = keras.layers.Flatten()(y)
    y = keras.layers.Dense(3, name="fourth")(y)
    y = keras.layers.BatchNormalization(name="fourth_norm")(y)
    return keras.Model(x, y)


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_only_what_nothing_else_reads_and_no_activation_parts_is_folded(
    options: dict[str, Any],
) -> None:
    model = trained_looking(branched(**options))
    found = folded(model)
    left = [one.name for one in found.layers if isinstance(one, keras.layers.BatchNormalization)]
    assert left == ["first_norm", "second_norm"]
    x = np.random.default_rng(1).normal(size=(3, 8, 8, 2)).astype("float32")
    np.testing.assert_allclose(found(x), model(x), atol=1e-5)
    assert model.get_layer("third").use_bias is False, "the trained model stays as it is"


def test_a_network_without_normalisations_is_returned_unchanged() -> None:
    model = zoo.build("lenet5")
    assert folded(model) is model
