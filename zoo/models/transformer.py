"""The Transformer (Vaswani et al. 2017): attention alone, from one sequence to another."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from zoo.layers.attention import Attention
from zoo.layers.checks import require_shares
from zoo.layers.embeddings import SinusoidalPositions, TiedEmbedding
from zoo.layers.translator import Translator

PADDING = 0
EPSILON = 1e-5  # of the normalisations; the paper does not say


class _Layer:
    """What both kinds of layers have: sub-layers, each added to its input and normalised.

    The paper's LayerNorm(x + Sublayer(x)), section 3.1, with dropout on Sublayer(x), section 5.4.
    """

    def __init__(self, name: str, dropout: float) -> None:
        self.name = name
        self.rate = dropout

    def sublayer(self, name: str) -> Any:
        """Return the dropout and the normalisation after a sub-layer."""
        dropout = layers.Dropout(self.rate, name=f"{self.name}_{name}_dropout")
        norm = layers.LayerNormalization(epsilon=EPSILON, name=f"{self.name}_{name}_norm")
        return dropout, norm

    def feed_forward(self, width: int, hidden_units: int) -> None:
        """Make max(0, x W1 + b1) W2 + b2, section 3.3."""
        self.hidden = layers.Dense(hidden_units, activation="relu", name=f"{self.name}_hidden")
        self.dense = layers.Dense(width, name=f"{self.name}_dense")
        self.dense_sum = self.sublayer("dense")

    def forward(self, x: Any) -> Any:
        """Return x after the feed-forward sub-layer."""
        return _added(x, self.dense(self.hidden(x)), self.dense_sum)


def _added(x: Any, found: Any, after: Any) -> Any:
    dropout, norm = after
    return norm(x + dropout(found))


class EncoderLayer(_Layer):
    """Self-attention, then a feed-forward network at each position."""

    def __init__(
        self, name: str, width: int, num_heads: int, hidden_units: int, dropout: float, bias: bool
    ) -> None:
        super().__init__(name, dropout)
        self.attention = Attention(num_heads, use_bias=bias, name=f"{name}_attention")
        self.attention_sum = self.sublayer("attention")
        self.feed_forward(width, hidden_units)

    def __call__(self, x: Any, present: Any) -> Any:
        """Return (B, S, width) for (B, S, width); `present` (B, S) is false at padding."""
        x = _added(x, self.attention(x, visible=present), self.attention_sum)
        return self.forward(x)


class DecoderLayer(_Layer):
    """Masked self-attention, attention to the encoder's output, a feed-forward network."""

    def __init__(
        self, name: str, width: int, num_heads: int, hidden_units: int, dropout: float, bias: bool
    ) -> None:
        super().__init__(name, dropout)
        self.attention = Attention(num_heads, causal=True, use_bias=bias, name=f"{name}_attention")
        self.attention_sum = self.sublayer("attention")
        self.lookup = Attention(num_heads, use_bias=bias, name=f"{name}_lookup")
        self.lookup_sum = self.sublayer("lookup")
        self.feed_forward(width, hidden_units)

    def __call__(self, y: Any, memory: Any, present: Any) -> Any:
        """Return (B, T, width) for (B, T, width) and the encoder's output (B, S, width)."""
        y = _added(y, self.attention(y), self.attention_sum)
        y = _added(y, self.lookup(y, memory, visible=present), self.lookup_sum)
        return self.forward(y)

    def step(self, y: Any, cache: Any, remembered: Any, present: Any, at: Any) -> Any:
        """Return (B, 1, width) for one more token, and the cache with it."""
        found, cache = self.attention.step(y, cache, at)
        y = _added(y, found, self.attention_sum)
        y = _added(y, self.lookup.recall(y, remembered, present), self.lookup_sum)
        return self.forward(y), cache


