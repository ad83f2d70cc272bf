"""Feeding a model: batches as `tf.data`, in an order that (seed, epoch, example) alone decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from zoo.datasets.augmentation.augmenter import Augmenter
from zoo.datasets.features.base import Feature
from zoo.datasets.split import Columns, Split

Feed = Callable[[Columns], tuple[Any, Any, Any]]
"""From encoded columns to a model's inputs, targets and weights; the last two may be None."""


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Full batches of a training split, without end.

    `tf.data`'s own shuffle goes on from wherever it stands, so a resumed training would see
    another order than one that was never interrupted. Here the order is drawn from the epoch.
    """

    split: Split
    """Its columns are prepared, see `prepared`."""
    features: Mapping[str, Feature]
    """Of the columns that a model is fed with."""
    feed: Feed
    batch_size: int
    """Examples of one step, of all shards together."""
    seed: int
    accumulate: int = 1
    """Steps that make one update of the weights: parts of one batch."""
    augment: Augmenter | None = None

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return self.updates * self.accumulate

    @property
    def updates(self) -> int:
        """Updates of the weights in an epoch."""
        return -(-len(self.split) // (self.batch_size * self.accumulate))

    @property
    def mixes(self) -> bool:
        """Whether images are mixed with others, and so targets too."""
        return self.augment is not None and self.augment.mixes

    def start(self, step: int = 0, shard: int = 0, shards: int = 1) -> tf.data.Dataset:
        """Return the batches of all epochs from a step on: ``(inputs, targets, weights)``.

        What a model is not fed with is left out of the end: with neither targets nor weights a
        batch is the inputs alone. One iterator serves a whole training: rebuilding the pipeline
        every epoch took 24 % of LeNet-5's training time on `digits`, and 41 % with augmentation.

        Args:
            step: Counted from 0 over all epochs; an epoch has `steps`.
            shard: Which part of every batch to give, counted from 0.
            shards: Into how many equal parts batches are divided.
        """
        first, within = divmod(step, self.steps)
        skip, begun = divmod(within, self.accumulate)

        def places(epoch: Any) -> tf.data.Dataset:
            batches = self.split.shuffled(
                tf.stack([tf.constant(self.seed, tf.int64), epoch]),
                batch_size=self.batch_size * self.accumulate,
                skip=tf.where(epoch == first, tf.constant(skip, tf.int64), 0),
                shard=shard,
                shards=shards,
            )
            return batches.map(lambda batch: (epoch, batch))

        epochs = tf.data.Dataset.range(first, tf.int64.max)
        workers = None if self.split.take is not None else tf.data.AUTOTUNE
        batches = epochs.flat_map(places).map(self._batch, num_parallel_calls=workers)
        if self.accumulate > 1:
            batches = batches.rebatch(self.batch_size // shards).skip(begun)
        return batches.prefetch(tf.data.AUTOTUNE)

    def epoch(self, number: int = 0) -> tf.data.Dataset:
        """Return the batches of one epoch, counted from 0."""
        batches = self.start(number * self.steps).take(self.steps)
        return batches.apply(tf.data.experimental.assert_cardinality(self.steps))

    def _batch(self, epoch: Any, batch: Columns) -> Any:
        return nested(*self.as_trained_on(epoch, batch["place"], self.split.columns(batch)))

    def as_trained_on(self, epoch: Any, places: Any, columns: Columns) -> tuple[Any, Any, Any]:
        """Return examples as a training sees them in an epoch: cropped, changed and mixed.

        Args:
            epoch: Counted from 0, int64.
            places: (B,) int64, where the examples stand in the split.
            columns: Theirs, prepared.
        """
        augment = self.augment
        if augment is None or not augment.mixes:
            return self.feed(self._changed(epoch, places, columns))
        seeds = example_seeds(self.seed, epoch, places)
        if self.split.take is None:
            inputs, targets, weights = self.feed(self._changed(epoch, places, columns))
            # Without random access, each is mixed with the one before it in the batch.
            other_inputs, other_targets = (tf.roll(each, 1, axis=0) for each in (inputs, targets))
        else:
            partners = augment.partners(seeds, len(self.split))
            # Partners are changed by their own seeds, as they are in their own place.
            both = tf.concat([places, partners], axis=0)
            fed = self.feed(self._changed(epoch, both, self.split.take(both)))
            (inputs, other_inputs), (targets, other_targets) = (tf.split(one, 2) for one in fed[:2])
            weights = None if fed[2] is None else fed[2][: len(places)]
        inputs, targets = augment.mix(inputs, targets, other_inputs, other_targets, seeds)
        return inputs, targets, weights

    def _changed(self, epoch: Any, places: Any, columns: Columns) -> dict[str, Any]:
        """Return columns with each example's random choices made, such as its crop."""
        changed = dict(columns)
        for name, feature in self.features.items():
            changed[name] = feature.finish(columns[name], example_seeds(self.seed, epoch, places))
        if self.augment is not None:
            name = self.augment.column
            changed[name] = self.augment(changed[name], example_seeds(self.seed, epoch, places))
        return changed


