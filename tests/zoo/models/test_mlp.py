"""The multilayer perceptron: what each of its arguments does."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError

X = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")


def mlp(**arguments: Any) -> Any:
    """A network over four numbers."""
    return zoo.build("mlp", **{"input_shape": (4,), "classes": 3, **arguments})


def kernels(model: Any) -> list[tuple[int, ...]]:
    """The shapes of the kernels, first layer first."""
    return [tuple(weight.shape) for weight in model.weights if weight.name == "kernel"]


@pytest.mark.parametrize(
    ("hidden_units", "shapes"),
    [
        ((), [(4, 3)]),
        ((5,), [(4, 5), (5, 3)]),
        ([7, 6, 5, 2], [(4, 7), (7, 6), (6, 5), (5, 2), (2, 3)]),
    ],
)
def test_it_is_as_deep_and_wide_as_asked_for(hidden_units: Any, shapes: Any) -> None:
    assert kernels(mlp(hidden_units=hidden_units)) == shapes


def test_two_classes_have_one_probability_and_none_one_number_of_any_size() -> None:
    two, number = mlp(classes=2), mlp(classes=None)
    assert two.output_shape == number.output_shape == (None, 1)
    for model in (two, number):
        model.layers[-1].kernel.assign(10.0 * np.ones_like(model.layers[-1].kernel))
        model.layers[-1].bias.assign([-20.0])
    assert 0.0 <= float(np.min(two(X))) <= float(np.max(two(X))) <= 1.0
    assert float(np.min(number(X))) < -1.0


def test_images_are_flattened() -> None:
    assert kernels(mlp(input_shape=(5, 4, 3), hidden_units=(2,))) == [(60, 2), (2, 3)]


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "leaky_relu"])
def test_the_hidden_layers_are_activated_as_asked_for(activation: str) -> None:
    model = mlp(hidden_units=(5,), activation=activation)
    kernel, bias, last_kernel, last_bias = model.get_weights()
    hidden = keras.activations.get(activation)(X @ kernel + bias)
    expected = keras.ops.softmax(hidden @ last_kernel + last_bias)
    np.testing.assert_allclose(model(X), expected, atol=1e-6)


def test_the_initialiser_is_used_for_every_kernel() -> None:
    model = mlp(hidden_units=(5, 6), kernel_initializer="ones")
    for weight in model.weights:
        np.testing.assert_array_equal(weight, 1.0 if weight.name == "kernel" else 0.0)


def test_hidden_layers_of_one_width_begin_differently() -> None:
    weights = mlp(hidden_units=(5, 5, 5)).get_weights()
    assert np.any(weights[2] != weights[4])


def test_dropout_drops_its_share_while_training_only() -> None:
    model = mlp(hidden_units=(2000,), dropout=0.25)
    hidden = keras.Model(model.input, model.get_layer("hidden1_dropout").output)
    assert np.all(np.array(hidden(X, training=False)) != 0.0)
    dropped = np.array(hidden(X, training=True)) == 0.0
    assert dropped.mean() == pytest.approx(0.25, abs=0.02)


def test_batch_normalization_normalises_before_each_activation() -> None:
    model = mlp(hidden_units=(5, 6), batch_normalization=True, activation="relu")
    before = keras.Model(model.input, model.get_layer("hidden1_norm").output)(X, training=True)
    np.testing.assert_allclose(np.mean(before, axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(np.std(before, axis=0), 1.0, atol=0.05)
    # The normalisation's beta is the bias: the dense layers need none.
    assert [weight.name for weight in model.trainable_variables] == [
        *("kernel", "gamma", "beta"),
        *("kernel", "gamma", "beta"),
        *("kernel", "bias"),
    ]


def test_l1_and_l2_are_added_to_the_loss_over_every_kernel() -> None:
    model = mlp(hidden_units=(5, 6), l1=0.01, l2=0.1)
    expected = sum(
        0.01 * np.abs(weight).sum() + 0.1 * np.square(weight).sum()
        for weight in map(np.array, model.get_weights())
        if weight.ndim == 2
    )
    assert float(sum(model.losses)) == pytest.approx(float(expected), rel=1e-5)
    assert mlp(hidden_units=(5, 6)).losses == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_units": (5, 0)}, "hidden_units must all be positive, got (5, 0)"),
        ({"hidden_units": [-1]}, "hidden_units must all be positive, got (-1,)"),
        ({"dropout": 1.0}, "dropout must be in [0, 1), got 1.0"),
        ({"dropout": -0.1}, "dropout must be in [0, 1), got -0.1"),
        ({"classes": 1}, "classes must be at least 2, got 1"),
    ],
)
def test_wrong_arguments_are_answered_with_what_would_be_right(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        mlp(**arguments)
    assert message in str(caught.value)
