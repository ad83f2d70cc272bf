"""Gradients for models with a training step of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def gradients(loss: Callable[[], Any], optimizer: Any, variables: list[Any]) -> list[Any]:
    """Return the gradients of a loss, scaled as `optimizer.apply` expects them.

    Keras has no gradient function of its own: a `train_step` with several optimizers needs that of
    the backend.

    Args:
        loss: Computes the scalar loss.
        optimizer: The optimizer that will apply the gradients. Under mixed precision it scales the
            loss.
        variables: The variables to differentiate by.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for variable in variables:
            tape.watch(variable.value)
        value = optimizer.scale_loss(loss())
    found = tape.gradient(value, [variable.value for variable in variables])
    # No variable may change before all gradients have read it. TensorFlow's dependency optimizer
    # (Grappler, 2.21) loses that order where a result serves for its shape alone, as the scores of
    # a Wasserstein critic do: 8 of 150 trainings of wgan-gp by two steps ended with other bits.
    return list(tf.tuple(found))


def input_gradients(function: Callable[[Any], Any], inputs: Any) -> Any:
    """Return the gradients (B, ...) of the sum of a function's outputs by its inputs (B, ...).

    They can be differentiated again.
    """
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return tape.gradient(outputs, inputs)
