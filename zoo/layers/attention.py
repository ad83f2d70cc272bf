"""Multi-head attention with masks and caches."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

Cache = tuple[Any, Any]
"""The keys and the values of one attention layer, each of shape (B, heads, S, width / heads)."""


@keras.saving.register_keras_serializable("dlzoo")
class Attention(layers.Layer):
    """Scaled dot-product attention of several heads (Vaswani et al. 2017, section 3.2).

    In training, and to read a whole text, call it. To write a text a token at a time:

    - `new_cache` makes an empty cache for the text, and `step` reads one more token: it adds the
      token's key and value to the cache, and attends to all tokens up to it.
    - `remember` computes the keys and values of another sequence (the encoder's output) once, and
      `recall` attends to them.

    Both give the numbers that a call on the whole sequence gives.

    Args:
        num_heads: They share the width of the query equally.
        causal: Whether a position sees only itself and those before it.
        use_bias: Whether the four projections have biases.
        dropout: The share of attention weights dropped while training.
        kernel_initializer: Of the four projections.
        output_initializer: Of the last one, if it is to be another.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(
        self,
        num_heads: int,
        *,
        causal: bool = False,
        use_bias: bool = True,
        dropout: float = 0.0,
        kernel_initializer: Any = "glorot_uniform",
        output_initializer: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.num_heads = num_heads
        self.causal = causal
        self.use_bias = use_bias
        self.dropout_rate = dropout
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.output_initializer = keras.initializers.get(output_initializer or kernel_initializer)
        self.dropout = layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")

    def build(self, query_shape: Any, memory_shape: Any = None) -> None:
        """Make the projections.

        Args:
            query_shape: (B, T, width).
            memory_shape: (B, S, any width); the query's if None.
        """
        width = query_shape[-1]
        if width % self.num_heads:
            raise ValueError(f"num_heads must divide the width {width}, got {self.num_heads}")
        memory_shape = memory_shape or query_shape
        # For `multiply_adds`.
        self._positions = (query_shape[1] or 1, memory_shape[1] or 1)
        self._widths = (width, memory_shape[-1])
        self.query = self._projection("query", width, query_shape)
        self.key = self._projection("key", width, memory_shape)
        self.value = self._projection("value", width, memory_shape)
        self.output_projection = self._projection("output_projection", width, query_shape)

    def _projection(self, name: str, width: int, shape: Any) -> Any:
        last = name == "output_projection"
        initializer = self.output_initializer if last else self.kernel_initializer
        dense = layers.Dense(
            width,
            use_bias=self.use_bias,
            # Each needs its own: one that Keras has used already draws the same numbers again.
            kernel_initializer=initializer.clone(),
            dtype=self.dtype_policy,
            name=name,
        )
        dense.build(shape)
        return dense

    def call(
        self, query: Any, memory: Any = None, visible: Any = None, training: bool | None = None
    ) -> Any:
        """Return what each position of the query gathers, (B, T, width).

        Args:
            query: (B, T, width).
            memory: (B, S, any width), the sequence attended to; the query itself if None.
            visible: (B, S), or (B, T, S): true or 1 at positions that may be seen. Padding is 0.
            training: Whether to drop attention weights.
        """
        weights, values = self._attend(query, memory, visible)
        return self._gather(self.dropout(weights, training=training), values)

    def maps(self, query: Any, memory: Any = None, visible: Any = None) -> Any:
        """Return the attention weights (B, heads, T, S), which add up to 1 over S; see `call`."""
        return self._attend(query, memory, visible)[0]

    def _attend(self, query: Any, memory: Any, visible: Any) -> tuple[Any, Any]:
        keys, values = self.remember(query if memory is None else memory)
        allowed = None if visible is None else _over_heads(visible)
        if self.causal:
            before = _not_later(ops.shape(query)[1], ops.shape(keys)[2])
            allowed = before if allowed is None else ops.logical_and(allowed, before)
        return self._weights(query, keys, allowed), values

    # A token at a time.

    def new_cache(self, batch: Any, length: Any) -> Cache:
        """Return a cache with room for `length` tokens of each of `batch` texts."""
        shape = (batch, self.num_heads, length, self._widths[0] // self.num_heads)
        return ops.zeros(shape, self.compute_dtype), ops.zeros(shape, self.compute_dtype)

    def step(self, query: Any, cache: Cache, position: Any) -> tuple[Any, Cache]:
        """Return what one more token gathers, (B, 1, width), and the cache with the token in it.

        Args:
            query: (B, 1, width).
            cache: Of `new_cache` or of the step before.
            position: Where the token stands, counted from 0: a number or an integer tensor ().
        """
        places = ops.arange(ops.shape(cache[0])[2])
        here = ops.equal(places, position)[None, None, :, None]
        keys, values = (
            ops.where(here, new, old) for new, old in zip(self.remember(query), cache, strict=True)
        )
        allowed = ops.less_equal(places, position)[None, None, None]
        return self._gather(self._weights(query, keys, allowed), values), (keys, values)

    def remember(self, memory: Any) -> Cache:
        """Return the keys and values of a sequence (B, S, any width), for `recall`."""
        return self._in_heads(self.key(memory)), self._in_heads(self.value(memory))

    def recall(self, query: Any, cache: Cache, visible: Any = None) -> Any:
        """Return what queries (B, T, width) gather from a sequence that was remembered.

        Args:
            query: (B, T, width).
            cache: Of `remember`.
            visible: As in `call`.
        """
        keys, values = cache
        allowed = None if visible is None else _over_heads(visible)
        return self._gather(self._weights(query, keys, allowed), values)

    # The formula: softmax(Q K^T / sqrt(d_k)) V.

    def _weights(self, query: Any, keys: Any, allowed: Any) -> Any:
        queries = self._in_heads(self.query(query))
        scale = (self._widths[0] // self.num_heads) ** -0.5
        scores = ops.matmul(queries * scale, ops.transpose(keys, (0, 1, 3, 2)))  # (B, heads, T, S)
        if allowed is not None:
            # Half precision ends at 65,504.
            least = -3e4 if scores.dtype == "float16" else -1e9
            scores = ops.where(allowed, scores, ops.cast(least, scores.dtype))
        return ops.softmax(scores, axis=-1)

    def _gather(self, weights: Any, values: Any) -> Any:
        heads = ops.transpose(ops.matmul(weights, values), (0, 2, 1, 3))  # (B, T, heads, d)
        batch, length = ops.shape(heads)[0], ops.shape(heads)[1]
        return self.output_projection(ops.reshape(heads, (batch, length, self._widths[0])))

    def _in_heads(self, x: Any) -> Any:
        """Return (B, T, width) as (B, heads, T, width / heads)."""
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        size = self._widths[0] // self.num_heads
        return ops.transpose(ops.reshape(x, (batch, length, self.num_heads, size)), (0, 2, 1, 3))

    def compute_output_shape(self, query_shape: Any, memory_shape: Any = None) -> Any:
        """Return the query's shape."""
        return query_shape

    def multiply_adds(self) -> int:
        """Return the four projections', the scores' and the weighted sums' multiply-adds."""
        (length, seen), (width, wide) = self._positions, self._widths
        return 2 * length * width * width + 2 * seen * wide * width + 2 * length * seen * width

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "causal": self.causal,
            "use_bias": self.use_bias,
            "dropout": self.dropout_rate,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "output_initializer": keras.initializers.serialize(self.output_initializer),
        }


def _over_heads(visible: Any) -> Any:
    """Return (B, S) or (B, T, S) as booleans that fit scores (B, heads, T, S)."""
    visible = ops.cast(visible, "bool")
    return visible[:, None, None] if len(visible.shape) == 2 else visible[:, None]


def _not_later(length: Any, seen: Any) -> Any:
    """Return booleans (1, 1, T, S), true where a position sees one that is not later."""
    return (ops.arange(length)[:, None] >= ops.arange(seen)[None])[None, None]
