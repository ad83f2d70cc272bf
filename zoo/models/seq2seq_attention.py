"""Neural machine translation by jointly learning to align and translate (Bahdanau et al. 2014).

The names in comments are those of the paper's appendix A: h the annotations, s the decoder's
states, α the weights, c the contexts.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from zoo.layers.checks import require_shares
from zoo.layers.scheduled_sampling import ScheduledSampling, require_sampling
from zoo.layers.translator import Translator


@keras.saving.register_keras_serializable("dlzoo")
class AlignedGRU(layers.Layer):
    """A GRU that looks at all annotations before each step, by additive attention.

    Args:
        units: Width of the state, n.
        alignment_units: Width of the alignment model's hidden layer, n'.
    """

    def __init__(self, units: int, alignment_units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.alignment_units = alignment_units
        self.unroll = False  # as of Keras's recurrent layers, see `zoo.serving.unrolling`
        # reset_after=False is the paper's gated unit: the reset gate comes before the product.
        self.cell = layers.GRUCell(units, reset_after=False, name="cell")
        self.query = layers.Dense(alignment_units, use_bias=False, name="query")  # W_a
        self.score = layers.Dense(1, use_bias=False, name="score")  # v_a

    def build(
        self,
        inputs_shape: Any,
        keys_shape: Any,
        annotations_shape: Any,
        present_shape: Any,
        state_shape: Any,
    ) -> None:
        """Make the weights."""
        self.cell.build((None, inputs_shape[-1] + annotations_shape[-1]))
        self.query.build(state_shape)
        self.score.build(keys_shape)
        self.places = (inputs_shape[1] or 1, keys_shape[1] or 1)
        self.built = True

    def step(self, x: Any, keys: Any, annotations: Any, present: Any, state: Any) -> Any:
        """Return s_i, c_i and α_i for the last token's vector (B, E) and s_{i-1}."""
        # e_ij = v_a · tanh(W_a s_{i-1} + U_a h_j), where the keys are U_a h_j
        scores = self.score(ops.tanh(self.query(state)[:, None] + keys))[..., 0]  # (B, S)
        scores = ops.where(present, ops.cast(scores, "float32"), -1e9)  # never at padding
        weights = ops.cast(ops.softmax(scores), annotations.dtype)
        context = ops.squeeze(ops.matmul(weights[:, None], annotations), 1)  # c_i = Σ α_ij h_j
        # The gates' sums W E y_{i-1} + C c_i are one product with both, side by side.
        state, _ = self.cell(ops.concatenate([x, context], axis=-1), [state])
        return state, context, weights

    def call(
        self, inputs: Any, keys: Any, annotations: Any, present: Any, state: Any
    ) -> tuple[Any, Any, Any]:
        """Return for each place s_{i-1} (B, T, n), c_i (B, T, 2n) and α_i (B, T, S)."""

        def step(carry: Any, x: Any) -> Any:
            after, context, weights = self.step(x, keys, annotations, present, carry[0])
            return (after, context, weights), (carry[0], context, weights)

        if self.unroll:
            carry, places = (state,), []
            for at in range(inputs.shape[1]):
                carry, place = step(carry, inputs[:, at])
                places.append(place)
            before, contexts, weights = (ops.stack(one, 1) for one in zip(*places, strict=True))
            return before, contexts, weights

        # Keras's scan wants what it carries and what it collects in one structure.
        first = (state, ops.zeros_like(annotations[:, 0]), ops.zeros_like(keys[:, :, 0]))
        _, found = ops.scan(step, first, ops.swapaxes(inputs, 0, 1))
        before, contexts, weights = (ops.swapaxes(one, 0, 1) for one in found)
        return before, contexts, weights

    def compute_output_shape(
        self,
        inputs_shape: Any,
        keys_shape: Any,
        annotations_shape: Any,
        present_shape: Any,
        state_shape: Any,
    ) -> Any:
        """Return the shapes of what `call` returns."""
        places = tuple(inputs_shape[:2])
        return (
            (*places, self.units),
            (*places, annotations_shape[-1]),
            (*places, keys_shape[1]),
        )

    def multiply_adds(self) -> int:
        """Return those of one example: the scores and contexts of all pairs, and the GRU."""
        written, read = self.places
        width = self.cell.kernel.shape[0]
        context = 2 * self.units
        cell = 3 * self.units * (width + self.units)
        return int(
            written * (cell + self.units * self.alignment_units)
            + written * read * (self.alignment_units + context)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = {"units": self.units, "alignment_units": self.alignment_units}
        return {**super().get_config(), **config}


def _gru(units: int, **arguments: Any) -> Any:
    """Return the paper's gated unit, in which the reset gate comes before the product."""
    return layers.GRU(
        units, reset_after=False, return_sequences=True, return_state=True, **arguments
    )


def maxout(pairs: Any) -> Any:
    """Return the greater of the first and the second half of the values (..., 2l), (..., l)."""
    first, second = ops.split(pairs, 2, axis=-1)
    return ops.maximum(first, second)


@keras.saving.register_keras_serializable("dlzoo")
class Seq2SeqAttention(Translator, keras.Model):
    """A bidirectional GRU that annotates the source, and a GRU that looks at it while it writes."""

    has_attention = True

    def __init__(
        self,
        input_shape: tuple[int],
        vocabulary_size: int,
        target_shape: tuple[int],
        target_vocabulary_size: int,
        embedding_dim: int,
        units: int,
        alignment_units: int,
        output_units: int,
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
            "alignment_units": alignment_units,
            "output_units": output_units,
            "dropout": dropout,
            "scheduled_sampling": scheduled_sampling,
            "sampling_steps": sampling_steps,
        }
        self.sampling = None
        if scheduled_sampling:
            self.sampling = ScheduledSampling(scheduled_sampling, sampling_steps, name="sampling")
        length, places = input_shape[0], target_shape[0] - 1

        # The encoder (A.2.1): (B, S) tokens -> annotations h (B, S, 2n), U_a h and s_0.
        source = keras.Input((length,), dtype="int32", name="source")
        embedding = layers.Embedding(
            vocabulary_size, embedding_dim, mask_zero=True, name="source_embedding"
        )
        x = layers.Dropout(dropout, name="dropout")(embedding(source))
        forward, _ = _gru(units, name="forward")(x)
        backward, last = _gru(units, go_backwards=True, name="backward")(x)
        h = ops.concatenate([forward, ops.flip(backward, axis=1)], axis=-1)
        keys = layers.Dense(alignment_units, use_bias=False, name="keys")(h)  # U_a
        # The backward GRU has read the whole source and ends at its first token.
        s_0 = layers.Dense(units, activation="tanh", use_bias=False, name="first_state")(last)
        self.encoder = keras.Model(source, [keys, h, s_0], name="encoder")

        # The decoder (A.2.2): (B, T) tokens and the encoder's outputs -> (B, T, V) logits and α.
        before = keras.Input((places,), dtype="int32", name="before")
        given = [
            keras.Input((length, alignment_units), name="keys"),
            keras.Input((length, 2 * units), name="annotations"),
            keras.Input((length,), dtype="bool", name="present"),
            keras.Input((units,), name="first_state"),
        ]
        embedding = layers.Embedding(target_vocabulary_size, embedding_dim, name="target_embedding")
        y = layers.Dropout(dropout, name="dropout")(embedding(before))
        s, c, weights = AlignedGRU(units, alignment_units, name="aligned_gru")(y, *given)
        hidden = layers.Dense(2 * output_units, name="hidden")  # U_o, V_o and C_o side by side
        output = layers.Dense(target_vocabulary_size, dtype="float32", name="logits")  # W_o
        logits = output(maxout(hidden(ops.concatenate([s, y, c], axis=-1))))
        self.decoder = keras.Model([before, *given], [logits, weights], name="decoder")

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built both networks."""
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return probabilities (B, T, V) for ``{"source": (B, S), "before": (B, T)}``."""
        source, before = inputs["source"], inputs["before"]
        if training and self.sampling is not None:
            keys, annotations, state = self.encoder(source, training=training)
            context = (keys, annotations, ops.not_equal(source, 0))
            return ops.softmax(self.sampling(before, (state,), context, step=self.step))
        return ops.softmax(self._both(source, before, training)[0])

    def _both(self, source: Any, before: Any, training: bool | None = None) -> Any:
        """Return logits (B, T, V) and α (B, T, S)."""
        keys, annotations, state = self.encoder(source, training=training)
        present = ops.not_equal(source, 0)
        return self.decoder([before, keys, annotations, present, state], training=training)

    def attention(self, source: Any, before: Any) -> Any:
        """Return α (B, T, S)."""
        return self._both(ops.convert_to_tensor(source), ops.convert_to_tensor(before))[1]

    def begin(self, source: Any) -> tuple[Any, Any]:
        """Return s_0; and the annotations, their keys and which tokens are there, computed once."""
        keys, annotations, state = self.encoder(source)
        return (state,), (keys, annotations, ops.not_equal(source, 0))

    def step(self, tokens: Any, at: Any, state: Any, context: Any) -> tuple[Any, Any]:
        """Return the logits after one token (B,), and s_i."""
        layer = self.decoder.get_layer
        (before,), (keys, annotations, present) = state, context
        y = layer("target_embedding")(tokens)
        after, seen, _ = layer("aligned_gru").step(y, keys, annotations, present, before)
        t = maxout(layer("hidden")(ops.concatenate([before, y, seen], axis=-1)))
        return layer("logits")(t), (after,)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), **self.arguments}


