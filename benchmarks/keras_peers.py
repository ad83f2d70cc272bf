"""The zoo's networks in Keras's own layers, as they are usually written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from benchmarks.keras_diffusion import PlainAttention, PlainDiffusion
from benchmarks.keras_generators import PlainGAN, PlainVAE
from zoo import registry
from zoo.layers.attention import Attention
from zoo.layers.convolution import Conv2D
from zoo.layers.local_response import LocalResponseNormalization
from zoo.layers.normalization import BatchNormalization, GroupNormalization
from zoo.models.googlenet import AUXILIARY_WEIGHT
from zoo.models.resnet import IdentityShortcut


@dataclass
class Plain:
    """A model with what `compile` and `fit` get for it."""

    model: Any
    x: Any
    y: Any
    answering: Any = None
    """The part that answers, where the model has more outputs or inputs than that."""
    questions: Any = None
    """What is answered, where it is not images."""
    compile: dict[str, Any] = field(
        default_factory=lambda: {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    )


def build(
    name: str,
    input_shape: tuple[int, int, int],
    classes: int,
    images: np.ndarray,
    targets: np.ndarray,
) -> Plain:
    """Return a zoo's network in plain Keras."""
    if name == "capsnet":
        return capsnet(input_shape, classes, images, targets)
    if name == "ddpm":
        return diffusion(input_shape, images)
    if name in ("vae", "gan", "dcgan"):
        return generator(name, images)
    model = registry.build(name, input_shape=input_shape, classes=classes)
    if len(model.outputs) == 1:
        return Plain(plain_copy(model), images, targets)
    # GoogLeNet: three outputs with their weights, all with the same targets.
    several = plain_copy(keras.Model(model.input, model.outputs))
    return Plain(
        several,
        images,
        [targets] * 3,
        answering=keras.Model(several.input, several.outputs[0]),
        compile={
            "loss": ["sparse_categorical_crossentropy"] * 3,
            "loss_weights": [1.0, AUXILIARY_WEIGHT, AUXILIARY_WEIGHT],
            "metrics": [["accuracy"], [], []],
        },
    )


def plain_copy(model: Any) -> Any:
    """Return the model with Keras's own layers in place of dlzoo's, and the same weights."""

    def plain(layer: Any) -> Any:
        kind = PLAIN.get(type(layer), type(layer))
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=plain)
    for mine, other in zip(copy.weights, model.weights, strict=True):
        mine.assign(other.numpy().reshape(mine.shape))  # Keras's attention has an axis of heads
    return copy


def diffusion(input_shape: tuple[int, int, int], images: np.ndarray) -> Plain:
    """Return the paper's ddpm; what answers is one pass of its network, by the averages."""
    made = registry.build("ddpm", input_shape=input_shape)
    network, averaged = plain_copy(made.network), plain_copy(made.network)
    model = PlainDiffusion(network, averaged, made.diffusion.alpha_bar)
    image = keras.Input(input_shape)
    middle = ops.full_like(image[:, 0, 0, 0], 500.0)
    answer = averaged({"image": 2.0 * image - 1.0, "time": middle})
    return Plain(model, images, None, keras.Model(image, answer), compile={})


def generator(name: str, images: np.ndarray, **arguments: Any) -> Plain:
    """Return the paper's vae, gan or dcgan; what answers decodes as many latents as images.

    Keras has no maxout: that of the zoo is one dense layer and a maximum.

    Args:
        name: Of the model.
        images: (N, H, W, C) in [0, 1].
        arguments: Of its builder.
    """
    made = registry.build(name, input_shape=images.shape[1:], **arguments)
    latents = np.asarray(made.prior(len(images), seed=0))
    if name == "vae":
        vae = PlainVAE(plain_copy(made.encoder), plain_copy(made.decoder))
        code = keras.Input((made.latent_dim,))
        decoder = keras.Model(code, ops.sigmoid(vae.decoder(code)))
        return Plain(vae, images, None, decoder, latents, compile={})
    gan = PlainGAN(plain_copy(made.generator), plain_copy(made.discriminator))
    return Plain(gan, images, None, gan.generator, latents, compile={})


