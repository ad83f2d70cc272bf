"""A learned scale for each input, by which a network forgets inputs that tell it nothing."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers


@keras.saving.register_keras_serializable("dlzoo")
class InputScales(layers.Layer):
    """Multiplies each input by a number that is learned (Holzmüller et al. 2024, section 3).

    Weight decay shrinks the scale of an input and the weights behind it together, so that useless
    inputs are given up, as a tree gives up columns that it does not split on. Holzmüller,
    Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
    Data", 2024.

    Args:
        speed: How many times faster than other weights scales are learned by Adam, above 0. The
            weights are the scales divided by it.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(self, speed: float = 6.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        if not 0.0 < speed < math.inf:
            raise ValueError(f"speed must be above 0, got {speed}")
        self.speed = speed

    def build(self, input_shape: Any) -> None:
        """Make a weight for each input; all scales begin as 1."""
        self.scale = self.add_weight(
            name="scale",
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(1.0 / self.speed),
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return inputs (B, ..., features) times their scales."""
        return inputs * (self.speed * self.scale)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "speed": self.speed}
