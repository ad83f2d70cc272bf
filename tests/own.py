"""Sources of one's own, made on the spot: a folder of images, a table, texts."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SHAPES = ("circle", "cross", "square")
FORMATS = ("png", "jpg", "bmp", "gif", "webp")


def shape(name: str, number: int, side: int = 24) -> Image.Image:
    """A light shape on a dark ground, of a size of its own."""
    draw = np.random.default_rng([SHAPES.index(name), number])
    width = side + int(draw.integers(0, side // 2))
    picture = Image.new("RGB", (width, side), tuple(draw.integers(0, 60, 3).tolist()))
    light = tuple(draw.integers(150, 255, 3).tolist())
    pen, reach = ImageDraw.Draw(picture), side // 4
    x, y = int(draw.integers(reach, width - reach)), int(draw.integers(reach, side - reach))
    if name == "circle":
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=light)
    elif name == "square":
        pen.rectangle((x - reach, y - reach, x + reach, y + reach), fill=light)
    else:
        pen.line((x - reach, y - reach, x + reach, y + reach), fill=light, width=3)
        pen.line((x - reach, y + reach, x + reach, y - reach), fill=light, width=3)
    return picture


def photos(folder: Path, count: int = 12, *, splits: bool = False) -> Path:
    """Write a folder of three classes in five formats and many sizes.

    Args:
        folder: To be made.
        count: Pictures of each class.
        splits: Whether train/ and test/ stand above the classes.
    """
    for name in SHAPES:
        for number in range(count):
            top = ("test" if number % 4 == 0 else "train") if splits else ""
            suffix = FORMATS[number % len(FORMATS)]
            path = folder / top / name / f"{number}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            shape(name, number).save(path)
    return folder


def spoil(folder: Path) -> dict[str, str]:
    """Put a cut, an empty and a doubled file into a folder with splits; return their names."""
    whole = (folder / "train" / "circle" / "1.jpg").read_bytes()
    (folder / "train" / "circle" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "train" / "square" / "empty.png").touch()
    shutil.copy(folder / "test" / "cross" / "0.png", folder / "train" / "cross" / "twin.png")
    return {
        "corrupt": "train/circle/cut.jpg",
        "empty": "train/square/empty.png",
        "twin": "train/cross/twin.png",
    }


def people(path: Path, rows: int = 60, *, number: bool = False) -> Path:
    """Write a table with gaps, a category, a date, an id, and the plan that people chose."""
    draw = np.random.default_rng(7)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "age", "city", "joined", "plan"])
        for row in range(rows):
            age = int(draw.integers(18, 80))
            out.writerow(
                [
                    row,
                    "" if row % 9 == 0 else age,
                    ("Rome", "Oslo", "")[row % 3],
                    f"20{20 + row % 4}-0{1 + row % 9}-1{row % 10}",
                    1000 * age if number else ("gold" if age > 50 else "basic"),
                ]
            )
    return path
