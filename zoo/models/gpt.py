"""GPT-2 (Radford et al. 2019): a decoder-only Transformer that predicts the next token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.layers.attention import Attention, Cache
from zoo.layers.checks import require_shares
from zoo.layers.embeddings import LearnedPositions, TiedEmbedding

STDDEV = 0.02  # of all initial weights, GPT 2018, section 4.1
EPSILON = 1e-5  # of the normalisations


class Block:
    """The layers of one block: attention, then two dense layers, each normalised before."""

    def __init__(
        self, name: str, width: int, num_heads: int, hidden_units: int, dropout: float, depth: int
    ) -> None:
        normal = keras.initializers.RandomNormal(STDDEV)
        # Weights into the sum are smaller, the more of them there are: GPT-2, section 2.3.
        smaller = keras.initializers.RandomNormal(STDDEV / (2 * depth) ** 0.5)
        self.attention_norm = layers.LayerNormalization(
            epsilon=EPSILON, name=f"{name}_attention_norm"
        )
        self.attention = Attention(
            num_heads,
            causal=True,
            dropout=dropout,
            kernel_initializer=normal,
            output_initializer=smaller,
            name=f"{name}_attention",
        )
        self.dense_norm = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_dense_norm")
        self.hidden = layers.Dense(
            hidden_units,
            activation=gelu,
            kernel_initializer=normal.clone(),
            name=f"{name}_hidden",
        )
        self.dense = layers.Dense(width, kernel_initializer=smaller.clone(), name=f"{name}_dense")
        self.attention_dropout = layers.Dropout(dropout, name=f"{name}_attention_dropout")
        self.dense_dropout = layers.Dropout(dropout, name=f"{name}_dense_dropout")

    def __call__(self, x: Any, tokens: Any) -> Any:
        """Return (B, T, width) for (B, T, width) and the tokens (B, T) that it stands for."""
        x = x + self.attention_dropout(self.attention(self.attention_norm(x)))
        return x + self.dense_dropout(self.feed_forward(self.dense_norm(x), tokens))

    def feed_forward(self, x: Any, tokens: Any = None) -> Any:
        """Return what both dense layers make of each position."""
        return self.dense(self.hidden(x))

    def step(self, x: Any, cache: Cache, at: Any) -> tuple[Any, Cache]:
        """Return (B, 1, width) for one more token, and the cache with it."""
        attended, cache = self.attention.step(self.attention_norm(x), cache, at)
        x = x + attended
        return x + self.feed_forward(self.dense_norm(x)), cache


@keras.saving.register_keras_serializable("dlzoo", name="_gelu")
def gelu(x: Any) -> Any:
    """The Gaussian error linear unit by GPT-2's approximation with a hyperbolic tangent."""
    return ops.gelu(x, approximate=True)


