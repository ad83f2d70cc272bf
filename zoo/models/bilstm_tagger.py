"""The bidirectional LSTM that classifies every step (Graves and Schmidhuber 2005)."""

from __future__ import annotations

import keras
from keras import layers

from zoo.layers.checks import require_shares
from zoo.layers.recurrent import read_sequence


def bilstm_tagger(
    *,
    input_shape: tuple[int, ...] = (128,),
    classes: int = 61,
    vocabulary_size: int = 128,
    embedding_dim: int = 64,
    units: int = 93,
    num_layers: int = 1,
    dropout: float = 0.0,
    token_dropout: float = 0.0,
) -> keras.Model:
    """Return LSTM layers that read a sequence in both directions, and a softmax at every step.

    Source: Graves and Schmidhuber, "Framewise phoneme classification with bidirectional LSTM and
    other neural network architectures", 2005: 93 memory blocks in each direction, 61 phonemes.
    With the paper's input, 26 numbers per frame in place of an embedding, it has 100,687
    parameters; the paper's has peepholes too, 3 for each block.

    Args:
        input_shape: (sequence_length,) of tokens, of which 0 is padding; or
            (sequence_length, channels) of numbers, which need no embedding.
        classes: Of each step, 2 or more.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1.
        embedding_dim: Width of a token's vector.
        units: Width of the state in each direction.
        num_layers: Pairs of LSTM layers on top of each other.
        dropout: The share of each layer's states dropped while training, 0 to below 1.
        token_dropout: The share of tokens dropped while training, 0 to below 1.

    Returns:
        A model from (B, T) or (B, T, channels) to probabilities (B, T, classes). What it says at
        padding means nothing.
    """
    if classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
    if num_layers < 1:
        raise ValueError(f"num_layers must be at least 1, got {num_layers}")
    require_shares(dropout=dropout, token_dropout=token_dropout)
    inputs, x = read_sequence(
        input_shape,
        vocabulary_size=vocabulary_size,
        embedding_dim=embedding_dim,
        token_dropout=token_dropout,
    )
    for number in range(1, num_layers + 1):  # (B, T, C) -> (B, T, 2 * units)
        one_way = layers.LSTM(units, return_sequences=True, name=f"lstm{number}")
        x = layers.Bidirectional(one_way)(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="bilstm_tagger")
