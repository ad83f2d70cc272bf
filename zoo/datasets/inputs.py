"""What users hand in to be predicted: files, folders, rows and texts, made into raw examples."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from zoo.datasets.spec import DatasetSpec
from zoo.errors import UsageError, suggestion

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
STDIN = "-"


@dataclass(frozen=True)
class Named:
    """One raw example and where it came from."""

    name: str
    raw: np.ndarray
    """A batch of one."""


def as_raw(spec: DatasetSpec, x: Any) -> np.ndarray:
    """Return an array of raw examples.

    Args:
        spec: What the model knows of its data.
        x: As for `zoo.runs.Run.predict`.

    Raises:
        UsageError: It does not fit.
    """
    if spec.kind == "text":
        texts = np.array([x] if isinstance(x, str) else x)
        if texts.ndim != 1 or texts.dtype.kind not in "UO":
            raise UsageError(f"texts are wanted, got an array of {texts.dtype} {texts.shape}")
        return texts
    values = np.asarray(x)
    if values.dtype.kind not in "buif":
        raise UsageError(f"numbers are wanted, got an array of {values.dtype}")
    if spec.kind == "table":
        rows = np.atleast_2d(values).astype(np.float32)
        if rows.ndim != 2 or rows.shape[1] != len(spec.feature_names):
            raise UsageError(
                f"rows of {len(spec.feature_names)} numbers are wanted, got shape {values.shape}"
            )
        return rows
    scaled = values.astype(np.float32) / (255.0 if values.dtype == np.uint8 else 1.0)
    if scaled.ndim == 2 or (scaled.ndim == 3 and scaled.shape[-1] in (1, 3)):
        scaled = scaled[None]
    if scaled.ndim == 3:
        scaled = scaled[..., None]
    if scaled.ndim != 4 or scaled.shape[-1] not in (1, 3):
        raise UsageError(f"images (N, height, width, 1 or 3) are wanted, got shape {values.shape}")
    if scaled.size and not (scaled.min() >= 0.0 and scaled.max() <= 1.0):  # nor if it is NaN
        raise UsageError(
            f"floats in images must lie in [0, 1], got {scaled.min():g} to {scaled.max():g}; "
            "bytes (uint8) may go up to 255"
        )
    return scaled


def read(spec: DatasetSpec, inputs: Sequence[str], stdin: BinaryIO) -> list[Named]:
    """Return the raw examples that a command line names.

    Args:
        spec: What the model knows of its data.
        inputs: For images, files and folders; for tables, CSV files or rows such as
            ``5.1,3.5,1.4,0.2``; for texts, files of one a line or the texts themselves. ``-`` is
            standard input: an image, a list of image files, rows, or texts.
        stdin: Where ``-`` reads from.

    Raises:
        UsageError: Something is missing or cannot be read.
    """
    readers: dict[str, Callable[[DatasetSpec, str, BinaryIO], Iterator[Named]]] = {
        "image": _images,
        "table": _rows,
        "text": _texts,
    }
    reader = readers[spec.kind]
    found = [example for text in inputs for example in reader(spec, text, stdin)]
    if not found:
        raise UsageError("there is nothing to predict in " + ", ".join(inputs))
    return found


def _images(spec: DatasetSpec, text: str, stdin: BinaryIO) -> Iterator[Named]:
    if text == STDIN:
        content = stdin.read()
        lines = _lines(content)
        if any(_is_file(line) for line in lines):
            for line in lines:
                yield from _images(spec, line, stdin)
        else:
            yield Named(STDIN, _image(spec, content, STDIN))
        return
    path = Path(text)
    if path.is_dir():
        files = sorted(
            file for file in path.rglob("*") if file.suffix.lower() in IMAGES and file.is_file()
        )
        if not files:
            raise UsageError(f"there are no images in the folder {path}")
        for file in files:
            yield Named(str(file), _image(spec, _content(file), str(file)))
        return
    yield Named(text, _image(spec, _content(path), text))


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # longer than a name may be
        return False


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


def _lines(content: bytes) -> list[str]:
    try:
        return [line.strip() for line in content.decode("utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError:
        return []


def _image(spec: DatasetSpec, content: bytes, name: str) -> np.ndarray:
    """Return a picture file's content as a batch of one in [0, 1]."""
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise UsageError(f"{name} is empty (0 bytes)")
    try:
        with Image.open(io.BytesIO(content)) as picture:
            # Transparency is laid on black, which is 0 as in the data: no ink.
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                whole = picture.convert("RGBA")
                ground = Image.new("RGBA", whole.size, (0, 0, 0, 255))
                picture_on_black = Image.alpha_composite(ground, whole)
            else:
                picture_on_black = picture
            grey = spec.input_shape[-1] == 1
            if picture_on_black.mode.startswith("I;16"):  # which Pillow cuts off at 255
                deep = np.asarray(picture_on_black, np.float32) / 257.0
                picture_on_black = Image.fromarray(deep.round().astype(np.uint8))
            pixels = np.asarray(picture_on_black.convert("L" if grey else "RGB"), np.float32)
    except UnidentifiedImageError:
        raise UsageError(f"{name} is not a readable image: its format is unknown") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UsageError(f"{name} is not a readable image: {error}") from None
    return (pixels[None, ..., None] if grey else pixels[None]) / 255.0


def _rows(spec: DatasetSpec, text: str, stdin: BinaryIO) -> Iterator[Named]:
    if text != STDIN and not _is_file(text) and "," in text:
        yield Named(text, _row(spec, text.split(","), "the row"))
        return
    content = stdin.read() if text == STDIN else _content(Path(text))
    try:
        # utf-8-sig: spreadsheets begin their files with a byte order mark.
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        rows = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{text} is not CSV: {error}") from None
    if not rows:
        raise UsageError(f"{text} is empty")
    names = list(spec.feature_names)
    order = list(range(len(names)))
    header = [cell.strip() for cell in rows[0][1]]
    headed = bool(set(header) & set(names))
    if headed:
        for name in names:
            if name not in header:
                hint = suggestion(name, header)
                raise UsageError(f"{text} has no column '{name}'.{hint}")
        order = [header.index(name) for name in names]
        rows = rows[1:]
    for number, row in rows:
        where = f"{text}, line {number}"
        if max(order) >= len(row) or (not headed and len(row) != len(names)):
            raise UsageError(f"{where}: {len(names)} numbers are wanted, got {len(row)}")
        yield Named(f"{text}:{number}", _row(spec, [row[at] for at in order], where))


def _row(spec: DatasetSpec, cells: Sequence[str], where: str) -> np.ndarray:
    if len(cells) != len(spec.feature_names):
        raise UsageError(
            f"{where}: {len(spec.feature_names)} numbers are wanted "
            f"({', '.join(spec.feature_names)}), got {len(cells)}"
        )
    try:
        values = np.array([[float(cell) for cell in cells]], np.float32)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None
    if not np.isfinite(values).all():
        raise UsageError(f"{where}: numbers must be finite")
    return values


def _texts(spec: DatasetSpec, text: str, stdin: BinaryIO) -> Iterator[Named]:
    if text != STDIN and not _is_file(text):
        yield Named(text, np.array([text]))
        return
    content = stdin.read() if text == STDIN else _content(Path(text))
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{text} is not UTF-8 text: {error}") from None
    for line in lines:
        if line.strip():
            yield Named(line.strip(), np.array([line.strip()]))