@keras.saving.register_keras_serializable("dlzoo")
class GPT(keras.Model):
    """A language model: the logits of the next token at each position; see `gpt`.

    It writes a token at a time by `new_state` and `step`, see `zoo.layers.decoding`.
    """

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        vocabulary_size: int,
        width: int,
        num_layers: int,
        num_heads: int,
        hidden_units: int,
        dropout: float,
        name: str = "gpt",
        blocks: Sequence[Block] | None = None,
    ) -> None:
        normal = keras.initializers.RandomNormal(STDDEV)
        embedding = TiedEmbedding(
            vocabulary_size, width, embeddings_initializer=normal, name="embedding"
        )
        positions = LearnedPositions(
            input_shape[0], embeddings_initializer=normal.clone(), name="positions"
        )
        blocks = blocks or [
            Block(f"block{number}", width, num_heads, hidden_units, dropout, num_layers)
            for number in range(1, num_layers + 1)
        ]
        norm = layers.LayerNormalization(epsilon=EPSILON, name="norm")
        tokens = keras.Input(input_shape, dtype="int32", name="tokens")
        x = positions(embedding(tokens))  # (B, T) -> (B, T, width)
        x = layers.Dropout(dropout, name="dropout")(x)
        for block in blocks:
            x = block(x, tokens)
        logits = embedding(norm(x), reverse=True)  # (B, T, V)
        super().__init__(tokens, logits, name=name)
        self.arguments: dict[str, Any] = {
            "input_shape": input_shape,
            "vocabulary_size": vocabulary_size,
            "width": width,
            "num_layers": num_layers,
            "num_heads": num_heads,
            "hidden_units": hidden_units,
            "dropout": dropout,
        }
        self.embedding, self.positions, self.norm = embedding, positions, norm
        self.blocks = tuple(blocks)

    @property
    def context_length(self) -> int:
        """The longest text that it reads."""
        return int(self.arguments["input_shape"][0])

    def new_state(self, rows: Any) -> tuple[Cache, ...]:
        """Return the caches of `rows` texts of which nothing was read."""
        return tuple(block.attention.new_cache(rows, self.context_length) for block in self.blocks)

    def step(self, tokens: Any, at: Any, state: Any, context: Any = ()) -> tuple[Any, Any]:
        """Return the logits (B, V) after one more token, and the state with it.

        Args:
            tokens: (B,) int32.
            at: How many tokens were read before, a scalar int32 below `context_length`.
            state: Of `new_state`, or of the step before.
            context: Not used.
        """
        x = self.positions.step(self.embedding(tokens[:, None]), at)
        caches = []
        for block, cache in zip(self.blocks, state, strict=True):
            x, cache = block.step(x, cache, at)  # noqa: PLW2901
            caches.append(cache)
        return self.embedding(self.norm(x), reverse=True)[:, 0], tuple(caches)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**self.arguments, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> GPT:
        """Return the model that a config describes."""
        return cls(**{**config, "input_shape": tuple(config["input_shape"])})


def gpt(
    *,
    input_shape: tuple[int, ...] = (128,),
    vocabulary_size: int = 100,
    width: int = 128,
    num_layers: int = 4,
    num_heads: int = 4,
    hidden_units: int | None = None,
    dropout: float = 0.1,
) -> keras.Model:
    """Return a decoder-only Transformer, by default one that a CPU trains in minutes.

    Source: Radford et al., "Language models are unsupervised multitask learners", 2019, section
    2.3: normalisation before each sub-layer and once at the end; otherwise Radford et al.,
    "Improving language understanding by generative pre-training", 2018, section 4.1.

    Args:
        input_shape: (context_length,) of tokens.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1.
        width: Of the vectors, 768 in GPT-2 small.
        num_layers: Blocks.
        num_heads: Of each attention; they share the width.
        hidden_units: Of each block's first dense layer; four times the width if None.
        dropout: The share of attention weights, of sub-layers' outputs and of the embedding dropped
            while training, 0 to below 1.

    Returns:
        A model from tokens (B, context_length) to the logits (B, context_length, V) of the next
        token at each position.
    """
    if len(input_shape) != 1:
        raise ValueError(f"input_shape must be (context_length,), got {input_shape}")
    if num_layers < 1:
        raise ValueError(f"num_layers must be at least 1, got {num_layers}")
    require_shares(dropout=dropout)
    return GPT(
        input_shape=tuple(input_shape),
        vocabulary_size=vocabulary_size,
        width=width,
        num_layers=num_layers,
        num_heads=num_heads,
        hidden_units=hidden_units or 4 * width,
        dropout=dropout,
    )


def gpt2_small(
    *,
    input_shape: tuple[int, ...] = (1024,),
    vocabulary_size: int = 50_257,
    dropout: float = 0.1,
) -> keras.Model:
    """Return GPT-2 small, 124,439,808 parameters; see `gpt`.

    Args:
        input_shape: (context_length,) of tokens.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1.
        dropout: As in `gpt`.
    """
    return gpt(
        input_shape=input_shape,
        vocabulary_size=vocabulary_size,
        width=768,
        num_layers=12,
        num_heads=12,
        dropout=dropout,
    )
