"""A mixture of experts: many feed-forward networks, of which each token sees one."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable("dlzoo")
class Experts(layers.Layer):
    """Feed-forward networks to which a router sends each token (Fedus et al. 2021, section 2.2).

    Each token goes to its most probable expert alone. The expert's output is multiplied by that
    probability, so that the router learns. In training an expert has a capacity: `capacity_factor`
    times its even share of a batch's tokens, the first ones. For a token beyond that the output is
    0. When the model answers, experts have no limit: an answer does not depend on the rest of the
    batch.

    In training the layer adds `balance_weight` times the paper's equation 4 to the model's loss:
    the number of experts times the sum over them of the share of tokens sent to an expert, times
    the mean of its probability. It is 1 where all are used evenly. `load` measures the busiest.

    Tokens are gathered by `tf.dynamic_partition`: an expert computes on its own tokens and on
    nothing else, where one batched product would fill every place of its capacity.

    Args:
        num_experts: How many networks there are.
        hidden_units: Of each network's first layer.
        capacity_factor: 1.0 to 1.25 in the paper (table 1).
        balance_weight: 0.01 in the paper.
        activation: After the first layer.
        kernel_initializer: Of the router and of the first layers.
        output_initializer: Of the second layers.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(
        self,
        num_experts: int,
        hidden_units: int,
        *,
        capacity_factor: float = 1.25,
        balance_weight: float = 0.01,
        activation: Any = "relu",
        kernel_initializer: Any = "glorot_uniform",
        output_initializer: Any = "glorot_uniform",
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.num_experts = num_experts
        self.hidden_units = hidden_units
        self.capacity_factor = capacity_factor
        self.balance_weight = balance_weight
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.output_initializer = keras.initializers.get(output_initializer)
        self.load = BusiestExpert(num_experts, name=f"{self.name}_load")
        self.unroll = False
        """Whether every expert is asked about every token, for runtimes that cannot route them."""
        self.supports_jit = False  # how many tokens an expert gets is known only when it runs

    def build(self, inputs_shape: Any, present_shape: Any = None) -> None:
        """Make the router and the experts' weights, those of all experts in one tensor.

        Args:
            inputs_shape: (B, T, width).
            present_shape: (B, T).
        """
        width, hidden, count = inputs_shape[-1], self.hidden_units, self.num_experts
        self._positions, self._width = inputs_shape[1] or 1, width
        first, second = self.kernel_initializer, self.output_initializer
        # float32, as in section 2.4: the softmax over experts must not lose digits.
        self.router = self.add_weight(
            shape=(width, count),
            initializer=first.clone(),
            dtype="float32",
            autocast=False,
            name="router",
        )
        self.hidden_kernel = self.add_weight(
            shape=(count, width, hidden), initializer=first.clone(), name="hidden_kernel"
        )
        self.hidden_bias = self.add_weight(
            shape=(count, hidden), initializer="zeros", name="hidden_bias"
        )
        self.kernel = self.add_weight(
            shape=(count, hidden, width), initializer=second.clone(), name="kernel"
        )
        self.bias = self.add_weight(shape=(count, width), initializer="zeros", name="bias")

    def call(self, inputs: Any, present: Any = None, training: bool | None = None) -> Any:
        """Return (B, T, width).

        Args:
            inputs: (B, T, width).
            present: (B, T), false at padding, which goes to no expert and counts nowhere; all are
                there if None.
            training: Whether experts have a capacity, and their balance is a loss.
        """
        rows = ops.reshape(inputs, (-1, self._width))  # (N, width)
        probabilities = self.route(rows)
        # Keras's own looks at the bits of -0.0, by operations that no other runtime has.
        expert = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
        gate = ops.max(probabilities, axis=-1)
        if training or present is not None:
            sent = ops.one_hot(expert, self.num_experts)  # (N, experts), 1 where a token goes
            there = ops.ones_like(gate)
            if present is not None:
                there = ops.reshape(ops.cast(present, "float32"), (-1,))
                sent = sent * there[:, None]
            taken = there > 0
            if training:
                self.load.update_state(ops.sum(sent, axis=0))
                self.add_loss(self.balance_weight * self._balance(sent, probabilities, there))
                taken = ops.logical_and(taken, self._within_capacity(sent))
            expert = ops.where(taken, expert, self.num_experts)
        gate = ops.cast(gate, rows.dtype)[:, None]
        answer = self._together if self.unroll else self._apart
        outputs = gate * answer(rows, expert)
        return ops.reshape(outputs, ops.shape(inputs))

    def route(self, rows: Any) -> Any:
        """Return each expert's probability for tokens (N, width), (N, experts) float32."""
        return ops.softmax(ops.matmul(ops.cast(rows, "float32"), self.router))

    def _balance(self, sent: Any, probabilities: Any, there: Any) -> Any:
        """Return equation 4 without its weight."""
        count = ops.maximum(ops.sum(there), 1.0)
        shares = ops.sum(sent, axis=0) / count  # f_i, equation 5
        means = ops.sum(probabilities * there[:, None], axis=0) / count  # P_i, equation 6
        return self.num_experts * ops.sum(shares * means)

    def _within_capacity(self, sent: Any) -> Any:
        """Return (N,), true for the tokens that their expert still has a place for."""
        capacity = ops.ceil(self.capacity_factor * ops.sum(sent) / self.num_experts)
        place = ops.sum(ops.cumsum(sent, axis=0) * sent, axis=-1)  # counted from 1
        return place <= capacity

    def _apart(self, rows: Any, expert: Any) -> Any:
        """Return what each token's expert makes of it, 0 where `expert` is `num_experts`."""
        rows = tf.convert_to_tensor(rows)
        groups = tf.dynamic_partition(rows, expert, self.num_experts + 1)
        places = tf.dynamic_partition(tf.range(tf.shape(rows)[0]), expert, self.num_experts + 1)
        found = [self._answer(number, group) for number, group in enumerate(groups[:-1])]
        outputs = tf.dynamic_stitch(places, [*found, tf.zeros_like(groups[-1])])
        return tf.ensure_shape(outputs, rows.shape)

    def _together(self, rows: Any, expert: Any) -> Any:
        """Return the same, each expert asked about every token."""
        outputs = ops.zeros_like(rows)
        for number in range(self.num_experts):
            chosen = ops.cast(ops.equal(expert, number), rows.dtype)[:, None]
            outputs = outputs + chosen * self._answer(number, rows)
        return outputs

    def _answer(self, number: int, rows: Any) -> Any:
        """Return what one expert makes of tokens (N, width)."""
        hidden = ops.matmul(rows, self.hidden_kernel[number]) + self.hidden_bias[number]
        return ops.matmul(self.activation(hidden), self.kernel[number]) + self.bias[number]

    def compute_output_shape(self, inputs_shape: Any, present_shape: Any = None) -> Any:
        """Return the input's shape."""
        return inputs_shape

    def multiply_adds(self) -> int:
        """Return those of one example: the router's, and of one expert for each token."""
        return self._positions * self._width * (self.num_experts + 2 * self.hidden_units)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "num_experts": self.num_experts,
            "hidden_units": self.hidden_units,
            "capacity_factor": self.capacity_factor,
            "balance_weight": self.balance_weight,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "output_initializer": keras.initializers.serialize(self.output_initializer),
        }


@keras.saving.register_keras_serializable("dlzoo")
class BusiestExpert(keras.metrics.Metric):
    """How many times its even share of the tokens the busiest expert was sent: 1 at best.

    Args:
        num_experts: At most so many times.
        name: Of the metric in logs.
        dtype: Of the counts.
    """

    def __init__(self, num_experts: int, name: str = "busiest_expert", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_experts = num_experts
        self.counts = self.add_variable(shape=(num_experts,), initializer="zeros", name="counts")
        self._direction = "down"

    def update_state(self, counts: Any, sample_weight: Any = None) -> None:
        """Add the tokens (experts,) that were sent to each."""
        del sample_weight
        self.counts.assign_add(ops.cast(counts, self.counts.dtype))

    def result(self) -> Any:
        """Return the greatest share over the mean share; 0 where no token was sent."""
        return ops.max(self.counts) / ops.maximum(ops.mean(self.counts), keras.config.epsilon())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"num_experts": self.num_experts, "name": self.name, "dtype": self.dtype}
