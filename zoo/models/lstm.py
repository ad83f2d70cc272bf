"""Long short-term memory (Hochreiter and Schmidhuber 1997) over sequences."""

from __future__ import annotations

import keras
from keras import layers

from zoo.layers.recurrent import many_to_one


def lstm(
    *,
    input_shape: tuple[int, ...] = (80,),
    classes: int | None = 2,
    vocabulary_size: int = 20_000,
    embedding_dim: int = 128,
    units: int = 128,
    num_layers: int = 1,
    bidirectional: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    token_dropout: float = 0.0,
    pooling: str = "last",
) -> keras.Model:
    """Return LSTM layers and a classifier on the last state, over an embedding of tokens.

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget gate of
    Gers, Schmidhuber and Cummins, "Learning to forget", 2000, as in Keras; both directions as in
    Graves and Schmidhuber 2005. Its defaults make the 2,691,713-parameter network commonly used to
    classify movie reviews (IMDB).

    Args:
        input_shape: (sequence_length,) of tokens, of which 0 is padding and is skipped; or
            (sequence_length, channels) of numbers, which need no embedding.
        classes: 2 or more; None makes one linear output, for regression.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1.
        embedding_dim: Width of a token's vector.
        units: Width of the state.
        num_layers: LSTM layers on top of each other.
        bidirectional: Read each layer's input in both directions and concatenate the states.
        dropout: The share of each LSTM layer's states dropped while training, 0 to below 1.
        recurrent_dropout: The share of a state dropped on its way to the next step while training,
            0 to below 1: the same units in all steps of a text (Gal and Ghahramani 2016).
        token_dropout: The share of tokens dropped while training, 0 to below 1.
        pooling: What the answer is made of: the ``"last"`` state, or the ``"mean"`` or ``"max"``
            of all states.

    Returns:
        A model from (B, *input_shape) to (B, 1) or probabilities (B, classes).

    Example:
        >>> zoo.build("lstm", input_shape=(60, 2), classes=None, units=64)  # for the adding problem
    """
    return many_to_one(
        layers.LSTM,
        name="lstm",
        input_shape=input_shape,
        classes=classes,
        vocabulary_size=vocabulary_size,
        embedding_dim=embedding_dim,
        units=units,
        num_layers=num_layers,
        bidirectional=bidirectional,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        token_dropout=token_dropout,
        pooling=pooling,
    )
