"""The faster normalisations are Keras's layers in all but speed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.normalization import BatchNormalization, GroupNormalization

IMAGES = (4, 5, 6, 3)


def draw(shape: tuple[int, ...]) -> np.ndarray:
    """Numbers far from mean 0 and variance 1."""
    return np.random.default_rng(0).normal(3.0, 2.0, shape).astype("float32")


def pair(shape: tuple[int, ...] = IMAGES, **arguments: Any) -> tuple[Any, Any]:
    """Our layer and Keras's, with the same weights, none of them where it begins."""
    ours = BatchNormalization(name="norm", **arguments)
    theirs = keras.layers.BatchNormalization(name="norm", **arguments)
    draws = np.random.default_rng(1)
    for layer in (ours, theirs):
        layer.build(shape)
    weights = [draws.uniform(0.5, 1.5, weight.shape) for weight in ours.weights]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    return ours, theirs


def step(layer: Any, x: np.ndarray, **arguments: Any) -> list[np.ndarray]:
    """A training pass: output, gradients of the input and the weights, moving statistics after."""
    inputs = tf.constant(x)
    trained = [variable.value for variable in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True, **arguments)
        # Not the plain sum, whose gradient normalisation makes zero.
        loss = tf.reduce_sum(tf.sin(tf.cast(outputs, "float32")))
    gradients = tape.gradient(loss, [inputs, *trained])
    moving = layer.non_trainable_variables
    return [keras.ops.convert_to_numpy(value) for value in (outputs, *gradients, *moving)]


def assert_same_steps(ours: Any, theirs: Any, x: np.ndarray, **arguments: Any) -> None:
    for mine, other in zip(step(ours, x, **arguments), step(theirs, x, **arguments), strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)


