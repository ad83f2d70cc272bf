"""Letters and digits of 21 printed faces under random distortions, split by face.

The undistorted symbols are one picture that comes with dlzoo. The examples are computed from it
when they are loaded, by additions, multiplications and divisions only, which give the same bits on
every machine.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from zoo.base.errors import DlzooError
from zoo.datasets.features.image import Image
from zoo.datasets.features.label import Label
from zoo.datasets.sources.base import Description, Loaded, Source

SHEET = Path(__file__).parent / "glyphs.png"
SHEET_SHA256 = "4e68d290e75c276c8b84fdfb2df48e68c20f74f0b55bfbcc9ef27e82ec80a60c"
EXAMPLES_SHA256 = "a8fbfa04619cf41ea764c62f6ed4582e7746fd7b7b3bb72929b841a0c1c824a9"
"""Of the pixels of all examples, in the order of the splits."""

NAMES = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
TEST = ("DejaVuSerif-BoldItalic", "DejaVuSansMono-Bold", "STIXGeneralItalic", "cmss10")
VALIDATION = ("DejaVuSansMono-Oblique", "STIXGeneralBol", "cmti10")
FACES = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-BoldOblique",
    "DejaVuSans-Oblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSansMono-BoldOblique",
    "DejaVuSansMono-Oblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-BoldItalic",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralBolIta",
    "STIXGeneralItalic",
    "cmb10",
    "cmr10",
    "cmss10",
    "cmti10",
    "cmtt10",
)
"""The files of the faces without their suffix, in the order of the picture's rows."""
CELL = 56
"""Pixels of a symbol's cell in the picture: twice an example's."""
SIDE = 28
VARIANTS = 26
"""Examples of each symbol of each face."""
SIZES = {
    "train": VARIANTS * len(NAMES) * (len(FACES) - len(TEST) - len(VALIDATION)),
    "validation": VARIANTS * len(NAMES) * len(VALIDATION),
    "test": VARIANTS * len(NAMES) * len(TEST),
}
SCALE, SLANT, SHIFT = 0.12, 0.15, 3.0
"""The most by which a symbol is stretched or shrunk in each direction, is slanted in each
direction, and is moved, in the picture's pixels."""
_SEED = 28


@dataclass(frozen=True, kw_only=True)
class Glyphs(Source):
    """The data set, as described by `describe`."""

    sheet: Path = SHEET

    def describe(self) -> Description:
        """Return what is known beforehand."""
        return DESCRIPTION

    def fingerprint(self) -> str:
        """Return the examples' SHA-256."""
        return EXAMPLES_SHA256

    def load(self) -> Loaded:
        """Compute the examples, once in a process."""
        from zoo.datasets.split import Split

        columns = _examples(self.sheet)
        splits = {name: Split.in_memory(found) for name, found in columns.items()}
        return Loaded(splits, DESCRIPTION.features)


@cache
def _examples(sheet: Path) -> Mapping[str, Mapping[str, np.ndarray]]:
    columns = distorted(_cells(sheet))
    digest = hashlib.sha256(b"".join(one["image"].tobytes() for one in columns.values()))
    if digest.hexdigest() != EXAMPLES_SHA256:
        raise DlzooError(
            f"the examples of glyphs have SHA-256 {digest.hexdigest()}, expected "
            f"{EXAMPLES_SHA256}: this machine computes others"
        )
    return columns


def _cells(sheet: Path) -> np.ndarray:
    """Return the undistorted symbols (faces, symbols, CELL, CELL) of bytes.

    Raises:
        DlzooError: The picture is missing or damaged.
    """
    from PIL import Image as Pictures

    try:
        content = sheet.read_bytes()
    except OSError as error:
        raise DlzooError(
            f"data set glyphs cannot be read: {sheet}: {error.strerror}. Install dlzoo again."
        ) from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHEET_SHA256:
        raise DlzooError(
            f"data set glyphs is damaged: {sheet} has SHA-256 {digest}, expected {SHEET_SHA256}. "
            "Install dlzoo again."
        )
    with Pictures.open(io.BytesIO(content)) as picture:
        pixels = np.asarray(picture)
    cells = pixels.reshape(len(FACES), CELL, len(NAMES), CELL)
    return np.asarray(cells.transpose(0, 2, 1, 3))


