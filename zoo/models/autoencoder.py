"""Autoencoders, dense and convolutional, which may be trained to undo damage to their inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.corruption import Corruption


@keras.saving.register_keras_serializable("dlzoo")
class Autoencoder(keras.Model):
    """An encoder from examples to codes, and a decoder from codes to examples in [0, 1].

    Args:
        encoder: From (B, *input_shape) to codes (B, ...).
        decoder: From codes to the logits of (B, *input_shape).
    """

    def __init__(self, encoder: Any, decoder: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder

    def build(self, input_shape: Any) -> None:
        """Do nothing: both networks are built."""
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return reconstructions of examples (B, *input_shape), float32 in [0, 1]."""
        return self.decode(self.encoder(inputs, training=training), training=training)

    def encode(self, images: Any) -> Any:
        """Return the codes (B, ...) of examples (B, *input_shape)."""
        return self.encoder(images)

    def decode(self, codes: Any, training: bool = False) -> Any:
        """Return examples (B, *input_shape), float32 in [0, 1], for codes (B, ...)."""
        return ops.sigmoid(ops.cast(self.decoder(codes, training=training), "float32"))

    def reconstruct(self, images: Any) -> Any:
        """Return reconstructions of examples (B, *input_shape), float32 in [0, 1]."""
        return self(images, training=False)

    def denoise(self, images: Any) -> Any:
        """Return examples (B, *input_shape) without noise: they are reconstructed."""
        return self.reconstruct(images)

    def get_config(self) -> dict[str, Any]:
        """Return the two networks."""
        networks = {"encoder": self.encoder, "decoder": self.decoder}
        saved = {name: keras.saving.serialize_keras_object(one) for name, one in networks.items()}
        return {**super().get_config(), **saved}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Autoencoder:
        """Return the model of `get_config`."""
        networks = {
            name: keras.saving.deserialize_keras_object(config.pop(name), custom_objects)
            for name in ("encoder", "decoder")
        }
        return cls(**networks, **config)


def autoencoder(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    hidden_units: Sequence[int] = (1000, 500, 250),
    code_units: int = 30,
    activation: str = "relu",
    kernel_initializer: str = "glorot_uniform",
    corruption: str = "masking",
    corruption_level: float = 0.0,
) -> keras.Model:
    """Return an autoencoder of fully connected layers with a linear code.

    Source: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks",
    2006: 784-1000-500-250-30 for MNIST. Corruption makes it a denoising autoencoder: Vincent et
    al., "Extracting and composing robust features with denoising autoencoders", 2008.

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        hidden_units: Widths of the encoder's layers; the decoder's are the same in reverse order.
        code_units: Width of the code.
        activation: Any Keras activation, of the hidden layers.
        kernel_initializer: Any Keras initialiser.
        corruption: How inputs are damaged in training, see `zoo.layers.corruption`.
        corruption_level: How much of them; 0 leaves them as they are.

    Returns:
        A model from (B, *input_shape) to reconstructions of the same shape.
    """
    _require_code(code_units)

    def dense(units: int, name: str, activation: str | None = activation) -> Any:
        return layers.Dense(
            units, activation=activation, kernel_initializer=kernel_initializer, name=name
        )

    widths = list(enumerate(hidden_units, start=1))
    encoder = keras.Sequential(
        [
            keras.Input(input_shape),
            Corruption(corruption, corruption_level, name="corruption"),
            layers.Flatten(),
            *(dense(units, f"hidden{number}") for number, units in widths),
            dense(code_units, "code", None),
        ],
        name="encoder",
    )
    decoder = keras.Sequential(
        [
            keras.Input((code_units,)),
            *(dense(units, f"output{number}") for number, units in reversed(widths)),
            dense(math.prod(input_shape), "logits", None),
            layers.Reshape(input_shape),
        ],
        name="decoder",
    )
    return _built(encoder, decoder, input_shape, "autoencoder")


def conv_autoencoder(
    *,
    input_shape: tuple[int, int, int] = (28, 28, 1),
    filters: Sequence[int] = (32, 64),
    code_units: int = 30,
    activation: str = "relu",
    kernel_initializer: str = "he_normal",
    corruption: str = "masking",
    corruption_level: float = 0.0,
) -> keras.Model:
    """Return an autoencoder of convolutions with strides of 2 around a dense, linear code.

    Source: Masci et al., "Stacked convolutional auto-encoders for hierarchical feature
    extraction", 2011; strides instead of its pooling, as in Radford et al. 2016.

    Args:
        input_shape: (height, width, channels) of one example with values in [0, 1].
        filters: Of the encoder's convolutions; the decoder's are the same in reverse order.
        code_units: Width of the code.
        activation: Any Keras activation, of the hidden layers.
        kernel_initializer: Any Keras initialiser.
        corruption: How inputs are damaged in training, see `zoo.layers.corruption`.
        corruption_level: How much of them; 0 leaves them as they are.

    Returns:
        A model from (B, *input_shape) to reconstructions of the same shape.
    """
    _require_code(code_units)
    if not filters:
        raise ValueError("filters must name at least one convolution")
    height, width, channels = input_shape
    shrunk = 2 ** len(filters)
    top, left = -(-height // shrunk), -(-width // shrunk)  # each stride rounds up
    form = {"padding": "same", "kernel_initializer": kernel_initializer}
    encoder = keras.Sequential(
        [
            keras.Input(input_shape),
            Corruption(corruption, corruption_level, name="corruption"),
            *(
                layers.Conv2D(count, 3, 2, activation=activation, name=f"conv{number}", **form)
                for number, count in enumerate(filters, start=1)
            ),
            layers.Flatten(),
            layers.Dense(code_units, name="code"),
        ],
        name="encoder",
    )
    back = [channels, *filters[:-1]]
    below, right = top * shrunk - height, left * shrunk - width
    decoder = keras.Sequential(
        [
            keras.Input((code_units,)),
            layers.Dense(
                top * left * filters[-1],
                activation=activation,
                kernel_initializer=kernel_initializer,
                name="spread",
            ),
            layers.Reshape((top, left, filters[-1])),
            *(
                layers.Conv2DTranspose(
                    back[number - 1],
                    3,
                    2,
                    activation=None if number == 1 else activation,
                    name=f"upconv{number}" if number > 1 else "logits",
                    **form,
                )
                for number in range(len(filters), 0, -1)
            ),
            *([layers.Cropping2D(((0, below), (0, right)))] if below or right else []),
        ],
        name="decoder",
    )
    return _built(encoder, decoder, input_shape, "conv-autoencoder")


def _require_code(units: int) -> None:
    if units < 1:
        raise ValueError(f"code_units must be at least 1, got {units}")


def _built(encoder: Any, decoder: Any, input_shape: tuple[int, ...], name: str) -> keras.Model:
    model = Autoencoder(encoder, decoder, name=name)
    model.build((None, *input_shape))
    return model
