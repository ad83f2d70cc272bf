"""The variational auto-encoder (Kingma and Welling 2013)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from zoo.layers.variational import Variational


@keras.saving.register_keras_serializable("dlzoo")
class VAE(Variational):
    """A Gaussian encoder q(z|x) and a decoder p(x|z) of fully connected layers."""

    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: int,
        hidden_units: Sequence[int],
        activation: str,
        beta: float = 1.0,
        warmup_steps: int = 0,
        levels: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.hidden_units = tuple(hidden_units)
        self.activation = activation
        # Appendix C.2: one network gives the mean and the logarithm of the variance (eq. 12).
        encoder = keras.Sequential(
            [
                keras.Input(self.example_shape),
                layers.Flatten(),
                *(layers.Dense(units, activation=activation) for units in self.hidden_units),
                layers.Dense(2 * latent_dim, name="mean_and_log_variance"),
            ],
            name="encoder",
        )
        # Appendix C.1: the logits of the pixels' Bernoulli means (eq. 11).
        outputs = (2, *self.example_shape) if levels else self.example_shape
        decoder = keras.Sequential(
            [
                keras.Input((latent_dim,)),
                *(
                    layers.Dense(units, activation=activation)
                    for units in reversed(self.hidden_units)
                ),
                layers.Dense(math.prod(outputs), name="logits"),
                layers.Reshape(outputs),
            ],
            name="decoder",
        )
        self.adopt(
            encoder, decoder, latent_dim, beta=beta, warmup_steps=warmup_steps, levels=levels
        )

    def reconstruct(self, images: Any) -> Any:
        """Return reconstructions of examples (B, *input_shape)."""
        return self(images)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "input_shape": self.example_shape,
            "latent_dim": self.latent_dim,
            "hidden_units": self.hidden_units,
            "activation": self.activation,
            "beta": self.beta,
            "warmup_steps": self.warmup_steps,
            "levels": self.levels,
        }


def vae(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    latent_dim: int = 20,
    hidden_units: Sequence[int] = (500,),
    activation: str = "tanh",
    beta: float = 1.0,
    warmup_steps: int = 0,
    levels: int = 0,
) -> keras.Model:
    """Return a variational auto-encoder of fully connected layers.

    Source: Kingma and Welling, "Auto-encoding variational Bayes", 2013, appendix C; 500 hidden
    units as in its section 5.

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        latent_dim: Width of the code.
        hidden_units: Widths of the encoder's layers; the decoder's are the same in reverse order.
        activation: Any Keras activation.
        beta: Weight of the KL in the loss; 1 in the paper (Higgins et al. 2017 take more).
        warmup_steps: Steps over which that weight grows from 0; 0 is no warm-up, as in the paper.
        levels: Values that a pixel can take, such as 256, to model them as they are; 0 takes
            pixels for probabilities of black or white, as the paper does for MNIST.

    Returns:
        A model from (B, *input_shape) to reconstructions of the same shape. It generates by
        ``sample(count, seed)``, which decodes latents of its ``prior``.
    """
    if latent_dim < 1:
        raise ValueError(f"latent_dim must be at least 1, got {latent_dim}")
    model = VAE(
        input_shape,
        latent_dim,
        hidden_units,
        activation,
        beta,
        warmup_steps,
        levels,
        name="vae",
    )
    model.build((None, *input_shape))
    return model
