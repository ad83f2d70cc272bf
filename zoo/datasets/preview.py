"""A page of training images as a recipe's run sees them: each example, then its versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from recipes.recipe import Recipe
from zoo.datasets.augmentation import augmenter
from zoo.datasets.batches import as_trained_on
from zoo.datasets.encoding import Encoder
from zoo.datasets.loading import load
from zoo.datasets.spec import DatasetSpec, Examples, require

EXAMPLES = 8
"""Rows: the first ones of the training split."""
EPOCHS = 7
"""Columns beside the original: what the examples are in the first epochs."""


def draw_augmented(recipe: Recipe, path: Path) -> None:
    """Draw training examples, and what a run of the recipe makes of them in each of its epochs.

    Args:
        recipe: Whose data, seed and augmentation.
        path: The PNG to write.

    Raises:
        UsageError: The augmentation is unknown or out of range, or mixes what has no classes.
    """
    from zoo.figures import image_grid

    dataset = load(**recipe.data.model_dump())
    spec, split = dataset.spec, dataset.split("train")
    train = split if isinstance(split, Examples) else next(split.chunks(EXAMPLES))
    augment = augmenter(recipe.augmentation, spec)
    labelled = spec.target == "class"
    require(
        labelled or not (augment and augment.mixes),
        f"mixup and cutmix mix classes; {spec.name} gives a number",
    )
    encoder = Encoder(spec)

    def fetch(places: Any) -> list[Any]:
        targets = train.targets[places]
        if labelled:
            targets = np.eye(len(spec.class_names), dtype=np.float32)[targets]
        return [encoder.prepare(train.inputs[places]), tf.constant(targets)]

    at = np.arange(min(EXAMPLES, len(train)))
    whole, own = fetch(at)
    columns = [[encoder.crop(whole), own]]
    for epoch in range(EPOCHS):
        columns.append(
            as_trained_on(
                lambda places: fetch(places.numpy()),
                tf.constant(at, tf.int64),
                size=len(train),
                seed=recipe.seed,
                epoch=tf.constant(epoch, tf.int64),
                augment=augment,
                crop=encoder.crop,
            )
        )
    images = np.stack([images for images, _ in columns], axis=1)  # (examples, versions, …)
    targets = np.stack([targets for _, targets in columns], axis=1)
    image_grid(
        _shown(images.reshape(-1, *images.shape[2:]), encoder),
        path,
        titles=[
            _title(target, int(own), spec)
            for own, versions in zip(train.targets[at], targets, strict=True)
            for target in versions
        ],
        headings=["original", *(f"epoch {epoch}" for epoch in range(EPOCHS))],
    )


def _shown(images: np.ndarray, encoder: Encoder) -> np.ndarray:
    """Return encoded images in [0, 1], whatever the encoder does to a pixel."""
    shape = encoder.spec.whole_shape
    black, white = np.asarray(encoder(np.stack([np.zeros(shape), np.ones(shape)])))
    shown = np.clip((images - black) / (white - black), 0.0, 1.0)
    return shown[..., ::-1] if encoder.spec.scaling == "caffe" else shown


def _title(target: np.ndarray, own: int, spec: DatasetSpec) -> str:
    """Return the class, the shares of several on a line each, its own first, or the number."""
    if spec.target == "number":
        return f"{target:g}"
    present = [at for at in (own, *np.delete(np.arange(len(target)), own)) if target[at] > 0.0]
    if len(present) == 1:
        return spec.class_names[present[0]]
    return "\n".join(f"{target[at]:.0%} {spec.class_names[at]}" for at in present)
