"""What a table of counts knows of words: `python -m tools.ppmi docstrings --vocabulary-size 4581`.

Positive pointwise mutual information of words and the words near them, its first singular vectors
times the roots of the singular values (Levy and Goldberg 2014; contexts to the power 0.75, Levy et
al. 2015). Models of word vectors that know less have not beaten counting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from zoo.tasks import wordlists
from zoo.tasks.wordlists import Known

POWER = 0.75


def pmi_vectors(
    texts: Sequence[Sequence[str]], words: Sequence[str], width: int, window: int
) -> Any:
    """Return the vectors (N, width) of words, each of length 1.

    Args:
        texts: Of words. Those that are not among `words` are left out, as if they were not there.
        words: (N,).
        width: Of the vectors.
        window: Words on each side that count, a word at distance d for 1/d.
    """
    from scipy.sparse import coo_matrix
    from sklearn.utils.extmath import randomized_svd

    places = {word: at for at, word in enumerate(words)}
    size = len(words)
    counts = coo_matrix((size, size)).tocsr()
    numbered = [np.array([places[one] for one in text if one in places], int) for text in texts]
    for distance in range(1, window + 1):
        pairs = [(row[:-distance], row[distance:]) for row in numbered if len(row) > distance]
        first, second = (np.concatenate(side) for side in zip(*pairs, strict=True))
        weights = np.full(len(first), 1.0 / distance)
        counts = counts + coo_matrix((weights, (first, second)), shape=(size, size)).tocsr()
    counts = (counts + counts.T).tocoo()
    of_word = np.bincount(counts.row, counts.data, size)
    of_context = np.bincount(counts.col, counts.data, size) ** POWER
    information = np.log(
        counts.data * of_context.sum() / (of_word[counts.row] * of_context[counts.col])
    )
    known = information > 0
    places_of = (counts.row[known], counts.col[known])
    table = coo_matrix((information[known], places_of), shape=(size, size)).tocsr()
    vectors, values, _ = randomized_svd(table, width, random_state=0)
    found = vectors * np.sqrt(values)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def known(dataset: str, vocabulary_size: int, width: int, window: int) -> Known:
    """Return what such vectors know, counted on a data set's training split."""
    from zoo.base.runtime import start_tensorflow
    from zoo.datasets.sources import open_source

    start_tensorflow()
    split = open_source(dataset).load().splits["train"]
    texts = [text.decode("utf-8").split() for chunk in split.column("text") for text in chunk]
    counts = Counter(word for text in texts for word in text)
    # As in zoo.datasets.features.text: two places are for special tokens.
    words = sorted(counts, key=lambda word: (-counts[word], word))[: vocabulary_size - 2]
    return wordlists.ask(pmi_vectors(texts, words, width, window), words)


@click.command()
@click.argument("dataset")
@click.option("--vocabulary-size", type=click.IntRange(min=3), required=True)
@click.option("--width", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--window", type=click.IntRange(min=1), default=5, show_default=True)
def main(dataset: str, vocabulary_size: int, width: int, window: int) -> None:
    """Print the scores of `zoo.tasks.embedding` for a table of DATASET's counts."""
    found = known(dataset, vocabulary_size, width, window)
    print(f"analogy accuracy {found.accuracy:.4f}, similarity {found.similarity:.4f}")
    for kind, (right, asked) in found.kinds.items():
        print(f"{kind}: {right} of {asked}")


if __name__ == "__main__":
    main()