@keras.saving.register_keras_serializable("dlzoo")
class Transformer(Translator, keras.Model):
    """From a source, and the tokens before each place, to the next token's probabilities.

    It is called with ``{"source": (B, S), "before": (B, T)}`` and returns (B, T, V); see
    `transformer`. It writes by `begin` and `step`, see `zoo.layers.decoding`.
    """

    has_attention = True

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        vocabulary_size: int,
        target_shape: tuple[int, ...],
        target_vocabulary_size: int,
        width: int,
        num_layers: int,
        num_heads: int,
        hidden_units: int,
        dropout: float,
        share_embeddings: bool,
        attention_bias: bool,
        name: str = "transformer",
    ) -> None:
        written = target_shape[0] - 1  # the last token is not read
        arguments: dict[str, Any] = {
            "input_shape": input_shape,
            "vocabulary_size": vocabulary_size,
            "target_shape": target_shape,
            "target_vocabulary_size": target_vocabulary_size,
            "width": width,
            "num_layers": num_layers,
            "num_heads": num_heads,
            "hidden_units": hidden_units,
            "dropout": dropout,
            "share_embeddings": share_embeddings,
            "attention_bias": attention_bias,
        }
        size = (width, num_heads, hidden_units, dropout, attention_bias)
        numbers = range(1, num_layers + 1)
        embedding = _embedding(vocabulary_size, width, "embedding")
        target_embedding = embedding
        if not share_embeddings:
            target_embedding = _embedding(target_vocabulary_size, width, "target_embedding")
        positions = SinusoidalPositions(input_shape[0], name="positions")
        target_positions = SinusoidalPositions(written, name="target_positions")
        encoder = [EncoderLayer(f"encoder{number}", *size) for number in numbers]
        decoder = [DecoderLayer(f"decoder{number}", *size) for number in numbers]

        source = keras.Input(input_shape, dtype="int32", name="source")
        before = keras.Input((written,), dtype="int32", name="before")
        present = ops.not_equal(source, PADDING)
        x = layers.Dropout(dropout, name="dropout")(positions(embedding(source)))
        for layer in encoder:  # (B, S, width)
            x = layer(x, present)
        y = target_positions(target_embedding(before))
        y = layers.Dropout(dropout, name="target_dropout")(y)
        for writer in decoder:  # (B, T, width)
            y = writer(y, x, present)
        logits = target_embedding(y, reverse=True)  # (B, T, V)
        probabilities = layers.Softmax(dtype="float32", name="probabilities")(logits)
        super().__init__({"source": source, "before": before}, probabilities, name=name)
        self.arguments = arguments
        self.embedding, self.target_embedding = embedding, target_embedding
        self.positions, self.target_positions = positions, target_positions
        # In tuples of plain objects: Keras saves the layers of the network, each once.
        self.encoder_layers, self.decoder_layers = tuple(encoder), tuple(decoder)

    def encode(self, source: Any) -> Any:
        """Return the encoder's output (B, S, width) for tokens (B, S)."""
        present = ops.not_equal(source, PADDING)
        x = self.positions(self.embedding(source))
        for layer in self.encoder_layers:
            x = layer(x, present)
        return x

    def begin(self, source: Any) -> tuple[Any, Any]:
        """Return empty caches, and what each decoder layer remembers of the source.

        Args:
            source: Tokens (B, S); 0 is padding.
        """
        memory = self.encode(source)
        rows, length = ops.shape(source)[0], self.arguments["target_shape"][0] - 1
        caches = tuple(one.attention.new_cache(rows, length) for one in self.decoder_layers)
        remembered = tuple(one.lookup.remember(memory) for one in self.decoder_layers)
        return caches, (remembered, ops.not_equal(source, PADDING))

    def step(self, tokens: Any, at: Any, state: Any, context: Any) -> tuple[Any, Any]:
        """Return the logits (B, V) of the next token and the new state; see `decoding.Step`."""
        remembered, present = context
        y = self.target_positions.step(self.target_embedding(tokens[:, None]), at)
        caches = []
        for number, layer in enumerate(self.decoder_layers):
            y, cache = layer.step(y, state[number], remembered[number], present, at)
            caches.append(cache)
        return self.target_embedding(y, reverse=True)[:, 0], tuple(caches)

    def attention(self, source: Any, before: Any) -> Any:
        """Return the last layer's attention to the source, the mean of its heads, (B, T, S).

        Args:
            source: Tokens (B, S).
            before: The tokens before each that was written, (B, T).
        """
        memory, present = self.encode(source), ops.not_equal(source, PADDING)
        y = self.target_positions(self.target_embedding(before))
        *lower, last = self.decoder_layers
        for layer in lower:
            y = layer(y, memory, present)
        y = _added(y, last.attention(y), last.attention_sum)
        return ops.mean(last.lookup.maps(y, memory, visible=present), axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**self.arguments, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Transformer:
        """Return the model that a config describes."""
        shapes = {key: tuple(config[key]) for key in ("input_shape", "target_shape")}
        return cls(**{**config, **shapes})


def _embedding(vocabulary_size: int, width: int, name: str) -> TiedEmbedding:
    # So that logits begin near 1 in size, and vectors, which are scaled up, too.
    normal = keras.initializers.RandomNormal(stddev=width**-0.5)
    return TiedEmbedding(
        vocabulary_size, width, scaled=True, embeddings_initializer=normal, name=name
    )


def transformer(
    *,
    input_shape: tuple[int, ...] = (50,),
    vocabulary_size: int = 100,
    target_shape: tuple[int, ...] = (51,),
    target_vocabulary_size: int = 100,
    width: int = 64,
    num_layers: int = 2,
    num_heads: int = 4,
    hidden_units: int | None = None,
    dropout: float = 0.1,
    share_embeddings: bool = False,
    attention_bias: bool = False,
) -> keras.Model:
    """Return an encoder and a decoder of attention, by default ones that a CPU trains in minutes.

    Source: Vaswani et al., "Attention is all you need", 2017, section 3. For the paper's sizes see
    `transformer_base` and `transformer_big`.

    Args:
        input_shape: (S,) tokens of the source; 0 is padding and is never looked at.
        vocabulary_size: Of the source.
        target_shape: (T,) tokens of the target with its start and end token.
        target_vocabulary_size: Of the target.
        width: Of the vectors, d_model.
        num_layers: Of the encoder, and as many of the decoder.
        num_heads: Of each attention, h; they share the width.
        hidden_units: Of each layer's first dense layer, d_ff; four times the width if None.
        dropout: The share of sub-layers' outputs and of the embeddings dropped while training, 0 to
            below 1.
        share_embeddings: Whether source and target have one vocabulary and one table, section 3.4.
            The target's table always makes the logits too.
        attention_bias: Whether the projections of attention have biases; the paper's have none.

    Returns:
        A `Translator` with `attention`.
    """
    for name, shape in (("input_shape", input_shape), ("target_shape", target_shape)):
        if len(shape) != 1:
            raise ValueError(f"{name} must be (length,), got {shape}")
    if num_layers < 1:
        raise ValueError(f"num_layers must be at least 1, got {num_layers}")
    require_shares(dropout=dropout)
    if share_embeddings and vocabulary_size != target_vocabulary_size:
        raise ValueError(
            "share_embeddings needs one vocabulary, got "
            f"{vocabulary_size} and {target_vocabulary_size} tokens"
        )
    return Transformer(
        input_shape=tuple(input_shape),
        vocabulary_size=vocabulary_size,
        target_shape=tuple(target_shape),
        target_vocabulary_size=target_vocabulary_size,
        width=width,
        num_layers=num_layers,
        num_heads=num_heads,
        hidden_units=hidden_units or 4 * width,
        dropout=dropout,
        share_embeddings=share_embeddings,
        attention_bias=attention_bias,
    )


def transformer_base(
    *,
    input_shape: tuple[int, ...] = (50,),
    vocabulary_size: int = 37_000,
    target_shape: tuple[int, ...] = (51,),
    target_vocabulary_size: int = 37_000,
    dropout: float = 0.1,
    share_embeddings: bool = True,
) -> keras.Model:
    """Return the paper's base model (table 3), 63,045,632 parameters; see `transformer`.

    Args:
        input_shape: As in `transformer`.
        vocabulary_size: The paper's has about 37,000 byte pairs, shared by both languages.
        target_shape: As in `transformer`.
        target_vocabulary_size: The same.
        dropout: As in `transformer`.
        share_embeddings: As in `transformer`.
    """
    return transformer(
        input_shape=input_shape,
        vocabulary_size=vocabulary_size,
        target_shape=target_shape,
        target_vocabulary_size=target_vocabulary_size,
        width=512,
        num_layers=6,
        num_heads=8,
        dropout=dropout,
        share_embeddings=share_embeddings,
    )


def transformer_big(
    *,
    input_shape: tuple[int, ...] = (50,),
    vocabulary_size: int = 37_000,
    target_shape: tuple[int, ...] = (51,),
    target_vocabulary_size: int = 37_000,
    dropout: float = 0.3,
    share_embeddings: bool = True,
) -> keras.Model:
    """Return the paper's big model (table 3), 214,171,648 parameters; see `transformer`.

    Args:
        input_shape: As in `transformer`.
        vocabulary_size: As in `transformer_base`.
        target_shape: As in `transformer`.
        target_vocabulary_size: As in `transformer_base`.
        dropout: 0.3 for English to German, 0.1 for English to French (section 6.1).
        share_embeddings: As in `transformer`.
    """
    return transformer(
        input_shape=input_shape,
        vocabulary_size=vocabulary_size,
        target_shape=target_shape,
        target_vocabulary_size=target_vocabulary_size,
        width=1024,
        num_layers=6,
        num_heads=16,
        dropout=dropout,
        share_embeddings=share_embeddings,
    )
