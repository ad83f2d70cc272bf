"""The formats a model is exported to: one file each, with how it is written and how it is run.

A runtime is imported when it is used, and its part of a file imports nothing of TensorFlow's, so
that a server or a phone's developer needs that runtime alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from zoo.base.errors import UsageError, suggestion

if TYPE_CHECKING:
    from zoo.serving.served import Served

Inputs = Mapping[str, np.ndarray]
Run = Callable[[str, Inputs], dict[str, np.ndarray]]
"""From a signature's name and its inputs to its outputs."""

PORTABLE = "serving_default"
"""The one signature of formats other than SavedModel."""


class Module(Protocol):
    """What the file of a format holds."""

    def write(self, served: Served, folder: Path, quantize: str | None) -> dict[str, Any]:
        """Write a model, and return what is worth saying of it as plain values.

        Args:
            served: The model with its signatures.
            folder: To write into.
            quantize: One of the format's `quantizations`, or None for full precision.
        """

    def load(self, folder: Path) -> Run:
        """Return a function that asks the written model, by its own runtime alone."""


@dataclass(frozen=True)
class Format:
    """A format by name."""

    name: str
    files: tuple[str, ...]
    """What it consists of, in the artefact's folder."""
    tolerance: float
    """The most by which answers at full precision may differ from the model's."""
    quantizations: tuple[str, ...] = ()
    group: str = "portable"
    """Which signatures it has: ``"raw"`` ones, the one ``"portable"`` one of numbers alone, or the
    network's own, ``"encoded"``."""

    @property
    def module(self) -> Module:
        """The format's file, imported now."""
        found: Any = import_module(f"zoo.serving.formats.{_MODULES[self.name]}")
        return found

    def size(self, folder: Path) -> int:
        """Return how many bytes it takes."""
        paths = [
            path for name in self.files for path in (folder / name, *folder.glob(f"{name}/**/*"))
        ]
        return sum(path.stat().st_size for path in paths if path.is_file())


_MODULES = {
    "savedmodel": "savedmodel",
    "keras": "keras_file",
    "onnx": "onnx",
    "litert": "litert",
    "openvino": "openvino",
}
FORMATS = {
    one.name: one
    for one in (
        Format(
            "savedmodel",
            ("saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra"),
            1e-5,
            group="raw",
        ),
        Format("keras", ("model.keras",), 1e-4, group="encoded"),
        Format("onnx", ("model.onnx",), 1e-4, ("dynamic", "int8")),
        Format("litert", ("model.tflite",), 1e-4, ("dynamic", "float16", "int8")),
        Format("openvino", ("model.xml", "model.bin"), 1e-4, ("float16",)),
    )
}
DEFAULT = ("savedmodel", "keras")
MOST_LOST = 0.01
"""What a quantised format may lose of the task's score where nobody says."""
QUANTIZATIONS = tuple(sorted({word for one in FORMATS.values() for word in one.quantizations}))


def formats(names: tuple[str, ...], quantize: str | None = None) -> list[Format]:
    """Return formats by name, each once.

    Raises:
        UsageError: There is no such format, or none of them can be quantized like that.
    """
    found = []
    for name in dict.fromkeys(names):
        if name not in FORMATS:
            hint = suggestion(name, FORMATS) or f" There are: {', '.join(FORMATS)}."
            raise UsageError(f"unknown format '{name}'.{hint}")
        found.append(FORMATS[name])
    if quantize is not None:
        able = [one.name for one in FORMATS.values() if quantize in one.quantizations]
        if not able:
            words = ", ".join(QUANTIZATIONS)
            raise UsageError(f"quantize must be one of {words}, got '{quantize}'")
        unable = [one.name for one in found if one.name not in able]
        if unable:
            ones, others = " and ".join(unable), " and ".join(able)
            raise UsageError(f"{ones} cannot be quantized to {quantize}; {others} can")
    return found
