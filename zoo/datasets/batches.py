"""Feeding a model: batches as `tf.data`, shuffled by (seed, epoch) and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

Augment = Callable[[Any, Any], Any]
"""(images, one seed for each) -> images"""


class TrainingBatches:
    """Full batches of a split, in an order that depends on the seed and the epoch alone.

    `tf.data`'s own shuffle goes on from wherever it stands, so a resumed training would see
    another order than one that was never interrupted. Here the epoch is said: `epoch` is set
    before each one, and the order is drawn from it.

    Every batch is full: the last one is filled up from the epoch's beginning. So every example is
    seen in every epoch, shapes never change, and each replica gets the same share.
    """

    def __init__(
        self,
        inputs: np.ndarray,
        targets: np.ndarray | None,
        *,
        batch_size: int,
        seed: int,
        augment: Augment | None = None,
    ) -> None:
        self.batch_size = batch_size
        self.steps = -(-len(inputs) // batch_size)
        with tf.device("CPU:0"):
            self.epoch = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")
            tensors = tf.nest.map_structure(
                tf.constant, (inputs,) if targets is None else (inputs, targets)
            )
        size = len(inputs)

        def epoch(_: Any) -> tf.data.Dataset:
            key = tf.stack([tf.constant(seed, tf.int64), self.epoch.read_value()])
            order = tf.random.experimental.stateless_shuffle(tf.range(size, dtype=tf.int64), key)
            order = tf.concat([order, order[: self.steps * batch_size - size]], axis=0)
            rows = tf.data.Dataset.from_tensor_slices(tf.reshape(order, (-1, batch_size)))
            return rows.map(lambda at: batch(at, key))

        def batch(at: Any, key: Any) -> Any:
            chosen = [tf.gather(tensor, at) for tensor in tensors]
            if augment is not None:
                # One seed for each (seed, epoch, example), whatever batch it falls into.
                mixed = tf.stack([tf.fill(tf.shape(at), key[0] * 2**20 + key[1]), at], axis=1)
                chosen[0] = augment(chosen[0], mixed)
            return chosen[0] if targets is None else tuple(chosen)

        batches = tf.data.Dataset.from_tensors(0).flat_map(epoch)
        batches = batches.apply(tf.data.experimental.assert_cardinality(self.steps))
        self.dataset = batches.prefetch(tf.data.AUTOTUNE)


def evaluation_batches(
    inputs: np.ndarray, targets: np.ndarray | None, *, batch_size: int, replicas: int = 1
) -> tf.data.Dataset:
    """Return the batches of a split, each example once, in their own order.

    Args:
        inputs: Encoded.
        targets: None where there are none.
        batch_size: At most.
        replicas: Each gets the same share of all batches but the last: Keras 3.15 adds up the
            first batch of all replicas and fails where they differ in size.
    """
    size = min(batch_size, len(inputs))
    batch_size = max(size // replicas * replicas, 1)
    tensors = inputs if targets is None else (inputs, targets)
    return tf.data.Dataset.from_tensor_slices(tensors).batch(batch_size).prefetch(tf.data.AUTOTUNE)
