"""From tokens to vectors and back: embeddings with positions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable("dlzoo")
class TiedEmbedding(layers.Embedding):
    """An embedding whose table also turns vectors into logits (Press and Wolf 2017).

    Args:
        vocabulary_size: Rows of the table.
        width: Of a token's vector.
        scaled: Whether vectors are multiplied by the square root of the width, as in Vaswani et al.
            2017, section 3.4; logits are not.
        arguments: Passed to `keras.layers.Embedding`.
    """

    def __init__(
        self, vocabulary_size: int, width: int, *, scaled: bool = False, **arguments: Any
    ) -> None:
        super().__init__(vocabulary_size, width, **arguments)
        self.scaled = scaled
        self._projected = 0

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Return vectors (…, width) of tokens (…), or logits (…, V) of vectors when `reverse`."""
        if not reverse:
            vectors = super().call(inputs)
            return vectors * self.output_dim**0.5 if self.scaled else vectors
        if len(inputs.shape) == 3:
            self._projected = max(self._projected, inputs.shape[1] or 1)
        # float32 under every precision policy: half precision loses small probabilities.
        table = ops.cast(self._embeddings, "float32")
        return ops.matmul(ops.cast(inputs, "float32"), ops.transpose(table))

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        """Return the shape and type of what `call` returns."""
        if not reverse:
            return keras.KerasTensor((*inputs.shape, self.output_dim), dtype=self.compute_dtype)
        if len(inputs.shape) == 3:
            self._projected = max(self._projected, inputs.shape[1] or 1)
        return keras.KerasTensor((*inputs.shape[:-1], self.input_dim), dtype="float32")

    def multiply_adds(self) -> int:
        """Return those of the logits; a look-up has none."""
        return self._projected * self.input_dim * self.output_dim

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        size, width = config.pop("input_dim"), config.pop("output_dim")
        return {**config, "vocabulary_size": size, "width": width, "scaled": self.scaled}


@keras.saving.register_keras_serializable("dlzoo")
class LearnedPositions(layers.Layer):
    """Adds a learned vector to each position, up to a longest length.

    Args:
        length: The longest text.
        embeddings_initializer: Of the vectors.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(
        self, length: int, *, embeddings_initializer: Any = "uniform", **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.length = length
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, input_shape: Any) -> None:
        """Make the table."""
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.length, input_shape[-1]),
            initializer=self.embeddings_initializer,
        )

    def call(self, inputs: Any) -> Any:
        """Return vectors (B, T, width) with those of their positions added."""
        return inputs + self.embeddings[: ops.shape(inputs)[1]]

    def step(self, inputs: Any, position: Any) -> Any:
        """Return vectors (B, 1, width) with that of one position, an integer tensor (), added."""
        return inputs + ops.take(self.embeddings, position, axis=0)

    def multiply_adds(self) -> int:
        """Return 0: a look-up."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        initializer = keras.initializers.serialize(self.embeddings_initializer)
        return {
            **super().get_config(),
            "length": self.length,
            "embeddings_initializer": initializer,
        }


@keras.saving.register_keras_serializable("dlzoo")
class SinusoidalPositions(layers.Layer):
    """Adds sines and cosines of each position (Vaswani et al. 2017, section 3.5).

    Args:
        length: The longest text.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(self, length: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.length = length

    def build(self, input_shape: Any) -> None:
        """Compute the table."""
        self.table = sinusoids(self.length, input_shape[-1])

    def call(self, inputs: Any) -> Any:
        """Return vectors (B, T, width) with those of their positions added."""
        table = ops.convert_to_tensor(self.table, inputs.dtype)
        return inputs + table[: ops.shape(inputs)[1]]

    def step(self, inputs: Any, position: Any) -> Any:
        """Return vectors (B, 1, width) with that of one position, an integer tensor (), added."""
        return inputs + ops.take(ops.convert_to_tensor(self.table, inputs.dtype), position, axis=0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "length": self.length}


@keras.saving.register_keras_serializable("dlzoo")
class TimeEmbedding(layers.Layer):
    """Sines, then cosines, of a number such as a time (Ho et al. 2020, appendix B).

    The wavelengths go from 2π to 10,000 · 2π, the last of which `sinusoids` only comes near to. The
    number need not be whole.

    Args:
        width: Of the vector, even and at least 4.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(self, width: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        if width < 4 or width % 2:
            raise ValueError(f"width must be even and at least 4, got {width}")
        self.width = width

    def call(self, inputs: Any) -> Any:
        """Return vectors (B, width) of numbers (B,)."""
        half = self.width // 2
        # In float32 under every precision policy: half precision cannot tell 999 from 999.5.
        frequencies = np.exp(-np.log(10_000.0) * np.arange(half) / (half - 1))
        angles = ops.cast(inputs, "float32")[:, None] * frequencies.astype(np.float32)
        sines = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
        return ops.cast(sines, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "width": self.width}


def sinusoids(length: int, width: int) -> np.ndarray:
    """Return the positional encoding of Vaswani et al. 2017, section 3.5, (length, width) float32.

    Sine at even columns, cosine at odd ones, with wavelengths from 2π to 10,000 · 2π.
    """
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(0, width, 2) / width)
    encoding = np.empty((length, width), np.float32)
    encoding[:, 0::2] = np.sin(angles)
    encoding[:, 1::2] = np.cos(angles)[:, : width // 2]
    return encoding
