"""The generative adversarial network (Goodfellow et al. 2014)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from zoo.layers.adversarial import Adversarial
from zoo.layers.maxout import Maxout


@keras.saving.register_keras_serializable("dlzoo")
class GAN(Adversarial):
    """A generator of rectified layers against a discriminator of maxout layers."""

    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: int,
        generator_units: Sequence[int],
        discriminator_units: Sequence[int],
        pieces: int,
        dropout: float,
        input_dropout: float,
        label_smoothing: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.arguments = {
            "generator_units": tuple(generator_units),
            "discriminator_units": tuple(discriminator_units),
            "pieces": pieces,
            "dropout": dropout,
            "input_dropout": input_dropout,
            "label_smoothing": label_smoothing,
        }
        self.label_smoothing = label_smoothing
        generator = keras.Sequential(
            [
                keras.Input((latent_dim,)),
                *(layers.Dense(units, activation="relu") for units in generator_units),
                layers.Dense(math.prod(self.example_shape), activation="sigmoid"),
                layers.Reshape(self.example_shape),
            ],
            name="generator",
        )
        hidden: list[Any] = []
        for units in discriminator_units:
            hidden += [Maxout(units, pieces), layers.Dropout(dropout)]
        discriminator = keras.Sequential(
            [
                keras.Input(self.example_shape),
                layers.Flatten(),
                layers.Dropout(input_dropout),
                *hidden,
                layers.Dense(1, name="logit"),
            ],
            name="discriminator",
        )
        self.adopt(generator, discriminator, latent_dim)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"input_shape": self.example_shape, "latent_dim": self.latent_dim}
        return {**super().get_config(), **own, **self.arguments}


def gan(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    latent_dim: int = 100,
    generator_units: Sequence[int] = (1200, 1200),
    discriminator_units: Sequence[int] = (240, 240),
    pieces: int = 5,
    dropout: float = 0.5,
    input_dropout: float = 0.2,
    label_smoothing: float = 0.0,
) -> keras.Model:
    """Return a generator of fully connected layers against a maxout discriminator.

    Source: Goodfellow et al., "Generative adversarial networks", 2014; the paper gives the kinds
    of units (section 5), the sizes are those its authors published for MNIST.

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        latent_dim: Width of the generator's noise.
        generator_units: Widths of the generator's rectified layers.
        discriminator_units: Widths of the discriminator's maxout layers.
        pieces: Affine maps under each maxout.
        dropout: Share of the discriminator's hidden units dropped while training.
        input_dropout: Share of the discriminator's inputs dropped while training.
        label_smoothing: By how much real examples' targets are below 1; 0 in the paper.

    Returns:
        A model from (B, *input_shape) to the probability (B, 1) of being real. It generates by
        ``sample(count, seed)``, which decodes noise of its ``prior``. It is compiled with
        ``generator_optimizer`` and ``discriminator_optimizer``.
    """
    if latent_dim < 1:
        raise ValueError(f"latent_dim must be at least 1, got {latent_dim}")
    model = GAN(
        input_shape,
        latent_dim,
        generator_units,
        discriminator_units,
        pieces,
        dropout,
        input_dropout,
        label_smoothing,
        name="gan",
    )
    model.build((None, *input_shape))
    return model
