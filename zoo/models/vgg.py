"""VGG networks (Simonyan and Zisserman 2014): only 3×3 convolutions, and many of them."""

from __future__ import annotations

import keras
from keras import layers

from zoo.layers.checks import require_image
from zoo.layers.convolution import Conv2D
from zoo.layers.heads import head

# Table 1: convolutions in each of the five blocks, of configurations A, B, D and E.
CONFIGURATIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
WIDTHS = (64, 128, 256, 512, 512)


def _vgg(
    depth: int, input_shape: tuple[int, int, int], classes: int, dropout: float
) -> keras.Model:
    """Section 2.1: five blocks, each ending in a pooling, then three fully connected layers.

    Weights are initialised as by Glorot and Bengio: section 3.1 found that no pre-training is
    needed then.
    """
    require_image(input_shape, smallest=32)
    inputs = keras.Input(input_shape)  # (B, 224, 224, 3)
    x = inputs
    for block, (count, filters) in enumerate(
        zip(CONFIGURATIONS[depth], WIDTHS, strict=True), start=1
    ):  # 224×224, 112×112, 56×56, 28×28, 14×14
        for number in range(1, count + 1):
            x = Conv2D(
                filters, 3, padding="same", activation="relu", name=f"block{block}_conv{number}"
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = layers.Flatten(name="flatten")(x)  # (B, 25088) of (B, 7, 7, 512)
    for name in ("fc1", "fc2"):
        x = layers.Dense(4096, activation="relu", name=name)(x)
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return keras.Model(inputs, head(x, classes), name=f"vgg{depth}")


def vgg11(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    dropout: float = 0.5,
) -> keras.Model:
    """Return VGG-11, configuration A.

    Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
    recognition", 2014, table 1 and section 2.1.

    Args:
        input_shape: (height, width, channels), at least 32×32; the paper's is 224×224×3.
        classes: 2 or more.
        dropout: Share of the outputs of fc1 and fc2 that training drops (section 3.1).

    Returns:
        A model from (B, *input_shape) to probabilities of shape (B, 1) or (B, classes).

    Example:
        >>> zoo.build("vgg11", input_shape=(64, 64, 3), classes=7)
    """
    return _vgg(11, input_shape, classes, dropout)


def vgg13(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    dropout: float = 0.5,
) -> keras.Model:
    """Return VGG-13, configuration B (table 1); see `vgg11`."""
    return _vgg(13, input_shape, classes, dropout)


def vgg16(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    dropout: float = 0.5,
) -> keras.Model:
    """Return VGG-16, configuration D (table 1); see `vgg11`."""
    return _vgg(16, input_shape, classes, dropout)


def vgg19(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    dropout: float = 0.5,
) -> keras.Model:
    """Return VGG-19, configuration E (table 1); see `vgg11`."""
    return _vgg(19, input_shape, classes, dropout)
