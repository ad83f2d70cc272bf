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

    Before images are augmented, `crop` cuts a window out of each.
    """

    def __init__(
        self,
        inputs: np.ndarray,
        targets: np.ndarray | None,
        *,
        batch_size: int,
        seed: int,
        augment: Augment | None = None,
        crop: Augment | None = None,
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
            seeds = example_seeds(seed, key[1], at)
            for change in (crop, augment):
                chosen[0] = chosen[0] if change is None else change(chosen[0], seeds)
            return chosen[0] if targets is None else tuple(chosen)

        batches = tf.data.Dataset.from_tensors(0).flat_map(epoch)
        batches = batches.apply(tf.data.experimental.assert_cardinality(self.steps))
        self.dataset = batches.prefetch(tf.data.AUTOTUNE)


def example_seeds(seed: Any, epoch: Any, at: Any) -> Any:
    """Return what each example is changed by in an epoch, whatever batch it falls into.

    Args:
        seed: The training's.
        epoch: Counted from 0, int64.
        at: Where the examples stand in the training split, int64 of shape (B,) or ().

    Returns:
        A pair for each, (B, 2) or (2,).
    """
    return tf.stack([tf.fill(tf.shape(at), seed * 2**20 + epoch), at], axis=-1)


def evaluation_batches(
    inputs: np.ndarray, targets: np.ndarray | None, *, batch_size: int, replicas: int = 1
) -> tf.data.Dataset:
    """Return the batches of a split, each example once, in their own order.

    Args:
        inputs: Encoded.
        targets: None where there are none.
        batch_size: At most.
        replicas: See `even_size`.
    """
    batch_size = even_size(batch_size, len(inputs), replicas)
    tensors = inputs if targets is None else (inputs, targets)
    return tf.data.Dataset.from_tensor_slices(tensors).batch(batch_size).prefetch(tf.data.AUTOTUNE)


def even_size(batch_size: int, examples: int, replicas: int) -> int:
    """Return a batch size of which each replica gets the same share in all batches but the last.

    Keras 3.15 adds up the first batch of all replicas and fails where they differ in size.
    """
    return max(min(batch_size, examples) // replicas * replicas, 1)
