"""Feeding a model: batches as `tf.data`, shuffled by (seed, epoch) and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.datasets.augmentation import Augmenter

Augment = Callable[[Any, Any], Any]
"""(images, a pair of seeds for each) -> images; an `Augmenter` may mix them as well."""


class Batches:
    """Full batches of a split, in an order that depends on the seed and the epoch alone.

    `tf.data`'s own shuffle goes on from wherever it stands, so a resumed training would see
    another order than one that was never interrupted. Here the order is drawn from the epoch.

    Every batch is full: the last one is filled up from the epoch's beginning. So every example is
    seen in every epoch, shapes never change, and each replica gets the same share.
    """

    def __init__(self, examples: int, batch_size: int, augment: Augment | None) -> None:
        self.batch_size = batch_size
        self.steps = -(-examples // batch_size)
        """Batches in an epoch."""
        self.mixes = mixes(augment)
        """Whether targets are shares of several classes."""

    def epochs(self, first: int = 0) -> tf.data.Dataset:
        """Return the batches of all epochs from one on, without end.

        One iterator so serves a whole training. To set a pipeline up anew for each epoch took
        LeNet-5 a quarter of its time on the digits, and half where they are augmented.

        Args:
            first: Counted from 0.
        """
        raise NotImplementedError

    def epoch(self, number: int = 0) -> tf.data.Dataset:
        """Return the batches of one epoch, counted from 0."""
        batches = self.epochs(number).take(self.steps)
        return batches.apply(tf.data.experimental.assert_cardinality(self.steps))


def epoch_numbers(first: int) -> tf.data.Dataset:
    """Return the numbers of all epochs from one on, int64."""
    return tf.data.Dataset.range(first, tf.int64.max)


class TrainingBatches(Batches):
    """Batches of a split that memory holds.

    `crop` cuts a window out of each image before it is augmented.
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
        super().__init__(len(inputs), batch_size, augment)
        self.seed = seed
        self.size = len(inputs)
        self.augment = augment
        self.crop = crop
        with tf.device("CPU:0"):
            self.tensors = tf.nest.map_structure(
                tf.constant, (inputs,) if targets is None else (inputs, targets)
            )

    def epochs(self, first: int = 0) -> tf.data.Dataset:
        """Return the batches of all epochs from `first` on, without end."""
        batches = epoch_numbers(first).flat_map(self._places).map(self._batch)
        return batches.prefetch(tf.data.AUTOTUNE)

    def _places(self, number: Any) -> tf.data.Dataset:
        """Return which examples are in each batch of an epoch, with its number."""
        key = tf.stack([tf.constant(self.seed, tf.int64), number])
        places = tf.range(self.size, dtype=tf.int64)
        order = tf.random.experimental.stateless_shuffle(places, key)
        order = tf.concat([order, order[: self.steps * self.batch_size - self.size]], axis=0)
        rows = tf.data.Dataset.from_tensor_slices(tf.reshape(order, (-1, self.batch_size)))
        return rows.map(lambda at: (at, number))

    def _batch(self, at: Any, number: Any) -> Any:
        chosen = as_trained_on(
            lambda places: [tf.gather(tensor, places) for tensor in self.tensors],
            at,
            size=self.size,
            seed=self.seed,
            epoch=number,
            augment=self.augment,
            crop=self.crop,
        )
        return chosen[0] if len(chosen) == 1 else tuple(chosen)


def mixes(augment: Augment | None) -> bool:
    """Return whether images are mixed with others, and so targets too."""
    return isinstance(augment, Augmenter) and augment.mixes


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


def as_trained_on(
    fetch: Callable[[Any], list[Any]],
    at: Any,
    *,
    size: int,
    seed: int,
    epoch: Any,
    augment: Augment | None,
    crop: Augment | None = None,
) -> list[Any]:
    """Return examples as a training sees them in an epoch: changed, and mixed with others.

    Args:
        fetch: Gives the inputs, encoded but for the crop, and the targets if there are any, of
            places in the split.
        at: (B,) int64, the places.
        size: Of the split.
        seed: The training's.
        epoch: Counted from 0, int64.
        augment: None leaves the examples as they are.
        crop: Cuts a window out of each image first; None leaves them whole.
    """

    def changed(places: Any) -> list[Any]:
        inputs, *targets = fetch(places)
        for change in (crop, augment):
            if change is not None:
                inputs = change(inputs, example_seeds(seed, epoch, places))
        return [inputs, *targets]

    if not (isinstance(augment, Augmenter) and augment.mixes):
        return changed(at)
    seeds = example_seeds(seed, epoch, at)
    # The others are changed by their own seeds, as they are in their own place in this epoch.
    inputs, targets = changed(tf.concat([at, augment.partners(seeds, size)], axis=0))
    count = at.shape[0]
    return list(
        augment.mix(inputs[:count], targets[:count], inputs[count:], targets[count:], seeds)
    )


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
