"""A page of training images as a recipe's run sees them: each example, then its versions."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import tensorflow as tf

from recipes.recipe import Data, Recipe
from zoo.base.errors import require
from zoo.datasets.augmentation.augmenter import augmenter
from zoo.datasets.batches import Batches, prepared
from zoo.datasets.loading import load
from zoo.datasets.sources.base import Description
from zoo.datasets.split import Columns, Split

EXAMPLES = 8
"""Rows: the first ones of the training split."""
TITLE = 16
"""Characters of a line above an image, so that it does not run into the next one's."""
PAGE = 64
"""Examples on a page without augmentation."""
EPOCHS = 7
"""Columns beside the original: what the examples are in the first epochs."""


def draw_augmented(recipe: Recipe, path: Path) -> None:
    """Draw training examples, and what a run of the recipe makes of them in each of its epochs.

    Args:
        recipe: Whose data, seed and augmentation.
        path: The picture to write.

    Raises:
        UsageError: The augmentation is unknown or out of range, or mixes what has no classes.
    """
    from zoo.runs.pictures import image_grid

    dataset = load(recipe.data, recipe.data.forms)
    spec = dataset.spec
    inputs = {name: spec.features[name] for name in spec.inputs}
    augment = augmenter(recipe.augmentation, inputs)
    column = augment.column if augment else spec.inputs[0]
    target = spec.targets[0]
    label = spec.features[target]
    names = label.titles(range(label.classes))
    require(
        bool(names) or not (augment and augment.mixes),
        f"mixup and cutmix mix classes; {spec.name} gives {label.noun()}",
    )

    def feed(columns: Columns) -> tuple[object, object, None]:
        truth = columns[target]
        return columns[column], tf.one_hot(truth, len(names)) if names else truth, None

    features = {column: spec.features[column], target: label}
    split = prepared(dataset.split("train"), features)
    if split.take is None:  # a page needs only the first of what is on disk
        split = Split.in_memory(next(iter(split.in_order(EXAMPLES))))
    batches = Batches(
        split=split,
        features=features,
        feed=feed,
        batch_size=EXAMPLES,
        seed=recipe.seed,
        augment=augment,
    )
    assert split.take is not None
    at = tf.range(min(EXAMPLES, len(split)), dtype=tf.int64)
    columns = split.take(at)
    image = spec.features[column]
    whole = {name: one.finish(columns[name]) for name, one in features.items()}
    versions = [feed(whole)]
    for epoch in range(EPOCHS):
        number = tf.constant(epoch, tf.int64)
        versions.append(batches.as_trained_on(number, at, columns))
    shown = [np.stack(image.decode(images)) for images, _, _ in versions]
    truths = [np.asarray(truth) for _, truth, _ in versions]
    own = np.asarray(whole[target])
    image_grid(
        np.stack(shown, axis=1).reshape(-1, *shown[0].shape[1:]),
        path,
        titles=[_title(truth[row], own[row], names) for row in range(len(own)) for truth in truths],
        headings=["original", *(f"epoch {epoch + 1}" for epoch in range(EPOCHS))],
    )


def draw_examples(described: Description, path: Path, data: Data | None = None) -> None:
    """Draw the first training examples of a data set with their targets.

    Args:
        described: Of a data set whose first input is images; those of any size are shown small.
        path: The picture to write.
        data: What is said beside its name, where that is more than nothing.
    """
    column = described.inputs[0]
    feature = described.features[column]
    any_size = feature.serves("pixels") and None in feature.shape_as_it_comes()
    form = {column: {"size": [128, 128], "resize": "shorter-side"}} if any_size else {}
    dataset = load(data or described.name, form)
    image = dataset.spec.features[column]
    split = prepared(dataset.split("train"), {column: image}, described.targets)
    page = next(iter(split.in_order(PAGE).as_numpy_iterator()))
    target = described.targets[0] if described.targets else None
    texts = dataset.spec.features[target].titles(page[target]) if target else []
    texts = [textwrap.fill(text, TITLE) for text in texts]
    image.preview(np.stack(image.decode(image.finish(page[column]))), texts, path)


def _title(truth: np.ndarray, own: np.ndarray, names: list[str]) -> str:
    """Return the class, the shares of several on a line each, its own first, or the number."""
    if not names:
        return f"{float(np.ravel(truth)[0]):g}"
    order = (int(own), *np.delete(np.arange(len(truth)), int(own)))
    present = [at for at in order if truth[at] > 0.0]
    if len(present) == 1:
        return names[present[0]]
    return "\n".join(f"{truth[at]:.0%} {names[at]}" for at in present)
