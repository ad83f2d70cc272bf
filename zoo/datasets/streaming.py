"""Splits that memory does not hold: read from disk in every epoch, and decoded on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from zoo.datasets.batches import Batches, epoch_numbers, even_size, example_seeds
from zoo.datasets.encoding import Encoder
from zoo.datasets.spec import Examples

WINDOW = 1024
"""Examples that are shuffled at a time, as they are stored: 0.1 GB of ImageNet's."""

Targets = Callable[[Any], Any]
"""From classes to the form in which a loss wants them."""


class Stream:
    """One split on disk, in parts that can be read side by side.

    Args:
        parts: Datasets of (stored image, class), each of a known length and a fixed order.
        decode: From a stored image to (height, width, channels).
    """

    def __init__(self, parts: Sequence[tf.data.Dataset], decode: Callable[[Any], Any]) -> None:
        self.parts = list(parts)
        self.decode = decode
        self.sizes = [int(part.cardinality()) for part in parts]

    def __len__(self) -> int:
        return sum(self.sizes)

    def then(self, change: Callable[[Any], Any]) -> Stream:
        """Return the split with its images changed by a function of batches of them."""
        return Stream(self.parts, lambda stored: change(self.decode(stored)[None])[0])

    def examples(self) -> tf.data.Dataset:
        """Return (image, class) of all examples in their own order."""
        whole = self.parts[0]
        for part in self.parts[1:]:
            whole = whole.concatenate(part)
        return whole.map(
            lambda stored, target: (self.decode(stored), target),
            num_parallel_calls=tf.data.AUTOTUNE,
        )

    def chunks(self, size: int) -> Iterator[Examples]:
        """Yield the examples in order, `size` at a time and the rest at last."""
        for images, targets in self.examples().batch(size).as_numpy_iterator():
            yield Examples(images, targets)

    def shuffled(self, key: Any) -> tf.data.Dataset:
        """Return (index, stored image, class) of all examples, in an order drawn by `key` alone.

        Every place in it falls by lot to one of the parts, which fills it with its next example;
        then the examples of each window are shuffled.

        Args:
            key: A pair of seeds, int64.
        """
        starts = [sum(self.sizes[:number]) for number in range(len(self.parts))]
        numbered = [
            part.enumerate(start).map(lambda at, example: (at, *example))
            for start, part in zip(starts, self.parts, strict=True)
        ]
        lots = tf.repeat(tf.range(len(self.parts), dtype=tf.int64), self.sizes)
        lots = tf.random.experimental.stateless_shuffle(lots, key)
        mixed = tf.data.Dataset.choose_from_datasets(
            numbered, tf.data.Dataset.from_tensor_slices(lots), stop_on_empty_dataset=False
        )

        def shuffle(number: Any, window: Any) -> Any:
            order = tf.random.experimental.stateless_shuffle(
                tf.range(tf.shape(window[0])[0]), key + tf.stack([0, (number + 1) * 2**32])
            )
            return tuple(tf.gather(column, order) for column in window)

        return mixed.batch(WINDOW).enumerate().map(shuffle).prefetch(1).unbatch()


class StreamingBatches(Batches):
    """Batches of a stream."""

    def __init__(
        self,
        stream: Stream,
        encoder: Encoder,
        targets: Targets | None,
        *,
        batch_size: int,
        seed: int,
        augment: Any = None,
    ) -> None:
        super().__init__(len(stream), batch_size, augment)
        self.stream = stream
        self.encoder = encoder
        self.targets = targets
        self.seed = seed
        self.augment = augment

    def epochs(self, first: int = 0) -> tf.data.Dataset:
        """Return the batches of all epochs from `first` on, without end."""
        rows = epoch_numbers(first).flat_map(self._rows)
        images = rows.map(self._read, num_parallel_calls=tf.data.AUTOTUNE)
        batches = images.batch(self.batch_size, drop_remainder=True)
        batches = batches.map(self._batch, num_parallel_calls=tf.data.AUTOTUNE)
        return batches.prefetch(tf.data.AUTOTUNE)

    def _rows(self, number: Any) -> tf.data.Dataset:
        """Return (seeds, stored image, class) of an epoch, in its order."""
        rows = self.stream.shuffled(tf.stack([tf.constant(self.seed, tf.int64), number]))
        # The last batch is filled up from the epoch's beginning.
        rows = rows.repeat(2).take(self.steps * self.batch_size)
        return rows.map(lambda at, *example: (example_seeds(self.seed, number, at), *example))

    def _read(self, seeds: Any, stored: Any, target: Any) -> Any:
        return seeds, self.stream.decode(stored), target

    def _batch(self, seeds: Any, images: Any, classes: Any) -> Any:
        inputs = self.encoder.crop(self.encoder.prepare(images), seeds)
        inputs = inputs if self.augment is None else self.augment(inputs, seeds)
        if self.targets is None:
            return inputs
        wanted = self.targets(classes)
        if self.mixes:
            # With the batch's own images, each with the one before it.
            others = [tf.roll(each, 1, axis=0) for each in (inputs, wanted)]
            inputs, wanted = self.augment.mix(inputs, wanted, *others, seeds)
        return inputs, wanted


def streamed_evaluation_batches(
    stream: Stream, encoder: Encoder, targets: Targets | None, *, batch_size: int, replicas: int = 1
) -> tf.data.Dataset:
    """Return the batches of a stream, each example once, in their own order.

    Args:
        stream: The split.
        encoder: Of its data.
        targets: None where there are none.
        batch_size: At most.
        replicas: As for `zoo.datasets.batches.evaluation_batches`.
    """

    def batch(images: Any, classes: Any) -> Any:
        inputs = encoder(images)
        return inputs if targets is None else (inputs, targets(classes))

    batches = stream.examples().batch(even_size(batch_size, len(stream), replicas))
    return batches.map(batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
