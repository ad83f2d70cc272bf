"""What recurrent networks share: how a sequence goes in, and layers on top of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.checks import require_shares
from zoo.layers.heads import head

Cell = Callable[..., Any]
"""Makes a recurrent Keras layer from ``units`` and keyword arguments of Keras."""
POOLINGS = ("last", "mean", "max")


def many_to_one(
    cell: Cell,
    *,
    name: str,
    input_shape: tuple[int, ...],
    classes: int | None,
    vocabulary_size: int,
    embedding_dim: int,
    units: int,
    num_layers: int,
    bidirectional: bool,
    dropout: float,
    recurrent_dropout: float,
    token_dropout: float,
    pooling: str,
) -> keras.Model:
    """Return a network that reads a sequence and gives one answer.

    Args:
        cell: Makes each recurrent layer.
        name: Of the model; its recurrent layers are numbered ``<name>1``, ``<name>2``, ….
        input_shape: See `read_sequence`.
        classes: 2 or more; None makes one linear output, for regression.
        vocabulary_size: See `read_sequence`.
        embedding_dim: See `read_sequence`.
        units: Width of the state.
        num_layers: Recurrent layers on top of each other.
        bidirectional: Read each layer's input in both directions and concatenate the states.
        dropout: The share of each layer's states dropped while training.
        recurrent_dropout: The share of a state dropped on its way to the next step while training:
            the same units in all steps of a text (Gal and Ghahramani 2016, section 4).
        token_dropout: See `read_sequence`.
        pooling: What of the last layer's states the answer is made of: ``"last"`` is the last
            state, ``"mean"`` and ``"max"`` are taken over all states that are not padding.

    Raises:
        ValueError: An argument is out of its range.
    """
    if num_layers < 1:
        raise ValueError(f"num_layers must be at least 1, got {num_layers}")
    require_shares(
        dropout=dropout, recurrent_dropout=recurrent_dropout, token_dropout=token_dropout
    )
    if pooling not in POOLINGS:
        choices = ", ".join(map(repr, POOLINGS))
        raise ValueError(f"pooling must be one of {choices}, got {pooling!r}")
    inputs, x = read_sequence(
        input_shape,
        vocabulary_size=vocabulary_size,
        embedding_dim=embedding_dim,
        token_dropout=token_dropout,
    )
    for number in range(1, num_layers + 1):  # (B, T, C) -> (B, T, units) -> (B, units)
        sequences = number < num_layers or pooling != "last"
        recurrent = cell(
            units,
            return_sequences=sequences,
            recurrent_dropout=recurrent_dropout,
            name=f"{name}{number}",
        )
        x = layers.Bidirectional(recurrent)(x) if bidirectional else recurrent(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    if pooling != "last":
        x = Pooling(pooling, name=pooling)(x)
    return keras.Model(inputs, head(x, classes), name=name)


def read_sequence(
    input_shape: tuple[int, ...],
    *,
    vocabulary_size: int,
    embedding_dim: int,
    token_dropout: float = 0.0,
) -> tuple[Any, Any]:
    """Return a network's input and the vectors (B, T, C) that a recurrent layer reads.

    Args:
        input_shape: (sequence_length,) of tokens, of which 0 is padding and is skipped, or
            (sequence_length, channels) of numbers, which are read as they are.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1.
        embedding_dim: Width of a token's vector.
        token_dropout: The share of steps dropped while training: all of a step's vector at once.

    Raises:
        ValueError: The shape is another.
    """
    if len(input_shape) not in (1, 2):
        raise ValueError(
            "input_shape must be (sequence_length,) or (sequence_length, channels), "
            f"got {input_shape}"
        )
    if len(input_shape) == 2:
        inputs = x = keras.Input(input_shape, name="series")
    else:
        inputs = keras.Input(input_shape, dtype="int32", name="tokens")
        embed = layers.Embedding(vocabulary_size, embedding_dim, mask_zero=True, name="embedding")
        x = embed(inputs)
    if token_dropout:
        noise_shape = (None, input_shape[0], 1)
        x = layers.Dropout(token_dropout, noise_shape=noise_shape, name="token_dropout")(x)
    return inputs, x


@keras.saving.register_keras_serializable("dlzoo")
class Pooling(layers.Layer):
    """The mean or the maximum of each feature over the steps: (B, T, C) -> (B, C).

    Padding is left out: Keras's own maximum looks at it, and Keras's own mean is not a number for
    a sequence of nothing but padding, for which this gives 0.

    Args:
        how: ``"mean"`` or ``"max"``.
        arguments: Those of any Keras layer.
    """

    def __init__(self, how: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.how = how
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the means or the maxima."""
        if mask is None:
            return ops.mean(inputs, axis=1) if self.how == "mean" else ops.max(inputs, axis=1)
        kept = ops.cast(mask, inputs.dtype)[..., None]  # (B, T, 1)
        count = ops.sum(kept, axis=1)
        if self.how == "mean":
            return ops.sum(inputs * kept, axis=1) / ops.maximum(count, 1.0)
        # At padding the smallest value of all steps, which changes no maximum.
        lowest = ops.min(inputs, axis=1, keepdims=True)
        highest = ops.max(inputs * kept + lowest * (1.0 - kept), axis=1)
        return highest * ops.minimum(count, 1.0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return None: there are no steps any more."""
        return

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return (B, C)."""
        return (input_shape[0], input_shape[2])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "how": self.how}
