"""The stacked autoencoder, trained greedily, layer by layer (Bengio et al. 2007)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.corruption import Corruption
from zoo.layers.gradients import gradients
from zoo.layers.losses import batch_mean, penalties
from zoo.layers.metrics import Average
from zoo.layers.phases import Phased


@keras.saving.register_keras_serializable("dlzoo")
class StackedAutoencoder(Phased):
    """An encoder and a decoder of sigmoid layers.

    In phase k the encoder's layer k and the decoder's layer k learn to reconstruct the code of the
    layers below, which stay as they are. In the last phase all layers are trained together.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        hidden_units: Sequence[int],
        layer_epochs: int,
        corruption: str,
        corruption_level: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.example_shape = tuple(input_shape)
        self.arguments = {
            "hidden_units": tuple(hidden_units),
            "layer_epochs": layer_epochs,
            "corruption": corruption,
            "corruption_level": corruption_level,
        }
        self.phase_epochs = layer_epochs
        self.phases = len(hidden_units) + 1
        pixels = math.prod(self.example_shape)
        self.encoder = keras.Sequential(
            [
                keras.Input(self.example_shape),
                layers.Flatten(),
                *(
                    layers.Dense(units, activation="sigmoid", name=f"hidden{number}")
                    for number, units in enumerate(hidden_units, start=1)
                ),
            ],
            name="encoder",
        )
        below = [pixels, *hidden_units[:-1]]
        self.decoder = keras.Sequential(
            [
                keras.Input((hidden_units[-1],)),
                *(
                    layers.Dense(below[number], activation="sigmoid", name=f"output{number + 1}")
                    for number in reversed(range(len(below)))
                ),
                layers.Reshape(self.example_shape),
            ],
            name="decoder",
        )
        self.corruption = Corruption(corruption, corruption_level, name="corruption")
        self.layer_error = Average("layer_error", higher_is_better=False)

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built both networks."""
        self.built = True

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile as in Keras; the optimizer knows all weights before a phase trains some."""
        super().compile(*args, **kwargs)
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return reconstructions of examples (B, *input_shape), float32 in [0, 1]."""
        damaged = self.corruption(inputs, training=training)
        return ops.cast(self.decoder(self.encoder(damaged)), "float32")

    def reconstruct(self, images: Any) -> Any:
        """Return reconstructions of examples (B, *input_shape), float32 in [0, 1]."""
        return self(images, training=False)

    def denoise(self, images: Any) -> Any:
        """Return examples (B, *input_shape) without noise: they are reconstructed."""
        return self.reconstruct(images)

    def pair(self, number: int) -> tuple[Any, Any]:
        """Return layer `number` of the encoder, counted from 0, and the one that inverts it."""
        name = number + 1
        return self.encoder.get_layer(f"hidden{name}"), self.decoder.get_layer(f"output{name}")

    def trained_variables(self) -> list[Any]:
        """Return the weights that the present phase trains."""
        if self.phase_now == self.phases - 1:
            return list(self.trainable_variables)
        encode, decode = self.pair(self.phase_now)
        return [*encode.trainable_variables, *decode.trainable_variables]

    def layer_loss(self, x: Any, sample_weight: Any) -> Any:
        """Return the mean cross-entropy with which the present layer reconstructs the code below.

        Args:
            x: Examples (B, *input_shape).
            sample_weight: (B,) or None.
        """
        code = ops.reshape(x, (-1, math.prod(self.example_shape)))
        for number in range(self.phase_now):
            code = self.pair(number)[0](code)
        code = ops.cast(ops.stop_gradient(code), "float32")
        encode, decode = self.pair(self.phase_now)
        again = ops.cast(decode(encode(self.corruption(code, training=True))), "float32")
        self.layer_error.update_state(ops.mean((again - code) ** 2, axis=-1), sample_weight)
        return batch_mean(keras.losses.binary_crossentropy(code, again), sample_weight)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train the present layer on examples and, in the last phase, all of them."""
        if self.phase_now == self.phases - 1:
            scores: Mapping[str, Any] = super().train_step(data)
            return {key: value for key, value in scores.items() if key != "layer_error"}
        x, _, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        variables = self.trained_variables()

        def loss() -> Any:
            return self.layer_loss(x, sample_weight) + penalties(self)

        if variables:  # all of them may be frozen
            self.optimizer.apply(gradients(loss, self.optimizer, variables), variables)
        return {"layer_error": self.layer_error.result()}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Score reconstructions by all layers."""
        scores: Mapping[str, Any] = super().test_step(data)
        return {key: value for key, value in scores.items() if key != "layer_error"}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "input_shape": self.example_shape, **self.arguments}


def stacked_autoencoder(
    *,
    input_shape: tuple[int, ...] = (28, 28, 1),
    hidden_units: Sequence[int] = (500, 500, 2000),
    layer_epochs: int = 30,
    corruption: str = "masking",
    corruption_level: float = 0.0,
) -> keras.Model:
    """Return a deep autoencoder whose layers are trained one on another.

    Source: Bengio, Lamblin, Popovici and Larochelle, "Greedy layer-wise training of deep
    networks", 2007, section 4; with corruption, Vincent et al. 2010. An mlp of the same
    ``hidden_units`` and the activation ``sigmoid`` takes its encoder by ``--init-from``.

    Args:
        input_shape: Of one example with values in [0, 1], without the batch axis.
        hidden_units: Widths of the encoder's layers; the decoder's are the same in reverse order.
        layer_epochs: Epochs for each layer. All layers are trained together in those that are left.
        corruption: How the code below is damaged in training, see `zoo.layers.corruption`.
        corruption_level: How much of it; 0 leaves it as it is.

    Returns:
        A model from (B, *input_shape) to reconstructions of the same shape.
    """
    if not hidden_units or any(units < 1 for units in hidden_units):
        raise ValueError(f"hidden_units must all be positive, got {tuple(hidden_units)}")
    if layer_epochs < 1:
        raise ValueError(f"layer_epochs must be at least 1, got {layer_epochs}")
    model = StackedAutoencoder(
        input_shape,
        hidden_units,
        layer_epochs,
        corruption,
        corruption_level,
        name="stacked-autoencoder",
    )
    model.build((None, *input_shape))
    return model


def hidden_layers(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the encoder's layers, from a file's weights, as an mlp names them."""
    return {
        name.removeprefix("encoder/"): parts
        for name, parts in saved.items()
        if name.startswith("encoder/")
    }
