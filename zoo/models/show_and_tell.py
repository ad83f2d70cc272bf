"""Show and tell: a neural image caption generator (Vinyals et al. 2015).

The names in comments are those of the paper's equations 10 to 12: I the image, S_t the words, W_e
their embedding, x_t what the LSTM reads, p_t the probabilities of the next word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.checks import require_image, require_shares
from zoo.layers.convolution import Conv2D
from zoo.layers.normalization import BatchNormalization
from zoo.layers.scheduled_sampling import ScheduledSampling, require_sampling
from zoo.layers.translator import Translator


@keras.saving.register_keras_serializable("dlzoo")
class ShowAndTell(Translator, keras.Model):
    """A convolutional network whose output is the first thing that an LSTM reads."""

    def __init__(
        self,
        input_shape: Sequence[int],
        target_shape: Sequence[int],
        target_vocabulary_size: int,
        filters: Sequence[int],
        embedding_dim: int,
        units: int,
        dropout: float,
        scheduled_sampling: float = 0.0,
        sampling_steps: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.arguments = {
            "input_shape": tuple(input_shape),
            "target_shape": tuple(target_shape),
            "target_vocabulary_size": target_vocabulary_size,
            "filters": tuple(filters),
            "embedding_dim": embedding_dim,
            "units": units,
            "dropout": dropout,
            "scheduled_sampling": scheduled_sampling,
            "sampling_steps": sampling_steps,
        }
        self.sampling = None
        if scheduled_sampling:
            self.sampling = ScheduledSampling(scheduled_sampling, sampling_steps, name="sampling")

        # x_-1 = CNN(I): (B, H, W, C) -> (B, E). Each stage halves height and width.
        image = keras.Input(tuple(input_shape), name="source")
        x = image
        for number, channels in enumerate(filters, start=1):
            x = Conv2D(channels, 3, padding="same", use_bias=False, name=f"conv{number}")(x)
            x = BatchNormalization(name=f"conv{number}_norm")(x)
            x = layers.ReLU(name=f"conv{number}_relu")(x)
            x = layers.MaxPooling2D(2, padding="same", name=f"conv{number}_pool")(x)
        x = layers.Dropout(dropout, name="image_dropout")(layers.Flatten(name="flatten")(x))
        x = layers.Dense(embedding_dim, use_bias=False, name="image_embedding")(x)
        # Of one size whatever the encoder learns: without it, the LSTM soon ignores the image.
        x = BatchNormalization(name="image_norm")(x)
        self.encoder = keras.Model(image, x, name="encoder")

        # x_t = W_e S_t and p_{t+1} = LSTM(x_t): (B, E) and (B, T) words -> (B, T, V) logits.
        seen = keras.Input((embedding_dim,), name="image")
        before = keras.Input((target_shape[0] - 1,), dtype="int32", name="before")
        y = layers.Embedding(target_vocabulary_size, embedding_dim, name="target_embedding")(before)
        y = ops.concatenate([seen[:, None], y], axis=1)
        y = layers.LSTM(units, return_sequences=True, name="writer")(y)
        y = layers.Dropout(dropout, name="state_dropout")(y[:, 1:])  # nothing is said at t = -1
        logits = layers.Dense(target_vocabulary_size, dtype="float32", name="logits")(y)
        self.decoder = keras.Model([seen, before], logits, name="decoder")

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built both networks."""
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return probabilities (B, T, V) for ``{"source": (B, H, W, C), "before": (B, T)}``."""
        seen = self.encoder(inputs["source"], training=training)
        if training and self.sampling is not None:
            state = self._after(seen)
            return ops.softmax(self.sampling(inputs["before"], state, (), step=self.step))
        return ops.softmax(self.decoder([seen, inputs["before"]], training=training))

    def begin(self, source: Any) -> tuple[Any, Any]:
        """Return the LSTM's state after the image, and no context."""
        return self._after(self.encoder(source)), ()

    def _after(self, seen: Any) -> tuple[Any, Any]:
        """Return h and c of the LSTM once it has read the image's vector (B, E)."""
        cell = self.decoder.get_layer("writer").cell
        zeros = ops.zeros((ops.shape(seen)[0], self.arguments["units"]), seen.dtype)
        h, c = cell(seen, [zeros, zeros])[1]
        return h, c

    def step(self, tokens: Any, at: Any, state: Any, context: Any) -> tuple[Any, Any]:
        """Return the logits after one word (B,), and the LSTM's new state."""
        layer = self.decoder.get_layer
        y, state = layer("writer").cell(layer("target_embedding")(tokens), list(state))
        return layer("logits")(y), tuple(state)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), **self.arguments}


def show_and_tell(
    *,
    input_shape: tuple[int, ...] = (224, 224, 3),
    target_shape: tuple[int, ...] = (21,),
    target_vocabulary_size: int = 8_800,
    filters: tuple[int, ...] = (32, 64, 128, 256, 512),
    embedding_dim: int = 512,
    units: int = 512,
    dropout: float = 0.5,
    scheduled_sampling: float = 0.0,
    sampling_steps: int = 0,
) -> keras.Model:
    """Return a convolutional encoder and an LSTM that begins with the image.

    Source: Vinyals, Toshev, Bengio and Erhan, "Show and tell: a neural image caption generator",
    2015, section 3.1, with its widths of 512 (section 4.3.1). The paper's encoder is a GoogLeNet
    with batch normalisation that was trained on ImageNet; this one has a convolution, batch
    normalisation and pooling in each stage and is trained with the LSTM. It keeps where things are,
    so that a caption can have them in order.

    Args:
        input_shape: (height, width, channels).
        target_shape: (T,) words of the caption with its start and end token.
        target_vocabulary_size: Of the captions.
        filters: Of each stage of the encoder; each halves height and width.
        embedding_dim: Width of the image's vector and of a word's.
        units: Width of the LSTM's state.
        dropout: The share of values dropped before the image's vector and after the LSTM, while
            training (section 4.3.1).
        scheduled_sampling: The highest share of tokens that are the model's own while training
            (Bengio et al. 2015), not the true ones; 0 is teacher forcing. There is no dropout in
            the decoder then.
        sampling_steps: Training steps in which that share rises from 0; 0 begins with it.

    Returns:
        A `Translator` from images.
    """
    require_image(tuple(input_shape), 1)
    if len(target_shape) != 1:
        raise ValueError(f"target_shape must be (length,), got {target_shape}")
    if not filters or min(filters) < 1:
        raise ValueError(f"filters must be positive numbers, one for each stage, got {filters}")
    require_shares(dropout=dropout)
    require_sampling(scheduled_sampling, sampling_steps)
    return ShowAndTell(
        input_shape,
        target_shape,
        target_vocabulary_size,
        filters,
        embedding_dim,
        units,
        dropout,
        scheduled_sampling,
        sampling_steps,
        name="show-and-tell",
    )
