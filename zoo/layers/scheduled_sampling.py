"""Scheduled sampling: in training, a model that writes now and then reads what it wrote itself."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from zoo.layers.decoding import Step


def require_sampling(rate: float, steps: int) -> None:
    """Raise a `ValueError` unless a share and a number of steps are such."""
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"scheduled_sampling must be in [0, 1], got {rate}")
    if steps < 0:
        raise ValueError(f"sampling_steps must be at least 0, got {steps}")


@keras.saving.register_keras_serializable("dlzoo")
class ScheduledSampling(layers.Layer):
    """Logits under tokens of which some are the model's own (Bengio et al. 2015).

    With teacher forcing a model never sees its own errors in training. Here each token that it
    reads is, with a probability, the one that it finds most probable itself after what it read
    before, instead of the true one. The probability rises from 0, the paper's linear decay (section
    2.4). The tokens are read one after the other, so that training is slower; no gradient flows
    through the choice.

    Args:
        rate: The highest probability; 1 - ε in the paper.
        steps: Training steps in which the probability rises to it; 0 begins with it.
        arguments: Passed to `keras.layers.Layer`.
    """

    def __init__(self, rate: float, steps: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.rate = rate
        self.steps = steps
        self.seeds = keras.random.SeedGenerator()
        self.seen = self.add_weight(
            shape=(),
            initializer="zeros",
            trainable=False,
            dtype="float32",
            aggregation="only_first_replica",
            name="seen",
        )
        self.built = True

    def probability(self) -> Any:
        """Return the share of own tokens at this step."""
        risen = 1.0 if not self.steps else ops.minimum(self.seen / self.steps, 1.0)
        return self.rate * risen

    def call(self, before: Any, state: Any, context: Any, *, step: Step) -> Any:
        """Return logits (B, T, V), and count a training step.

        Args:
            before: The true tokens before each place, (B, T).
            state: Of the model before the first token.
            context: That every step of the model is given.
            step: The model's, see `zoo.layers.decoding.Step`.
        """
        before = tf.convert_to_tensor(before)
        drawn = keras.random.uniform(ops.shape(before), seed=self.seeds)
        own = tf.convert_to_tensor(drawn) < self.probability()
        places = tf.range(tf.shape(before)[1])
        self.seen.assign_add(1.0)

        def read(carried: Any, given: Any) -> Any:
            logits, state = carried
            tokens, chosen, at = given
            written = tf.argmax(logits, axis=-1, output_type=tf.int32)
            return step(tf.where(chosen & (at > 0), written, tokens), at, state, context)

        # The first step's logits have the shape of all of them.
        logits, _ = step(before[:, 0], 0, state, context)
        found, _ = tf.scan(
            read,
            (tf.transpose(before), tf.transpose(own), places),
            (tf.zeros_like(logits), state),
        )
        return tf.transpose(found, (1, 0, 2))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "rate": self.rate, "steps": self.steps}
