"""The Switch Transformer (Fedus, Zoph and Shazeer 2021): one of several experts for each token.

A decoder-only language model as `zoo.models.gpt` builds it, so that both can be compared.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from zoo.layers.checks import require_shares
from zoo.layers.experts import Experts
from zoo.models.gpt import GPT, STDDEV, Block, gelu

PADDING = 0
EVERY = 2  # every other block has experts, section 2 and appendix (table 9)


class SwitchBlock(Block):
    """A block whose dense layers are those of the expert that a router chooses for each token."""

    def __init__(
        self,
        name: str,
        width: int,
        num_heads: int,
        hidden_units: int,
        dropout: float,
        depth: int,
        **experts: Any,
    ) -> None:
        super().__init__(name, width, num_heads, hidden_units, dropout, depth)
        del self.hidden, self.dense
        self.experts = Experts(
            hidden_units=hidden_units,
            activation=gelu,
            kernel_initializer=keras.initializers.RandomNormal(STDDEV),
            output_initializer=keras.initializers.RandomNormal(STDDEV / (2 * depth) ** 0.5),
            name=f"{name}_experts",
            **experts,
        )

    def feed_forward(self, x: Any, tokens: Any = None) -> Any:
        """Return what the expert of each position makes of it."""
        present = None if tokens is None else ops.not_equal(tokens, PADDING)
        return self.experts(x, present)


@keras.saving.register_keras_serializable("dlzoo")
class MoETransformer(GPT):
    """A GPT with experts in every other block; see `moe_transformer`.

    ``busiest_expert`` in the history is how many times its even share the busiest expert was sent,
    of the block where that is most. It is measured in training, where it matters.
    """

    def __init__(
        self,
        *,
        width: int,
        num_layers: int,
        num_heads: int,
        hidden_units: int,
        dropout: float,
        num_experts: int,
        capacity_factor: float,
        balance_weight: float,
        name: str = "moe-transformer",
        **arguments: Any,
    ) -> None:
        size = (width, num_heads, hidden_units, dropout, num_layers)
        experts: dict[str, Any] = {
            "num_experts": num_experts,
            "capacity_factor": capacity_factor,
            "balance_weight": balance_weight,
        }
        blocks = [
            Block(f"block{number}", *size)
            if number % EVERY
            else SwitchBlock(f"block{number}", *size, **experts)
            for number in range(1, num_layers + 1)
        ]
        super().__init__(
            width=width,
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_units=hidden_units,
            dropout=dropout,
            name=name,
            blocks=blocks,
            **arguments,
        )
        self.arguments |= experts

    def get_metrics_result(self) -> Any:
        """Return the metrics, with one of the experts for all blocks."""
        results = super().get_metrics_result()
        loads = [
            results.pop(block.experts.load.name)
            for block in self.blocks
            if isinstance(block, SwitchBlock)
        ]
        return {**results, "busiest_expert": ops.max(ops.stack(loads))}

    def test_step(self, data: Any) -> Any:
        """Return the metrics of the answers; nothing was sent to experts with a capacity."""
        results = dict(super().test_step(data))
        del results["busiest_expert"]
        return results


def moe_transformer(
    *,
    input_shape: tuple[int, ...] = (128,),
    vocabulary_size: int = 100,
    width: int = 128,
    num_layers: int = 4,
    num_heads: int = 4,
    hidden_units: int | None = None,
    dropout: float = 0.1,
    num_experts: int = 8,
    capacity_factor: float = 1.25,
    balance_weight: float = 0.01,
) -> keras.Model:
    """Return a language model with top-1 routed experts in every other block.

    Source: Fedus, Zoph and Shazeer, "Switch Transformers: scaling to trillion parameter models with
    simple and efficient sparsity", 2021, section 2. The paper's are encoder-decoders (T5); this is
    a decoder alone. Beside the router, a token costs what it costs in `gpt` of the same sizes.

    Args:
        input_shape: (context_length,) of tokens.
        vocabulary_size: Tokens are 0 to vocabulary_size - 1; 0 is padding.
        width: Of the vectors.
        num_layers: Blocks; those with even numbers have experts.
        num_heads: Of each attention; they share the width.
        hidden_units: Of each expert's first layer, and of each dense block's; four times the width
            if None.
        dropout: As in `gpt`.
        num_experts: In each block that has experts.
        capacity_factor: How many times its even share of a batch's tokens an expert takes in
            training; the others pass by it.
        balance_weight: Of the loss that keeps all experts in use.

    Returns:
        A model from tokens (B, context_length) to the logits (B, context_length, V) of the next
        token at each position.
    """
    if len(input_shape) != 1:
        raise ValueError(f"input_shape must be (context_length,), got {input_shape}")
    if num_layers < EVERY:
        raise ValueError(f"num_layers must be at least {EVERY}, got {num_layers}")
    if num_experts < 2:
        raise ValueError(f"num_experts must be at least 2, got {num_experts}")
    if capacity_factor <= 0.0:
        raise ValueError(f"capacity_factor must be above 0, got {capacity_factor}")
    require_shares(dropout=dropout)
    return MoETransformer(
        input_shape=tuple(input_shape),
        vocabulary_size=vocabulary_size,
        width=width,
        num_layers=num_layers,
        num_heads=num_heads,
        hidden_units=hidden_units or 4 * width,
        dropout=dropout,
        num_experts=num_experts,
        capacity_factor=capacity_factor,
        balance_weight=balance_weight,
    )
