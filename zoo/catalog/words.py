"""Models that learn vectors for words."""

from zoo.catalog.card import ModelCard
from zoo.catalog.papers import MIKOLOV, PENNINGTON

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="word2vec",
        family="word2vec",
        task="embedding",
        builder="zoo.models.word2vec:word2vec",
        paper=MIKOLOV,
        inputs={"text": (64,)},
        parameters=18_000_000,
        macs=0,
        recipe="word2vec-docstrings",
        half_precision=False,
        summary="Vectors from predicting the words around a word, or the word from them",
        special=(
            "No hidden layer: a word's vector has to tell its neighbours from words of noise.",
            "Negative sampling: a few words of noise stand for the whole vocabulary.",
            "Skip-gram asks for each context, CBOW for the word between: architecture sets which.",
        ),
    ),
    ModelCard(
        name="glove",
        family="glove",
        task="co-occurrence-embedding",
        builder="zoo.models.glove:glove",
        paper=PENNINGTON,
        inputs={"text": (2,)},
        parameters=240_800_000,
        macs=0,
        recipe="glove-docstrings",
        half_precision=False,
        summary="Vectors whose products are the logarithms of co-occurrence counts",
        special=(
            "Trained on counts of the whole text, each pair of words once, not on its windows.",
            "Weighted least squares: rare pairs count less, and frequent ones no more than a cap.",
            "Word and context are the same thing here: a word's vector is the sum of both.",
        ),
    ),
)
