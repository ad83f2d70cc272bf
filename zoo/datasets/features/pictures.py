"""Picture files, read as people see them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from zoo.base.errors import UsageError
from zoo.base.files import is_file, is_folder
from zoo.datasets.features.base import Reading
from zoo.datasets.features.inputs import STDIN, content_of, require_value

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
TRANSPARENT = ("RGBA", "LA", "PA", "RGBa")
"""Pillow's modes of pictures with an alpha channel."""
PILLOW = 0
FORMS = {"JPEG": 1, "PNG": 2}
"""Formats that TensorFlow decodes as Pillow does, by Pillow's names."""
_ORIENTATION = 0x0112
"""The EXIF field that says which side of a photograph is up."""
_NOTHING = np.zeros((0, 1, 1, 1), np.float32)
# What white may be in a picture of whole numbers that does not say how deep it is.
_WHITES = (255.0, 65535.0, 2.0**31 - 1, 2.0**32 - 1)


def read(text: str, stdin: BinaryIO, *, grey: bool) -> Iterator[Reading]:
    """Yield the images of a file, of a folder, or of standard input.

    A picture that cannot be read is yielded with its fault where it is one of several; alone it is
    an error.

    Args:
        text: A file, a folder, or ``-``: one picture, or a list of files, one a line.
        stdin: Where ``-`` reads from.
        grey: Whether one channel is wanted instead of three.

    Raises:
        UsageError: Nothing is there, or the only picture cannot be read.
    """
    require_value(text, "an image file or a folder of them")
    if text != STDIN:
        path = Path(text)
        if is_folder(path):
            files = sorted(
                file
                for file in path.rglob("*")
                if file.suffix.lower() in SUFFIXES and is_file(str(file))
            )
            if not files:
                raise UsageError(f"there are no images in the folder {path}")
            yield from _each([str(file) for file in files], grey)
        else:
            yield Reading(text, image(content_of(text, stdin), text, grey=grey))
        return
    content = stdin.read()
    lines = _lines(content)
    if any(is_file(line) for line in lines):
        yield from _each(lines, grey)
    else:
        yield Reading(STDIN, image(content, STDIN, grey=grey))


def _each(names: list[str], grey: bool) -> Iterator[Reading]:
    for name in names:
        try:
            yield Reading(name, image(content_of(name, io.BytesIO()), name, grey=grey))
        except UsageError as error:
            yield Reading(name, _NOTHING, fault=str(error))


def _lines(content: bytes) -> list[str]:
    try:
        return [line.strip() for line in content.decode("utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError:
        return []


def image(content: bytes, name: str, *, grey: bool) -> np.ndarray:
    """Return a picture file's content as a batch of one, float32 in [0, 1].

    Args:
        content: The file's bytes.
        name: For messages.
        grey: Whether one channel is wanted instead of three.

    Raises:
        UsageError: It is no picture, or damaged.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not content:
        raise UsageError(f"{name} is empty (0 bytes)")
    try:
        with Image.open(io.BytesIO(content)) as opened:
            picture = ImageOps.exif_transpose(opened)  # a camera may say which side is up
            if picture.mode.startswith(("I", "F")):
                pixels = _deep(np.asarray(picture, np.float64), picture.mode, name)
                picture = Image.fromarray(np.round(255.0 * pixels).astype(np.uint8))
            elif picture.mode in TRANSPARENT or "transparency" in picture.info:
                picture = _on_ground(picture.convert("RGBA"))
            values = np.asarray(picture.convert("L" if grey else "RGB"), np.float32)
    except UsageError:
        raise
    except UnidentifiedImageError:
        raise UsageError(f"{name} is not a readable image: its format is unknown") from None
    except Image.DecompressionBombError:
        raise UsageError(f"{name} is too large: it has more than {_most():,} pixels") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise UsageError(f"{name} is not a readable image: {error}") from None
    return (values[None, ..., None] if grey else values[None]) / np.float32(255.0)


def plain_format(content: bytes, name: str) -> tuple[int, int, bool, int]:
    """Return what a picture's first bytes tell, without decoding it.

    Args:
        content: Of the file.
        name: Of the file, for messages.

    Returns:
        Height and width as it is seen, whether it is grey, and its place in `FORMS`, or `PILLOW`.

    Raises:
        UsageError: It is no picture.
    """
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise UsageError(f"{name} is empty (0 bytes)")
    try:
        with Image.open(io.BytesIO(content)) as opened:
            width, height = opened.size
            # Pillow would decode a whole PNG to look for such a field behind its pixels.
            asked = opened.format != "PNG" or "exif" in opened.info
            turn = opened.getexif().get(_ORIENTATION, 1) if asked else 1
            form = FORMS.get(opened.format or "", PILLOW)
            if turn != 1 or opened.mode not in ("L", "RGB") or "transparency" in opened.info:
                form = PILLOW
            grey = opened.mode in ("1", "L", "LA", "I", "F") or opened.mode.startswith("I;16")
    except UnidentifiedImageError:
        raise UsageError(f"{name} is not a readable image: its format is unknown") from None
    except Image.DecompressionBombError:
        raise UsageError(f"{name} is too large: it has more than {_most():,} pixels") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise UsageError(f"{name} is not a readable image: {error}") from None
    if turn in (5, 6, 7, 8):  # lying on its side
        height, width = width, height
    return height, width, grey, form


def _most() -> int:
    """Return the most pixels that Pillow decodes: more may be an attack on the memory."""
    from PIL import Image

    return 2 * (Image.MAX_IMAGE_PIXELS or 0)


def _deep(values: np.ndarray, mode: str, name: str) -> np.ndarray:
    """Return pixels of more than 8 bits in [0, 1]."""
    if not np.isfinite(values).all() or values.min() < 0.0:
        raise UsageError(f"{name} is not a readable image: it has values below 0 or not finite")
    if mode.startswith("I;16"):
        return values / 65535.0
    whites = (1.0, *_WHITES[:2]) if mode == "F" else _WHITES
    white = next((white for white in whites if values.max() <= white), None)
    if white is None:
        raise UsageError(
            f"{name} has values up to {values.max():g}, which does not say what white is: "
            "save it with 8 bits a channel"
        )
    return np.asarray(values / white)


def _on_ground(picture: Any) -> Any:
    """Return a picture with its transparent part filled, so that what is drawn stays visible.

    Dark ink is laid on white, as on a page; light ink is laid on black.
    """
    from PIL import Image

    pixels = np.asarray(picture, np.float64)
    alpha = pixels[..., 3]
    visible = float((pixels[..., :3].mean(axis=-1) * alpha).sum() / max(alpha.sum(), 1.0))
    shade = 255 if visible < 127.5 else 0
    ground = Image.new("RGBA", picture.size, (shade, shade, shade, 255))
    return Image.alpha_composite(ground, picture)
