"""What models of word vectors have in common: two tables, and how often each word is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

WORDS = 2
"""The first token that is a word: before it are padding and the unknown word."""


@keras.saving.register_keras_serializable("dlzoo")
class WordVectors(keras.Model):
    """A model of vectors for words; it is called with tokens and answers with their vectors.

    It holds two networks from tokens to what is learned of them: `words` as the word that is asked
    about, and `contexts` as a word that stands near another.
    """

    words: Any
    contexts: Any

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built both networks."""
        self.built = True

    def vectors(self, tokens: Any) -> Any:
        """Return the vectors (…, width) of tokens (…)."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        """Return the vectors (B, T, width) of tokens (B, T), in float32."""
        return ops.cast(self.vectors(inputs), "float32")


def table(name: str, vocabulary_size: int, columns: Sequence[int], scale: float) -> Any:
    """Return a network from tokens (B, T) that looks up what is learned of each.

    Args:
        name: Of the network.
        vocabulary_size: Rows of the table.
        columns: The width of each thing that is learned: of a vector, and 1 for a bias. They are
            called ``vectors`` and ``biases``.
        scale: Initial values are uniform between minus and plus this.
    """
    tokens = keras.Input((None,), dtype="int32", name=f"{name}_tokens")
    uniform = keras.initializers.RandomUniform(-scale, scale)
    found = [
        layers.Embedding(
            vocabulary_size, width, embeddings_initializer=uniform.clone(), name=f"{name}_{part}"
        )(tokens)
        for part, width in zip(("vectors", "biases"), columns, strict=False)
    ]
    return keras.Model(tokens, found if len(found) > 1 else found[0], name=name)


@keras.saving.register_keras_serializable("dlzoo")
class Unigrams(layers.Layer):
    """How often each word is seen in training: what is left out, and what noise is drawn from.

    Args:
        vocabulary_size: Words and special tokens.
        word_counts: How often each was seen; None takes them as equally frequent. They are a weight
            that is not trained, so that a saved model has them.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(
        self, vocabulary_size: int, word_counts: Sequence[int] | None = None, **arguments: Any
    ) -> None:
        super().__init__(**{"dtype": "float32", **arguments})
        self.vocabulary_size = vocabulary_size
        counts = np.ones(vocabulary_size) if word_counts is None else np.array(word_counts, float)
        if counts.shape != (vocabulary_size,) or not counts[WORDS:].sum() > 0:
            raise ValueError(
                f"word_counts must be {vocabulary_size} counts, one for each token, of words that "
                f"were seen; got {len(counts)} with the sum {counts.sum():g}"
            )
        counts[:WORDS] = 0
        self.frequencies = self.add_weight(
            name="frequencies",
            shape=(vocabulary_size,),
            initializer=lambda shape, dtype=None: ops.cast(counts / counts.sum(), dtype),
            trainable=False,
        )
        self.built = True

    def noise(self, shape: tuple[Any, int], power: float, seed: Any) -> Any:
        """Return tokens of a shape, drawn in proportion to a power of their frequency."""
        logits = power * ops.log(ops.maximum(self.frequencies, 1e-30))
        rows, columns = shape
        drawn = keras.random.categorical(logits[None], rows * columns, dtype="int32", seed=seed)
        return ops.reshape(drawn, (rows, columns))

    def kept(self, tokens: Any, threshold: float, seed: Any) -> Any:
        """Return which tokens (B, T) are kept when frequent words are thinned out.

        A word is left out with the probability 1 - sqrt(threshold / frequency): Mikolov et al.
        2013b, equation 5.
        """
        frequency = ops.take(self.frequencies, tokens)
        chance = ops.sqrt(threshold / ops.maximum(frequency, 1e-30))
        return keras.random.uniform(ops.shape(tokens), seed=seed) < chance

    def multiply_adds(self) -> int:
        """Return 0: only training uses it."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, but for the counts: they are a weight."""
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size}
