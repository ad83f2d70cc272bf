"""Long short-term memory (Hochreiter and Schmidhuber 1997) over sequences of tokens."""

from __future__ import annotations

import keras
from keras import layers

from zoo.layers.heads import head


def lstm(
    *,
    input_shape: tuple[int, ...] = (80,),
    classes: int = 2,
    vocabulary_size: int = 20_000,
    embedding_dim: int = 128,
    units: int = 128,
    num_layers: int = 1,
    bidirectional: bool = False,
    dropout: float = 0.0,
    token_dropout: float = 0.0,
) -> keras.Model:
    """Return an embedding, LSTM layers, and a classifier on the last state.

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget gate of
    Gers, Schmidhuber and Cummins, "Learning to forget", 2000, as Keras builds it; both directions
    after Graves and Schmidhuber 2005. At its defaults it is the 2,691,713-parameter network that
    reviews (IMDB) are classified with.

    Args:
        input_shape: (sequence_length,) of tokens; 0 is padding and is skipped.
        classes: 2 or more.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1.
        embedding_dim: Width of a token's vector.
        units: Width of the state.
        num_layers: LSTM layers on top of each other.
        bidirectional: Read each layer's input from both ends and join the states.
        dropout: The share of each LSTM layer's states dropped while training, 0 to below 1.
        token_dropout: The share of tokens dropped while training, 0 to below 1.

    Returns:
        A model from tokens (B, sequence_length) to probabilities (B, 1) or (B, classes).
    """
    if len(input_shape) != 1:
        raise ValueError(
            f"sequences are wanted: input_shape must be (sequence_length,), got {input_shape}"
        )
    if num_layers < 1:
        raise ValueError(f"num_layers must be at least 1, got {num_layers}")
    for name, share in (("dropout", dropout), ("token_dropout", token_dropout)):
        if not 0.0 <= share < 1.0:
            raise ValueError(f"{name} must be in [0, 1), got {share}")
    tokens = keras.Input(input_shape, dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary_size, embedding_dim, mask_zero=True, name="embedding")(tokens)
    if token_dropout:  # a token's vector goes as a whole
        noise_shape = (None, input_shape[0], 1)
        x = layers.Dropout(token_dropout, noise_shape=noise_shape, name="token_dropout")(x)
    for number in range(1, num_layers + 1):  # (B, T, embedding_dim) -> (B, T, units) -> (B, units)
        recurrent = layers.LSTM(units, return_sequences=number < num_layers, name=f"lstm{number}")
        x = layers.Bidirectional(recurrent)(x) if bidirectional else recurrent(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    return keras.Model(tokens, head(x, classes), name="lstm")
