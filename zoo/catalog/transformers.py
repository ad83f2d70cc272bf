"""Transformers: models of sequences made of attention alone."""

from zoo.catalog.card import ModelCard
from zoo.catalog.papers import RADFORD

_GPT = (
    "Reads from left to right: each position sees only itself and the positions before it.",
    "Every token of a text is a training example, and no labels are needed.",
    "Keys and values are kept while it writes, so that no token is computed twice.",
)

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="gpt",
        family="gpt",
        task="language-modelling",
        builder="zoo.models.gpt:gpt",
        paper=RADFORD,
        inputs={"text": (128,)},
        parameters=822_528,
        macs=119_078_912,
        depth=12,
        recipe="gpt-pydoc",
        summary="GPT-2's architecture, small enough to train on a CPU",
        special=_GPT,
    ),
    ModelCard(
        name="gpt2-small",
        family="gpt",
        task="language-modelling",
        builder="zoo.models.gpt:gpt2_small",
        paper=RADFORD,
        inputs={"text": (1024,)},
        parameters=124_439_808,
        macs=145_824_153_600,
        depth=36,
        recipe="gpt-pydoc",
        summary="GPT-2 as published: 12 blocks of width 768, 50,257 tokens",
        special=_GPT,
    ),
)