def distorted(cells: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Return the columns of each split: images (N, 28, 28, 1) of bytes, and labels (N,).

    Args:
        cells: The undistorted symbols (faces, symbols, CELL, CELL) of bytes.
    """
    splits: dict[str, dict[str, np.ndarray]] = {}
    for name in SIZES:
        rows = [at for at, face in enumerate(FACES) if split_of(face) == name]
        images = np.concatenate([_of_face(cells[row], row) for row in rows])
        labels = np.tile(np.repeat(np.arange(len(NAMES), dtype=np.int32), VARIANTS), len(rows))
        splits[name] = {"image": images[..., None], "label": labels}
    return splits


def split_of(face: str) -> str:
    """Return the split that all examples of a face belong to."""
    if face in TEST:
        return "test"
    return "validation" if face in VALIDATION else "train"


def _of_face(cells: np.ndarray, number: int) -> np.ndarray:
    """Return the examples (symbols * VARIANTS, SIDE, SIDE) of one face, by their symbols."""
    draw = np.random.default_rng([_SEED, number])
    smooth = cells.astype(np.float64)
    # An example's pixel covers 2×2 of the picture's.
    smooth = (
        smooth[:, :-1, :-1] + smooth[:, 1:, :-1] + smooth[:, :-1, 1:] + smooth[:, 1:, 1:]
    ) / 4.0
    symbols = np.repeat(np.arange(len(cells)), VARIANTS)[:, None, None]
    drawn = 2.0 * draw.random((6, len(symbols), 1, 1)) - 1.0
    wide, high = 1.0 + SCALE * drawn[0], 1.0 + SCALE * drawn[1]
    slant, rise = SLANT * drawn[2], 0.5 * SLANT * drawn[3]
    right, down = SHIFT * drawn[4], SHIFT * drawn[5]
    # Where in the picture's cell the middle of each of an example's pixels comes from.
    middle = (CELL - 2) / 2.0
    places = 2.0 * np.arange(SIDE) + 0.5 - (CELL - 1) / 2.0
    x, y = places[None, None, :], places[None, :, None]
    column = middle + (x + slant * y) / wide + right
    row = middle + (y + rise * x) / high + down
    left, top = np.floor(column), np.floor(row)
    beside, below = column - left, row - top
    edge = smooth.shape[1] - 1

    def pixel(over: int, under: int) -> np.ndarray:
        across = np.clip(left.astype(int) + over, 0, edge)
        along = np.clip(top.astype(int) + under, 0, edge)
        return np.asarray(smooth[symbols, along, across])

    first = pixel(0, 0) * (1.0 - beside) + pixel(1, 0) * beside
    second = pixel(0, 1) * (1.0 - beside) + pixel(1, 1) * beside
    return np.floor(first * (1.0 - below) + second * below + 0.5).astype(np.uint8)


DESCRIPTION = Description(
    name="glyphs",
    title="Letters and digits of printed faces",
    question="Which capital letter or digit is it? 28x28 grey images of 21 printed faces.",
    note="No face stands in two splits: 14 are trained on, 3 validate, 4 test. The label of the "
    "nearest training image, pixel by pixel, is right for 0.920 of the test images and 0.865 of "
    "the validation images.",
    features={"image": Image(raw_shape=(SIDE, SIDE, 1)), "label": Label(names=NAMES)},
    inputs=("image",),
    targets=("label",),
    sizes=SIZES,
    rows=sum(SIZES.values()),
    source="Drawn from the outlines of the DejaVu, STIX and Computer Modern (BaKoMa) fonts that "
    "come with matplotlib; each symbol of each face under 26 random stretches, slants and shifts",
    url="https://matplotlib.org/stable/users/explain/text/fonts.html",
    licence="Bitstream Vera, SIL OFL 1.1, BaKoMa",
    citation="",
    origin="computed",
)


def openers() -> Mapping[str, Callable[[], Source]]:
    """Return a function that opens the data set, by name."""
    return {"glyphs": Glyphs}
