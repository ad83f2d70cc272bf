"""Animations: pictures shown one after the other, as a GIF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.base.files import written_whole
from zoo.runs.folder import RunFolder
from zoo.runs.pictures import PROGRESS, grid_columns, grid_pixels

FRAME = 80
"""Milliseconds that a picture is shown."""
LAST = 2000
"""Milliseconds that the last one is shown."""


def require_gif(path: Path) -> Path:
    """Return the path of an animation to be written.

    Raises:
        UsageError: It is a folder, or does not end in .gif.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")
    if path.suffix.lower() != ".gif":
        raise UsageError(f"an animation's name must end in .gif, got '{path}'")
    return path


def grids(frames: Sequence[Sequence[Any]]) -> list[np.ndarray]:
    """Return a picture of bytes for each frame's images (height, width, 1 or 3) in [0, 1]."""
    return [grid_pixels(np.stack(images), grid_columns(len(images))) for images in frames]


def pictures_of_training(run: RunFolder) -> list[np.ndarray]:
    """Return the pictures that a generator drew in the course of its training.

    Raises:
        UsageError: It drew none.
    """
    from PIL import Image

    files = sorted((run.path / "figures" / PROGRESS).glob("*.png"))
    if not files:
        raise UsageError(
            f"--animate: {run.name} makes its samples in one step, and drew none while it trained"
        )
    found = []
    for file in files:
        with Image.open(file) as picture:
            pixels = np.asarray(picture)
        found.append(pixels[..., None] if pixels.ndim == 2 else pixels)
    return found


def join(pictures: Sequence[np.ndarray], path: Path) -> None:
    """Write pictures (height, width, 1 or 3) of bytes one after the other, again and again."""
    from PIL import Image

    frames = [
        Image.fromarray(pixels[..., 0])
        if pixels.shape[-1] == 1
        else Image.fromarray(pixels).quantize(256)
        for pixels in pictures
    ]
    with written_whole(require_gif(path)) as beside:
        frames[0].save(
            beside,
            format="GIF",
            save_all=True,
            append_images=frames[1:],
            duration=[FRAME] * (len(frames) - 1) + [LAST],
            loop=0,
            optimize=False,
        )
