"""Embedding: vectors for words, and what they know: neighbours, analogies, similarity."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.errors import UsageError, require, suggestion
from zoo.datasets.features.base import Feature
from zoo.tasks import wordlists
from zoo.tasks.base import Score
from zoo.tasks.windows import TextWindows

if TYPE_CHECKING:
    from zoo.datasets.features.text import Text
    from zoo.datasets.loading import Dataset
    from zoo.tasks.predictor import Predictor

LENGTH = 63
"""Words of a window, less one, where a recipe does not say."""
MOST = 1000
"""Neighbours that one request may ask for."""
DRAWN = 120
"""Words in a run's picture."""


class Embedding(TextWindows):
    """Models that learn a vector for each word of texts; called with tokens they give the vectors.

    ``analogy_accuracy`` is the share of the zoo's own questions ("encode is to encoded as decode
    is to ?") that the nearest vector answers, and ``similarity`` Spearman's rank correlation with
    the zoo's own ratings of pairs, see `zoo.tasks.wordlists`. Both ask only for words that the
    vocabulary has, and are the same on every split; the loss is of the split.
    """

    window = LENGTH
    scores = (
        Score("analogy_accuracy", higher_is_better=True),
        Score("similarity", higher_is_better=True),
    )
    headline = "analogy_accuracy"
    final_scores = ("analogy_accuracy", "similarity")
    commands = ("neighbours", "evaluate", "export")
    output = "vector"

    @property
    def asked(self) -> dict[str, Feature]:
        """What a trained model is asked with: one word."""
        return {self.inputs[0]: self._word}

    @cached_property
    def _word(self) -> Text:
        return dataclasses.replace(self.text, windows=False, length=1)

    def builder_arguments(self) -> dict[str, Any]:
        """Return the window's length, the vocabulary's size and how often each token was seen."""
        counts = self.text.counts
        seen = (*[0] * self.text.specials, *counts) if counts else None
        return {**super().builder_arguments(), "word_counts": seen}

    def respond(self, model: Any, encoded: Mapping[str, Any]) -> Any:
        """Return the vectors (B, width) of words."""
        return super().respond(model, encoded)[:, 0]

    def rows(self, answers: np.ndarray, top_k: int) -> list[dict[str, Any]]:
        """Return the vectors."""
        return [{"vector": " ".join(f"{one:.4g}" for one in row)} for row in answers]

    # What the vectors know.

    def vectors(self, model: Any) -> np.ndarray:
        """Return the vectors (N, width) of the vocabulary's words, each of length 1."""
        tokens = np.arange(self.text.specials, self.text.tokens)
        return _unit(np.asarray(model(tokens[None]))[0])

    def place(self, word: str) -> int:
        """Return where a word stands in the vocabulary.

        Raises:
            UsageError: The vocabulary does not have it.
        """
        words = self.text.vocabulary
        for spelling in (word, word.lower()):
            if spelling in words:
                return words.index(spelling)
        raise UsageError(
            f"the vocabulary of {len(words):,} words has no '{word}'.{suggestion(word, words)}"
        )

    def neighbours(
        self, model: Any, plus: Sequence[str], minus: Sequence[str] = (), count: int = 10
    ) -> list[tuple[str, float]]:
        """Return the words that are nearest to a sum of words, each with its cosine.

        Args:
            model: The trained one.
            plus: Words that are added. The words themselves are never among the answers.
            minus: Words that are subtracted.
            count: How many.

        Raises:
            UsageError: A word is not in the vocabulary.
        """
        require(len(plus) > 0, "name at least one word that is not subtracted")
        require(1 <= count <= MOST, f"count must be 1 to {MOST:,}, got {count}")
        added, taken = ([self.place(word) for word in words] for words in (plus, minus))
        vectors = self.vectors(model)
        query = vectors[added].sum(axis=0) - vectors[taken].sum(axis=0)
        cosines = vectors @ _unit(query)
        cosines[[*added, *taken]] = -np.inf
        best = np.argsort(-cosines, kind="stable")[: min(count, int(np.isfinite(cosines).sum()))]
        return [(self.text.vocabulary[at], float(cosines[at])) for at in best]

    def example_words(self) -> list[str]:
        """Return words of different kinds, or else the most frequent ones."""
        known = set(self.text.vocabulary)
        firsts = (
            pair[0]
            for pairs in zip(*wordlists.analogies().values(), strict=False)
            for pair in pairs
        )
        asked = [word for word in dict.fromkeys(firsts) if word in known]
        return asked or list(self.text.vocabulary)

    def draw_words(self, model: Any, words: Sequence[str], path: Path, marked: int = 0) -> None:
        """Draw words where their vectors lie.

        Args:
            model: The trained one.
            words: Of the vocabulary.
            path: The picture's file.
            marked: The first so many are drawn apart from the rest.
        """
        from zoo.runs.figures import word_map

        vectors = self.vectors(model)[[self.place(word) for word in words]]
        word_map(_plane(vectors), words, path, marked=marked)

    def evaluate(self, model: Any, dataset: Dataset, split: str) -> dict[str, float]:
        """Return the loss on a split, and what the vectors know."""
        scores = super().evaluate(model, dataset, split)
        known = wordlists.ask(self.vectors(model), self.text.vocabulary)
        return {**scores, "analogy_accuracy": known.accuracy, "similarity": known.similarity}

    # Figures.

    def data_for_figures(
        self, predictor: Predictor, dataset: Dataset, split: str
    ) -> dict[str, Any]:
        """Return the plane of the words that the zoo asks about, and the answers by kind."""
        words = self.text.vocabulary
        vectors = _unit(predictor({self.inputs[0]: np.array(words)}))
        known = set(words)
        asked = [word for word in wordlists.words() if word in known][:DRAWN]
        found: dict[str, Any] = {}
        if len(asked) > 2:
            points = _plane(vectors[[words.index(word) for word in asked]])
            found["words"] = {"names": asked, "points": np.round(points, 5).tolist()}
        if kinds := wordlists.ask(vectors, words).kinds:
            found["analogies"] = {kind: list(counts) for kind, counts in kinds.items()}
        return found

    def draw(self, values: dict[str, Any], model: Any, dataset: Dataset, folder: Path) -> None:
        """Draw the words in a plane, and the share of right answers of each kind."""
        from zoo.runs.figures import shares, word_map

        if "words" in values:
            points = np.array(values["words"]["points"])
            word_map(points, values["words"]["names"], folder / "words.png")
        if "analogies" in values:
            shares(values["analogies"], folder / "analogies.png")


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors (…, width) divided by their lengths."""
    wide = np.asarray(vectors, np.float64)
    return wide / np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-12)


def _plane(vectors: np.ndarray) -> np.ndarray:
    """Return the first two principal components (N, 2) of vectors (N, width)."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = np.pad(axes[:2], ((0, max(0, 2 - len(axes))), (0, 0)))
    axes *= np.where(axes.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)  # alike on every machine
    return np.asarray(centred @ axes.T)
