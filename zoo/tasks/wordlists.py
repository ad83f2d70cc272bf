"""The zoo's own questions about words: analogies, and how alike two words are."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Known:
    """What vectors know of the questions that their vocabulary has the words for."""

    kinds: Mapping[str, tuple[int, int]]
    """By kind of analogy: right answers, and questions."""
    similarity: float
    """Spearman's rank correlation with the ratings; NaN for fewer than three pairs."""
    pairs: int
    """Pairs that were rated."""

    @property
    def accuracy(self) -> float:
        """The share of right answers; NaN without a question."""
        right, asked = (sum(counts[at] for counts in self.kinds.values()) for at in (0, 1))
        return right / asked if asked else float("nan")


@cache
def analogies() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return pairs of words by the kind of relation that each stands for."""
    kinds = tomllib.loads(FILE.read_text(encoding="utf-8"))["analogies"]
    return {kind: tuple(_pairs(words)) for kind, words in kinds.items()}


@cache
def ratings() -> tuple[tuple[str, str, float], ...]:
    """Return pairs of words, each with how alike they are, from 0 to 4."""
    grades = tomllib.loads(FILE.read_text(encoding="utf-8"))["similarity"]
    return tuple((*pair, float(grade)) for grade, words in grades.items() for pair in _pairs(words))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split(","):
        first, second = pair.split()
        yield first, second


def words() -> list[str]:
    """Return the words of all analogies, pair beside pair."""
    found = (word for pairs in analogies().values() for pair in pairs for word in pair)
    return list(dict.fromkeys(found))


def ask(vectors: np.ndarray, vocabulary: Sequence[str]) -> Known:
    """Return what vectors know.

    A question is two pairs of one kind, a : b = c : d. It is answered by the word whose vector is
    nearest to b - a + c, the three asked words left out (Mikolov, Yih and Zweig 2013, section 5).

    Args:
        vectors: (N, width), each of length 1.
        vocabulary: The words (N,).
    """
    places = {word: at for at, word in enumerate(vocabulary)}
    kinds = {}
    for kind, pairs in analogies().items():
        known = [[places[one] for one in pair] for pair in pairs if set(pair) <= places.keys()]
        if len(known) > 1:
            kinds[kind] = _answered(vectors, np.array(known))
    rated = [one for one in ratings() if {*one[:2]} <= places.keys()]
    cosines = [float(vectors[places[a]] @ vectors[places[b]]) for a, b, _ in rated]
    correlation = float("nan")
    if len(rated) > 2:
        ranks = np.stack([_ranks(cosines), _ranks([grade for *_, grade in rated])])
        correlation = float(np.corrcoef(ranks)[0, 1])
    return Known(kinds, correlation, len(rated))


def _answered(vectors: np.ndarray, pairs: np.ndarray) -> tuple[int, int]:
    """Return the right answers and the questions among pairs (P, 2) of one kind."""
    quads = [(*p, *q) for p, q in itertools.permutations(pairs, 2) if len({*p, *q}) == 4]
    questions = np.array(quads, int).reshape(-1, 4)
    a, b, c, d = questions.T
    cosines = (vectors[b] - vectors[a] + vectors[c]) @ vectors.T  # (questions, N)
    cosines[np.arange(len(questions))[:, None], questions[:, :3]] = -np.inf
    return int((cosines.argmax(axis=1) == d).sum()) if len(questions) else 0, len(questions)


def _ranks(values: Sequence[float]) -> np.ndarray:
    """Return ranks; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place])
