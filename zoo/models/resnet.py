"""Residual networks (He, Zhang, Ren and Sun 2015): both families, for CIFAR and for ImageNet."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from zoo.layers.checks import require_image
from zoo.layers.convolution import Conv2D
from zoo.layers.heads import head
from zoo.layers.normalization import BatchNormalization

# Table 1: blocks in each of the stages conv2_x to conv5_x, and whether they are bottlenecks.
IMAGENET = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}


def _conv_norm(x: Any, filters: int, size: int, strides: int, name: str) -> Any:
    """Convolution without bias, then batch normalisation (section 3.4)."""
    if strides > 1 and size > 1:
        # The same padding on all sides, as in the paper's Caffe; "same" pads only right and below.
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    x = Conv2D(
        filters,
        size,
        strides=strides,
        padding="valid" if strides > 1 else "same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)


def _relu(x: Any, name: str) -> Any:
    return layers.ReLU(name=f"{name}_relu")(x)


@keras.saving.register_keras_serializable("dlzoo")
class IdentityShortcut(layers.Layer):
    """Option A of section 3.3: the identity over new dimensions, without parameters.

    Takes every `strides`-th pixel of (B, H, W, C) and pads the channels with zeros to `filters`.
    """

    def __init__(self, filters: int, strides: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides

    def call(self, inputs: Any) -> Any:
        """Return (B, ceil(H / strides), ceil(W / strides), filters)."""
        # Pooling over single pixels equals inputs[:, ::strides, ::strides]. That slice and its
        # gradient took 6 % of ResNet-20's training step on CPU; pooling takes under 1 %.
        x = ops.average_pool(inputs, 1, strides=self.strides)
        return ops.pad(x, [[0, 0], [0, 0], [0, 0], [0, self.filters - x.shape[-1]]])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}


def _shortcut(x: Any, filters: int, strides: int, option: str, name: str) -> Any:
    if strides == 1 and x.shape[-1] == filters:
        return x
    if option == "A":
        return IdentityShortcut(filters, strides, name=f"{name}_shortcut")(x)
    return _conv_norm(x, filters, 1, strides, f"{name}_shortcut")


def _basic(x: Any, filters: int, strides: int, option: str, name: str) -> Any:
    """Figure 5, left: two 3×3 convolutions."""
    y = _relu(_conv_norm(x, filters, 3, strides, f"{name}_1"), f"{name}_1")
    y = _conv_norm(y, filters, 3, 1, f"{name}_2")
    y = layers.Add(name=f"{name}_add")([y, _shortcut(x, filters, strides, option, name)])
    return _relu(y, name)


def _bottleneck(x: Any, filters: int, strides: int, option: str, name: str) -> Any:
    """Figure 5, right: 1×1 down (which carries the stride, as published), 3×3, 1×1 up by 4."""
    y = _relu(_conv_norm(x, filters, 1, strides, f"{name}_1"), f"{name}_1")
    y = _relu(_conv_norm(y, filters, 3, 1, f"{name}_2"), f"{name}_2")
    y = _conv_norm(y, 4 * filters, 1, 1, f"{name}_3")
    y = layers.Add(name=f"{name}_add")([y, _shortcut(x, 4 * filters, strides, option, name)])
    return _relu(y, name)


def _cifar(
    depth: int, input_shape: tuple[int, int, int], classes: int, shortcut: str
) -> keras.Model:
    """Section 4.2: a 3×3 convolution, 6n layers of widths 16, 32 and 64, depth 6n + 2."""
    require_image(input_shape, smallest=8)
    blocks = (depth - 2) // 6
    inputs = keras.Input(input_shape)  # (B, 32, 32, 3)
    x = _relu(_conv_norm(inputs, 16, 3, 1, "stem"), "stem")
    for stage, filters in enumerate((16, 32, 64), start=1):  # 32×32, 16×16, 8×8
        for block in range(1, blocks + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = _basic(x, filters, strides, shortcut, f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)  # (B, 64)
    outputs = head(x, classes, kernel_initializer="he_normal")
    return keras.Model(inputs, outputs, name=f"resnet{depth}")


def _imagenet(
    depth: int, input_shape: tuple[int, int, int], classes: int, shortcut: str
) -> keras.Model:
    """Table 1: a 7×7 stem, pooling, and four stages of widths 64 to 512."""
    require_image(input_shape, smallest=32)
    stages, bottleneck = IMAGENET[depth]
    make_block = _bottleneck if bottleneck else _basic
    inputs = keras.Input(input_shape)  # (B, 224, 224, 3)
    x = _relu(_conv_norm(inputs, 64, 7, 2, "conv1"), "conv1")  # (B, 112, 112, 64)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)  # (B, 56, 56, 64)
    for stage, blocks in enumerate(stages, start=2):  # 56×56, 28×28, 14×14, 7×7
        for block in range(1, blocks + 1):
            strides = 2 if stage > 2 and block == 1 else 1
            name = f"conv{stage}_block{block}"
            x = make_block(x, 64 * 2 ** (stage - 2), strides, shortcut, name)
    x = layers.GlobalAveragePooling2D(name="pool")(x)  # (B, 512) or (B, 2048)
    outputs = head(x, classes, kernel_initializer="he_normal")
    return keras.Model(inputs, outputs, name=f"resnet{depth}")


def _check(shortcut: str) -> str:
    if shortcut not in ("A", "B"):
        raise ValueError(f"shortcut must be 'A' or 'B', got {shortcut!r}")
    return shortcut


def resnet20(
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    shortcut: str = "A",
) -> keras.Model:
    """Return ResNet-20 for small images.

    Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2015, section
    4.2, where it has 8.75 % test error on CIFAR-10.

    Args:
        input_shape: (height, width, channels), at least 8×8; the paper's is 32×32×3.
        classes: 2 or more.
        shortcut: Where dimensions grow: "A" pads with zeros, "B" projects (section 3.3).

    Returns:
        A model from (B, *input_shape) to probabilities of shape (B, 1) or (B, classes).

    Example:
        >>> zoo.build("resnet20", input_shape=(32, 32, 1))
    """
    return _cifar(20, input_shape, classes, _check(shortcut))


def resnet32(
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    shortcut: str = "A",
) -> keras.Model:
    """Return ResNet-32 for small images (section 4.2); see `resnet20`."""
    return _cifar(32, input_shape, classes, _check(shortcut))


def resnet44(
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    shortcut: str = "A",
) -> keras.Model:
    """Return ResNet-44 for small images (section 4.2); see `resnet20`."""
    return _cifar(44, input_shape, classes, _check(shortcut))


def resnet56(
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    shortcut: str = "A",
) -> keras.Model:
    """Return ResNet-56 for small images (section 4.2); see `resnet20`."""
    return _cifar(56, input_shape, classes, _check(shortcut))


def resnet110(
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    shortcut: str = "A",
) -> keras.Model:
    """Return ResNet-110 for small images (section 4.2); see `resnet20`."""
    return _cifar(110, input_shape, classes, _check(shortcut))


def resnet18(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    shortcut: str = "B",
) -> keras.Model:
    """Return ResNet-18 for large images.

    Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2015, table 1.

    Args:
        input_shape: (height, width, channels), at least 32×32; the paper's is 224×224×3.
        classes: 2 or more.
        shortcut: Where dimensions grow: "A" pads with zeros, "B" projects (section 3.3).

    Returns:
        A model from (B, *input_shape) to probabilities of shape (B, 1) or (B, classes).

    Example:
        >>> zoo.build("resnet18", input_shape=(64, 64, 3), classes=7)
    """
    return _imagenet(18, input_shape, classes, _check(shortcut))


def resnet34(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    shortcut: str = "B",
) -> keras.Model:
    """Return ResNet-34 for large images (table 1); see `resnet18`."""
    return _imagenet(34, input_shape, classes, _check(shortcut))


def resnet50(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    shortcut: str = "B",
) -> keras.Model:
    """Return ResNet-50 for large images (table 1); see `resnet18`."""
    return _imagenet(50, input_shape, classes, _check(shortcut))


def resnet101(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    shortcut: str = "B",
) -> keras.Model:
    """Return ResNet-101 for large images (table 1); see `resnet18`."""
    return _imagenet(101, input_shape, classes, _check(shortcut))


def resnet152(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    shortcut: str = "B",
) -> keras.Model:
    """Return ResNet-152 for large images (table 1); see `resnet18`."""
    return _imagenet(152, input_shape, classes, _check(shortcut))
