"""One split of a data set: raw columns by name, in memory or on disk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

Columns = Mapping[str, Any]
"""Arrays or tensors by column name, each of shape (B, …)."""
Change = Callable[[Columns], Columns]

CACHE = 100_000_000
"""Bytes of examples that are kept in memory instead of being read again in every epoch."""
AHEAD = 64_000_000
"""Bytes that a pipeline may read ahead of a training."""
CHUNK = 8_000_000
"""Bytes of examples that are looked at together while a column is read through."""
WINDOW = 1024
"""Examples on disk that are shuffled at a time, as they are stored: 0.1 GB of ImageNet's."""


class Split:
    """Examples in a fixed order. Make one with `in_memory`, `by_place` or `on_disk`.

    Args:
        size: How many examples there are.
        ordered: Gives a `tf.data.Dataset` of single examples, dicts by column name, in order.
        shuffled: Gives a dataset of batches ``{"place": (B,), …}`` in an order that a pair of seeds
            decides, see `shuffled`.
        columns: From such a batch to its columns.
        mapped: From a function of batches of columns to a split that it was applied to.
        take: From places (B,) to columns, where there is random access and all have one size.
        one: From a place () to an example, where there is random access.
        known: Columns that memory holds, where others are read.
    """

    def __init__(
        self,
        size: int,
        *,
        ordered: Callable[[], tf.data.Dataset],
        shuffled: Callable[..., tf.data.Dataset],
        columns: Callable[[Columns], Columns],
        mapped: Callable[[Change], Split],
        take: Callable[[Any], Columns] | None = None,
        one: Callable[[Any], Columns] | None = None,
        known: Columns | None = None,
    ) -> None:
        self.size = size
        self.one = one
        self._known = known or {}
        self._ordered = ordered
        self._shuffled = shuffled
        self._mapped = mapped
        self.columns = columns
        self.take = take

    def __len__(self) -> int:
        return self.size

    @classmethod
    def in_memory(cls, columns: Columns) -> Split:
        """Return a split of arrays or tensors (N, …)."""
        size = len(next(iter(columns.values())))
        with tf.device("CPU:0"):
            held = {name: tf.constant(values) for name, values in columns.items()}

        def take(places: Any) -> Columns:
            return {name: tf.gather(values, places) for name, values in held.items()}

        def shuffled(
            key: Any, skip: Any, batch_size: int, shard: int, shards: int
        ) -> tf.data.Dataset:
            rows = _rows(size, key, batch_size, shard, shards)
            return tf.data.Dataset.from_tensor_slices({"place": rows[skip:]})

        def mapped(change: Change) -> Split:
            split = cls.in_memory(held)
            parts = [change(part) for part in split.chunks(split.fitting(4096))]
            names = parts[0].keys()
            return cls.in_memory(
                {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in names}
            )

        return cls(
            size,
            ordered=lambda: tf.data.Dataset.from_tensor_slices(dict(held)),
            shuffled=shuffled,
            columns=lambda batch: take(batch["place"]),
            mapped=mapped,
            take=take,
            one=take,
        )

    @classmethod
    def by_place(
        cls, size: int, read: Callable[[Any], Columns], known: Columns | None = None
    ) -> Split:
        """Return a split whose examples are read one by one, in any order, whenever they are used.

        Examples are read side by side. What `mapped` makes of them is kept in memory where it fits
        into `CACHE` bytes; memory then does not depend on the size of the source.

        Args:
            size: How many examples there are.
            read: From a place (), int64, to an example's columns, in the graph.
            known: Columns (N, …) that memory holds; `read` gives them too.
        """

        def shuffled(
            key: Any, skip: Any, batch_size: int, shard: int, shards: int
        ) -> tf.data.Dataset:
            rows = _rows(size, key, batch_size, shard, shards)[skip:]
            places = tf.data.Dataset.from_tensor_slices(tf.reshape(rows, (-1,)))
            examples = places.map(
                lambda place: {"place": place, **read(place)}, num_parallel_calls=tf.data.AUTOTUNE
            )
            batches = examples.batch(batch_size // shards, drop_remainder=True)
            return batches.with_options(_frugal())

        def ordered() -> tf.data.Dataset:
            examples = tf.data.Dataset.range(size).map(read, num_parallel_calls=tf.data.AUTOTUNE)
            return examples.with_options(_frugal())

        def mapped(change: Change) -> Split:
            def changed(place: Any) -> Columns:
                made = change(_batched(read(place)))
                return {name: value[0] for name, value in made.items()}

            split = cls.by_place(size, changed)
            return split._cached() if split._bytes() <= CACHE else split

        def take(places: Any) -> Columns:
            return tf.map_fn(read, places, fn_output_signature=spec)

        spec = ordered().element_spec
        alike = all(one.shape.is_fully_defined() for one in spec.values())
        return cls(
            size,
            ordered=ordered,
            shuffled=shuffled,
            columns=_without_place,
            mapped=mapped,
            take=take if alike else None,
            one=lambda place: _batched(read(place[0])),
            known=known,
        )

    def _bytes(self) -> float:
        """Return how much memory all examples take; infinity where they differ in size."""
        total = 0.0
        for spec in self._ordered().element_spec.values():
            if not spec.shape.is_fully_defined() or spec.dtype == tf.string:
                return math.inf
            total += spec.dtype.size * math.prod(spec.shape)
        return total * self.size

    def _cached(self) -> Split:
        """Return the split held in memory.

        It is written into variables part by part: `tf.constant` of an array of 94 MB took 192 MB
        more, of which 98 MB were never given back.
        """
        spec = self._ordered().element_spec
        with tf.device("CPU:0"):
            held = {
                name: tf.Variable(tf.zeros((self.size, *one.shape), one.dtype), trainable=False)
                for name, one in spec.items()
            }
        at = 0
        for batch in self.in_order(256):
            for name, values in batch.items():
                held[name][at : at + len(values)].assign(values)
            at += len(next(iter(batch.values())))
        return Split.in_memory({name: one.read_value() for name, one in held.items()})

    @classmethod
    def on_disk(
        cls,
        parts: Sequence[tf.data.Dataset],
        decode: Change = lambda example: example,
    ) -> Split:
        """Return a split that is read again in every epoch.

        Args:
            parts: Datasets of single stored examples, dicts by column name, each of a known length
                and in a fixed order. They can be read side by side.
            decode: From a stored example to its raw values.
        """
        sizes = [int(part.cardinality()) for part in parts]

        def ordered() -> tf.data.Dataset:
            whole = parts[0]
            for part in parts[1:]:
                whole = whole.concatenate(part)
            return whole.map(decode, num_parallel_calls=tf.data.AUTOTUNE)

        def shuffled(
            key: Any, skip: Any, batch_size: int, shard: int, shards: int
        ) -> tf.data.Dataset:
            steps = -(-sum(sizes) // batch_size)
            stored = _mixed(parts, sizes, key).repeat().take(steps * batch_size)
            stored = stored.skip(skip * batch_size)
            share = batch_size // shards
            if shards > 1:
                mine = stored.enumerate().filter(lambda at, _: at % batch_size // share == shard)
                stored = mine.map(lambda _, example: example)
            read = stored.map(
                lambda example: {"place": example["place"], **decode(_without_place(example))},
                num_parallel_calls=tf.data.AUTOTUNE,
            )
            return read.batch(share, drop_remainder=True)

        def mapped(change: Change) -> Split:
            def one(example: Columns) -> Columns:
                read = decode(example)
                changed = change({name: value[None] for name, value in read.items()})
                return {name: value[0] for name, value in changed.items()}

            return cls.on_disk(parts, one)

        return cls(
            sum(sizes), ordered=ordered, shuffled=shuffled, columns=_without_place, mapped=mapped
        )

    def mapped(self, change: Change) -> Split:
        """Return the split with its columns changed.

        Args:
            change: A function of batches of columns, of any size. In memory it is applied at once,
                on disk whenever an example is read.
        """
        return self._mapped(change)

    def shuffled(
        self, key: Any, *, batch_size: int, skip: Any = 0, shard: int = 0, shards: int = 1
    ) -> tf.data.Dataset:
        """Return full batches of one epoch, ``{"place": (B / shards,), …}`` for `columns`.

        The last batch is filled up from the epoch's beginning. So every example is seen in every
        epoch, shapes never change, and each replica gets the same share.

        Args:
            key: A pair of seeds, int64, that alone decides the order.
            batch_size: Of all shards together, a multiple of their number.
            skip: Batches to leave out at the beginning, int64.
            shard: Which part of every batch to give, counted from 0.
            shards: Into how many parts batches are divided.
        """
        if batch_size % shards:
            raise ValueError(f"batches of {batch_size} cannot be divided into {shards} equal parts")
        skip = tf.cast(skip, tf.int64)
        return self._shuffled(key, skip, batch_size, shard, shards)

    def in_order(self, batch_size: int) -> tf.data.Dataset:
        """Return batches of columns, each example once, the last batch as small as it is."""
        return self._ordered().batch(batch_size)

    def chunks(self, size: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield columns in order, `size` examples at a time; one at a time if they vary in size."""
        examples = self._ordered()
        alike = all(spec.shape.is_fully_defined() for spec in examples.element_spec.values())
        yield from examples.batch(size if alike else 1).as_numpy_iterator()

    def fitting(self, size: int) -> int:
        """Return how many examples, at most `size`, take no more than `CHUNK` bytes.

        What is computed from images takes several times their own bytes.
        """
        specs = self._ordered().element_spec.values()
        sized = [one for one in specs if one.shape.is_fully_defined() and one.dtype != tf.string]
        each = sum(one.dtype.size * math.prod(one.shape) for one in sized)
        return max(1, min(size, CHUNK // max(each, 1)))

    def examples(self, places: Sequence[int]) -> list[Columns] | None:
        """Return examples as batches of one, which may differ in size; None where none is random.

        Args:
            places: Counted from 0.
        """
        if self.one is None:
            return None
        return [self.one(tf.constant([place], tf.int64)) for place in places]

    def column(self, name: str, size: int = 4096) -> Iterable[np.ndarray]:
        """Return one column's values in order, to be iterated over as often as needed."""
        if name in self._known:
            return [np.asarray(self._known[name])]
        return _Column(self, name, size)


class _Column:
    """One column of a split, a part at a time."""

    def __init__(self, split: Split, name: str, size: int) -> None:
        self.split, self.name, self.size = split, name, size

    def __iter__(self) -> Iterator[np.ndarray]:
        for chunk in self.split.chunks(self.split.fitting(self.size)):
            yield chunk[self.name]


def _frugal() -> tf.data.Options:
    """Return options by which a pipeline reads ahead no more than `AHEAD` bytes."""
    options = tf.data.Options()
    options.autotune.ram_budget = AHEAD
    return options


def _batched(example: Columns) -> Columns:
    return {name: value[None] for name, value in example.items()}


def _rows(size: int, key: Any, batch_size: int, shard: int, shards: int) -> Any:
    """Return the places of one epoch's batches (steps, batch_size / shards) in a drawn order."""
    order = tf.random.experimental.stateless_shuffle(tf.range(size, dtype=tf.int64), key)
    steps = -(-size // batch_size)
    order = tf.gather(order, tf.range(steps * batch_size) % size)
    share = batch_size // shards
    return tf.reshape(order, (-1, batch_size))[:, shard * share : (shard + 1) * share]


def _without_place(batch: Columns) -> Columns:
    return {name: values for name, values in batch.items() if name != "place"}


def _mixed(parts: Sequence[tf.data.Dataset], sizes: Sequence[int], key: Any) -> tf.data.Dataset:
    """Return all stored examples with their places, in an order drawn by `key` alone.

    Every place in the order is drawn for one of the parts, which fills it with its next example;
    then the examples of each window are shuffled.
    """
    starts = [sum(sizes[:number]) for number in range(len(parts))]
    numbered = [
        part.enumerate(start).map(lambda at, example: {"place": at, **example})
        for start, part in zip(starts, parts, strict=True)
    ]
    draws = tf.repeat(tf.range(len(parts), dtype=tf.int64), sizes)
    draws = tf.random.experimental.stateless_shuffle(draws, key)
    mixed = tf.data.Dataset.choose_from_datasets(
        numbered, tf.data.Dataset.from_tensor_slices(draws), stop_on_empty_dataset=False
    )

    def shuffle(number: Any, window: Columns) -> Columns:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(tf.shape(window["place"])[0]), key + tf.stack([0, (number + 1) * 2**32])
        )
        return {name: tf.gather(values, order) for name, values in window.items()}

    return mixed.batch(WINDOW).enumerate().map(shuffle).prefetch(1).unbatch()
