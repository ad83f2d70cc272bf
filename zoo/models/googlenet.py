"""GoogLeNet (Szegedy, Liu, Jia et al. 2014): nine inception blocks and two auxiliary heads."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.layers.checks import require_image
from zoo.layers.convolution import Conv2D
from zoo.layers.heads import head
from zoo.layers.local_response import LocalResponseNormalization
from zoo.layers.losses import penalties
from zoo.layers.training_outputs import ManyOutputs, split_outputs

# Table 1: filters of 1×1; 3×3 reduce, 3×3; 5×5 reduce, 5×5; pool projection.
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLED_AFTER = ("3b", "4e")  # table 1: the max poolings between the stages
AUXILIARY_AFTER = ("4a", "4d")  # section 5
AUXILIARY_WEIGHT = 0.3  # section 5


@keras.saving.register_keras_serializable("dlzoo")
class GoogLeNet(ManyOutputs):
    """Returns the last head's probabilities; in training those of the auxiliary heads as well."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the last head's loss and, in training, 0.3 times that of each auxiliary head."""
        total = super().compute_loss(x, y, y_pred, sample_weight, training)
        _, auxiliary = split_outputs(y_pred)
        for probabilities in auxiliary:
            # Keras adds the regularization losses to every loss: count them once.
            loss = super().compute_loss(x, y, probabilities, sample_weight, training)
            total += AUXILIARY_WEIGHT * (loss - penalties(self))
        return total


def _conv(x: Any, filters: int, size: int, name: str, strides: int = 1) -> Any:
    return Conv2D(filters, size, strides=strides, padding="same", activation="relu", name=name)(x)


def _pool(x: Any, name: str) -> Any:
    """Max pooling over 3×3, 2 apart: 112 -> 56 -> 28 -> 14 -> 7."""
    return layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)


def _inception(x: Any, block: str) -> Any:
    """Figure 2b: convolutions of three sizes and a pooling side by side, behind 1×1 reductions."""
    ones, reduce3, threes, reduce5, fives, projection = INCEPTION[block]
    name = f"inception{block}"
    branches = [
        _conv(x, ones, 1, f"{name}_1x1"),
        _conv(_conv(x, reduce3, 1, f"{name}_3x3_reduce"), threes, 3, f"{name}_3x3"),
        _conv(_conv(x, reduce5, 1, f"{name}_5x5_reduce"), fives, 5, f"{name}_5x5"),
        _conv(
            layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x),
            projection,
            1,
            f"{name}_pool_projection",
        ),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)


def _auxiliary(x: Any, classes: int, dropout: float, name: str) -> Any:
    """Section 5: a small classifier on an inner block, which brings the gradient there."""
    size = min(5, *x.shape[1:3])  # 5×5, 3 apart; small inputs leave smaller maps
    x = layers.AveragePooling2D(size, strides=3, name=f"{name}_pool")(x)  # (B, 4, 4, 512)
    x = _conv(x, 128, 1, f"{name}_conv")
    x = layers.Flatten(name=f"{name}_flatten")(x)  # (B, 2048)
    x = layers.Dense(1024, activation="relu", name=f"{name}_fc")(x)
    x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return head(x, classes, prefix=f"{name}_")


def googlenet(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    auxiliary_heads: bool = True,
    dropout: float = 0.4,
    auxiliary_dropout: float = 0.7,
) -> keras.Model:
    """Return GoogLeNet.

    Source: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke and Rabinovich, "Going
    deeper with convolutions", 2014, table 1 and section 5. 6,998,552 parameters, and with the
    auxiliary heads, which only training uses, 13,378,280.

    Args:
        input_shape: (height, width, channels), at least 32×32; the paper's is 224×224×3.
        classes: 2 or more.
        auxiliary_heads: Whether there are two more classifiers, after 4a and 4d, for training.
        dropout: Share of the pooled features that training drops (table 1).
        auxiliary_dropout: Likewise in the auxiliary heads (section 5).

    Returns:
        A model from (B, *input_shape) to probabilities of shape (B, 1) or (B, classes). In
        training it returns a list of those of all three heads.

    Example:
        >>> zoo.build("googlenet", auxiliary_heads=False).count_params()
        6998552
    """
    require_image(input_shape, smallest=32)
    inputs = keras.Input(input_shape)  # (B, 224, 224, 3)
    x = _conv(inputs, 64, 7, "conv1", strides=2)  # (B, 112, 112, 64)
    x = _pool(x, "conv1_pool")  # (B, 56, 56, 64)
    x = LocalResponseNormalization(name="conv1_norm")(x)  # figure 3
    x = _conv(x, 64, 1, "conv2_reduce")
    x = _conv(x, 192, 3, "conv2")  # (B, 56, 56, 192)
    x = LocalResponseNormalization(name="conv2_norm")(x)
    x = _pool(x, "conv2_pool")  # (B, 28, 28, 192)
    auxiliary: list[Any] = []
    for block in INCEPTION:
        x = _inception(x, block)  # 28×28×480 after 3b, 14×14×832 after 4e, 7×7×1024 after 5b
        if auxiliary_heads and block in AUXILIARY_AFTER:
            name = f"auxiliary{len(auxiliary) + 1}"
            auxiliary.append(_auxiliary(x, classes, auxiliary_dropout, name))
        if block in POOLED_AFTER:
            x = _pool(x, f"inception{block}_maxpool")
    x = layers.GlobalAveragePooling2D(name="pool")(x)  # (B, 1024)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = head(x, classes)
    return GoogLeNet(inputs, [outputs, *auxiliary] if auxiliary else outputs, name="googlenet")
