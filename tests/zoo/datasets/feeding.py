"""What the tests of splits and batches share: 23 images that show their own number."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from zoo.datasets.augmentation.augmenter import Augmenter
from zoo.datasets.batches import Batches, prepared
from zoo.datasets.features.base import Feature
from zoo.datasets.features.image import Image
from zoo.datasets.features.label import Label
from zoo.datasets.split import Columns, Split

SIZES = (9, 6, 8)  # of the parts on disk
SIZE = sum(SIZES)
NUMBERS = np.arange(SIZE, dtype="int32")
WEIGHTS = (NUMBERS / 2.0).astype("float32")
FEATURES: dict[str, Feature] = {
    "image": Image(raw_shape=(0, 0, 3), size=(4, 4)),
    "label": Label(count=SIZE),
}


def picture(number: int, *, alike: bool) -> np.ndarray:
    """An image of one colour, its number; of a size of its own unless all are alike."""
    shape = (4, 4, 3) if alike else (4 + number % 3, 5 + number % 4, 3)
    return np.full(shape, 10 * number, np.uint8)


def on_disk() -> Split:
    """The images in three parts, of several sizes, stored as PNG."""
    parts = []
    for start, size in zip((0, 9, 15), SIZES, strict=True):
        mine = NUMBERS[start : start + size]
        stored = [tf.io.encode_png(picture(int(number), alike=False)) for number in mine]
        columns = {"image": stored, "label": mine, "weight": WEIGHTS[mine]}
        parts.append(tf.data.Dataset.from_tensor_slices(columns))

    def decode(example: Columns) -> Columns:
        return {**example, "image": tf.io.decode_png(example["image"], channels=3)}

    return Split.on_disk(parts, decode)


def in_memory() -> Split:
    """The images in memory, all of one size."""
    images = np.stack([picture(int(number), alike=True) for number in NUMBERS])
    return Split.in_memory({"image": images, "label": NUMBERS, "weight": WEIGHTS})


SPLITS = {"memory": in_memory, "disk": on_disk}


def feed(columns: Columns) -> tuple[Any, Any, Any]:
    """Images and their numbers."""
    return columns["image"], columns["label"], None


def weighted(columns: Columns) -> tuple[Any, Any, Any]:
    """Images, their numbers and their weights."""
    return columns["image"], columns["label"], columns["weight"]


def shares(columns: Columns) -> tuple[Any, Any, Any]:
    """Images and one-hot targets, as mixes need them."""
    return columns["image"], tf.one_hot(columns["label"], SIZE), None


def batches(
    where: str, batch_size: int = 5, seed: int = 0, augment: Augmenter | None = None, **more: Any
) -> Batches:
    """Training batches of the 23 images."""
    return Batches(
        split=prepared(SPLITS[where](), FEATURES, ("weight",)),
        features=FEATURES,
        batch_size=batch_size,
        seed=seed,
        augment=augment,
        **{"feed": feed, **more},
    )


def order(made: Batches, epoch: int) -> list[int]:
    """The numbers of the images in the order in which an epoch gives them."""
    return [int(number) for batch in made.epoch(epoch) for number in batch[1]]
