"""Draws the letters and digits that the data set `glyphs` distorts: `python -m tools.glyphs`.

They are drawn from the outlines of the fonts that come with matplotlib, once, into one picture that
is shipped: so the examples do not depend on matplotlib's version or on how it draws.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np

from zoo.datasets.sources.glyphs import CELL, FACES, NAMES, SHEET

MADE_WITH = "matplotlib 3.11.2"
CAPITAL = 36
"""Height of a capital H in pixels."""
FINER = 8
"""Rows and columns of points in each pixel, that are inside the outline or not."""


def sheet() -> np.ndarray:
    """Return all symbols, a row of cells for each face, (faces * CELL, symbols * CELL) of bytes."""
    import matplotlib
    from matplotlib.font_manager import FontProperties

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    rows = []
    for file in FACES:
        font = FontProperties(fname=str(folder / f"{file}.ttf"))
        scale = CAPITAL / _outline("H", font).get_extents().height
        rows.append(np.hstack([_drawn(_outline(name, font), scale) for name in NAMES]))
    return np.vstack(rows)


def _outline(text: str, font: Any) -> Any:
    from matplotlib.textpath import TextPath

    return TextPath((0, 0), text, size=100, prop=font)


def _drawn(outline: Any, scale: float) -> np.ndarray:
    """Return one symbol in the middle of its cell, its edges smooth, (CELL, CELL) of bytes."""
    box = outline.get_extents()
    middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    places = (np.arange(CELL * FINER) + 0.5) / FINER - CELL / 2
    x, y = np.meshgrid(middle[0] + places / scale, middle[1] - places / scale)
    polygons = outline.to_polygons(closed_only=True)
    # Outlines turn one way around ink and the other way around holes.
    turns = np.zeros(x.shape, int)
    for polygon in polygons:
        turns += _turns(x, y, polygon)
    cells = (turns != 0).reshape(CELL, FINER, CELL, FINER).mean(axis=(1, 3))
    return np.round(255.0 * cells).astype(np.uint8)


def _turns(x: np.ndarray, y: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Return how often a closed polygon turns around each point."""
    turns = np.zeros(x.shape, int)
    for (x0, y0), (x1, y1) in itertools.pairwise(polygon):
        if y0 == y1:
            continue
        crossed = (np.minimum(y0, y1) <= y) & (y < np.maximum(y0, y1))
        right = x0 + (y - y0) * (x1 - x0) / (y1 - y0) > x
        turns += np.where(crossed & right, 1 if y1 > y0 else -1, 0)
    return turns


def main(path: Path = SHEET) -> None:
    """Write the picture."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(sheet()).save(content, format="PNG", optimize=True)
    path.write_bytes(content.getvalue())
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    print(f"{path.name}: {len(content.getvalue()):,} bytes, SHA-256 {digest}", file=sys.stderr)


if __name__ == "__main__":
    main()
