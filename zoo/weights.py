"""Giving a network weights that exist already, layer by layer, and freezing layers."""

from __future__ import annotations

import fnmatch
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import UsageError, suggestion
from zoo.pretrained import Saved, layer_name, opened


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a network took over."""

    source: str
    loaded: tuple[str, ...]
    """Layers that took theirs over, whole."""
    fresh: Mapping[str, str]
    """Layers that kept their initial weights, and why."""
    unused: tuple[str, ...]
    """Layers that the source has and the network has not."""

    @property
    def complete(self) -> bool:
        """Whether each layer found its own, and nothing was left."""
        return not self.fresh and not self.unused

    def __str__(self) -> str:
        text = f"{self.source}: {len(self.loaded)} layer{'s' * (len(self.loaded) != 1)} loaded"
        if self.fresh:
            text += ", fresh: " + _some([f"{name} ({why})" for name, why in self.fresh.items()], 6)
        return text + (f", not used: {_some(self.unused, 6)}" if self.unused else "")


def load_into(model: Any, name: str, weights: str | Path) -> Report:
    """Give a network the weights that exist for its layers, by name and by shape.

    Args:
        model: A `keras.Model` of the zoo.
        name: Its card's name.
        weights: ``"imagenet"``, the path of a ``.keras`` or ``.weights.h5`` file, or of a run.

    Returns:
        What was loaded, and what kept its initial weights.

    Raises:
        UsageError: Nothing fits, or the file is damaged or no file of weights.
        DlzooError: The published weights cannot be downloaded.
    """
    layers = {key: layer for key, layer in named_layers(model) if layer.weights}
    loaded: list[str] = []
    fresh: dict[str, str] = {}
    with opened(name, weights) as (source, saved):
        for key, layer in layers.items():
            why = _take(key, layer, saved[key]) if key in saved else "not among them"
            if why:
                fresh[key] = why
            else:
                loaded.append(key)
        if not loaded:
            wanted = {key: {"": _own(layer)} for key, layer in layers.items()}
            raise UsageError(
                f"nothing of the {source} fits {name}: they have {_kernels(saved)}; "
                f"{name} has {_kernels(wanted)}"
            )
        unused = tuple(sorted(saved.keys() - layers.keys()))
    return Report(source=source, loaded=tuple(loaded), fresh=fresh, unused=unused)


def named_layers(model: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a model's layers by name, those of a network inside it as ``network/layer``.

    A layer that has no name of its own is called as in Keras's files: ``dense_1`` is the second
    dense layer of its network.
    """
    import keras

    counts: Counter[str] = Counter()
    for layer in model.layers:
        words = re.sub("(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", type(layer).__name__)
        kind = words.lower()  # BatchNormalization, batch_normalization
        name = above + layer_name(f"{kind}_{counts[kind]}" if counts[kind] else kind, layer.name)
        counts[kind] += 1
        if isinstance(layer, keras.Model):
            yield from named_layers(layer, f"{name}/")
        else:
            yield name, layer


def freeze(model: Any, name: str, patterns: Sequence[str]) -> None:
    """Make layers untrainable; batch normalisation among them keeps its statistics.

    Args:
        model: A `keras.Model`, not compiled yet.
        name: Its card's name.
        patterns: Shell patterns over the names of layers, see `named_layers`.

    Raises:
        UsageError: A pattern matches no layer that could be trained, or nothing is left to train.
    """
    layers = {key: layer for key, layer in named_layers(model) if layer.trainable_variables}
    for pattern in patterns:
        matching = [key for key in layers if fnmatch.fnmatchcase(key, pattern)]
        if not matching:
            hint = suggestion(re.sub(r"\W", "", pattern), layers)
            stages = dict.fromkeys(re.split("[_/]", key)[0] for key in layers)
            raise UsageError(
                f"'{pattern}' matches no layer with weights of {name}.{hint} "
                f"Their names begin with: {', '.join(stages)}."
            )
        for key in matching:
            layers[key].trainable = False
    if patterns and not model.trainable_variables:
        given = ", ".join(map(repr, patterns))
        raise UsageError(f"freezing {given} leaves nothing of {name} to train")


def _take(key: str, layer: Any, saved: Saved) -> str:
    """Assign a layer its weights if all of them are there and fit; else return why not."""
    parts = {path: _part(layer, path) for path in saved}
    for path, arrays in saved.items():
        wanted = _own(parts[path]) if parts[path] is not None else {}
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


def _part(layer: Any, path: str) -> Any:
    """Return the layer itself, or one that it holds in an attribute such as ``cell``, or None."""
    import keras

    for attribute in filter(None, path.split("/")):
        layer = vars(layer).get(attribute) if isinstance(layer, keras.layers.Layer) else None
    return layer if isinstance(layer, keras.layers.Layer) else None


def _own(layer: Any) -> dict[str, Any]:
    """Return a layer's own weights as Keras's files number them."""
    arrays: dict[str, Any] = {}
    layer.save_own_variables(arrays)
    return arrays


def _kernels(saved: Mapping[str, Saved]) -> str:
    """Return the layers that have matrices or kernels, with the largest one's shape."""
    found: list[str] = []
    for name, parts in saved.items():
        shapes = [array.shape for arrays in parts.values() for array in arrays.values()]
        largest = max(shapes, key=math.prod, default=())
        if len(largest) > 1:
            found.append(f"{name} {_shape(largest)}")
    return _some(found, 3) or "none"


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "()"


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
