"""Accumulated gradients on several replicas: a mend of Keras, which does it on one device.

Keras 3.12 to 3.15 add up the replicas' gradients within a condition of the graph, at every update.
TensorFlow refuses that under `MirroredStrategy` and waits for ever under several workers.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.base.errors import UsageError


def accumulate_on_replicas(optimizer: Any) -> None:
    """Let an optimizer with ``gradient_accumulation_steps`` train on several replicas.

    Each step's gradients are added up over the replicas at once; only what a replica then does by
    itself depends on whether the step is the last of an update.

    Args:
        optimizer: Built. Only the function that applies its gradients is replaced.

    Raises:
        UsageError: It scales its loss, or averages weights, which was not made to work.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) or optimizer.use_ema:
        raise UsageError(
            "accumulate on several replicas takes neither mixed_float16 nor use_ema: "
            "try --precision mixed_bfloat16 or float32"
        )
    steps = optimizer.gradient_accumulation_steps
    strategy = optimizer._distribution_strategy

    def apply(gradients: list[Any], variables: list[Any]) -> None:
        places = [optimizer._get_variable_index(variable) for variable in variables]
        sums = [optimizer._accumulated_gradients[place].value for place in places]
        values = [variable.value for variable in variables]
        pairs = optimizer._all_reduce_sum_gradients(list(zip(gradients, values, strict=True)))
        totals = [
            before + tf.convert_to_tensor(gradient)
            for before, (gradient, _) in zip(sums, pairs, strict=True)
        ]
        averages = optimizer._clip_gradients([total / steps for total in totals])
        last = tf.equal((optimizer._iterations + 1) % steps, 0)
        tf.__internal__.distribute.interim.maybe_merge_call(
            update, strategy, values, sums, totals, averages, last, optimizer.learning_rate
        )

    def update(
        distribution: Any,
        values: list[Any],
        sums: list[Any],
        totals: list[Any],
        averages: list[Any],
        last: Any,
        rate: Any,
    ) -> None:
        each = zip(values, sums, totals, averages, strict=True)
        for value, before, total, average in each:
            distribution.extended.update(value, step, args=(average, last, rate), group=False)
            distribution.extended.update(before, keep, args=(total, last), group=False)

    def step(value: Any, average: Any, last: Any, rate: Any) -> None:
        def change() -> Any:
            if optimizer.weight_decay is not None and optimizer._use_weight_decay(value):
                decay = tf.cast(optimizer.weight_decay * rate, value.dtype)
                value.assign_sub(value * decay)
            optimizer.update_step(average, value, rate)
            return tf.constant(0)

        tf.cond(last, change, lambda: tf.constant(0))

    def keep(before: Any, total: Any, last: Any) -> None:
        before.assign(tf.where(last, tf.zeros_like(total), total))

    optimizer._backend_apply_gradients = apply
