"""The generative adversarial network: two losses, two optimizers, and the recipe's metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo

X = np.random.default_rng(0).uniform(size=(6, 4, 4, 1)).astype("float32")
TRACKERS = ["discriminator_loss", "generator_loss", "discriminator_accuracy"]


@pytest.fixture
def gan() -> Any:
    sizes: dict[str, Any] = {"generator_units": (5,), "discriminator_units": (4,)}
    return zoo.build("gan", input_shape=(4, 4, 1), latent_dim=3, **sizes)


def compiled(gan: Any, **arguments: Any) -> Any:
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(0.01),
        discriminator_optimizer=keras.optimizers.Adam(0.01),
        **arguments,
    )
    return gan


def logits(gan: Any) -> tuple[np.ndarray, np.ndarray]:
    """The discriminator's answers to the data and to as many samples, as in evaluation."""
    fake = gan.generator(gan.prior(len(X), seed=0))
    return tuple(np.asarray(gan.discriminator(x))[:, 0] for x in (X, fake))  # type: ignore[return-value]


def test_the_scores_are_the_two_losses_and_how_often_the_discriminator_is_right(gan: Any) -> None:
    real, fake = logits(gan)
    scores = compiled(gan).evaluate(X, verbose=0, return_dict=True)
    discriminator = np.log1p(np.exp(-real)) + np.log1p(np.exp(fake))
    assert set(scores) == set(TRACKERS)
    assert scores["discriminator_loss"] == pytest.approx(discriminator.mean(), rel=1e-5)
    assert scores["generator_loss"] == pytest.approx(np.log1p(np.exp(-fake)).mean(), rel=1e-5)
    right = np.concatenate([real > 0, fake < 0])
    assert scores["discriminator_accuracy"] == pytest.approx(right.mean())


def test_a_recipes_metrics_see_probabilities_of_real_and_generated_examples(gan: Any) -> None:
    auc = keras.metrics.AUC(name="auc")
    compiled(gan, metrics=["accuracy", keras.metrics.BinaryCrossentropy(name="bce"), auc])
    history = gan.fit(X, validation_data=(X,), batch_size=6, epochs=1, verbose=0).history
    names = [*TRACKERS, "accuracy", "bce", "auc"]
    assert set(history) == {*names, *(f"val_{name}" for name in names)}

    scores = gan.evaluate(X, verbose=0, return_dict=True)
    real, fake = logits(gan)
    answers = 1.0 / (1.0 + np.exp(-np.concatenate([real, fake])))
    targets = np.repeat([1.0, 0.0], 6)
    expected = -np.log(np.where(targets == 1.0, answers, 1.0 - answers)).mean()
    assert scores["bce"] == pytest.approx(expected, rel=1e-4)
    assert scores["accuracy"] == pytest.approx(scores["discriminator_accuracy"])


def test_metrics_are_computed_on_several_replicas() -> None:
    cross = tf.distribute.ReductionToOneDevice()
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=cross)
    with mirrored.scope():
        sizes: dict[str, Any] = {"generator_units": (5,), "discriminator_units": (4,)}
        model = zoo.build("gan", input_shape=(4, 4, 1), latent_dim=3, **sizes)
        compiled(model, metrics=["accuracy"])
    batches = tf.data.Dataset.from_tensor_slices(X).batch(6)
    history = model.fit(batches, shuffle=False, verbose=0).history
    assert np.isfinite(history["accuracy"]).all()


def test_weights_of_examples_reach_losses_and_scores(gan: Any) -> None:
    real, fake = logits(gan)
    compiled(gan, weighted_metrics=["accuracy"])
    weights = np.array([3.0, 1.0, 0.0, 0.0, 0.0, 0.0], "float32")
    scores = gan.test_on_batch(X, sample_weight=weights, return_dict=True)
    each = np.log1p(np.exp(-real)) + np.log1p(np.exp(fake))
    expected = np.average(each, weights=weights)
    assert scores["discriminator_loss"] == pytest.approx(expected, rel=1e-5)
    right = 0.5 * ((real > 0) + 1.0 * (fake < 0))
    expected = np.average(right, weights=weights)
    assert scores["discriminator_accuracy"] == pytest.approx(expected, rel=1e-5)
    assert scores["accuracy"] == pytest.approx(expected, rel=1e-5)


def test_examples_of_weight_zero_do_not_train(gan: Any) -> None:
    before = [weight.numpy() for weight in gan.trainable_variables]
    compiled(gan).train_on_batch(X, sample_weight=np.zeros(6, "float32"))
    for old, weight in zip(before, gan.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, weight)


def test_the_losses_say_that_lower_is_better_and_the_accuracy_is_no_goal(gan: Any) -> None:
    directions = [getattr(metric, "_direction", None) for metric in gan.trackers]
    assert directions == ["down", "down", None]


@pytest.fixture
def mixed_float16() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.usefixtures("mixed_float16")
def test_both_losses_are_scaled_in_half_precision(gan: Any) -> None:
    scaled = keras.optimizers.LossScaleOptimizer
    compiled(gan)
    assert [type(optimizer) for optimizer in gan.optimizers] == [scaled, scaled]
    for optimizer, network in zip(gan.optimizers, (gan.generator, gan.discriminator), strict=True):
        assert optimizer.built
        before = [weight.numpy() for weight in network.trainable_variables]
        for _ in range(3):  # the first steps may be skipped, while the scale is found
            gan.train_on_batch(X)
        assert any(
            np.any(old != weight.numpy())
            for old, weight in zip(before, network.trainable_variables, strict=True)
        )
    mine = scaled(keras.optimizers.SGD(0.01))
    gan.compile(generator_optimizer="sgd", discriminator_optimizer=mine)
    assert gan.discriminator_optimizer is mine
    compiled(gan, auto_scale_loss=False)
    assert [type(optimizer) for optimizer in gan.optimizers] == [keras.optimizers.Adam] * 2


def test_in_full_precision_no_loss_is_scaled(gan: Any) -> None:
    compiled(gan)
    assert [type(optimizer) for optimizer in gan.optimizers] == [keras.optimizers.Adam] * 2
