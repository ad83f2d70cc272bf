"""The gated recurrent unit (Cho et al. 2014) over sequences."""

from __future__ import annotations

from functools import partial

import keras
from keras import layers

from zoo.layers.recurrent import many_to_one


def gru(
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
    reset_after: bool = False,
) -> keras.Model:
    """Return GRU layers and a classifier on the last state, over an embedding of tokens.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", 2014, section 2.3:

        r = sigmoid(W_r x + U_r h)           reset gate, equation 5
        z = sigmoid(W_z x + U_z h)           update gate, equation 6
        h' = z h + (1 - z) tanh(W x + U (r h))    equations 7 and 8

    The defaults are those of the zoo's lstm, for comparison; the paper leaves the biases out.

    Args:
        input_shape: (sequence_length,) of tokens, of which 0 is padding and is skipped; or
            (sequence_length, channels) of numbers, which need no embedding.
        classes: 2 or more; None makes one linear output, for regression.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1.
        embedding_dim: Width of a token's vector.
        units: Width of the state.
        num_layers: GRU layers on top of each other.
        bidirectional: Read each layer's input in both directions and concatenate the states.
        dropout: The share of each GRU layer's states dropped while training, 0 to below 1.
        recurrent_dropout: The share of a state dropped on its way to the next step while training,
            0 to below 1: the same units in all steps of a text (Gal and Ghahramani 2016).
        token_dropout: The share of tokens dropped while training, 0 to below 1.
        pooling: What the answer is made of: the ``"last"`` state, or the ``"mean"`` or ``"max"``
            of all states.
        reset_after: Apply the reset gate after the product with U, not before it as the paper
            does. cuDNN computes only this form.

    Returns:
        A model from (B, *input_shape) to (B, 1) or probabilities (B, classes).
    """
    return many_to_one(
        partial(layers.GRU, reset_after=reset_after),
        name="gru",
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
