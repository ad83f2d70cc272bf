"""Gradients and losses for models that train themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


class _Reduction(keras.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred


_mean = _Reduction(name="batch_mean", reduction="sum_over_batch_size", dtype="float32")
_sum = _Reduction(name="batch_sum", reduction="sum", dtype="float32")


def batch_mean(values: Any) -> Any:
    """Return the mean of per-example losses of shape (B,), each replica's share of it in `fit`.

    Keras divides its own losses by the number of replicas, whose gradients are then added up; a
    model that computes its own loss has to do the same, and does it by Keras's own reduction.
    """
    return _mean(values, values)


def batch_sum(values: Any) -> Any:
    """Return the sum of per-example losses: what replicas add up needs no division."""
    return _sum(values, values)


def penalties(model: Any) -> Any:
    """Return the sum of a model's own losses, such as its regularizers', each replica's share."""
    values = [keras.ops.cast(loss, "float32") for loss in model.losses]
    return sum(batch_mean(keras.ops.reshape(value, (1,))) for value in values)


def gradients(loss: Callable[[], Any], optimizer: Any, variables: list[Any]) -> list[Any]:
    """Return the gradients of a loss, scaled as `optimizer.apply` expects them.

    Keras has no gradient of its own: a `train_step` with several optimizers needs its backend's.

    Args:
        loss: Computes the scalar loss.
        optimizer: The one that will apply them; under mixed precision it scales the loss.
        variables: With respect to which.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for variable in variables:
            tape.watch(variable.value)
        value = optimizer.scale_loss(loss())
    return list(tape.gradient(value, [variable.value for variable in variables]))
