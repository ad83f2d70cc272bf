"""Pictures made of images: grids, and images under their titles. How any picture is written.

Matplotlib is imported only here and in `zoo.runs.figures`. A picture is a PNG or, if its path ends
so, a JPEG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.base.files import written_whole

PROGRESS = "progress"
"""The folder, among a run's figures, of pictures drawn in the course of the training."""
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
"""The formats of pictures by suffix."""


def require_picture_suffix(path: Path) -> Path:
    """Return the path of a picture to be written.

    Raises:
        UsageError: It is a folder, or its suffix is none of `FORMATS`.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"a picture's name must end in .png, .jpg or .jpeg, got '{path}'")
    return path


def save(figure: Any, path: Path) -> None:
    """Write a figure of Matplotlib's, whole or not at all."""
    kind = FORMATS[require_picture_suffix(path).suffix.lower()]
    with written_whole(path) as beside:
        figure.savefig(beside, format=kind.lower())


def worst_errors(images: np.ndarray, titles: Sequence[str], path: Path) -> None:
    """Draw the images that a model answered worst, each under what is said of it.

    Args:
        images: (N, height, width, 1 or 3) in [0, 1], the worst first; N is at least 1.
        titles: One for each image, such as ``"truth: 4\\nanswer: 9 (98 %)"``.
        path: The picture to write.
    """
    import textwrap

    columns = min(len(images), 5)
    wrapped = [
        "\n".join(part for line in title.splitlines() for part in textwrap.wrap(line, 20))
        for title in titles
    ]
    save(_titled(images, wrapped, columns, (1.7, 1.6)), path)


def _titled(
    images: np.ndarray, titles: Sequence[str], columns: int, cell: tuple[float, float]
) -> Any:
    """Return a figure of images, each under its title.

    All of them stand in one panel whose unit is an inch: panels of their own took seconds to lay
    out.

    Args:
        images: (N, height, width, 1 or 3) in [0, 1].
        titles: One for each image.
        columns: Of the grid.
        cell: Width and height in inches of an image with its margin; titles come on top.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    line, margin = 0.16, 0.06  # inches
    lines = [title.count("\n") + 1 for title in titles]
    above = [line * max(lines[at : at + columns]) for at in range(0, len(lines), columns)]
    width, height = columns * cell[0], len(above) * cell[1] + sum(above)
    figure = Figure(figsize=(width, height), dpi=120)
    FigureCanvasAgg(figure)
    panel = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    for at, (image, title) in enumerate(zip(images, titles, strict=True)):
        row, column = divmod(at, columns)
        middle, top = (column + 0.5) * cell[0], row * cell[1] + sum(above[: row + 1])
        panel.text(middle, top, title, fontsize="small", ha="center", va="bottom")
        # As large as fits below the title, with the image's own sides.
        high, wide = image.shape[:2]
        scale = min((cell[0] - 2 * margin) / wide, (cell[1] - 2 * margin) / high)
        left, upper = middle - scale * wide / 2, top + margin
        panel.imshow(
            image[..., 0] if image.shape[-1] == 1 else np.clip(image, 0.0, 1.0),
            cmap="gray",
            vmin=0.0,
            vmax=1.0,
            aspect="auto",
            extent=(left, left + scale * wide, upper + scale * high, upper),
        )
    panel.axis("off")
    panel.set_xlim(0.0, width)
    panel.set_ylim(height, 0.0)
    return figure


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
        path: The picture to write.
        titles: One for each image, or none.
        scale: By how much small images are enlarged in a grid without titles.
        headings: One for each column of a grid with titles; without them the grid is about square.
    """
    columns = len(headings) or grid_columns(len(images))
    if not titles:
        from PIL import Image

        pixels = grid_pixels(images, columns, scale)
        kind = FORMATS[require_picture_suffix(path).suffix.lower()]
        with written_whole(path) as beside:
            Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(
                beside, format=kind, quality=92
            )
        return
    lines = max(title.count("\n") for title in titles[:columns])
    headed = list(titles)
    for at, (heading, title) in enumerate(zip(headings, titles, strict=False)):
        blank = "\n" * (2 + lines - title.count("\n"))  # headings stand on one line
        headed[at] = f"{heading}{blank}{title}"
    save(_titled(images, headed, columns, (1.1, 1.14)), path)


def grid_pixels(images: np.ndarray, columns: int, scale: int = 8) -> np.ndarray:
    """Return images (N, height, width, 1 or 3) in [0, 1] side by side, as bytes of one picture."""
    rows = math.ceil(len(images) / columns)
    tiled = _tile(images, rows, columns, max(1, min(scale, 128 // images.shape[1])))
    return np.round(255.0 * np.clip(tiled, 0.0, 1.0)).astype(np.uint8)


def grid_columns(count: int) -> int:
    """Return the columns of a grid of images that is about square."""
    return math.ceil(math.sqrt(count))


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
