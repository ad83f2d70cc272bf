"""Sequence to sequence learning with LSTMs (Sutskever, Vinyals and Le 2014)."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from zoo.layers.checks import require_shares
from zoo.layers.scheduled_sampling import ScheduledSampling, require_sampling
from zoo.layers.translator import Translator


@keras.saving.register_keras_serializable("dlzoo")
class Seq2Seq(Translator, keras.Model):
    """An encoder LSTM whose last states are all that the decoder LSTM knows of the source."""

    def __init__(
        self,
        input_shape: tuple[int],
        vocabulary_size: int,
        target_shape: tuple[int],
        target_vocabulary_size: int,
        embedding_dim: int,
        units: int,
        num_layers: int,
        reverse: bool,
        dropout: float,
        scheduled_sampling: float = 0.0,
        sampling_steps: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.arguments = {
            "input_shape": tuple(input_shape),
            "vocabulary_size": vocabulary_size,
            "target_shape": tuple(target_shape),
            "target_vocabulary_size": target_vocabulary_size,
            "embedding_dim": embedding_dim,
            "units": units,
            "num_layers": num_layers,
            "reverse": reverse,
            "dropout": dropout,
            "scheduled_sampling": scheduled_sampling,
            "sampling_steps": sampling_steps,
        }
        self.sampling = None
        if scheduled_sampling:
            self.sampling = ScheduledSampling(scheduled_sampling, sampling_steps, name="sampling")
        self.reverse = reverse
        numbers = range(1, num_layers + 1)

        # The encoder: (B, S) tokens -> the last h and c, (B, units) each, of every layer.
        source = keras.Input(input_shape, dtype="int32", name="source")
        embedding = layers.Embedding(
            vocabulary_size, embedding_dim, mask_zero=True, name="source_embedding"
        )
        x = embedding(source)
        states = []
        for number in numbers:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
            lstm = layers.LSTM(
                units, return_sequences=True, return_state=True, name=f"reader{number}"
            )
            x, h, c = lstm(x)
            states += [h, c]
        self.encoder = keras.Model(source, states, name="encoder")

        # The decoder begins with these states: (B, T) tokens -> (B, T, V) logits.
        before = keras.Input((target_shape[0] - 1,), dtype="int32", name="before")
        given = [keras.Input((units,), name=f"{one}{at}") for at in numbers for one in "hc"]
        embedding = layers.Embedding(target_vocabulary_size, embedding_dim, name="target_embedding")
        y = embedding(before)
        for number, h, c in zip(numbers, given[::2], given[1::2], strict=True):
            y = layers.Dropout(dropout, name=f"dropout{number}")(y)
            lstm = layers.LSTM(units, return_sequences=True, name=f"writer{number}")
            y = lstm(y, initial_state=[h, c])
        y = layers.Dropout(dropout, name="dropout")(y)
        logits = layers.Dense(target_vocabulary_size, dtype="float32", name="logits")(y)
        self.decoder = keras.Model([before, *given], logits, name="decoder")

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built both networks."""
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return probabilities (B, T, V) for ``{"source": (B, S), "before": (B, T)}``."""
        states = self.encode(inputs["source"], training=training)
        if training and self.sampling is not None:
            return ops.softmax(self.sampling(inputs["before"], states, (), step=self.step))
        return ops.softmax(self.decoder([inputs["before"], *states], training=training))

    def encode(self, source: Any, training: bool | None = None) -> Any:
        """Return the states that the encoder ends with: h and c of each layer."""
        # Section 3.3: with the source reversed, its first words are near to the target's first.
        return self.encoder(ops.flip(source, axis=1) if self.reverse else source, training=training)

    def begin(self, source: Any) -> tuple[Any, Any]:
        """Return the encoder's states, and no context."""
        return self.encode(source), ()

    def step(self, tokens: Any, at: Any, state: Any, context: Any) -> tuple[Any, Any]:
        """Return the logits after one token (B,), and the new states."""
        layer = self.decoder.get_layer
        x, states = layer("target_embedding")(tokens), []
        for number, (h, c) in enumerate(zip(state[::2], state[1::2], strict=True), start=1):
            x, new = layer(f"writer{number}").cell(x, [h, c])
            states += new
        return layer("logits")(x), states

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), **self.arguments}


def seq2seq(
    *,
    input_shape: tuple[int, ...] = (50,),
    vocabulary_size: int = 20_000,
    target_shape: tuple[int, ...] = (51,),
    target_vocabulary_size: int = 20_000,
    embedding_dim: int = 256,
    units: int = 256,
    num_layers: int = 4,
    reverse: bool = True,
    dropout: float = 0.0,
    scheduled_sampling: float = 0.0,
    sampling_steps: int = 0,
) -> keras.Model:
    """Return an encoder of LSTM layers and a decoder that begins with the encoder's last states.

    Source: Sutskever, Vinyals and Le, "Sequence to sequence learning with neural networks", 2014.
    The paper's network has ``embedding_dim=1000, units=1000, num_layers=4`` and vocabularies of
    160,000 and 80,000 words (384 M parameters, of which its softmax has 80 M). The defaults are the
    same architecture at a quarter of its width, with vocabularies of 20,000.

    Args:
        input_shape: (S,) tokens of the source; 0 is padding and is skipped.
        vocabulary_size: Of the source.
        target_shape: (T,) tokens of the target with its start and end token.
        target_vocabulary_size: Of the target.
        embedding_dim: Width of a token's vector.
        units: Width of an LSTM's state.
        num_layers: LSTM layers of the encoder, and as many of the decoder.
        reverse: Whether the source is read from its end to its beginning, as in the paper.
        dropout: The share of values dropped before each LSTM layer, and before the output, while
            training (Zaremba et al. 2014); the paper has none.
        scheduled_sampling: The highest share of tokens that are the model's own while training
            (Bengio et al. 2015), not the true ones; 0 is teacher forcing. There is no dropout in
            the decoder then.
        sampling_steps: Training steps in which that share rises from 0; 0 begins with it.

    Returns:
        A `Translator`.
    """
    for name, shape in (("input_shape", input_shape), ("target_shape", target_shape)):
        if len(shape) != 1:
            raise ValueError(f"{name} must be (length,), got {shape}")
    if num_layers < 1:
        raise ValueError(f"num_layers must be at least 1, got {num_layers}")
    require_shares(dropout=dropout)
    require_sampling(scheduled_sampling, sampling_steps)
    return Seq2Seq(
        (input_shape[0],),
        vocabulary_size,
        (target_shape[0],),
        target_vocabulary_size,
        embedding_dim,
        units,
        num_layers,
        reverse,
        dropout,
        scheduled_sampling,
        sampling_steps,
        name="seq2seq",
    )
