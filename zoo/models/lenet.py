"""LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998): as it is built today, and as published."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from zoo.layers.checks import require_image
from zoo.layers.convolution import Conv2D
from zoo.layers.heads import head

# Table I: which of the six maps of S2 each of the sixteen maps of C3 is connected to.
C3_TABLE = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# Section II.B: the targets of the output layer are characters drawn on a 7×12 bitmap, so that
# similar characters have similar codes. The digits 0 to 9, side by side.
DIGIT_BITMAPS = """
.#####. ...#... .#####. .#####. ....##. ####### .#####. ####### .#####. .#####.
##...## ..##... ##...## ##...## ...###. ##..... ##..... ##...## ##...## ##...##
##...## .###... .....## .....## ..####. ##..... ##..... .....## ##...## ##...##
##..### #.##... .....## .....## .##.##. ##..... ##..... ....##. ##...## ##...##
##.#.## ..##... ....##. ..####. ##..##. ######. ######. ....##. .#####. ##...##
###..## ..##... ...##.. .....## ##..##. .....## ##...## ...##.. ##...## .######
##...## ..##... ..##... .....## ####### .....## ##...## ...##.. ##...## .....##
##...## ..##... .##.... .....## ....##. .....## ##...## ..##... ##...## .....##
##...## ..##... ##..... ##...## ....##. ##...## ##...## ..##... ##...## ....##.
.#####. ######. ####### .#####. ....##. .#####. .#####. ..##... .#####. .####..
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


def lenet5(
    *, input_shape: tuple[int, int, int] = (32, 32, 1), classes: int = 10, activation: str = "tanh"
) -> keras.Model:
    """Return LeNet-5 as it is commonly built: every map connected, plain averaging, softmax.

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
    recognition", 1998, section II.B and figure 2. 61,706 parameters.

    Args:
        input_shape: (height, width, channels), at least 32×32.
        classes: 2 or more.
        activation: Any Keras activation; the paper's is a hyperbolic tangent.

    Returns:
        A model from (B, *input_shape) to probabilities of shape (B, 1) or (B, classes).

    Example:
        >>> zoo.build("lenet5").count_params()
        61706
    """
    require_image(input_shape, smallest=32)
    inputs = keras.Input(input_shape)  # (B, 32, 32, 1)
    x = Conv2D(6, 5, activation=activation, name="C1")(inputs)  # (B, 28, 28, 6)
    x = layers.AveragePooling2D(2, name="S2")(x)  # (B, 14, 14, 6)
    x = Conv2D(16, 5, activation=activation, name="C3")(x)  # (B, 10, 10, 16)
    x = layers.AveragePooling2D(2, name="S4")(x)  # (B, 5, 5, 16)
    x = Conv2D(120, 5, activation=activation, name="C5")(x)  # (B, 1, 1, 120)
    x = layers.Flatten()(x)
    x = layers.Dense(84, activation=activation, name="F6")(x)  # (B, 84)
    return keras.Model(inputs, head(x, classes), name="lenet5")


@keras.saving.register_keras_serializable("dlzoo")
def squash(a: Any) -> Any:
    """Equation 6: the scaled hyperbolic tangent, with f(1) = 1 and f(-1) = -1."""
    return 1.7159 * ops.tanh(2.0 / 3.0 * a)  # A and S of appendix A


def _initial(fan_in: int) -> keras.Initializer:
    """Appendix A: uniform between -2.4 / F and 2.4 / F, where F is the number of inputs."""
    return keras.initializers.RandomUniform(-2.4 / fan_in, 2.4 / fan_in)


