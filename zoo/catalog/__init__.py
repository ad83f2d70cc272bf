"""Every model of the zoo in one table: plain data, no Keras.

Parameters and multiply-adds are those of the network that the builder makes from its defaults:
the paper's, or those that the summary names. A test builds each model and compares the figures to
the last digit.
"""

from zoo.catalog import classic, generative, sequences, transformers, unsupervised, vision, words
from zoo.catalog.card import ModelCard, Paper

__all__ = ["CARDS", "ModelCard", "Paper"]

CARDS: tuple[ModelCard, ...] = (
    *classic.CARDS,
    *vision.CARDS,
    *sequences.CARDS,
    *transformers.CARDS,
    *words.CARDS,
    *unsupervised.CARDS,
    *generative.CARDS,
)
