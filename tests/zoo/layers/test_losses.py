"""Losses: label smoothing, weights of examples, and shares of replicas."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.losses import Crossentropy, SmoothedCrossentropy, batch_mean, batch_sum, penalties

VALUES = np.array([1.0, 2.0, 6.0, 7.0], "float32")
WEIGHTS = np.array([2.0, 0.0, 1.0, 0.0], "float32")


@pytest.mark.parametrize("weights", [WEIGHTS, WEIGHTS[:, None]])
def test_weights_multiply_the_losses_and_the_divisor_stays_the_batch_size(weights: Any) -> None:
    assert float(batch_mean(VALUES)) == 4.0
    assert float(batch_mean(VALUES, weights)) == (2.0 + 6.0) / 4
    assert float(batch_sum(VALUES, weights)) == 2.0 + 6.0


def test_a_weight_is_that_of_all_of_an_examples_values() -> None:
    values = np.stack([VALUES, 10.0 * VALUES], axis=1)
    assert float(batch_sum(values)) == 11.0 * 16.0
    assert float(batch_sum(values, WEIGHTS)) == 11.0 * (2.0 + 6.0)


def test_penalties_are_the_regularization_losses() -> None:
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2"),
            keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l1"),
        ]
    )
    assert float(penalties(model)) == pytest.approx(0.01 * 2 + 0.01 * 1)
    assert penalties(keras.Sequential([keras.Input((2,))])) == 0


def test_two_replicas_shares_add_up_to_the_whole() -> None:
    cross = tf.distribute.ReductionToOneDevice()
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=cross)

    def each() -> Any:
        at = tf.distribute.get_replica_context().replica_id_in_sync_group
        part = tf.gather(tf.reshape(tf.constant(VALUES), (2, 2)), at)
        return batch_mean(part), batch_sum(part)

    means, sums = strategy.run(tf.function(each))
    assert float(sum(strategy.experimental_local_results(means))) == 4.0
    assert float(sum(strategy.experimental_local_results(sums))) == 16.0


@pytest.mark.parametrize("from_logits", [False, True])
def test_smoothed_crossentropy_is_kerass_of_shares_without_padding(from_logits: bool) -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(2, 3, 5)).astype(np.float32)
    predictions = logits if from_logits else np.asarray(keras.ops.softmax(logits))
    classes = draw.integers(5, size=(2, 3))
    weights = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]], np.float32)
    theirs = keras.losses.CategoricalCrossentropy(
        from_logits=from_logits, label_smoothing=0.1, reduction=None
    )(np.eye(5)[classes], predictions)
    ours = SmoothedCrossentropy(0.1, from_logits)(classes, predictions, sample_weight=weights)
    assert float(ours) == pytest.approx(float((theirs * weights).numpy().sum() / 3), rel=1e-4)


@pytest.mark.parametrize("loss", [Crossentropy, SmoothedCrossentropy])
def test_tokens_count_alike_whichever_replica_has_them(loss: Any) -> None:
    strategy = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(4, 3, 5)).astype(np.float32)
    classes = draw.integers(5, size=(4, 3))
    weights = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]], np.float32)
    with strategy.scope():
        mean = loss(from_logits=True, reduction="mean_with_sample_weight")

    def each() -> Any:
        at = 2 * tf.distribute.get_replica_context().replica_id_in_sync_group
        parts = (tf.constant(one)[at : at + 2] for one in (classes, logits, weights))
        y_true, y_pred, sample_weight = parts
        return mean(y_true, y_pred, sample_weight=sample_weight)

    shares = strategy.experimental_local_results(strategy.run(tf.function(each)))
    whole = mean(classes, logits, sample_weight=weights)
    assert float(sum(shares)) == pytest.approx(float(whole), rel=1e-5)
