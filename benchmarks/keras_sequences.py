"""The zoo's models of sequences in Keras's own layers and in keras-hub's, as people write them.

Weights are made in the zoo's order, so that tests can carry them over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from benchmarks.keras_peers import plain_copy
from zoo import registry
from zoo.layers.embeddings import sinusoids

if TYPE_CHECKING:
    from benchmarks.sequences import Case

START = 2
Write = Callable[[Any], Any]
"""From sources (B, S) to the tokens (B, T) that are written."""


def build(case: Case) -> tuple[Any, Write | None]:
    """Return the network of a case in plain Keras, and what writes with it."""
    if not case.written:
        return plain_copy(registry.build(case.model, **case.builder_arguments)), None
    make = attention if case.model == "seq2seq-attention" else transformer
    return make(**case.builder_arguments)


class AttentionCell(layers.Layer):
    """Bahdanau's decoder. Keras 3's `RNN` takes no constants, so that steps are written out."""

    def __init__(self, units: int, alignment_units: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.gru = layers.GRUCell(units, reset_after=False)
        self.query = layers.Dense(alignment_units, use_bias=False)
        self.score = layers.Dense(1, use_bias=False)

    def build(
        self, words_shape: Any, state_shape: Any, annotations_shape: Any, keys_shape: Any
    ) -> None:
        """Make the weights."""
        self.gru.build((None, words_shape[-1] + annotations_shape[-1]))
        self.query.build(state_shape)
        self.score.build(keys_shape)

    def step(self, y: Any, state: Any, annotations: Any, keys: Any) -> tuple[Any, Any]:
        """Return s_{i-1} with the context, and the next state."""
        scores = self.score(ops.tanh(self.query(state)[:, None] + keys))
        context = ops.sum(ops.softmax(scores, axis=1) * annotations, axis=1)
        after, _ = self.gru(ops.concatenate([y, context], axis=-1), [state])
        return ops.concatenate([state, context], axis=-1), after

    def call(self, words: Any, state: Any, annotations: Any, keys: Any) -> Any:
        """Return what `step` does at each place, (B, T, 3 units)."""
        found = []
        for at in range(words.shape[1]):
            features, state = self.step(words[:, at], state, annotations, keys)
            found.append(features)
        return ops.stack(found, axis=1)


def attention(
    *,
    input_shape: tuple[int],
    vocabulary_size: int,
    target_shape: tuple[int],
    target_vocabulary_size: int,
    embedding_dim: int,
    units: int,
    alignment_units: int,
    output_units: int,
) -> tuple[Any, Write]:
    """Return an encoder and a decoder of GRUs with additive attention."""
    places = target_shape[0] - 1
    source = keras.Input(input_shape, dtype="int32", name="source")
    x = layers.Embedding(vocabulary_size, embedding_dim)(source)
    gru: dict[str, Any] = {"reset_after": False, "return_sequences": True, "return_state": True}
    forward, _ = layers.GRU(units, **gru)(x)
    backward, last = layers.GRU(units, go_backwards=True, **gru)(x)
    annotations = layers.Concatenate()([forward, ops.flip(backward, axis=1)])
    keys = layers.Dense(alignment_units, use_bias=False)(annotations)
    first_state = layers.Dense(units, activation="tanh", use_bias=False)(last)
    encoder = keras.Model(source, [annotations, keys, first_state])

    embedding = layers.Embedding(target_vocabulary_size, embedding_dim)
    cell = AttentionCell(units, alignment_units)
    hidden, logits = layers.Dense(2 * output_units), layers.Dense(target_vocabulary_size)
    before = keras.Input((places,), dtype="int32", name="before")
    y = embedding(before)

    def output(y: Any, found: Any) -> Any:
        # In the order of the zoo's layer: state, word, context.
        state, context = ops.split(found, [units], axis=-1)
        both = hidden(ops.concatenate([state, y, context], axis=-1))
        return ops.softmax(logits(ops.maximum(*ops.split(both, 2, axis=-1))))

    found = cell(y, first_state, annotations, keys)
    model = keras.Model({"source": source, "before": before}, output(y, found))

    @tf.function
    def step(tokens: Any, state: Any, annotations: Any, keys: Any) -> Any:
        y = embedding(tokens)
        found, state = cell.step(y, state, annotations, keys)
        return tf.argmax(output(y, found), axis=-1, output_type=tf.int32), state

    encode = tf.function(encoder)

    def write(source: Any) -> Any:
        annotations, keys, state = encode(tf.convert_to_tensor(source))
        tokens, written = tf.fill([len(source)], START), []
        for _ in range(places):
            tokens, state = step(tokens, state, annotations, keys)
            written.append(tokens)
        return tf.stack(written, axis=1)

    return model, write


class Embedded(layers.Layer):
    """Scaled embeddings with positions, whose table makes the logits too."""

    def __init__(self, vocabulary_size: int, width: int, length: int) -> None:
        super().__init__()
        normal = keras.initializers.RandomNormal(stddev=width**-0.5)
        self.table = layers.ReversibleEmbedding(
            vocabulary_size, width, embeddings_initializer=normal
        )
        self.positions = sinusoids(length, width)

    def call(self, tokens: Any) -> Any:
        """Return (B, T, width)."""
        vectors = self.table(tokens)
        return vectors * vectors.shape[-1] ** 0.5 + self.positions[: tokens.shape[1]]


def transformer(
    *,
    input_shape: tuple[int],
    vocabulary_size: int,
    target_shape: tuple[int],
    target_vocabulary_size: int,
    width: int = 64,
    num_layers: int = 2,
    num_heads: int = 4,
    dropout: float = 0.1,
    attention_bias: bool = True,
) -> tuple[Any, Write]:
    """Return an encoder and a decoder of `MultiHeadAttention`."""
    places = target_shape[0] - 1

    def added(x: Any, found: Any) -> Any:
        return layers.LayerNormalization(epsilon=1e-5)(x + layers.Dropout(dropout)(found))

    def attend(x: Any, memory: Any, *, causal: bool = False) -> Any:
        heads = layers.MultiHeadAttention(num_heads, width // num_heads, use_bias=attention_bias)
        return added(x, heads(x, memory, use_causal_mask=causal))

    def forward(x: Any) -> Any:
        hidden = layers.Dense(4 * width, activation="relu")(x)
        return added(x, layers.Dense(width)(hidden))

    source = keras.Input(input_shape, dtype="int32", name="source")
    before = keras.Input((places,), dtype="int32", name="before")
    x = layers.Dropout(dropout)(Embedded(vocabulary_size, width, input_shape[0])(source))
    for _ in range(num_layers):
        x = forward(attend(x, x))
    encoder = keras.Model(source, x)
    embedded = Embedded(target_vocabulary_size, width, places)
    y = layers.Dropout(dropout)(embedded(before))
    memory = keras.Input(x.shape[1:])
    for _ in range(num_layers):
        y = forward(attend(attend(y, y, causal=True), memory))
    decoder = keras.Model([before, memory], ops.softmax(embedded.table(y, reverse=True)))
    model = keras.Model({"source": source, "before": before}, decoder([before, encoder(source)]))
    return model, prefix_writer(encoder, decoder, places)


def prefix_writer(encoder: Any, decoder: Any, places: int) -> Write:
    """Return what writes by answering for the whole prefix at each token."""
    encode = tf.function(encoder)

    @tf.function
    def step(written: Any, at: Any, memory: Any) -> Any:
        found = tf.argmax(decoder([written, memory])[:, at], axis=-1, output_type=tf.int32)
        return tf.where(tf.range(places) == at + 1, found[:, None], written), found

    def write(source: Any) -> Any:
        memory, found = encode(tf.convert_to_tensor(source)), []
        written = tf.pad(tf.fill([len(source), 1], START), [[0, 0], [0, places - 1]])
        for at in range(places):
            written, last = step(written, tf.constant(at), memory)
            found.append(last)
        return tf.stack(found, axis=1)

    return write


def hub(case: Case) -> tuple[Any, Write]:
    """Return the Transformer of keras-hub's layers, which decode with caches."""
    from keras_hub.layers import TransformerDecoder, TransformerEncoder

    sizes = case.builder_arguments
    width, heads, dropout = sizes.get("width", 64), sizes.get("num_heads", 4), 0.1
    depth, places = sizes.get("num_layers", 2), case.written - 1
    arguments = {"dropout": dropout, "layer_norm_epsilon": 1e-5}
    source = keras.Input(case.input_shape, dtype="int32", name="source")
    x = Embedded(case.vocabulary_size, width, case.input_shape[0])(source)
    x = layers.Dropout(dropout)(x)
    for _ in range(depth):
        x = TransformerEncoder(4 * width, heads, **arguments)(x)
    encoder = keras.Model(source, x)
    embedded = Embedded(case.vocabulary_size, width, places)
    decoders = [TransformerDecoder(4 * width, heads, **arguments) for _ in range(depth)]
    before = keras.Input((places,), dtype="int32", name="before")
    y = layers.Dropout(dropout)(embedded(before))
    for layer in decoders:
        y = layer(y, x)
    model = keras.Model(
        {"source": source, "before": before}, ops.softmax(embedded.table(y, reverse=True))
    )
    positions = tf.constant(np.asarray(embedded.positions, np.float32))
    encode = tf.function(encoder)

    @tf.function
    def loop(memory: Any) -> Any:
        rows = tf.shape(memory)[0]
        cache = tf.zeros((depth, rows, 2, places, heads, width // heads))
        looked = tf.zeros((depth, rows, 2, memory.shape[1], heads, width // heads))

        def step(first: bool, at: Any, last: Any, written: Any, cache: Any, looked: Any) -> Any:
            y = embedded.table(last[:, None]) * width**0.5 + positions[at][None, None]
            kept, seen = [], []
            for number, layer in enumerate(decoders):
                y, own, cross = layer(
                    y,
                    memory,
                    self_attention_cache=cache[number],
                    self_attention_cache_update_index=at,
                    cross_attention_cache=looked[number],
                    cross_attention_cache_update_index=0 if first else None,
                )
                kept.append(own)
                seen.append(cross)
            logits = embedded.table(y, reverse=True)[:, 0]
            last = tf.argmax(logits, axis=-1, output_type=tf.int32)
            written = tf.where(tf.range(places) == at, last[:, None], written)
            return at + 1, last, written, tf.stack(kept), tf.stack(seen)

        start = (tf.constant(0), tf.fill([rows], START), tf.zeros((rows, places), tf.int32))
        return tf.while_loop(
            lambda at, *rest: at < places,
            lambda *values: step(False, *values),
            step(True, *start, cache, looked),
        )[2]

    return model, lambda source: loop(encode(tf.convert_to_tensor(source)))
