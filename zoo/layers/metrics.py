"""Metrics that models update themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable("dlzoo")
class Average(keras.metrics.Mean):
    """The mean of a value over an epoch, which says whether higher is better.

    Args:
        name: Of the metric in logs.
        higher_is_better: None where neither direction is better.
        dtype: Of the mean.
    """

    def __init__(
        self, name: str, *, higher_is_better: bool | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.higher_is_better = higher_is_better
        if higher_is_better is not None:
            # Keras's own metrics have this attribute. Callbacks with mode="auto" read it, but only
            # that of compiled metrics (Keras 3.15).
            self._direction = "up" if higher_is_better else "down"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "higher_is_better": self.higher_is_better}


@keras.saving.register_keras_serializable("dlzoo")
class SoftBinaryAccuracy(keras.metrics.MeanMetricWrapper):
    """How often the more probable of two classes has the larger share of the target.

    Keras's own asks whether the share equals 0 or 1, which the share of a mixed image never does.
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(_agree, name=name, dtype=dtype)
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}


def _agree(y_true: Any, y_pred: Any) -> Any:
    return keras.metrics.binary_accuracy(keras.ops.round(y_true), y_pred)


@keras.saving.register_keras_serializable("dlzoo")
class BitsPerCharacter(keras.metrics.Metric):
    """The cross-entropy of tokens in bits, for each character that they stand for.

    So models with different vocabularies can be compared. Targets are tokens (B, T), predictions
    logits (B, T, V). Weights are those of the tokens.

    Args:
        characters: How many each token stands for (V,).
        name: Of the metric.
        dtype: Of the sums.
    """

    def __init__(
        self, characters: Sequence[int], name: str = "bits_per_character", dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._direction = "down"
        self.characters = tuple(characters)
        self.nats = self.add_variable((), "zeros", name="nats")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch."""
        nats = keras.ops.cast(_token_cross_entropy(y_true, y_pred), "float32")
        table = keras.ops.convert_to_tensor(self.characters, "float32")
        counts = keras.ops.take(table, y_true)
        weights = 1.0 if sample_weight is None else keras.ops.cast(sample_weight, "float32")
        self.nats.assign_add(keras.ops.sum(nats * weights))
        self.count.assign_add(keras.ops.sum(counts * weights))

    def result(self) -> Any:
        """Return the bits of all tokens by their characters."""
        return self.nats / (keras.ops.maximum(self.count, 1e-7) * math.log(2.0))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"characters": self.characters, "name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable("dlzoo")
class Perplexity(keras.metrics.MeanMetricWrapper):
    """The exponential of the cross-entropy of tokens; see `BitsPerCharacter`."""

    def __init__(self, name: str = "perplexity", dtype: Any = None) -> None:
        super().__init__(_token_cross_entropy, name=name, dtype=dtype)
        self._direction = "down"

    def result(self) -> Any:
        """Return the exponential of the mean."""
        return keras.ops.exp(super().result())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}


def _token_cross_entropy(y_true: Any, y_pred: Any) -> Any:
    return keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
