"""The stage table of a network: its parts from input to output, and what each costs.

`python -m tools.stages` writes the tables of all models to stages.json, which is read without
Keras. A test compares the file with what is computed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")

# Kinds of layers whose names are not their class's words in lower case.
_NAMES = {
    "Conv": "conv",
    "SeparableConv": "separable conv",
    "DepthwiseConv": "depthwise conv",
    "ConvTranspose": "transposed conv",
    "MaxPooling": "max pool",
    "AveragePooling": "average pool",
    "GlobalMaxPooling": "global max pool",
    "GlobalAveragePooling": "global average pool",
    "LSTM": "LSTM",
    "GRU": "GRU",
    "SimpleRNN": "simple RNN",
}
# Layers that the table does not name. A stage of nothing else is left out.
_UNNAMED = re.compile(
    r".*Normalization|.*Padding\dD|.*Dropout\w*|.*ReLU|Activation|Softmax|Add|Concatenate"
    r"|Flatten|Rescaling"
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Successive layers whose names share the first part, such as ``conv2``."""

    name: str
    """With the name of the network inside the model, if there are several: ``decoder/logits``."""
    made_of: str
    """Number, kind and sizes of its layers: ``6 conv 1×1, 3×3, 5×5 + max pool 3×3 /1``."""
    output_shape: tuple[int | None, ...]
    """Of the last layer, without the batch axis."""
    parameters: int
    """Trainable ones."""
    macs: int
    """Multiply-adds of one forward pass of one example; 0 if only training uses the stage."""
    training_only: bool = False
    """Whether the stage is used by the training loss and not by the answer."""


def stages(model: Any) -> list[Stage]:
    """Return the stages of a built model: from input to answer, then those only training uses.

    Their parameters and multiply-adds add up to the model's.
    """
    from zoo.anatomy.counts import layer_multiply_adds, trainable_parameters
    from zoo.layers.training_outputs import answer_only

    answering = {id(layer) for _, layer in _layers(answer_only(model))}
    grouped: dict[tuple[bool, str], list[Any]] = {}
    for network, layer in _layers(model):
        key = (id(layer) not in answering, _stage_name(network, layer))
        grouped.setdefault(key, []).append(layer)
    return [
        Stage(
            name=_without_number(name, layers[0]) if len(layers) == 1 else name,
            made_of=_made_of(layers),
            output_shape=_output_shape(layers[-1]),
            parameters=sum(trainable_parameters(layer) for layer in layers),
            macs=0 if training_only else sum(layer_multiply_adds(layer) for layer in layers),
            training_only=training_only,
        )
        for (training_only, name), layers in sorted(grouped.items(), key=lambda item: item[0][0])
        if _named_layers(layers) or any(layer.weights for layer in layers)
    ]


def published(name: str) -> list[Stage]:
    """Return a model's stages at the paper's size from stages.json; none for plug-in models."""
    rows = json.loads(FILE.read_text(encoding="utf-8")).get(name, [])
    return [Stage(**{**row, "output_shape": tuple(row["output_shape"])}) for row in rows]


def _layers(model: Any, network: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all layers but inputs, each with the path of the network that it is in."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer, f"{network}{layer.name}/")
        elif layer.weights or (
            not isinstance(layer, keras.layers.InputLayer) and _output_shape(layer)
        ):
            yield network, layer


def _stage_name(network: str, layer: Any) -> str:
    first = layer.name.split("_")[0]
    return first if network == f"{first}/" else network + first


def _without_number(stage: str, layer: Any) -> str:
    """Return the name of a stage of one layer, without the number that Keras may have added."""
    return stage[: stage.rfind("/") + 1] + re.sub(r"_\d+$", "", layer.name)


def _output_shape(layer: Any) -> tuple[int | None, ...]:
    from zoo.anatomy.counts import output_shape

    return output_shape(layer)[1:]


def _named_layers(layers: list[Any]) -> list[Any]:
    """Return the layers that the table names."""
    return [layer for layer in layers if not _UNNAMED.fullmatch(type(layer).__name__)]


def _made_of(layers: list[Any]) -> str:
    kinds: dict[str, list[Any]] = {}
    for layer in _named_layers(layers) or layers:
        kinds.setdefault(_kind(layer), []).append(layer)
    parts = []
    for kind, alike in kinds.items():
        forms = dict.fromkeys(_form(layer, strided=len(alike) == 1) for layer in alike)
        number = f"{len(alike)} " if len(alike) > 1 else ""
        parts.append(f"{number}{kind} {', '.join(filter(None, forms))}".strip())
    return " + ".join(parts)


def _kind(layer: Any) -> str:
    class_name = re.sub(r"\dD(Transpose)?$", r"\1", type(layer).__name__)
    return _NAMES.get(class_name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", class_name).lower()


def _form(layer: Any, *, strided: bool) -> str:
    """Return the size of a kernel or window, on request with its strides: ``7×7 /2``."""
    size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if not isinstance(size, tuple):
        return ""
    words = ["×".join(str(side) for side in size)]
    default = size if hasattr(layer, "pool_size") else (1,) * len(size)
    if strided and layer.strides != default:
        words.append("/" + "×".join(str(stride) for stride in dict.fromkeys(layer.strides)))
    if getattr(layer, "groups", 1) > 1:
        words.append(f"in {layer.groups} groups")
    return " ".join(words)
