"""Some of a split's examples: few to learn from, or those of another split to learn from too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.datasets.features.base import Feature
from zoo.datasets.split import Split


def divided(
    split: Split,
    count: int,
    seed: int,
    *,
    key: str,
    targets: Sequence[str],
    features: Mapping[str, Feature],
) -> tuple[Split, Split]:
    """Return some of a split's examples, and the others, both in the split's order.

    Args:
        split: That memory holds.
        count: How many.
        seed: Decides which.
        key: What asked for it, for messages.
        targets: The target columns. If one is a class, each class keeps its share.
        features: Of all columns.

    Raises:
        UsageError: There are fewer, or memory does not hold them.
    """
    take = _taking(split, key)
    if count > len(split):
        raise UsageError(f"{key}: there are {len(split)}, got {count}")
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
    some, others = (np.sort(part) for part in (order[:count], order[count:]))
    return Split.in_memory(take(some)), Split.in_memory(take(others))


def joined(first: Split, second: Split, *, key: str) -> Split:
    """Return the examples of two splits, one after the other; see `divided`."""
    parts = [_taking(split, key)(np.arange(len(split))) for split in (first, second)]
    return Split.in_memory(
        {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    )


def _taking(split: Split, key: str) -> Callable[[Any], Any]:
    if split.take is None:
        raise UsageError(f"{key}: needs a data set that memory holds")
    return split.take
