"""Pictures of a generator: its samples while it learns, and the map of two latents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from zoo.runs.pictures import PROGRESS
from zoo.tasks.quality import Data, inputs_of

PICTURES = 10
"""Drawn of samples in a training, about."""
SIDE = 20
"""Rows and columns of a map of the latent plane."""


def while_it_learns(draw: Callable[[Any, Path], None], folder: Path, epochs: int) -> Any:
    """Return a callback that draws a model's samples about `PICTURES` times in a training.

    Args:
        draw: Draws samples of a model into a file, the same noise every time.
        folder: Of the run's figures.
        epochs: Of the whole training.
    """
    import keras

    every = -(-epochs // PICTURES)

    class Pictures(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if (epoch + 1) % every == 0:
                name = f"epoch-{epoch + 1:0{len(str(epochs))}}.png"
                draw(self.model, folder / PROGRESS / name)

    return Pictures()


def draw_map(model: Any, data: Data, split: str, batches: Iterable[Any], folder: Path) -> None:
    """Draw where a split's first examples lie, and what all parts of the plane look like.

    Args:
        model: It has ``codes(inputs) -> (B, 2)`` and ``decode``.
        data: What it was trained on.
        split: The split's name.
        batches: Of its first examples: inputs, or tuples that begin with them.
        folder: Where ``latent-codes.png`` and ``latent-map.png`` are written.
    """
    from zoo.runs.figures import scatter_map
    from zoo.runs.pictures import image_grid

    points = np.concatenate([np.asarray(model.codes(inputs_of(batch))) for batch in batches])
    labels = np.concatenate([one for _, one in data.chunks(split, len(points))])
    label = data.label
    names = data.dataset.spec.features[label].titles(range(data.classes)) if label else []
    scatter_map(points, labels, names, folder / "latent-codes.png")
    # Places that divide the prior into equal parts, so that likely codes fill the picture.
    side = [NormalDist().inv_cdf((at + 0.5) / SIDE) for at in range(SIDE)]
    plane = np.array([(x, y) for y in reversed(side) for x in side], np.float32)
    images = data.image.decode(np.asarray(model.decode(plane)))
    image_grid(np.stack(images), folder / "latent-map.png", scale=4)
