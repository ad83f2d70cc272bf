"""Transformers: models of sequences made of attention alone."""

from zoo.catalog.card import ModelCard
from zoo.catalog.papers import RADFORD, VASWANI

_TRANSFORMER = (
    "No recurrence: attention relates all positions at once, and training runs in parallel.",
    "Several heads look at different places, each in its own part of the vectors.",
    "Attention knows no order: sines and cosines of each position are added to the tokens.",
)
_GPT = (
    "Reads from left to right: each position sees only itself and the positions before it.",
    "Every token of a text is a training example, and no labels are needed.",
    "Keys and values are kept while it writes, so that no token is computed twice.",
)

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="transformer",
        family="transformer",
        task="translation",
        builder="zoo.models.transformer:transformer",
        paper=VASWANI,
        inputs={"text": (50,)},
        parameters=244_736,
        macs=13_708_800,
        depth=13,
        recipe="transformer-dates",
        summary="The paper's architecture, small enough to train on a CPU",
        special=_TRANSFORMER,
    ),
    ModelCard(
        name="transformer-base",
        family="transformer",
        task="translation",
        builder="zoo.models.transformer:transformer_base",
        paper=VASWANI,
        inputs={"text": (50,)},
        parameters=63_045_632,
        macs=3_195_289_600,
        depth=41,
        recipe="transformer-dates",
        summary="The paper's base model: 6 layers each of width 512, 37,000 tokens",
        special=_TRANSFORMER,
    ),
    ModelCard(
        name="transformer-big",
        family="transformer",
        task="translation",
        builder="zoo.models.transformer:transformer_big",
        paper=VASWANI,
        inputs={"text": (50,)},
        parameters=214_171_648,
        macs=10_794_598_400,
        depth=41,
        recipe="transformer-dates",
        summary="The paper's big model: 6 layers each of width 1,024, 37,000 tokens",
        special=_TRANSFORMER,
    ),
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
