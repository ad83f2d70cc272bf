"""Loading existing weights into a network, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.base.errors import UsageError
from zoo.weights import gpt2, published
from zoo.weights.files import GPT2_SUFFIX, Saved, find_file, open_file
from zoo.weights.names import named_layers
from zoo.weights.pretraining import hidden_layers_of


@dataclass(frozen=True, kw_only=True)
class TransferReport:
    """Which layers of a network received existing weights."""

    source: str
    loaded: tuple[str, ...]
    """Layers all of whose weights were loaded."""
    not_loaded: Mapping[str, str]
    """Layers that keep their initial weights, and why."""
    unused: tuple[str, ...]
    """Layers of the source that the network does not have."""

    @property
    def complete(self) -> bool:
        """Whether every layer was loaded and every layer of the source was used."""
        return not self.not_loaded and not self.unused

    def __str__(self) -> str:
        text = f"{self.source}: {len(self.loaded)} layer{'s' * (len(self.loaded) != 1)} loaded"
        if self.not_loaded:
            reasons = [f"{name} ({why})" for name, why in self.not_loaded.items()]
            text += f", newly initialised: {_shortened(reasons, 6)}"
        return text + (f", not used: {_shortened(self.unused, 6)}" if self.unused else "")


def require_weights(model: str, weights: str | Path) -> None:
    """Raise an error unless these weights exist for a model. Does not need TensorFlow.

    Args:
        model: A card's name.
        weights: ``"imagenet"``, the path of a file, or of a run's folder.

    Raises:
        UsageError: There are no such weights.
    """
    if str(weights) != "imagenet":
        find_file(weights)
    elif model not in published.IMAGENET:
        raise UsageError(
            f"there are no imagenet weights for {model}, only for {', '.join(published.IMAGENET)}"
        )


def load_into(model: Any, name: str, weights: str | Path) -> TransferReport:
    """Load existing weights into the layers of a network that match by name and by shape.

    Args:
        model: A `keras.Model` of the zoo.
        name: Its card's name.
        weights: ``"imagenet"``, the path of a ``.keras`` or ``.weights.h5`` file, or of a run;
            for gpt also a ``.safetensors`` file of GPT-2.

    Returns:
        Which layers were loaded, and which keep their initial weights.

    Raises:
        UsageError: No layer matches, or the file is missing, damaged or of another kind.
        DlzooError: The published weights cannot be downloaded.
    """
    layers = {key: layer for key, layer in named_layers(model) if layer.weights}
    loaded: list[str] = []
    not_loaded: dict[str, str] = {}
    with _opened(name, weights) as (source, saved):
        for key, layer in layers.items():
            why = _load_layer(key, layer, saved[key]) if key in saved else "not in the source"
            if why:
                not_loaded[key] = why
            else:
                loaded.append(key)
        if not loaded:
            wanted = {key: {"": _variables(layer)} for key, layer in layers.items()}
            raise UsageError(
                f"the {source} do not fit {name}: they have {_largest_weights(saved)}; "
                f"{name} has {_largest_weights(wanted)}"
            )
        unused = tuple(sorted(saved.keys() - layers.keys()))
    return TransferReport(source=source, loaded=tuple(loaded), not_loaded=not_loaded, unused=unused)


@contextmanager
def _opened(model: str, weights: str | Path) -> Iterator[tuple[str, dict[str, Saved]]]:
    """Yield a source's name for messages, and its weights by layer; see `load_into`."""
    require_weights(model, weights)
    if str(weights) == "imagenet":
        yield "imagenet weights", published.converted(published.download(model))
        return
    path = find_file(weights)
    if path.suffix == GPT2_SUFFIX:
        yield f"weights of {path}", gpt2.load(path, model)
        return
    with open_file(path) as saved:
        convert = model in published.IMAGENET and published.is_from_keras_applications(saved)
        change = published.converted if convert else hidden_layers_of(path, model)
        yield f"weights of {path}", saved if change is None else change(saved)


def _load_layer(key: str, layer: Any, saved: Saved) -> str:
    """Assign a layer its weights if all of them match; otherwise return why they do not."""
    parts = {path: _sublayer(layer, path) for path in saved}
    for path, arrays in saved.items():
        wanted = _variables(parts[path]) if parts[path] is not None else {}
        if wanted.keys() != arrays.keys():
            return f"{len(wanted)} weights instead of {len(arrays)}"
        for at, array in arrays.items():
            mine, other = wanted[at].shape, array.shape
            if key.endswith("probabilities") and mine[:-1] == other[:-1] and mine != other:
                return f"{mine[-1]} classes instead of {other[-1]}"
            if mine != other:
                return f"{_shape(mine)} instead of {_shape(other)}"
    count = sum(len(arrays) for arrays in saved.values())
    if count != len(layer.weights):
        return f"{len(layer.weights)} weights instead of {count}"
    for path, arrays in saved.items():
        parts[path].load_own_variables({at: array[...] for at, array in arrays.items()})
    return ""


def _sublayer(layer: Any, path: str) -> Any:
    """Return a layer's attribute that is a layer, such as ``cell``; the layer itself for ``""``."""
    import keras

    for attribute in filter(None, path.split("/")):
        layer = vars(layer).get(attribute) if isinstance(layer, keras.layers.Layer) else None
    return layer if isinstance(layer, keras.layers.Layer) else None


def _variables(layer: Any) -> dict[str, Any]:
    """Return a layer's own weights as Keras's files number them."""
    arrays: dict[str, Any] = {}
    layer.save_own_variables(arrays)
    return arrays


def _largest_weights(saved: Mapping[str, Saved]) -> str:
    """Return the names of the layers that have kernels, each with its largest weight's shape."""
    found: list[str] = []
    for name, parts in saved.items():
        shapes = [array.shape for arrays in parts.values() for array in arrays.values()]
        largest = max(shapes, key=math.prod, default=())
        if len(largest) > 1:
            found.append(f"{name} {_shape(largest)}")
    return _shortened(found, 3) or "none"


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "()"


def _shortened(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
