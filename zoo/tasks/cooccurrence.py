"""Embedding from counts: how often each two words of a text stand together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.datasets.sources.base import Description
from zoo.tasks.embedding import Embedding
from zoo.tasks.feeding import EVALUATION_BATCH

if TYPE_CHECKING:
    from zoo.datasets.features.base import Feature
    from zoo.datasets.loading import Dataset
    from zoo.datasets.split import Split

WINDOW = 10
"""Words to the left and to the right that count: Pennington et al. 2014, section 4.2."""
COUNT = "count"
"""The column of the counts."""


class CooccurrenceEmbedding(Embedding):
    """Models that learn vectors from pairs of words (B, 2) and how often they stand together (B,).

    Two words that are d words apart count 1/d (section 4.2). Every pair is there in both orders.
    """

    evaluation_batch = 64 * EVALUATION_BATCH

    @classmethod
    def adapt(cls, described: Description) -> Description:
        """Return a description whose encoded texts are pairs; they are counted as a whole."""
        (name,) = described.inputs
        text: Any = described.features[name]
        pair = dataclasses.replace(text, length=2)
        return dataclasses.replace(described, features={**described.features, name: pair})

    def builder_arguments(self) -> dict[str, Any]:
        """Return the length of a pair and the vocabulary's size."""
        return {"input_shape": (2,), "vocabulary_size": self.text.tokens}

    def feed(self, encoded: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """Return pairs, their counts (1 where nobody counted) and no weights."""
        import tensorflow as tf

        pairs = encoded[self.inputs[0]]
        counts = encoded.get(COUNT, tf.ones_like(pairs[:, 0], tf.float32))
        return pairs, counts, None

    def _split_to_feed(
        self, dataset: Dataset, split: str
    ) -> tuple[Split, Mapping[str, Feature], tuple[str, ...]]:
        """Return a split of pairs, which are counted already."""
        return self._pairs(dataset, split), {}, (self.inputs[0], COUNT)

    def _pairs(self, dataset: Dataset, split: str) -> Split:
        """Return the pairs of a split's texts."""
        from zoo.datasets.split import Split

        chunks = dataset.split(split).column(self.inputs[0])
        rows = [np.asarray(row) for chunk in chunks for row in self.text.numbers(chunk)]
        pairs, counts = cooccurrences(rows, self.text.specials)
        return Split.in_memory({self.inputs[0]: pairs, COUNT: counts})


def cooccurrences(texts: list[np.ndarray], specials: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs (N, 2), int32, that stand together in texts of tokens, and counts (N,).

    Args:
        texts: Each (T,). Special tokens are left out, as if they were not there.
        specials: How many tokens are no words.
    """
    size = 1 + max((int(text.max(initial=0)) for text in texts), default=0)
    keys, weights = [np.empty(0, np.int64)], [np.empty(0)]
    for text in texts:
        words = text[text >= specials].astype(np.int64)
        for distance in range(1, min(WINDOW, len(words) - 1) + 1):
            first, second = words[:-distance], words[distance:]
            keys += [first * size + second, second * size + first]
            weights += [np.full(2 * len(first), 1.0 / distance)]
    unique, place = np.unique(np.concatenate(keys), return_inverse=True)
    counts = np.bincount(place, np.concatenate(weights), len(unique))
    return np.stack(np.divmod(unique, size), axis=1).astype(np.int32), counts.astype(np.float32)
