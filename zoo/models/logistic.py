"""Logistic regression (Cox 1958), and softmax regression for more than two classes."""

from __future__ import annotations

import keras
from keras import layers

from zoo.layers.heads import head


def logistic_regression(
    *, input_shape: tuple[int, ...] = (28, 28, 1), classes: int = 10
) -> keras.Model:
    """Return one linear layer under a sigmoid (two classes) or a softmax (more).

    Source: Cox, "The regression analysis of binary sequences", 1958. Its defaults make the
    linear classifier of LeCun et al. 1998, section III.C.1: 7,850 parameters, 12 % test error.

    Args:
        input_shape: Without the batch axis; more axes than one are flattened.
        classes: 2 or more.

    Returns:
        A model from (B, *input_shape) to probabilities of shape (B, 1) or (B, classes).
    """
    inputs = keras.Input(input_shape)
    # The problem is convex, so that weights can start at zero, as is usual in statistics.
    outputs = head(layers.Flatten()(inputs), classes, kernel_initializer="zeros")
    return keras.Model(inputs, outputs, name="logistic-regression")
