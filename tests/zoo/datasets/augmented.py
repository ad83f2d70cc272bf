"""What the tests of augmentations share: images by hand, seeds, and steps as recipes name them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from recipes.recipe import Named
from zoo.datasets.augmentation import Augmenter, augmenter
from zoo.datasets.loading import load
from zoo.datasets.spec import DatasetSpec

SPEC = load("digits").spec
MANY = 200


def seeds(count: int, epoch: int = 5) -> np.ndarray:
    """A pair of seeds for each image."""
    return np.stack([np.full(count, epoch), np.arange(count)], axis=1).astype("int64")


def scaled(scaling: str) -> DatasetSpec:
    """The spec of images whose values are scaled in another way than to [0, 1]."""
    spec = dataclasses.replace(SPEC)
    object.__setattr__(spec, "scaling", scaling)
    return spec


def make(*steps: tuple[str, dict[str, Any]], spec: DatasetSpec = SPEC) -> Augmenter:
    """The augmenter of steps, each a name and its arguments."""
    made = augmenter([Named(name=name, **arguments) for name, arguments in steps], spec)
    assert made is not None
    return made


def change(
    images: np.ndarray, name: str, *, spec: DatasetSpec = SPEC, epoch: int = 5, **arguments: Any
) -> np.ndarray:
    """Images after one step, the first of them example 0 of the split."""
    made = make((name, arguments), spec=spec)
    return np.asarray(made(images, seeds(len(images), epoch)))


def assert_spread(values: np.ndarray, limit: float, slack: float) -> None:
    """Check that values lie within plus and minus a limit, and use most of that room."""
    assert np.abs(values).max() <= limit + slack
    assert values.max() > 0.8 * limit
    assert values.min() < -0.8 * limit
    assert abs(values.mean()) < 0.25 * limit
