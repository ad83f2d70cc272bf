"""What the tests of augmentations share: images by hand, seeds, and steps as recipes name them."""

from __future__ import annotations

from typing import Any

import numpy as np

from recipes.recipe import Named
from zoo.datasets.augmentation.augmenter import Augmenter, augmenter
from zoo.datasets.features.image import Image
from zoo.datasets.features.label import Label

MANY = 200
COLUMNS = {"label": Label(count=10), "image": Image(raw_shape=(8, 8, 1))}


def seeds(count: int, epoch: int = 5) -> np.ndarray:
    """A pair of seeds for each image."""
    return np.stack([np.full(count, epoch), np.arange(count)], axis=1).astype("int64")


def make(*steps: tuple[str, dict[str, Any]], scaling: str = "unit") -> Augmenter:
    """The augmenter of steps, each a name and its arguments, for images that are scaled so."""
    image = Image(raw_shape=(8, 8, 3), scaling=scaling)
    made = augmenter([Named(name=name, **arguments) for name, arguments in steps], {"image": image})
    assert made is not None
    return made


def change(
    images: np.ndarray, name: str, *, scaling: str = "unit", epoch: int = 5, **arguments: Any
) -> np.ndarray:
    """Images after one step, the first of them example 0 of the split."""
    made = make((name, arguments), scaling=scaling)
    return np.asarray(made(images, seeds(len(images), epoch)))


def assert_spread(values: np.ndarray, limit: float, slack: float) -> None:
    """Check that values lie within plus and minus a limit, and use most of that room."""
    assert np.abs(values).max() <= limit + slack
    assert values.max() > 0.8 * limit
    assert values.min() < -0.8 * limit
    assert abs(values.mean()) < 0.25 * limit
