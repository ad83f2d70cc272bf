"""Rows that memory does not hold, read by place inside a `tf.data` pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from zoo.datasets.split import Split

Fetch = Callable[[Sequence[int]], Mapping[str, np.ndarray]]


def rows_by_place(size: int, fetch: Fetch, known: Mapping[str, np.ndarray]) -> Split:
    """Return a split whose rows a function of Python fetches.

    Args:
        size: How many rows there are.
        fetch: From places to raw columns (B, …).
        known: Columns that memory holds.
    """
    import tensorflow as tf

    from zoo.datasets.split import Split

    sample = {name: tf.convert_to_tensor(values) for name, values in fetch([0]).items()}
    names = list(sample)

    def read(place: Any) -> dict[str, Any]:
        def one(at: np.ndarray) -> list[np.ndarray]:
            found = fetch([int(at)])
            return [found[name][0] for name in names]

        values = tf.numpy_function(one, [place], [sample[name].dtype for name in names])
        return {
            name: tf.ensure_shape(value, sample[name].shape[1:])
            for name, value in zip(names, values, strict=True)
        }

    return Split.by_place(size, read, known)
