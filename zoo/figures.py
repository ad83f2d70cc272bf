"""Pictures drawn from a run's data files; matplotlib is imported only here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.files import written_whole

History = Mapping[str, Sequence[float]]
"""Values of each column of history.csv, one for each epoch."""


def _subplots(*shape: int, size: tuple[float, float]) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(*shape, squeeze=False)


def _save(figure: Any, path: Path) -> None:
    with written_whole(path) as beside:
        figure.savefig(beside, format="png")


def curves(histories: Mapping[str, History], path: Path) -> None:
    """Draw the learning curves of one or several runs, one panel for each measure.

    Args:
        histories: By the run's name. ``x`` is drawn as a thin line where there is a ``val_x``.
        path: The PNG to write.
    """
    skipped = ("epoch", "seconds", "learning_rate")
    names: dict[str, None] = {}
    for history in histories.values():
        names |= {key.removeprefix("val_"): None for key in history if key not in skipped}
    columns = min(3, max(1, len(names)))
    rows = max(1, math.ceil(len(names) / columns))
    figure, axes = _subplots(rows, columns, size=(4.6 * columns, 3.4 * rows))
    for panel in axes.flat[len(names) :]:
        panel.set_visible(False)
    for name, panel in zip(names, axes.flat, strict=False):
        for number, (run, history) in enumerate(histories.items()):
            colour = f"C{number % 10}"
            epochs = history["epoch"]
            marker = "o" if len(epochs) == 1 else None
            both = name in history and f"val_{name}" in history
            if name in history:
                style = {"alpha": 0.45, "linewidth": 1.0} if both else {}
                label = "training" if len(histories) == 1 else (None if both else run)
                panel.plot(epochs, history[name], color=colour, label=label, marker=marker, **style)
            if f"val_{name}" in history:
                label = "validation" if len(histories) == 1 else run
                values = history[f"val_{name}"]
                panel.plot(epochs, values, color=colour, label=label, marker=marker)
        panel.set_title(name.replace("_", " "))
        panel.set_xlabel("epoch")
        panel.grid(alpha=0.3)
    # A run may have nothing to show in the first panel, and belongs into the legend all the same.
    lines = {
        label: line
        for panel in axes.flat
        for line, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    if lines:
        axes.flat[0].legend(lines.values(), lines.keys(), fontsize="small")
    _save(figure, path)


def confusion_matrix(matrix: np.ndarray, names: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix.

    Args:
        matrix: Counts (classes, classes), rows are the true classes.
        names: Of the classes.
        path: The PNG to write.
    """
    side = max(4.5, 0.36 * len(names) + 2.0)
    figure, axes = _subplots(1, 1, size=(side, side))
    panel = axes[0, 0]
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    panel.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    ticks = range(len(names))
    panel.set_xticks(ticks, names, rotation=90 if max(map(len, names)) > 3 else 0)
    panel.set_yticks(ticks, names)
    panel.set_xlabel("answer")
    panel.set_ylabel("truth")
    for row, column in zip(*np.nonzero(matrix), strict=True):
        colour = "white" if share[row, column] > 0.5 else "black"
        panel.text(column, row, matrix[row, column], ha="center", va="center", color=colour)
    right = int(np.trace(matrix))
    panel.set_title(f"{right} of {int(matrix.sum())} right")
    _save(figure, path)


def image_grid(
    images: np.ndarray,
    path: Path,
    titles: Sequence[str] = (),
    scale: int = 8,
    headings: Sequence[str] = (),
) -> None:
    """Draw images in a grid, small ones enlarged.

    Args:
        images: (N, height, width, 1 or 3) in [0, 1].
        path: The PNG to write.
        titles: One for each image, or none.
        scale: Screen pixels for a pixel of a small image, in a grid without titles.
        headings: One for each column, in a grid with titles; otherwise it is about square.
    """
    columns = len(headings) or math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    if not titles:
        tiled = _tile(images, rows, columns, max(1, min(scale, 128 // images.shape[1])))
        from PIL import Image

        pixels = np.round(255.0 * np.clip(tiled, 0.0, 1.0)).astype(np.uint8)
        with written_whole(path) as beside:
            Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(
                beside, format="PNG"
            )
        return
    figure, axes = _subplots(rows, columns, size=(1.1 * columns, 1.3 * rows))
    for panel in axes.flat:
        panel.axis("off")
    for image, title, panel in zip(images, titles, axes.flat, strict=False):
        grey = image.shape[-1] == 1
        panel.imshow(image[..., 0] if grey else image, cmap="gray", vmin=0.0, vmax=1.0)
        panel.set_title(title, fontsize="small")
    lines = max(title.count("\n") for title in titles[:columns])
    for heading, title, panel in zip(headings, titles, axes[0], strict=False):
        blank = "\n" * (2 + lines - title.count("\n"))  # headings stand on one line
        panel.set_title(f"{heading}{blank}{title}", fontsize="small")
    _save(figure, path)


def _tile(images: np.ndarray, rows: int, columns: int, scale: int) -> np.ndarray:
    """Return the images side by side, enlarged by whole numbers, with a pixel between them."""
    count, height, width, channels = images.shape
    grid = np.zeros((rows * columns, height, width, channels), np.float32)
    grid[:count] = images
    grid = grid.repeat(scale, axis=1).repeat(scale, axis=2)
    grid = np.pad(grid, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=0.3)
    high, wide = grid.shape[1:3]
    ordered = grid.reshape(rows, columns, high, wide, channels).transpose(0, 2, 1, 3, 4)
    return np.asarray(ordered.reshape(rows * high, columns * wide, channels))
