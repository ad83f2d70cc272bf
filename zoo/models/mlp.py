"""The multilayer perceptron (Rumelhart, Hinton and Williams 1986)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, regularizers

from zoo.layers.checks import require_shares
from zoo.layers.heads import head
from zoo.layers.input_scales import InputScales
from zoo.layers.normalization import BatchNormalization


def mlp(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int | None = 10,
    hidden_units: Sequence[int] = (300,),
    activation: str = "tanh",
    kernel_initializer: str = "glorot_uniform",
    dropout: float = 0.0,
    batch_normalization: bool = False,
    input_scales: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
) -> keras.Model:
    """Return fully connected layers.

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors",
    1986. Its defaults make the 28×28-300-10 network of LeCun et al. 1998, section III.C.5.

    Args:
        input_shape: Without the batch axis; more axes than one are flattened.
        classes: 2 or more; None makes one linear output, for regression.
        hidden_units: The width of each hidden layer; empty leaves a linear model.
        activation: Any Keras activation.
        kernel_initializer: Any Keras initialiser.
        dropout: The share of each hidden layer's outputs dropped in training, 0 to below 1.
        batch_normalization: Normalise before each activation.
        input_scales: Learn a scale for each input, by Adam so many times faster than other weights,
            see `zoo.layers.input_scales`; 0 leaves inputs as they are.
        l1: Weight of the sum of absolute kernel values in the loss.
        l2: Weight of the sum of squared kernel values in the loss.

    Returns:
        A model from (B, *input_shape) to (B, 1) or (B, classes).

    Example:
        >>> zoo.build("mlp", input_shape=(2,), classes=2, hidden_units=(2,)).count_params()
        9
    """
    if any(units < 1 for units in hidden_units):
        raise ValueError(f"hidden_units must all be positive, got {tuple(hidden_units)}")
    require_shares(dropout=dropout)
    if input_scales < 0.0:
        raise ValueError(f"input_scales must be at least 0, got {input_scales}")
    regularizer = regularizers.L1L2(l1, l2) if l1 or l2 else None

    inputs = keras.Input(input_shape)
    x = layers.Flatten()(inputs)
    if input_scales:
        x = InputScales(input_scales, name="input_scales")(x)
    for number, units in enumerate(hidden_units, start=1):
        x = layers.Dense(
            units,
            use_bias=not batch_normalization,  # the normalisation's beta is the bias
            kernel_initializer=kernel_initializer,
            kernel_regularizer=regularizer,
            name=f"hidden{number}",
        )(x)
        if batch_normalization:
            x = BatchNormalization(name=f"hidden{number}_norm")(x)
        x = layers.Activation(activation, name=f"hidden{number}_{activation}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"hidden{number}_dropout")(x)
    outputs = head(
        x, classes, kernel_initializer=kernel_initializer, kernel_regularizer=regularizer
    )
    return keras.Model(inputs, outputs, name="mlp")
