"""One version of a model in memory, and the runtime that answers for it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.serving import readme
from zoo.serving.artefact import Artefact
from zoo.serving.formats import FORMATS, Run

ENGINES = {"tensorflow": "savedmodel", "onnx": "onnx", "openvino": "openvino"}
"""Runtimes, and the formats they read."""
LONGEST_EXAMPLE = 20_000
"""Bytes of an example that the page is given; pixels are more."""
FASTEST = ("onnx", "openvino")
"""What ``auto`` prefers to TensorFlow, in this order: docs/performance.md has the measurements."""


@dataclass(frozen=True)
class Tensor:
    """One input or output of a signature."""

    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class Signature:
    """What goes into an answer and what comes out."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


class Loaded:
    """One version, loaded.

    Args:
        artefact: The export.
        engine: ``"auto"``, or one of `ENGINES`.

    Raises:
        UsageError: The export has no format that the engine reads.
    """

    def __init__(self, artefact: Artefact, engine: str = "auto") -> None:
        self.artefact = artefact
        self.name = artefact.name
        self.version = artefact.version
        self.facts = artefact.facts
        self.engine = _engine(artefact, engine)
        self.signatures = {
            name: Signature(_tensors(sides["inputs"]), _tensors(sides["outputs"]))
            for name, sides in _signatures(artefact.facts).items()
        }
        self.default = next(iter(self.signatures))
        self.labels = _labels(artefact.facts)
        self._portable: Run | None = None
        self._whole: Run | None = None
        if self.engine != "tensorflow":
            self._portable = FORMATS[ENGINES[self.engine]].module.load(artefact.path)
        # What the fast runtime cannot answer, such as files of images, TensorFlow does.
        if self.engine == "tensorflow" or len(self.signatures) > 1:
            self._whole = FORMATS["savedmodel"].module.load(artefact.path)

    @functools.cached_property
    def described(self) -> dict[str, Any]:
        """What the page has to know of it."""
        data = self.facts["data"]
        names = {name: {"names": data["features"][name].get("names")} for name in data["targets"]}
        return {
            "name": self.name,
            "version": self.version,
            "engine": self.engine,
            "task": self.facts["task"],
            "signatures": _signatures(self.facts),
            "data": {"targets": data["targets"], "features": names},
            "examples": self._examples(),
        }

    def _examples(self) -> dict[str, dict[str, Any]]:
        """Return an example of the inputs of each signature, of those that are short."""
        found = {}
        for name in self.signatures:
            file = self.artefact.path / readme.REQUESTS / f"{name}.json"
            if file.is_file() and file.stat().st_size <= LONGEST_EXAMPLE:
                request = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number)
                (found[name],) = request["instances"]
        return found

    def answer(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs (B, …) of a signature for inputs (B, …), by name."""
        if self._portable is None or signature != self.default:
            assert self._whole is not None
            return self._whole(signature, inputs)
        answers = self._portable(signature, inputs)
        if "labels" in self.signatures[signature].outputs and self.labels is not None:
            classes = answers["class_ids"]
            answers["labels"] = np.where(classes < 0, "", self.labels[np.maximum(classes, 0)])
        return answers


def _no_number(constant: str) -> None:
    """Return None for NaN, which browsers' JSON has not."""


def _engine(artefact: Artefact, engine: str) -> str:
    there = artefact.facts["formats"]
    if engine != "auto":
        if ENGINES[engine] not in there or (engine != "tensorflow" and not _same(artefact.facts)):
            raise UsageError(
                f"{artefact.path} cannot be served by {engine}: it holds {', '.join(there)}"
                + ("" if _same(artefact.facts) else ", and its inputs are texts")
            )
        return engine
    if _same(artefact.facts):
        for name in FASTEST:
            if name in there and "quantized" not in there[name]:
                return name
    if "savedmodel" not in there:
        raise UsageError(
            f"{artefact.path} has no format that a server reads: it holds {', '.join(there)}"
        )
    return "tensorflow"


def _same(facts: Mapping[str, Any]) -> bool:
    """Return whether formats of numbers alone take what the default signature takes."""
    default = next(iter(_signatures(facts).values()), None)
    portable = facts.get("portable")
    return bool(default and portable and default["inputs"] == portable["inputs"])


def _signatures(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the signatures of the SavedModel or, without one, that of the other formats."""
    portable = facts.get("portable")
    return facts["signatures"] or ({"serving_default": portable} if portable else {})


def _labels(facts: Mapping[str, Any]) -> np.ndarray | None:
    data = facts["data"]
    names = [data["features"][name].get("names") for name in data["targets"]]
    return np.array(names[0]) if names and names[0] else None


def _tensors(sides: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: Tensor(tuple(one["shape"]), one["dtype"]) for name, one in sides.items()}
