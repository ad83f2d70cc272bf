"""The deep convolutional GAN (Radford, Metz and Chintala 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from zoo.layers.adversarial import Adversarial
from zoo.layers.normalization import BatchNormalization
from zoo.layers.resolutions import cropped, halvings

STRIDED = {"strides": 2, "padding": "same", "use_bias": False}


@keras.saving.register_keras_serializable("dlzoo")
class DCGAN(Adversarial):
    """A generator of transposed convolutions against a discriminator of convolutions."""

    def __init__(
        self,
        input_shape: Sequence[int],
        latent_dim: int,
        filters: int,
        smallest: int,
        label_smoothing: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.arguments = {
            "filters": filters,
            "smallest": smallest,
            "label_smoothing": label_smoothing,
        }
        self.label_smoothing = label_smoothing
        sides = halvings(input_shape, smallest)
        generator = _generator(latent_dim, sides, input_shape[2], filters)
        self.adopt(generator, _discriminator(input_shape, sides, filters), latent_dim)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"input_shape": self.example_shape, "latent_dim": self.latent_dim}
        return {**super().get_config(), **own, **self.arguments}


def _normal() -> Any:
    """Return the paper's initial weights: a standard deviation of 0.02 (section 4)."""
    return keras.initializers.RandomNormal(stddev=0.02)


def _normalised(x: Any) -> Any:
    """Return batch normalisation; 0.9 is the momentum of the authors' code."""
    gamma = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
    return BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma)(x)


def _generator(
    latent_dim: int, sides: list[tuple[int, int]], channels: int, filters: int
) -> keras.Model:
    """Return the network of figure 1: each transposed convolution doubles height and width."""
    noise = keras.Input((latent_dim,), name="noise")
    width = filters * 2 ** (len(sides) - 2)
    # A convolution of the whole first image: at 64×64, 100 -> 4×4×512.
    x = layers.Reshape((1, 1, latent_dim))(noise)
    x = layers.Conv2DTranspose(width, sides[-1], use_bias=False, kernel_initializer=_normal())(x)
    x = layers.ReLU()(_normalised(x))
    for size in sides[-2:0:-1]:
        width //= 2
        x = layers.Conv2DTranspose(width, 4, kernel_initializer=_normal(), **STRIDED)(x)
        x = layers.ReLU()(_normalised(cropped(x, size)))
    x = layers.Conv2DTranspose(
        channels, 4, activation="tanh", kernel_initializer=_normal(), **STRIDED
    )(x)
    # From the paper's [-1, 1] to pixels in [0, 1].
    pixels = layers.Rescaling(0.5, 0.5, name="pixels")(cropped(x, sides[0]))
    return keras.Model(noise, pixels, name="generator")


def _discriminator(
    input_shape: Sequence[int], sides: list[tuple[int, int]], filters: int
) -> keras.Model:
    """Return the generator's mirror; no batch normalisation in its first and last layer."""
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(2.0, -1.0, name="centred")(image)
    for number in range(len(sides) - 1):
        x = layers.Conv2D(filters * 2**number, 4, kernel_initializer=_normal(), **STRIDED)(x)
        x = layers.LeakyReLU(0.2)(_normalised(x) if number else x)  # section 3
    logit = layers.Conv2D(1, sides[-1], use_bias=False, kernel_initializer=_normal())(x)
    return keras.Model(image, layers.Reshape((1,), name="logit")(logit), name="discriminator")


def dcgan(
    *,
    input_shape: tuple[int, ...] = (64, 64, 3),
    latent_dim: int = 100,
    filters: int = 64,
    smallest: int = 4,
    label_smoothing: float = 0.0,
) -> keras.Model:
    """Return a generator and a discriminator of convolutions, without pooling or dense layers.

    Source: Radford, Metz and Chintala, "Unsupervised representation learning with deep
    convolutional generative adversarial networks", 2016, section 3; kernels of 4×4 and the widths
    are those of the authors' code for 64×64.

    Args:
        input_shape: (height, width, channels) of one example with values in [0, 1].
        latent_dim: Width of the generator's noise.
        filters: Of the layers at the highest resolution; each halving of the image doubles them.
        smallest: Height or width from which the image is not halved any more.
        label_smoothing: By how much real examples' targets are below 1; 0 in the paper.

    Returns:
        A model from (B, *input_shape) to the probability (B, 1) of being real. It generates by
        ``sample(count, seed)``. It is compiled with ``generator_optimizer`` and
        ``discriminator_optimizer``.
    """
    if latent_dim < 1 or filters < 1:
        raise ValueError(
            f"latent_dim and filters must be at least 1, got {latent_dim} and {filters}"
        )
    model = DCGAN(input_shape, latent_dim, filters, smallest, label_smoothing, name="dcgan")
    model.build((None, *input_shape))
    return model
