"""Answers and scores by compiled functions that are called directly.

`keras.Model.predict` sets up a pipeline and a loop at every call, which costs up to twice the time
of the answers on ResNets, and fifty times on an MLP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.datasets.features.base import Feature

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

    def each(self, examples: Sequence[Mapping[str, np.ndarray]], chunk: int = CHUNK) -> np.ndarray:
        """Return the answers to batches of one that may differ in size, such as photographs."""
        answers = []
        for at in range(0, len(examples), chunk):
            parts = [self._encode(example) for example in examples[at : at + chunk]]
            joined = {name: tf.concat([part[name] for part in parts], axis=0) for name in parts[0]}
            answers.append(self.encoded(joined))
        return np.concatenate(answers)

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


def measure(model: Any, batches: Iterable[Any]) -> dict[str, float]:
    """Return a compiled model's loss and metrics over batches, by name."""
    model.reset_metrics()
    model.make_test_function()
    iterator = iter(batches)
    scores: dict[str, Any] = {}
    while True:
        try:
            scores = model.test_function(iterator)
        except (StopIteration, tf.errors.OutOfRangeError):
            return {name: float(np.asarray(value)) for name, value in scores.items()}