@keras.saving.register_keras_serializable("dlzoo")
class Subsampling(layers.Layer):
    """S2 and S4: the sum over 2×2, times a trainable coefficient, plus a bias, squashed."""

    def build(self, input_shape: Any) -> None:
        """Create a coefficient and a bias for each map of (B, H, W, C)."""
        shape = (input_shape[-1],)
        self.coefficient = self.add_weight(
            shape=shape, initializer=keras.initializers.Constant(0.25), name="coefficient"
        )
        self.bias = self.add_weight(shape=shape, initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Return (B, H // 2, W // 2, C)."""
        total = 4.0 * ops.average_pool(inputs, 2, strides=2)
        return squash(self.coefficient * total + self.bias)


@keras.saving.register_keras_serializable("dlzoo")
class SparseConvolution(layers.Layer):
    """C3: 5×5 convolutions from the maps that table I names, 1,516 parameters.

    There is one trainable 5×5 kernel per connection. They are placed in a dense kernel with zeros
    elsewhere, because one large convolution is faster than sixteen small ones.
    """

    def build(self, input_shape: Any) -> None:
        """Create the sixty kernels and sixteen biases for (B, H, W, 6)."""
        pairs = [(source, to) for to, sources in enumerate(C3_TABLE) for source in sources]
        placement = np.zeros((len(pairs), 6, 16), "float32")
        for number, (source, to) in enumerate(pairs):
            placement[number, source, to] = 1.0
        self.placement = placement
        # The number of inputs of the smallest map, 3 × 25, is used for all maps.
        self.kernel = self.add_weight(
            shape=(5, 5, len(pairs)), initializer=_initial(75), name="kernel"
        )
        self.bias = self.add_weight(shape=(16,), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Return (B, H - 4, W - 4, 16)."""
        kernel = ops.einsum("hwn,nio->hwio", self.kernel, ops.cast(self.placement, inputs.dtype))
        return squash(ops.conv(inputs, kernel, padding="valid") + self.bias)


@keras.saving.register_keras_serializable("dlzoo")
class RadialBasisOutput(layers.Layer):
    """Equation 7: the squared distance of F6 to each class's fixed code of +1 and -1.

    The output is ``softmax(-distance)``. Its cross-entropy is the discriminative criterion of
    equation 9, without the constant for inputs that are no character.
    """

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape: Any) -> None:
        """Create the codes; they are not trained."""
        codes = output_codes(self.classes, input_shape[-1])
        self.codes = self.add_weight(
            shape=codes.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(codes, dtype),
            trainable=False,
            name="codes",
        )

    def call(self, inputs: Any) -> Any:
        """Return probabilities (B, classes) for F6's outputs (B, 84)."""
        difference = ops.expand_dims(inputs, 1) - self.codes  # (B, classes, 84)
        return ops.softmax(-ops.sum(ops.square(difference), axis=-1))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "classes": self.classes}


def output_codes(classes: int, length: int = 84) -> np.ndarray:
    """Return the codes, +1 or -1, of shape (classes, length).

    For ten classes and length 84 they are the digits' bitmaps. Other codes are random, from a fixed
    seed; the paper calls random codes a good choice as well.
    """
    if (classes, length) == (10, 7 * 12):
        rows = [line.split() for line in DIGIT_BITMAPS.split("\n") if line]
        pixels = ["".join(row[digit] for row in rows) for digit in range(10)]
        return np.array([[1.0 if c == "#" else -1.0 for c in code] for code in pixels], "float32")
    signs = np.random.default_rng(1998).integers(0, 2, (classes, length))
    return np.asarray(2.0 * signs - 1.0, "float32")


def lenet5_1998(
    *, input_shape: tuple[int, int, int] = (32, 32, 1), classes: int = 10
) -> keras.Model:
    """Return LeNet-5 as published.

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
    recognition", 1998, section II.B: 60,000 trainable parameters.

    Args:
        input_shape: (height, width, channels), at least 32×32.
        classes: 2 or more.

    Returns:
        A model from (B, *input_shape) to probabilities of shape (B, classes).

    Example:
        >>> zoo.build("lenet5-1998").count_params()  # with the 840 fixed values of the codes
        60840
    """
    require_image(input_shape, smallest=32)
    if classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
    inputs = keras.Input(input_shape)  # (B, 32, 32, 1)
    # Section II.B: white is -0.1 and black 1.175, so that inputs have mean 0 and variance 1.
    x = layers.Rescaling(1.275, offset=-0.1, name="normalization")(inputs)
    x = Conv2D(
        6, 5, activation=squash, kernel_initializer=_initial(25 * input_shape[-1]), name="C1"
    )(x)  # (B, 28, 28, 6)
    x = Subsampling(name="S2")(x)  # (B, 14, 14, 6)
    x = SparseConvolution(name="C3")(x)  # (B, 10, 10, 16)
    x = Subsampling(name="S4")(x)  # (B, 5, 5, 16)
    x = Conv2D(120, 5, activation=squash, kernel_initializer=_initial(400), name="C5")(
        x
    )  # (B, 1, 1, 120)
    x = layers.Flatten()(x)
    x = layers.Dense(84, activation=squash, kernel_initializer=_initial(x.shape[-1]), name="F6")(
        x
    )  # (B, 84)
    outputs = RadialBasisOutput(classes, dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="lenet5-1998")
