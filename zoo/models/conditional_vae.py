"""The conditional variational auto-encoder (Sohn, Lee and Yan 2015)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from zoo.layers.variational import ConditionalVariational


@keras.saving.register_keras_serializable("dlzoo")
class ConditionalVAE(ConditionalVariational):
    """A recognition network q(z|image, label) and a generation network p(image|z, label).

    The prior of z does not depend on the label, as section 4.1 of the paper allows: so z says what
    the label does not, such as the hand it is written in.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        classes: int,
        latent_dim: int,
        hidden_units: Sequence[int],
        activation: str,
        beta: float,
        warmup_steps: int,
        levels: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.classes = classes
        self.hidden_units = tuple(hidden_units)
        self.activation = activation

        image = keras.Input(self.example_shape, name="image")
        label = keras.Input((), dtype="int32", name="label")
        x = layers.Concatenate()([layers.Flatten()(image), self._one_hot(label)])
        for units in self.hidden_units:
            x = layers.Dense(units, activation=activation)(x)
        moments = layers.Dense(2 * latent_dim, name="mean_and_log_variance")(x)
        encoder = keras.Model([image, label], moments, name="encoder")

        latent = keras.Input((latent_dim,), name="latent")
        label = keras.Input((), dtype="int32", name="label")
        x = layers.Concatenate()([latent, self._one_hot(label)])
        for units in reversed(self.hidden_units):
            x = layers.Dense(units, activation=activation)(x)
        outputs = (2, *self.example_shape) if levels else self.example_shape
        x = layers.Dense(math.prod(outputs), name="logits")(x)
        decoder = keras.Model([latent, label], layers.Reshape(outputs)(x), name="decoder")
        self.adopt(
            encoder, decoder, latent_dim, beta=beta, warmup_steps=warmup_steps, levels=levels
        )

    def _one_hot(self, label: Any) -> Any:
        return layers.CategoryEncoding(self.classes, output_mode="one_hot")(label)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "input_shape": self.example_shape,
            "classes": self.classes,
            "latent_dim": self.latent_dim,
            "hidden_units": self.hidden_units,
            "activation": self.activation,
            "beta": self.beta,
            "warmup_steps": self.warmup_steps,
            "levels": self.levels,
        }


def conditional_vae(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    latent_dim: int = 20,
    hidden_units: Sequence[int] = (500,),
    activation: str = "tanh",
    beta: float = 1.0,
    warmup_steps: int = 0,
    levels: int = 0,
) -> keras.Model:
    """Return a variational auto-encoder that is told the class.

    Source: Sohn, Lee and Yan, "Learning structured output representation using deep conditional
    generative models", 2015, section 4; the sizes are those of `vae`, so that the two compare.

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        classes: How many classes there are.
        latent_dim: Width of the code.
        hidden_units: Widths of the encoder's layers; the decoder's are the same in reverse order.
        activation: Any Keras activation.
        beta: Weight of the KL in the loss.
        warmup_steps: Steps over which that weight grows from 0; 0 is no warm-up.
        levels: Values that a pixel can take; 0 takes pixels for probabilities of black or white.

    Returns:
        A model from ``{"image": (B, *input_shape), "label": (B,)}`` to reconstructions
        (B, *input_shape). It generates by ``sample(count, seed, label)``.
    """
    for name, value in (("latent_dim", latent_dim), ("classes", classes)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    model = ConditionalVAE(
        input_shape,
        classes,
        latent_dim,
        hidden_units,
        activation,
        beta,
        warmup_steps,
        levels,
        name="conditional-vae",
    )
    model.build((None, *input_shape))
    return model
