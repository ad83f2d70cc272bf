"""AlexNet (Krizhevsky, Sutskever and Hinton 2012): two groups, as on the paper's two GPUs."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.layers.checks import require_image
from zoo.layers.convolution import Conv2D
from zoo.layers.heads import head
from zoo.layers.local_response import LocalResponseNormalization

# Section 5: weights from N(0, 0.01²); biases of 1 in the layers where they give the ReLUs positive
# inputs early on, 0 elsewhere.
BIASES = {"conv2": 1.0, "conv4": 1.0, "conv5": 1.0, "fc6": 1.0, "fc7": 1.0}


def _norm(x: Any, name: str) -> Any:
    """Section 3.3: k = 2, n = 5, α = 10⁻⁴, β = 0.75."""
    return LocalResponseNormalization(5, 2.0, 1e-4, 0.75, name=name)(x)


def _pool(x: Any, name: str) -> Any:
    """Section 3.4: windows of 3×3 with stride 2, which overlap.

    With inputs below 63×63 the last pooling would get fewer than 3×3 pixels: it is left out.
    """
    return x if min(x.shape[1:3]) < 3 else layers.MaxPooling2D(3, strides=2, name=name)(x)


def alexnet(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    dropout: float = 0.5,
    kernel_initializer: str = "paper",
) -> keras.Model:
    """Return AlexNet with its two groups.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional
    neural networks", 2012, section 3 and figure 2. 60,965,224 parameters.

    Args:
        input_shape: (height, width, channels), at least 32×32; the paper's is 224×224×3.
        classes: 2 or more.
        dropout: Share of the outputs of fc6 and fc7 dropped in training (section 4.2).
        kernel_initializer: ``"paper"`` draws weights from N(0, 0.01²) (section 5). With small
            inputs fc6 has so few weights that the signal fades and training hardly starts. A Keras
            initializer that depends on the layer's size, such as "glorot_uniform", is better then.

    Returns:
        A model from (B, *input_shape) to probabilities of shape (B, 1) or (B, classes).

    Example:
        >>> zoo.build("alexnet").count_params()
        60965224
    """
    require_image(input_shape, smallest=32)

    def initial(name: str) -> dict[str, Any]:
        if kernel_initializer != "paper":
            return {"kernel_initializer": kernel_initializer}
        return {
            "kernel_initializer": keras.initializers.RandomNormal(stddev=0.01),
            "bias_initializer": keras.initializers.Constant(BIASES.get(name, 0.0)),
        }

    def conv(x: Any, filters: int, size: int, groups: int, name: str) -> Any:
        """A convolution and its ReLU (section 3.1); each of two groups sees half of the maps."""
        return Conv2D(
            filters,
            size,
            padding="same",
            groups=groups,
            activation="relu",
            name=name,
            **initial(name),
        )(x)

    inputs = keras.Input(input_shape)  # (B, 224, 224, 3)
    # The paper's 55×55 outputs of 11×11 windows with stride 4 need 227×227 pixels.
    x = layers.ZeroPadding2D(((1, 2), (1, 2)), name="conv1_pad")(inputs)
    x = Conv2D(96, 11, strides=4, activation="relu", name="conv1", **initial("conv1"))(
        x
    )  # (B, 55, 55, 96)
    x = _pool(_norm(x, "conv1_norm"), "conv1_pool")  # (B, 27, 27, 96)
    x = conv(x, 256, 5, groups=2, name="conv2")  # (B, 27, 27, 256)
    x = _pool(_norm(x, "conv2_norm"), "conv2_pool")  # (B, 13, 13, 256)
    x = conv(x, 384, 3, groups=1, name="conv3")  # both halves: (B, 13, 13, 384)
    x = conv(x, 384, 3, groups=2, name="conv4")
    x = conv(x, 256, 3, groups=2, name="conv5")
    x = _pool(x, "conv5_pool")  # (B, 6, 6, 256)
    x = layers.Flatten(name="flatten")(x)  # (B, 9216)
    for name in ("fc6", "fc7"):
        x = layers.Dense(4096, activation="relu", name=name, **initial(name))(x)
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return keras.Model(inputs, head(x, classes, **initial("fc8")), name="alexnet")
