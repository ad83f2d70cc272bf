"""CapsNet (Sabour, Frosst and Hinton 2017): capsules, routed by agreement."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from zoo.layers.checks import require_image
from zoo.layers.convolution import Conv2D
from zoo.layers.losses import batch_mean, penalties
from zoo.layers.training_outputs import ManyOutputs, split_outputs

# Equation 4: the margins for the lengths of present and absent classes, and the weight of the
# latter.
PRESENT, ABSENT, DOWN_WEIGHT = 0.9, 0.1, 0.5
RECONSTRUCTION_WEIGHT = 0.0005  # section 4.1


def _length(s: Any) -> Any:
    """Return the norms over the last axis; epsilon keeps the gradient finite at zero."""
    return ops.sqrt(ops.sum(ops.square(s), axis=-1, keepdims=True) + keras.config.epsilon())


def squash(s: Any) -> Any:
    """Equation 1: keeps a vector's direction and brings its length between 0 and 1."""
    length = _length(s)
    return s * (length / (1.0 + ops.square(length)))


@keras.saving.register_keras_serializable("dlzoo")
class PrimaryCapsules(layers.Layer):
    """Groups the maps (B, H, W, C · dimension) into squashed capsules (B, H · W · C, dimension)."""

    def __init__(self, dimension: int = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dimension = dimension

    def call(self, inputs: Any) -> Any:
        """Return the capsules of all positions."""
        capsules = math.prod(inputs.shape[1:]) // self.dimension
        return squash(ops.reshape(inputs, (-1, capsules, self.dimension)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "dimension": self.dimension}


@keras.saving.register_keras_serializable("dlzoo")
class DigitCapsules(layers.Layer):
    """One capsule for each class, which receives predictions from all capsules below.

    Args:
        classes: Capsules.
        dimension: Length of each one's vector.
        iterations: Rounds of routing, r in procedure 1.
    """

    def __init__(
        self, classes: int, dimension: int = 16, iterations: int = 3, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.dimension = dimension
        self.iterations = iterations

    def build(self, input_shape: Any) -> None:
        """Create W_ij, which turns capsule i's vector into its prediction for capsule j."""
        _, capsules, below = input_shape
        self.kernel = self.add_weight(
            # For each i one matrix (below, classes · dimension): all its predictions at once.
            shape=(capsules, below, self.classes * self.dimension),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="kernel",
        )

    def call(self, inputs: Any) -> Any:
        """Return (B, classes, dimension) for capsules (B, I, below): procedure 1."""
        predictions = ops.einsum("bid,idk->bik", inputs, self.kernel)  # u_hat of equation 2
        shape = (-1, inputs.shape[1], self.classes, self.dimension)
        # Classes first, once for all rounds: the sums below are then products of matrices as they
        # lie in memory. A training step takes 0.77 of the processor time, an answer 0.8.
        predictions = ops.transpose(ops.reshape(predictions, shape), (0, 2, 1, 3))  # (B, J, I, D)
        logits = None  # b_ij = 0: every capsule above is as likely a parent
        for iteration in range(self.iterations):
            if logits is None:
                s = ops.sum(predictions, axis=2) / self.classes
            else:
                coupling = ops.softmax(logits, axis=1)  # c_ij: (B, J, I), equation 3
                s = ops.squeeze(ops.matmul(ops.expand_dims(coupling, 2), predictions), axis=2)
            v = squash(s)  # (B, J, D)
            if iteration + 1 < self.iterations:
                agreement = ops.squeeze(ops.matmul(predictions, ops.expand_dims(v, -1)), axis=-1)
                logits = agreement if logits is None else logits + agreement
        return v

    def multiply_adds(self) -> int:
        """Return those of the predictions, the weighted sums of the rounds, and the agreements."""
        capsules, below, above = self.kernel.shape
        rounds = 2 * (self.iterations - 1)  # a plain sum in the first, no agreement in the last
        return int(capsules * above * (below + rounds))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {
            "classes": self.classes,
            "dimension": self.dimension,
            "iterations": self.iterations,
        }
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("dlzoo")
class Length(layers.Layer):
    """The lengths (B, classes) of capsules (B, classes, dimension)."""

    def call(self, inputs: Any) -> Any:
        """Return the norms."""
        return ops.squeeze(_length(inputs), axis=-1)


@keras.saving.register_keras_serializable("dlzoo")
class Longest(layers.Layer):
    """Sets all capsules except the longest to 0: the decoder's input outside of training."""

    def call(self, inputs: Any) -> Any:
        """Return the capsules (B, classes, dimension) flat."""
        longest = ops.argmax(ops.squeeze(_length(inputs), axis=-1), axis=-1)
        return _masked(inputs, ops.one_hot(longest, inputs.shape[1], dtype=inputs.dtype))


def _masked(capsules: Any, targets: Any) -> Any:
    """Return capsules (B, J, D) times targets (B, J), flat."""
    masked = capsules * ops.expand_dims(targets, -1)
    return ops.reshape(masked, (-1, math.prod(capsules.shape[1:])))


@keras.saving.register_keras_serializable("dlzoo")
class CapsNet(ManyOutputs):
    """Returns the capsules' lengths; in training also the capsules and a reconstructed image."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the margin loss (equation 4) and, in training, 0.0005 times the squared error.

        The error is that of the image reconstructed from the true class's capsule (section 4.1),
        summed over pixels. The evaluation loss is the margin loss alone.

        Args:
            x: Images in [0, 1].
            y: Classes (B,) or (B, 1), or shares of them (B, classes).
            y_pred: The capsules' lengths (B, classes); in training a list of the lengths, the
                capsules (B, classes, 16) and the reconstruction from the longest one.
            sample_weight: Weights of the examples, (B,) or (B, 1).
            training: Not used: `y_pred` tells.
        """
        lengths, others = split_outputs(y_pred)
        targets = ops.cast(y, "float32")
        if len(y.shape) < 2 or y.shape[-1] != lengths.shape[-1]:
            targets = ops.one_hot(ops.reshape(ops.cast(y, "int32"), (-1,)), lengths.shape[-1])
        there = ops.square(ops.relu(PRESENT - lengths))
        elsewhere = ops.square(ops.relu(lengths - ABSENT))
        loss = ops.sum(targets * there + DOWN_WEIGHT * (1.0 - targets) * elsewhere, axis=-1)
        if others:
            capsules, _ = others
            decoder = self.get_layer("decoder")
            images = ops.reshape(ops.cast(x, "float32"), (-1, math.prod(x.shape[1:])))
            reconstruction = decoder(_masked(capsules, targets))
            error = ops.sum(ops.square(reconstruction - images), axis=-1)
            loss += RECONSTRUCTION_WEIGHT * error
        return batch_mean(loss, sample_weight) + penalties(self)

    def reconstruct(self, images: Any) -> np.ndarray:
        """Return each image as its longest capsule describes it.

        Args:
            images: (B, *input_shape) in [0, 1].

        Returns:
            As many images of the same shape in [0, 1].

        Raises:
            ValueError: The network was built without a decoder.
        """
        if len(self.outputs) == 1:
            raise ValueError("this network was built with decoder=False")
        flat = keras.Model(self.input, self.outputs[2]).predict(images, verbose=0)
        return np.asarray(flat).reshape(-1, *self.input_shape[1:])


def capsnet(
    *,
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    iterations: int = 3,
    decoder: bool = True,
) -> keras.Model:
    """Return CapsNet.

    Source: Sabour, Frosst and Hinton, "Dynamic routing between capsules", 2017, section 4 and
    figures 1 and 2. 8,215,568 parameters = 20,992 (conv1) + 5,308,672 (primary capsules) +
    1,474,560 (digit capsules: 1,152 matrices of 8×160, without biases) + 82,432 + 525,312 +
    803,600 (decoder).

    Args:
        input_shape: (height, width, channels), at least 17×17; the paper's is 28×28×1.
        classes: 2 or more.
        iterations: Rounds of routing; the paper's is 3.
        decoder: Whether there is a network that reconstructs images; only the training loss uses
            it.

    Returns:
        A model from (B, *input_shape) to lengths in [0, 1) of shape (B, classes): how certain it is
        that each class is there. They do not sum to 1. In training it returns a list of the
        lengths, the capsules and a reconstruction.

    Example:
        >>> zoo.build("capsnet").count_params()
        8215568
    """
    require_image(input_shape, smallest=17)
    if classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1, got {iterations}")
    inputs = keras.Input(input_shape)  # (B, 28, 28, 1)
    x = Conv2D(256, 9, activation="relu", name="conv1")(inputs)  # (B, 20, 20, 256)
    x = Conv2D(32 * 8, 9, strides=2, name="primary_conv")(x)  # (B, 6, 6, 32 · 8)
    # float32 under every precision policy: lengths near 0 and 1 must keep their digits.
    x = PrimaryCapsules(8, dtype="float32", name="primary_capsules")(x)  # (B, 1152, 8)
    capsules = DigitCapsules(classes, 16, iterations, dtype="float32", name="digit_capsules")(
        x
    )  # (B, 10, 16)
    lengths = Length(dtype="float32", name="lengths")(capsules)  # (B, 10)
    if not decoder:
        return CapsNet(inputs, lengths, name="capsnet")
    reconstruction = keras.Sequential(
        [
            keras.Input((classes * 16,)),
            layers.Dense(512, activation="relu", name="decoder_fc1"),
            layers.Dense(1024, activation="relu", name="decoder_fc2"),
            layers.Dense(
                math.prod(input_shape), activation="sigmoid", dtype="float32", name="decoder_fc3"
            ),
        ],
        name="decoder",
    )(Longest(dtype="float32", name="decoder_mask")(capsules))
    return CapsNet(inputs, [lengths, capsules, reconstruction], name="capsnet")
