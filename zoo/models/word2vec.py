"""word2vec (Mikolov et al. 2013): vectors that tell which words stand near a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.layers.losses import batch_mean, penalties
from zoo.layers.words import WORDS, Unigrams, WordVectors, table

ARCHITECTURES = ("skip-gram", "cbow")
POWER = 0.75
"""Of the frequencies that noise is drawn by: Mikolov et al. 2013b, section 2.2."""
SHARED = 64
"""Noise words that are drawn for a text."""


@keras.saving.register_keras_serializable("dlzoo")
class Word2Vec(WordVectors):
    """Skip-gram or CBOW, trained to tell a word's neighbours from noise; see `word2vec`."""

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        vocabulary_size: int,
        width: int,
        architecture: str,
        window: int,
        negatives: int,
        subsample: float,
        word_counts: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.arguments: dict[str, Any] = {
            "input_shape": input_shape,
            "vocabulary_size": vocabulary_size,
            "width": width,
            "architecture": architecture,
            "window": window,
            "negatives": negatives,
            "subsample": subsample,
        }
        scale = 0.5 / width
        # The authors' program begins with contexts of 0; then the words get no gradient at first.
        self.words = table("words", vocabulary_size, [width], scale)
        self.contexts = table("contexts", vocabulary_size, [width], scale)
        self.unigrams = Unigrams(vocabulary_size, word_counts, name="unigrams")
        self.draws = keras.random.SeedGenerator()

    def vectors(self, tokens: Any) -> Any:
        """Return the vectors (…, width) of tokens (…)."""
        return self.words(tokens)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the negative of equation 4, a mean over the pairs of a word and a context.

        Args:
            x: Tokens (B, T).
            y: Not used: a text is its own target.
            y_pred: Not used.
            sample_weight: Weights of the texts, (B,).
            training: Whether frequent words are thinned out and windows drawn. Evaluation takes
                every word, the whole window and always the same noise.
        """
        tokens, real = self._thinned(x, training)
        near = self._near(real, training)  # (B, T, T)
        words, contexts = (
            ops.cast(network(tokens), "float32") for network in (self.words, self.contexts)
        )  # (B, T, width)
        # Noise is drawn for a whole text, and weighted as if it were drawn for every pair alone:
        # so the expected loss is the paper's, and all of it is a product of matrices.
        seed = self.draws if training else 0
        noise = self.unigrams.noise((ops.shape(tokens)[0], SHARED), POWER, seed)
        noise = ops.cast(self.contexts(noise), "float32")  # (B, SHARED, width)
        share = self.arguments["negatives"] / SHARED
        pairs = ops.sum(near, axis=-1)  # (B, T), contexts of each word
        if self.arguments["architecture"] == "cbow":
            mean = ops.matmul(near, words) / ops.maximum(pairs, 1.0)[..., None]
            pairs = ops.cast(pairs > 0, "float32")
            right = pairs * ops.softplus(-ops.sum(mean * contexts, axis=-1))
            words = mean
        else:
            scores = ops.matmul(words, ops.swapaxes(contexts, 1, 2))  # (B, T, T)
            right = ops.sum(near * ops.softplus(-scores), axis=-1)
        wrong = ops.sum(ops.softplus(ops.matmul(words, ops.swapaxes(noise, 1, 2))), axis=-1)
        sums = ops.sum(right + share * pairs * wrong, axis=-1)  # (B,)
        mean_pairs = ops.maximum(ops.mean(ops.sum(pairs, axis=-1)), 1.0)
        return batch_mean(sums / mean_pairs, sample_weight) + penalties(self)

    def _thinned(self, tokens: Any, training: bool) -> tuple[Any, Any]:
        """Return tokens with those that are left out moved to the end, and where they are real.

        Words that were left out do not count as distance: windows reach across them.
        """
        kept = tokens >= WORDS
        if training and self.arguments["subsample"]:
            kept &= self.unigrams.kept(tokens, self.arguments["subsample"], self.draws)
        length = tokens.shape[1]
        place = ops.where(kept, 0, length) + ops.arange(length)  # stable: the order stays
        order = ops.argsort(place, axis=1)
        real = ops.cast(ops.take_along_axis(kept, order, axis=1), "float32")
        return ops.take_along_axis(tokens, order, axis=1), real

    def _near(self, real: Any, training: bool) -> Any:
        """Return 1.0 where the word of a column (B, T, T) is a context of the row's, or 0.0.

        Near words count more: each word's window is drawn between 1 and the whole (Mikolov et al.
        2013a, section 3.2).
        """
        length, window = real.shape[1], self.arguments["window"]
        places = ops.arange(length)
        distance = ops.abs(places[:, None] - places[None, :])
        reach: Any = window
        if training:
            shape = (ops.shape(real)[0], length, 1)
            reach = keras.random.randint(shape, 1, window + 1, seed=self.draws)
        near = ops.cast((distance > 0) & (distance <= reach), "float32")
        return near * real[:, :, None] * real[:, None, :]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, but for the counts: they are a weight."""
        return {**super().get_config(), **self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Word2Vec:
        """Return the model that a config describes."""
        return cls(**{**config, "input_shape": tuple(config["input_shape"])})


def word2vec(
    *,
    input_shape: tuple[int, ...] = (64,),
    vocabulary_size: int = 30_000,
    width: int = 300,
    architecture: str = "skip-gram",
    window: int = 5,
    negatives: int = 5,
    subsample: float = 1e-3,
    word_counts: Sequence[int] | None = None,
) -> keras.Model:
    """Return vectors of words, trained by negative sampling.

    Sources: Mikolov, Chen, Corrado and Dean, "Efficient estimation of word representations in
    vector space", 2013 (a): both architectures; Mikolov, Sutskever, Chen, Corrado and Dean,
    "Distributed representations of words and phrases and their compositionality", 2013 (b):
    negative sampling (equation 4), thinning out (equation 5), width 300 (section 3).

    Args:
        input_shape: (length,) of the texts that it is trained on.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1; 0 is padding and 1 the unknown word.
        width: Of the vectors.
        architecture: ``"skip-gram"`` predicts each context from the word, ``"cbow"`` the word from
            the mean of its contexts.
        window: The most words on each side that are contexts.
        negatives: Noise words for each pair: 5 to 20 for small data (b, section 2.2).
        subsample: The frequency above which words are thinned out; 0 keeps all. The paper has 1e-5
            for a corpus of 10^9 words; small ones need more.
        word_counts: How often each token is seen in training; None takes all as equally frequent.

    Returns:
        A model from tokens (B, T) to their vectors (B, T, width).
    """
    if architecture not in ARCHITECTURES:
        choices = " or ".join(map(repr, ARCHITECTURES))
        raise ValueError(f"architecture must be {choices}, got {architecture!r}")
    if len(input_shape) != 1:
        raise ValueError(f"input_shape must be (length,), got {input_shape}")
    for name, value in (("width", width), ("window", window), ("negatives", negatives)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if subsample < 0:
        raise ValueError(f"subsample must be 0 or more, got {subsample}")
    model = Word2Vec(
        input_shape=tuple(input_shape),
        vocabulary_size=vocabulary_size,
        width=width,
        architecture=architecture,
        window=window,
        negatives=negatives,
        subsample=subsample,
        word_counts=word_counts,
        name="word2vec",
    )
    model.build((None, *input_shape))
    return model
