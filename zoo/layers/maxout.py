"""Maxout, the hidden units of the first discriminators."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("dlzoo")
class Maxout(layers.Layer):
    """The largest of several affine maps for each unit (Goodfellow et al. 2013)."""

    def __init__(self, units: int, pieces: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.pieces = pieces
        self.maps = layers.Dense(units * pieces)

    def build(self, input_shape: Any) -> None:
        """Create the maps for inputs (B, F)."""
        self.maps.build(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return (B, units)."""
        return ops.max(ops.reshape(self.maps(inputs), (-1, self.units, self.pieces)), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "units": self.units, "pieces": self.pieces}