@pytest.fixture
def fused_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one each time that the fused kernel is used."""
    calls: list[int] = []
    fused = tf.compat.v1.nn.fused_batch_norm

    def counted(*arguments: Any, **keywords: Any) -> Any:
        calls.append(1)
        return fused(*arguments, **keywords)

    monkeypatch.setattr(tf.compat.v1.nn, "fused_batch_norm", counted)
    return calls


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"momentum": 0.9, "epsilon": 1e-5},
        {"scale": False},
        {"center": False},
        {"scale": False, "center": False},
    ],
)
def test_a_training_pass_is_keras_own(arguments: dict[str, Any], fused_calls: list[int]) -> None:
    ours, theirs = pair(**arguments)
    assert_same_steps(ours, theirs, draw(IMAGES))
    assert len(fused_calls) == 1


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (2, 1, 1, 3), (1, 3, 1, 3)])
def test_few_pixels_are_normalised_as_keras_does(shape: tuple[int, ...]) -> None:
    # As in the last maps of a deep network on small images: one pixel has no variance.
    assert_same_steps(*pair(), draw(shape))


def test_statistics_move_on_as_keras_own_over_many_steps() -> None:
    ours, theirs = pair(momentum=0.5)
    for layer in (ours, theirs):
        for number in range(5):
            layer(draw(IMAGES) + number, training=True)
    np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, rtol=1e-5)
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-5)


@pytest.mark.parametrize("arguments", [{}, {"scale": False, "center": False}])
def test_predictions_are_keras_own_and_move_no_statistics(
    arguments: dict[str, Any], fused_calls: list[int]
) -> None:
    ours, theirs = pair(**arguments)
    before = ours.get_weights()
    np.testing.assert_allclose(
        ours(draw(IMAGES), training=False), theirs(draw(IMAGES), training=False), atol=1e-5
    )
    for old, new in zip(before, ours.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert len(fused_calls) == 1


def test_a_frozen_layer_predicts_even_while_training_and_passes_gradients_on() -> None:
    ours, theirs = pair()
    ours.trainable = theirs.trainable = False
    before = ours.moving_mean.numpy()
    assert_same_steps(ours, theirs, draw(IMAGES))
    np.testing.assert_array_equal(ours.moving_mean, before)


def test_half_precision_goes_in_and_out_and_statistics_stay_whole(fused_calls: list[int]) -> None:
    ours, theirs = pair(dtype="mixed_float16")
    x = draw(IMAGES).astype("float16")
    outputs = ours(x, training=True)
    assert outputs.dtype == tf.float16
    np.testing.assert_allclose(
        np.asarray(outputs, "float32"),
        np.asarray(theirs(x, training=True), "float32"),
        rtol=2e-3,
        atol=2e-3,
    )
    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        assert mine.dtype == "float32"
        np.testing.assert_allclose(mine, other, rtol=2e-3)
    assert len(fused_calls) == 1


def test_statistics_of_large_half_precision_numbers_do_not_overflow() -> None:
    # Their squares are beyond 65,504, the largest number of half precision.
    ours, theirs = pair(dtype="mixed_float16")
    x = (1000.0 * draw(IMAGES)).astype("float16")
    for layer in (ours, theirs):
        assert np.isfinite(np.asarray(layer(x, training=True), "float32")).all()
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-2)


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((8, 3), {}),
        ((4, 7, 3), {}),
        ((2, 3, 4, 5, 3), {}),
        ((4, 3, 5, 6), {"axis": 1}),
        (IMAGES, {"renorm": True}),
    ],
)
def test_what_the_kernel_cannot_do_is_left_to_keras(
    shape: tuple[int, ...], arguments: dict[str, Any], fused_calls: list[int]
) -> None:
    assert_same_steps(*pair(shape, **arguments), draw(shape))
    assert fused_calls == []


def test_masked_pixels_do_not_count() -> None:
    mask = np.zeros(IMAGES[:3], bool)
    mask[:, :2] = True
    assert_same_steps(*pair(), draw(IMAGES), mask=mask)


def test_weights_have_keras_names_and_order_and_load_into_keras() -> None:
    ours, theirs = pair()
    assert [weight.path for weight in ours.weights] == [weight.path for weight in theirs.weights]
    assert [weight.name for weight in ours.trainable_variables] == ["gamma", "beta"]


def test_the_config_is_keras_own_and_makes_the_layer_again() -> None:
    ours, theirs = pair(momentum=0.9, epsilon=1e-5, center=False)
    assert ours.get_config() == theirs.get_config()
    again = BatchNormalization.from_config(ours.get_config())
    assert again.get_config() == ours.get_config()
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours))
    assert type(restored) is BatchNormalization


def test_two_replicas_normalise_by_the_moments_of_the_whole_batch(fused_calls: list[int]) -> None:
    x = draw(IMAGES)
    alone, _ = pair()
    whole = keras.ops.convert_to_numpy(alone(x, training=True))
    fused_calls.clear()

    strategy = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        shared, _ = pair()
    halves = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(np.split(x, 2)[context.replica_id_in_sync_group])
    )

    @tf.function
    def train(values: Any) -> Any:
        return strategy.run(lambda half: shared(half, training=True), args=(values,))

    parts = strategy.experimental_local_results(train(halves))
    assert len(parts) == 2
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(shared.moving_variance.value),
        alone.moving_variance.numpy(),
        rtol=1e-4,
    )
    assert fused_calls == []
    # A copy of it that runs on one device again is not tied to the strategy.
    assert shared.get_config()["synchronized"] is False


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((4, 5, 6, 8), {"groups": 4}),
        ((4, 5, 6, 8), {"groups": -1}),
        ((4, 5, 6, 8), {"groups": 1, "center": False, "scale": False, "epsilon": 1e-6}),
        ((4, 5, 8), {"groups": 2}),
    ],
)
def test_groups_are_normalised_as_keras_does(
    shape: tuple[int, ...], arguments: dict[str, Any]
) -> None:
    ours = GroupNormalization(name="norm", **arguments)
    theirs = keras.layers.GroupNormalization(name="norm", **arguments)
    draws = np.random.default_rng(1)
    for layer in (ours, theirs):
        layer.build(shape)
    weights = [draws.uniform(0.5, 1.5, weight.shape) for weight in ours.weights]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    assert ours.get_config() == theirs.get_config()
    x = tf.constant(draw(shape))
    found = []
    for layer in (ours, theirs):
        trained = [variable.value for variable in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x)
            loss = tf.reduce_sum(tf.sin(outputs))
        found.append([outputs, *tape.gradient(loss, [x, *trained])])
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-4)
