"""What models that read one sequence and write another have in common."""

from __future__ import annotations

from typing import Any


class Translator:
    """A model from a source, and the tokens before each place, to the next token's probabilities.

    It is called with ``{"source": (B, S), "before": (B, T)}`` and returns (B, T, V). A subclass
    implements `begin` and `step` too, by which `zoo.layers.decoding` writes without computing
    anything twice.

    Inherit from it beside `keras.Model`: ``class Seq2Seq(Translator, keras.Model)``. It must not be
    a `keras.Model` itself: where one subclass is made from inputs and outputs, Keras replaces the
    base `keras.Model` by its functional model, and would replace it for all subclasses.
    """

    has_attention = False
    """Whether `attention` is there."""

    def begin(self, source: Any) -> tuple[Any, Any]:
        """Return the state before the first token, and the context that every step sees.

        Args:
            source: Tokens (B, S); 0 is padding.
        """
        raise NotImplementedError

    def step(self, tokens: Any, at: Any, state: Any, context: Any) -> tuple[Any, Any]:
        """Return the logits (B, V) of the next token and the new state; see `decoding.Step`."""
        raise NotImplementedError

    def attention(self, source: Any, before: Any) -> Any:
        """Return how much each written token looked at each token of the source, (B, T, S).

        Args:
            source: Tokens (B, S).
            before: The tokens before each that was written, (B, T).
        """
        raise NotImplementedError
