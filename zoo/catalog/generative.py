"""Generators: models that make new examples."""

from zoo.catalog.card import ModelCard
from zoo.catalog.papers import GOODFELLOW, KINGMA

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="vae",
        family="vae",
        task="generation",
        builder="zoo.models.vae:vae",
        paper=KINGMA,
        inputs={"image": (28, 28, 1)},
        parameters=815_824,
        macs=814_000,
        depth=4,
        recipe="vae-digits",
        half_precision=False,
        summary="Gaussian encoder and Bernoulli decoder, trained on the ELBO",
        special=(
            "It learns latent codes whose true posterior cannot be computed.",
            "An encoder approximates it; z = mean + deviation · noise lets gradients pass.",
            "A code whose KL is 0 is unused. Samples are means of pixels, and so look blurred.",
        ),
    ),
    ModelCard(
        name="gan",
        family="gan",
        task="generation",
        builder="zoo.models.gan:gan",
        paper=GOODFELLOW,
        inputs={"image": (28, 28, 1)},
        parameters=3_735_425,
        macs=3_729_840,
        depth=6,
        recipe="gan-digits",
        half_precision=False,
        summary="A generator against a maxout discriminator, each with its optimizer",
        special=(
            "It learns to sample without a likelihood, Markov chains or approximate inference.",
            "A generator learns to fool a discriminator, which learns to tell samples from data.",
            "Two losses without a common minimum: one side may win, or all samples become alike.",
        ),
    ),
)
