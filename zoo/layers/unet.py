"""The U-Net of diffusion models (Ho, Jain and Abbeel 2020, appendix B)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from zoo.layers.attention import Attention
from zoo.layers.convolution import Conv2D
from zoo.layers.embeddings import TimeEmbedding
from zoo.layers.normalization import GroupNormalization

# Nearly zero, so that every block begins as the identity and every weight has a gradient.
SMALL = keras.initializers.VarianceScaling(1e-10, "fan_avg", "uniform")


def block(x: Any, time: Any, filters: int, groups: int, dropout: float, name: str) -> Any:
    """Return a residual block's output (B, H, W, filters) for x (B, H, W, C) and time (B, D)."""
    y = GroupNormalization(groups, epsilon=1e-6, name=f"{name}_norm1")(x)
    y = layers.Activation("silu", name=f"{name}_silu1")(y)
    y = Conv2D(filters, 3, padding="same", name=f"{name}_conv1")(y)
    shift = layers.Dense(filters, name=f"{name}_time")(time)
    shift = layers.Reshape((1, 1, filters), name=f"{name}_shift")(shift)
    y = layers.Add(name=f"{name}_timed")([y, shift])
    y = GroupNormalization(groups, epsilon=1e-6, name=f"{name}_norm2")(y)
    y = layers.Activation("silu", name=f"{name}_silu2")(y)
    y = layers.Dropout(dropout, name=f"{name}_dropout")(y)
    y = Conv2D(filters, 3, padding="same", kernel_initializer=SMALL, name=f"{name}_conv2")(y)
    if x.shape[-1] != filters:
        x = Conv2D(filters, 1, name=f"{name}_shortcut")(x)
    return layers.Add(name=f"{name}_sum")([x, y])


def self_attention(x: Any, groups: int, name: str) -> Any:
    """Return x (B, H, W, C) plus what each place takes from all the others, by one head."""
    height, width, channels = x.shape[1:]
    y = GroupNormalization(groups, epsilon=1e-6, name=f"{name}_norm")(x)
    y = layers.Reshape((height * width, channels), name=f"{name}_places")(y)
    y = Attention(1, output_initializer=SMALL, name=f"{name}_heads")(y)
    y = layers.Reshape((height, width, channels), name=f"{name}_image")(y)
    return layers.Add(name=f"{name}_sum")([x, y])


def patched(x: Any, side: int) -> Any:
    """Return images (B, H, W, C) with the pixels of each patch in one place's channels.

    Returns:
        (B, H / side, W / side, side² C).
    """
    if side == 1:
        return x
    height, width, channels = x.shape[1:]
    rows, columns = height // side, width // side
    x = layers.Reshape((rows, side, columns, side * channels), name="in_rows")(x)
    x = layers.Permute((1, 3, 2, 4), name="in_patches")(x)
    return layers.Reshape((rows, columns, side**2 * channels), name="in_places")(x)


def unpatched(x: Any, side: int) -> Any:
    """Return images (B, H, W, C) of patches (B, H / side, W / side, side² C), as `patched`."""
    if side == 1:
        return x
    rows, columns, channels = x.shape[1:]
    channels //= side**2
    x = layers.Reshape((rows, columns, side, side * channels), name="out_places")(x)
    x = layers.Permute((1, 3, 2, 4), name="out_patches")(x)
    return layers.Reshape((rows * side, columns * side, channels), name="out_rows")(x)


def unet(
    input_shape: tuple[int, ...],
    classes: int | None,
    width: int,
    multipliers: Sequence[int],
    blocks: int,
    attention: Sequence[int],
    dropout: float,
    groups: int,
    patch: int = 1,
) -> keras.Model:
    """Return the network from x_t, t and perhaps the class to the noise in x_t (appendix B)."""
    image = keras.Input(input_shape, name="image")
    time = keras.Input((), dtype="float32", name="time")
    inputs = {"image": image, "time": time}
    t = TimeEmbedding(width, name="time_sines")(time)
    t = layers.Dense(4 * width, activation="silu", name="time_dense1")(t)
    t = layers.Dense(4 * width, name="time_dense2")(t)
    if classes is not None:
        inputs["label"] = keras.Input((), dtype="int32", name="label")
        # The number after the last class stands for no class (Ho and Salimans 2022, section 3.2).
        c = layers.Embedding(classes + 1, 4 * width, name="time_label")(inputs["label"])
        t = layers.Add(name="time_sum")([t, c])
    t = layers.Activation("silu", name="time_silu")(t)

    def level(x: Any, filters: int, name: str) -> Any:
        x = block(x, t, filters, groups, dropout, name)
        return self_attention(x, groups, f"{name}_attention") if x.shape[1] in attention else x

    x = Conv2D(width, 3, padding="same", name="in_conv")(patched(image, patch))
    skips = [x]
    for depth, multiplier in enumerate(multipliers, 1):
        for number in range(1, blocks + 1):
            x = level(x, multiplier * width, f"down{depth}_{number}")
            skips.append(x)
        if depth < len(multipliers):
            name = f"down{depth}_half"
            x = Conv2D(x.shape[-1], 3, strides=2, padding="same", name=name)(x)
            skips.append(x)

    x = block(x, t, x.shape[-1], groups, dropout, "middle_1")
    x = self_attention(x, groups, "middle_attention")
    x = block(x, t, x.shape[-1], groups, dropout, "middle_2")

    for depth, multiplier in reversed(list(enumerate(multipliers, 1))):
        for number in range(1, blocks + 2):
            x = layers.Concatenate(name=f"up{depth}_{number}_skip")([x, skips.pop()])
            x = level(x, multiplier * width, f"up{depth}_{number}")
        if depth > 1:
            x = layers.UpSampling2D(2, name=f"up{depth}_twice")(x)
            x = Conv2D(x.shape[-1], 3, padding="same", name=f"up{depth}_conv")(x)

    x = GroupNormalization(groups, epsilon=1e-6, name="out_norm")(x)
    x = layers.Activation("silu", name="out_silu")(x)
    channels = patch**2 * input_shape[-1]
    x = Conv2D(channels, 3, padding="same", kernel_initializer=SMALL, dtype="float32", name="out")(
        x
    )
    return keras.Model(inputs, unpatched(x, patch), name="unet")