def prepared(split: Split, features: Mapping[str, Feature], extra: tuple[str, ...] = ()) -> Split:
    """Return a split with what can be computed once for all epochs, of the columns that are fed.

    Args:
        split: Of raw columns.
        features: Of the columns that a model is fed with.
        extra: Columns to keep as they are.
    """

    def change(columns: Columns) -> dict[str, Any]:
        fed = {name: feature.prepare(columns[name]) for name, feature in features.items()}
        return {**fed, **{name: columns[name] for name in extra}}

    return split.mapped(change)


def evaluation_batches(
    split: Split,
    features: Mapping[str, Feature],
    feed: Feed,
    *,
    batch_size: int,
    replicas: int = 1,
    extra: tuple[str, ...] = (),
    shard: int = 0,
    shards: int = 1,
) -> tf.data.Dataset:
    """Return the batches of a split, each example once, in their own order.

    Several replicas need batches of one size. The last batch is then filled up with examples of
    weight 0, and the weights of all others are raised by as much as padding lowers a mean over
    all batches: so losses and scores are those of the real examples.

    Args:
        split: Of raw columns.
        features: Of the columns that a model is fed with.
        feed: From encoded columns to inputs, targets and weights.
        batch_size: At most.
        replicas: How many share a batch, in all shards together.
        extra: Columns to keep as they are.
        shard: Which part of every batch to give, counted from 0.
        shards: Into how many equal parts batches are divided; a divisor of `replicas`.
    """
    size = max(min(batch_size, len(split)) // replicas * replicas, replicas)
    steps = -(-len(split) // size)
    if replicas > 1:  # batches of nearly the same size: the last one has little padding
        size = -(-len(split) // (steps * replicas)) * replicas

    def batch(columns: Columns) -> Any:
        finished = {name: one.finish(columns[name]) for name, one in features.items()}
        return feed({**columns, **finished})

    share = size // shards

    def even(number: Any, columns: Columns) -> Any:
        padded = {name: _fill(values, size) for name, values in columns.items()}
        mine = {name: values[shard * share :][:share] for name, values in padded.items()}
        inputs, targets, weights = batch(mine)
        real = tf.cast(number, tf.int32) * size + shard * share + tf.range(share)
        counts = tf.cast(real < len(split), tf.float32) * (steps * size / len(split))
        # As many axes as the weights, or else as the loss, which is one for each pixel of an image:
        # Keras does not spread a weight over two axes.
        axes = 1 if targets is None else max(len(targets.shape) - 1, 1)
        if weights is not None:
            axes = len(weights.shape)
        if axes > 1:
            counts = tf.reshape(counts, (-1, *(1,) * (axes - 1)))
        if weights is not None:
            counts *= weights
        return nested(inputs, inputs if targets is None else targets, counts)

    batches = prepared(split, features, extra).in_order(size)
    if shards == 1 and (replicas == 1 or len(split) % size == 0):
        return batches.map(lambda columns: nested(*batch(columns))).prefetch(tf.data.AUTOTUNE)
    return batches.enumerate().map(even).prefetch(tf.data.AUTOTUNE)


def _fill(values: Any, size: int) -> Any:
    missing = size - tf.shape(values)[0]
    filled = tf.concat([values, tf.repeat(values[:1], missing, axis=0)], axis=0)
    return tf.ensure_shape(filled, (size, *values.shape[1:]))


def nested(inputs: Any, targets: Any, weights: Any) -> Any:
    """Return a batch as `keras.Model.fit` takes it: what is None at the end is left out."""
    if weights is not None:
        return inputs, targets, weights
    return inputs if targets is None else (inputs, targets)


def spread(strategy: Any, give: Callable[[int, int], tf.data.Dataset]) -> Any:
    """Return batches as `fit` takes them under a strategy.

    One worker gets whole batches, which Keras divides among its replicas. Of several workers each
    reads its own part of every batch.

    Args:
        strategy: Of `tf.distribute`.
        give: From the number of a part and the number of parts to a `tf.data.Dataset` of that part
            of every batch.
    """
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return give(0, 1)

    def own(context: Any) -> tf.data.Dataset:
        batches = give(context.input_pipeline_id, context.num_input_pipelines)
        here = strategy.num_replicas_in_sync // context.num_input_pipelines
        if here == 1:
            return batches
        leaves = tf.nest.flatten(batches.element_spec)
        return batches.rebatch(int(leaves[0].shape[0]) // here)

    return strategy.distribute_datasets_from_function(own)


def example_seeds(seed: Any, epoch: Any, places: Any) -> Any:
    """Return what each example's random choices depend on in an epoch.

    Args:
        seed: The training's.
        epoch: Counted from 0, int64.
        places: Where the examples stand in the training split, int64 of shape (B,) or ().

    Returns:
        A pair for each, (B, 2) or (2,).
    """
    return tf.stack([tf.fill(tf.shape(places), seed * 2**20 + epoch), places], axis=-1)
