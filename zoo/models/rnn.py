"""The simple recurrent network (Elman 1990) over sequences."""

from __future__ import annotations

from functools import partial

import keras
from keras import layers

from zoo.layers.recurrent import many_to_one


def rnn(
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
    activation: str = "tanh",
) -> keras.Model:
    """Return simple recurrent layers and a classifier on the last state, over embedded tokens.

    Source: Elman, "Finding structure in time", 1990: h' = f(W x + U h + b). Elman copies the state
    back as a further input and cuts the gradient there; here it flows through all steps
    (back-propagation through time), as is usual today. The defaults are those of the zoo's lstm,
    for comparison.

    Args:
        input_shape: (sequence_length,) of tokens, of which 0 is padding and is skipped; or
            (sequence_length, channels) of numbers, which need no embedding.
        classes: 2 or more; None makes one linear output, for regression.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1.
        embedding_dim: Width of a token's vector.
        units: Width of the state.
        num_layers: Recurrent layers on top of each other.
        bidirectional: Read each layer's input in both directions and concatenate the states.
        dropout: The share of each recurrent layer's states dropped while training, 0 to below 1.
        recurrent_dropout: The share of a state dropped on its way to the next step while training,
            0 to below 1: the same units in all steps of a text (Gal and Ghahramani 2016).
        token_dropout: The share of tokens dropped while training, 0 to below 1.
        pooling: What the answer is made of: the ``"last"`` state, or the ``"mean"`` or ``"max"``
            of all states.
        activation: f, any Keras activation; Elman's is ``"sigmoid"``.

    Returns:
        A model from (B, *input_shape) to (B, 1) or probabilities (B, classes).
    """
    return many_to_one(
        partial(layers.SimpleRNN, activation=activation),
        name="rnn",
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