class SlicedShortcut(IdentityShortcut):
    """Option A's shortcut with a slice in place of pooling over single pixels."""

    def call(self, inputs: Any) -> Any:
        """Return (B, ceil(H / strides), ceil(W / strides), filters)."""
        x = inputs[:, :: self.strides, :: self.strides, :]
        return ops.pad(x, [[0, 0], [0, 0], [0, 0], [0, self.filters - x.shape[-1]]])


class PlainLocalResponseNormalization(LocalResponseNormalization):
    """TensorFlow's own operation; Keras has none."""

    def call(self, inputs: Any) -> Any:
        """Return (B, H, W, C) normalised over C."""
        return tf.nn.local_response_normalization(
            inputs, self.size // 2, self.bias, self.alpha, self.beta
        )


PLAIN = {
    Attention: PlainAttention,
    BatchNormalization: layers.BatchNormalization,
    GroupNormalization: layers.GroupNormalization,
    Conv2D: layers.Conv2D,
    IdentityShortcut: SlicedShortcut,
    LocalResponseNormalization: PlainLocalResponseNormalization,
}


def squash(s: Any) -> Any:
    """Equation 1 of Sabour et al. 2017."""
    square = ops.sum(ops.square(s), axis=-1, keepdims=True)
    return square / (1.0 + square) * s / ops.sqrt(square + 1e-7)


class Capsules(layers.Layer):
    """Procedure 1 of Sabour et al. 2017, equation by equation."""

    def __init__(self, classes: int, dimension: int, iterations: int) -> None:
        super().__init__()
        self.classes = classes
        self.dimension = dimension
        self.iterations = iterations

    def build(self, input_shape: Any) -> None:
        """Create W_ij for capsules (B, I, below)."""
        _, capsules, below = input_shape
        self.kernel = self.add_weight(
            shape=(capsules, self.classes, self.dimension, below), initializer="glorot_uniform"
        )

    def call(self, inputs: Any) -> Any:
        """Return (B, classes, dimension)."""
        predictions = ops.einsum("ijod,bid->bijo", self.kernel, inputs)
        logits = ops.zeros_like(predictions[..., 0])
        for iteration in range(self.iterations):
            coupling = ops.softmax(logits, axis=2)
            v = squash(ops.einsum("bij,bijo->bjo", coupling, predictions))
            if iteration + 1 < self.iterations:
                logits += ops.einsum("bijo,bjo->bij", predictions, v)
        return v


def margin_loss(y_true: Any, y_pred: Any) -> Any:
    """Equation 4 of Sabour et al. 2017."""
    there = y_true * ops.square(ops.maximum(0.0, 0.9 - y_pred))
    elsewhere = 0.5 * (1.0 - y_true) * ops.square(ops.maximum(0.0, y_pred - 0.1))
    return ops.sum(there + elsewhere, axis=-1)


def capsnet(
    input_shape: tuple[int, int, int], classes: int, images: np.ndarray, targets: np.ndarray
) -> Plain:
    """Return CapsNet with two inputs, the second being the class whose capsule is decoded."""
    pixels = math.prod(input_shape)
    image, target = keras.Input(input_shape), keras.Input((classes,))
    x = layers.Conv2D(256, 9, activation="relu")(image)
    x = layers.Conv2D(256, 9, strides=2)(x)
    x = layers.Lambda(squash)(layers.Reshape((-1, 8))(x))
    capsules = Capsules(classes, 16, iterations=3)(x)
    lengths = layers.Lambda(lambda v: ops.sqrt(ops.sum(ops.square(v), axis=-1) + 1e-7))(capsules)
    masked = layers.Multiply()([capsules, layers.Reshape((classes, 1))(target)])
    x = layers.Dense(512, activation="relu")(layers.Flatten()(masked))
    x = layers.Dense(1024, activation="relu")(x)
    reconstruction = layers.Dense(pixels, activation="sigmoid")(x)
    one_hot = np.eye(classes, dtype=np.float32)[targets]
    return Plain(
        keras.Model([image, target], [lengths, reconstruction]),
        [images, one_hot],
        [one_hot, images.reshape(-1, pixels)],
        answering=keras.Model(image, lengths),
        compile={
            "loss": [margin_loss, "mean_squared_error"],
            "loss_weights": [1.0, 0.0005 * pixels],  # 0.0005 of the sum of squares
            "metrics": [["accuracy"], []],
        },
    )
