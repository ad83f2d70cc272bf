"""Files of the safetensors format: read with care, arrays only.

A file is the length of its header (8 bytes, little-endian), the header (JSON: each tensor's type,
shape and place), and the data. Nothing in it can run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

MOST_HEADER = 100_000_000
"""Bytes; the format's own limit."""
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
"""The types of weights that NumPy knows; bfloat16 is read as the upper half of float32."""


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a file by name, not read into memory before they are used.

    Raises:
        ValueError: The file is not of this format, is cut short, or its tensors overlap.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MOST_HEADER):
            raise ValueError("not a safetensors file, or cut short")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is not a table")
    begin, room = 8 + length, size - 8 - length
    header.pop("__metadata__", None)
    places = {name: _place(name, entry, room) for name, entry in header.items()}
    end = 0
    for name, (start, stop) in sorted(places.items(), key=lambda item: item[1]):
        if start < end:
            raise ValueError(f"{name} overlaps another tensor")
        end = stop
    return {name: _tensor(path, header[name], begin + start) for name, (start, _) in places.items()}


def _place(name: str, entry: Any, room: int) -> tuple[int, int]:
    """Return where a tensor's bytes begin and end, once its entry is right."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"{name} is not described by a table")
    kind, shape, offsets = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not _whole(shape) or not _whole(offsets) or len(offsets) != 2:
        raise ValueError(f"{name} has no shape or place")
    start, stop = offsets
    if not start <= stop <= room:
        raise ValueError(f"{name} ends beyond the file")
    if kind in TYPES or kind == "BF16":
        width = 2 if kind == "BF16" else np.dtype(TYPES[kind]).itemsize
        if math.prod(shape) * width != stop - start:
            raise ValueError(f"{name} has {stop - start} bytes, which is not its shape {shape}")
    return start, stop


def _whole(values: Any) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(one) is int and one >= 0 for one in values)


def _tensor(path: Path, entry: Mapping[str, Any], start: int) -> np.ndarray:
    kind, shape = entry["dtype"], tuple(entry["shape"])
    if kind not in TYPES and kind != "BF16":
        return np.empty(0)  # masks and the like, which are no weights
    stored = "<u2" if kind == "BF16" else TYPES[kind]
    if not math.prod(shape):
        return np.empty(shape, np.float32)
    found = np.memmap(path, stored, "r", offset=start, shape=shape)
    if kind == "BF16":
        return (found.astype(np.uint32) << 16).view(np.float32)
    return found
