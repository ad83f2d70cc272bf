"""The conditional generative adversarial network (Mirza and Osindero 2014)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from zoo.layers.adversarial import ConditionalAdversarial
from zoo.layers.maxout import Maxout


@keras.saving.register_keras_serializable("dlzoo")
class ConditionalGAN(ConditionalAdversarial):
    """A GAN whose networks each have a layer of their own for the label."""

    def __init__(
        self,
        input_shape: Sequence[int],
        classes: int,
        latent_dim: int,
        noise_units: int,
        label_units: int,
        generator_units: Sequence[int],
        image_maxout: Sequence[int],
        label_maxout: Sequence[int],
        joint_maxout: Sequence[int],
        dropout: float,
        label_smoothing: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.classes = classes
        self.label_smoothing = label_smoothing
        self.arguments = {
            "noise_units": noise_units,
            "label_units": label_units,
            "generator_units": tuple(generator_units),
            "image_maxout": tuple(image_maxout),
            "label_maxout": tuple(label_maxout),
            "joint_maxout": tuple(joint_maxout),
            "dropout": dropout,
            "label_smoothing": label_smoothing,
        }

        # Section 4.1: noise and label each pass a layer, then both pass one together.
        noise, label = _inputs((latent_dim,), "noise")
        x = layers.Concatenate()(
            [
                layers.Dense(noise_units, activation="relu")(noise),
                layers.Dense(label_units, activation="relu")(_one_hot(label, classes)),
            ]
        )
        for units in generator_units:
            x = layers.Dense(units, activation="relu")(x)
        x = layers.Dense(math.prod(self.example_shape), activation="sigmoid")(x)
        pixels = layers.Reshape(self.example_shape)(x)
        generator = keras.Model([noise, label], pixels, name="generator")

        image, label = _inputs(self.example_shape, "image")
        seen = Maxout(*image_maxout)(layers.Flatten()(image))
        told = Maxout(*label_maxout)(_one_hot(label, classes))
        x = layers.Dropout(dropout)(layers.Concatenate()([seen, told]))
        x = layers.Dropout(dropout)(Maxout(*joint_maxout)(x))
        logit = layers.Dense(1, name="logit")(x)
        discriminator = keras.Model([image, label], logit, name="discriminator")
        self.adopt(generator, discriminator, latent_dim)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "input_shape": self.example_shape,
            "classes": self.classes,
            "latent_dim": self.latent_dim,
            **self.arguments,
        }


def _inputs(shape: Sequence[int], name: str) -> tuple[Any, Any]:
    return keras.Input(shape, name=name), keras.Input((), dtype="int32", name="label")


def _one_hot(label: Any, classes: int) -> Any:
    return layers.CategoryEncoding(classes, output_mode="one_hot")(label)


def conditional_gan(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    latent_dim: int = 100,
    noise_units: int = 200,
    label_units: int = 1000,
    generator_units: Sequence[int] = (1200,),
    image_maxout: Sequence[int] = (240, 5),
    label_maxout: Sequence[int] = (50, 5),
    joint_maxout: Sequence[int] = (240, 4),
    dropout: float = 0.5,
    label_smoothing: float = 0.0,
) -> keras.Model:
    """Return a generator that is told a class, against a discriminator that is told it too.

    Source: Mirza and Osindero, "Conditional generative adversarial nets", 2014, section 4.1. The
    paper drops units of both networks, here only the discriminator's; its noise is uniform in
    [0, 1], here in [-1, 1).

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        classes: How many classes there are.
        latent_dim: Width of the generator's noise.
        noise_units: Width of the generator's layer for the noise.
        label_units: Width of its layer for the label.
        generator_units: Widths of its layers for both.
        image_maxout: Units and pieces of the discriminator's layer for the image.
        label_maxout: Units and pieces of its layer for the label.
        joint_maxout: Units and pieces of its layer for both.
        dropout: Share of the discriminator's hidden units dropped while training.
        label_smoothing: By how much real examples' targets are below 1; 0 in the paper.

    Returns:
        A model from ``{"image": (B, *input_shape), "label": (B,)}`` to the probability (B, 1) of
        being a real example of that class. It generates by ``sample(count, seed, label)``. It is
        compiled with ``generator_optimizer`` and ``discriminator_optimizer``.
    """
    for name, value in (("latent_dim", latent_dim), ("classes", classes)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    model = ConditionalGAN(
        input_shape,
        classes,
        latent_dim,
        noise_units,
        label_units,
        generator_units,
        image_maxout,
        label_maxout,
        joint_maxout,
        dropout,
        label_smoothing,
        name="conditional-gan",
    )
    model.build((None, *input_shape))
    return model
