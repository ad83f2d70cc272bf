"""Corrupted inputs, for denoising autoencoders (Vincent et al. 2008)."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

KINDS = ("masking", "salt-and-pepper", "gaussian")


@keras.saving.register_keras_serializable("dlzoo")
class Corruption(layers.Layer):
    """Damages values in [0, 1] while a model is trained; otherwise they pass unchanged.

    Args:
        how: ``"masking"`` sets a share of the values to 0 (Vincent et al. 2008, section 2.3);
            ``"salt-and-pepper"`` sets a share to 0 or 1, at random; ``"gaussian"`` adds noise
            (Vincent et al. 2010, section 3.3).
        level: The share, or the noise's standard deviation; 0 changes nothing.
    """

    def __init__(self, how: str = "masking", level: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if how not in KINDS:
            raise ValueError(f"corruption must be one of {', '.join(KINDS)}, got '{how}'")
        most = 1.0 if how != "gaussian" else float("inf")
        if not 0.0 <= level < most:
            raise ValueError(f"the level of {how} corruption cannot be {level}")
        self.how = how
        self.level = level
        self.noise = keras.random.SeedGenerator()

    def build(self, input_shape: Any) -> None:
        """Do nothing: there are no weights."""
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return values of the same shape (B, ...)."""
        if not training or self.level == 0.0:
            return inputs
        shape = ops.shape(inputs)
        if self.how == "gaussian":
            noise = keras.random.normal(shape, seed=self.noise, dtype=inputs.dtype)
            return inputs + self.level * noise
        drawn = keras.random.uniform(shape, seed=self.noise, dtype="float32")
        value = ops.zeros_like(inputs)
        if self.how == "salt-and-pepper":
            value = ops.cast(drawn < 0.5 * self.level, inputs.dtype)
        return ops.where(drawn < self.level, value, inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "how": self.how, "level": self.level}
