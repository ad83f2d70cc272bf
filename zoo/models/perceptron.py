"""The perceptron (Rosenblatt 1958): a step over a weighted sum, and the rule that trains it."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from zoo.layers.losses import batch_sum, penalties


@keras.saving.register_keras_serializable("dlzoo")
class Perceptron(keras.Model):
    """Threshold units, one for two classes or one for each of more.

    A unit answers 1 where its weighted sum is positive and 0 elsewhere. The perceptron rule moves
    the weights by ``learning_rate * (target - answer) * input``, so a right answer changes nothing.
    That is gradient descent on the perceptron criterion: the sum over wrong answers of the distance
    of the weighted sum from zero. So `fit` with SGD at batch size 1 is the classic rule.
    """

    def __init__(self, units: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.flatten = layers.Flatten()
        self.weighted_sum = layers.Dense(units, kernel_initializer="zeros", name="weighted_sum")

    def build(self, input_shape: Any) -> None:
        """Create the weights for inputs of shape (B, ...)."""
        self.weighted_sum.build(self.flatten.compute_output_shape(input_shape))
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return the answers, 0.0 or 1.0, of shape (B, units)."""
        return ops.cast(self.weighted_sum(self.flatten(inputs)) > 0, "float32")

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the perceptron criterion; its negative gradient is the rule's step."""
        targets = (
            ops.reshape(ops.cast(y, "float32"), (-1, 1))
            if self.units == 1
            else ops.one_hot(ops.reshape(y, (-1,)), self.units)
        )
        error = targets - y_pred  # 0 for a right answer, else +1 or -1
        sums = ops.cast(self.weighted_sum(self.flatten(x)), "float32")
        return batch_sum(-error * sums, sample_weight) + penalties(self)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "units": self.units}


def perceptron(*, input_shape: tuple[int, ...] = (2,), classes: int = 2) -> keras.Model:
    """Return a perceptron.

    Source: Rosenblatt, "The perceptron: a probabilistic model for information storage and
    organization in the brain", 1958; the rule as Minsky and Papert, "Perceptrons", 1969, state it.

    Args:
        input_shape: Without the batch axis; more axes than one are flattened.
        classes: 2 makes one unit, more make one unit each.

    Returns:
        A model from (B, *input_shape) to answers 0.0 or 1.0 of shape (B, 1) or (B, classes).

    Example:
        >>> zoo.build("perceptron", input_shape=(4,)).count_params()
        5
    """
    if classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
    model = Perceptron(units=1 if classes == 2 else classes, name="perceptron")
    model.build((None, *input_shape))
    return model
