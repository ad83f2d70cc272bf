"""Answers and scores by compiled functions that are called directly.

`keras.Model.predict` sets up a pipeline and a loop at every call, which costs up to twice the time
of the answers on ResNets, and fifty times on an MLP.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.datasets.batches import spread
from zoo.datasets.features.base import Feature

Give = Callable[[int, int, int], tf.data.Dataset]
"""From the number of replicas, the number of a part and the number of parts to a dataset of that
part of every batch."""
CHUNK = 256
"""Examples that are answered at a time."""


class Predictor:
    """A function from raw examples to answers, compiled when it is first called.

    Args:
        features: Of the input columns, which encode the examples.
        respond: From encoded columns to answers, in the graph.
    """

    def __init__(
        self, features: Mapping[str, Feature], respond: Callable[[Mapping[str, Any]], Any]
    ) -> None:
        self.features = features
        self._respond = tf.function(respond)
        self._compiled: Any = None

    def __call__(self, raw: Mapping[str, np.ndarray], chunk: int = CHUNK) -> np.ndarray:
        """Return the answers to raw columns (B, …).

        Args:
            raw: By the name of the input column.
            chunk: Examples that are computed on at a time.
        """
        size = len(next(iter(raw.values())))
        answers = []
        for at in range(0, max(size, 1), chunk):
            part = {name: values[at : at + chunk] for name, values in raw.items()}
            answers.append(self.encoded(self._encode(part)))
        return np.concatenate(answers)

    def each(
        self, examples: Iterable[Mapping[str, np.ndarray]], chunk: int = CHUNK
    ) -> Iterator[np.ndarray]:
        """Yield the answers to batches of one that may differ in size, such as photographs.

        Each is encoded as it comes, so that memory holds one photograph in full at a time.

        Args:
            examples: Raw columns, in order.
            chunk: Examples that are answered at a time.
        """
        remaining = iter(examples)
        while parts := [self._encode(one) for one in itertools.islice(remaining, chunk)]:
            joined = {name: tf.concat([part[name] for part in parts], axis=0) for name in parts[0]}
            yield self.encoded(joined)

    def encoded(self, columns: Mapping[str, Any]) -> np.ndarray:
        """Return the answers to encoded columns (B, …)."""
        if self._compiled is None:
            specs = {
                name: tf.TensorSpec((None, *values.shape[1:]), values.dtype)
                for name, values in columns.items()
            }
            self._compiled = self._respond.get_concrete_function(specs)
        return np.asarray(self._compiled(dict(columns)))

    def _encode(self, raw: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return {name: one.encode(raw[name]) for name, one in self.features.items()}


def measure(model: Any, give: Give) -> dict[str, float]:
    """Return a compiled model's loss and metrics over batches, by name.

    Args:
        model: Compiled; built in a strategy's scope, it is measured on all of its replicas.
        give: Gives the batches.
    """
    strategy = model.distribute_strategy
    replicas = strategy.num_replicas_in_sync
    model.reset_metrics()
    model.make_test_function()
    if replicas == 1:
        iterator = iter(give(1, 0, 1))
    else:
        batches = spread(strategy, lambda shard, shards: give(replicas, shard, shards))
        if isinstance(batches, tf.data.Dataset):
            batches = strategy.experimental_distribute_dataset(batches)  # as `fit` does
        iterator = iter(batches)
    scores: dict[str, Any] = {}
    while True:
        try:
            scores = model.test_function(iterator)
            if replicas > 1:
                # A step's scores are those of this worker. They are read after each step: the call
                # that finds no batch has counted it in some variables.
                scores = model.get_metrics_result()
        except (StopIteration, tf.errors.OutOfRangeError):
            return {name: one_number(value) for name, value in scores.items()}


def one_number(score: Any) -> float:
    """Return a metric's value; of one that has several, such as several thresholds, their mean."""
    return float(np.mean(np.asarray(score)))
