"""A few of the training examples, to see what a model learns from few labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zoo.base.errors import UsageError
from zoo.datasets.features.base import Feature
from zoo.datasets.split import Split


def subset(
    split: Split, count: int, seed: int, *, targets: Sequence[str], features: Mapping[str, Feature]
) -> Split:
    """Return some of a split's examples, in the split's order.

    Args:
        split: That memory holds.
        count: How many.
        seed: Decides which.
        targets: The target columns. If one is a class, each class keeps its share.
        features: Of all columns.

    Raises:
        UsageError: There are fewer, or memory does not hold them.
    """
    if split.take is None:
        raise UsageError("train_examples: needs a data set that memory holds")
    if count > len(split):
        raise UsageError(f"train_examples: there are {len(split)} to train on, got {count}")
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(split))
    classes = next((name for name in targets if features[name].serves("class")), None)
    if classes is not None:
        labels = np.concatenate(list(split.column(classes)))[order]
        # Each class's examples are spread evenly over (0, 1): the lowest ones keep all shares.
        places = np.empty(len(split))
        for label in np.unique(labels):
            mine = np.flatnonzero(labels == label)
            places[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
        order = order[np.argsort(places, kind="stable")]
    return Split.in_memory(split.take(np.sort(order[:count])))