def seq2seq_attention(
    *,
    input_shape: tuple[int, ...] = (50,),
    vocabulary_size: int = 30_000,
    target_shape: tuple[int, ...] = (51,),
    target_vocabulary_size: int = 30_000,
    embedding_dim: int = 620,
    units: int = 1000,
    alignment_units: int = 1000,
    output_units: int = 500,
    dropout: float = 0.0,
    scheduled_sampling: float = 0.0,
    sampling_steps: int = 0,
) -> keras.Model:
    """Return an encoder-decoder that looks at the source anew before each token it writes.

    Source: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to align and
    translate", 2014 (ICLR 2015). The defaults are RNNsearch-50 of its appendix A.

    Args:
        input_shape: (S,) tokens of the source; 0 is padding and is never looked at.
        vocabulary_size: Of the source.
        target_shape: (T,) tokens of the target with its start and end token.
        target_vocabulary_size: Of the target.
        embedding_dim: Width of a token's vector.
        units: Width of a GRU's state, in each direction of the encoder and in the decoder.
        alignment_units: Width of the alignment model's hidden layer.
        output_units: Width of the maxout layer before the output.
        dropout: The share of the embeddings' values dropped while training; the paper has none.
        scheduled_sampling: The highest share of tokens that are the model's own while training
            (Bengio et al. 2015), not the true ones; 0 is teacher forcing. There is no dropout in
            the decoder then.
        sampling_steps: Training steps in which that share rises from 0; 0 begins with it.

    Returns:
        A `Translator` with `attention`.
    """
    for name, shape in (("input_shape", input_shape), ("target_shape", target_shape)):
        if len(shape) != 1:
            raise ValueError(f"{name} must be (length,), got {shape}")
    require_shares(dropout=dropout)
    require_sampling(scheduled_sampling, sampling_steps)
    return Seq2SeqAttention(
        (input_shape[0],),
        vocabulary_size,
        (target_shape[0],),
        target_vocabulary_size,
        embedding_dim,
        units,
        alignment_units,
        output_units,
        dropout,
        scheduled_sampling,
        sampling_steps,
        name="seq2seq-attention",
    )
