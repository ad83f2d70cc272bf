"""The stage table of a network: what it is made of from input to output, and what each part costs.

    python -m zoo.stages

writes the tables of all models to stages.json, which is read without Keras; a test compares the
file with what is computed.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.files import write_text

FILE = Path(__file__).with_suffix(".json")

# What is not called by its class's own words.
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
# What stands between the layers that a stage is told by; a stage of nothing else is left out.
_BETWEEN = re.compile(
    r".*Normalization|.*Padding\dD|.*Dropout\w*|.*ReLU|Activation|Softmax|Add|Concatenate"
    r"|Flatten|Rescaling|SideOutputs"
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Some layers in a row that share the first part of their name, such as ``conv2``."""

    name: str
    """In a network of several: ``decoder/logits``."""
    made_of: str
    """Kinds of layers with their number and sizes: ``6 conv 1×1, 3×3, 5×5 + max pool 3×3 /1``."""
    output_shape: tuple[int, ...]
    """Of the last layer, without the batch axis."""
    parameters: int
    """Trainable ones."""
    macs: int
    """Multiply-adds of one forward pass of one example; 0 where only training uses it."""
    training_only: bool = False
    """Whether the answer does not depend on it, only the loss."""


def stages(model: Any) -> list[Stage]:
    """Return the stages of a built model: from input to answer, then what only training uses.

    Their parameters and multiply-adds add up to the model's.
    """
    from zoo.cost import layer_multiply_adds, trainable_parameters
    from zoo.layers.side_outputs import answer_only

    answering = {id(layer) for _, layer in _layers(answer_only(model))}
    grouped: dict[tuple[bool, str], list[Any]] = {}
    for network, layer in _layers(model):
        key = (id(layer) not in answering, _stage_name(network, layer))
        grouped.setdefault(key, []).append(layer)
    return [
        Stage(
            name=_whole(name, layers[0]) if len(layers) == 1 else name,
            made_of=_made_of(layers),
            output_shape=_output_shape(layers[-1]),
            parameters=sum(trainable_parameters(layer) for layer in layers),
            macs=0 if training_only else sum(layer_multiply_adds(layer) for layer in layers),
            training_only=training_only,
        )
        for (training_only, name), layers in sorted(grouped.items(), key=lambda item: item[0][0])
        if _telling(layers) or any(layer.weights for layer in layers)
    ]


def published(name: str) -> list[Stage]:
    """Return a model's stages at the paper's size, without building it; none for a plug-in's."""
    rows = json.loads(FILE.read_text(encoding="utf-8")).get(name, [])
    return [Stage(**{**row, "output_shape": tuple(row["output_shape"])}) for row in rows]


def _layers(model: Any, network: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all layers but inputs, each with the network within the model that it is in."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer, f"{network}{layer.name}/")
        elif not isinstance(layer, keras.layers.InputLayer) and _output_shape(layer):
            yield network, layer


def _stage_name(network: str, layer: Any) -> str:
    first = layer.name.split("_")[0]
    return first if network == f"{first}/" else network + first


def _whole(stage: str, layer: Any) -> str:
    """Return the name of a stage of one layer, without the number that Keras counts names by."""
    return stage[: stage.rfind("/") + 1] + re.sub(r"_\d+$", "", layer.name)


def _output_shape(layer: Any) -> tuple[int, ...]:
    try:
        output = layer.output
        shape = (output[0] if isinstance(output, list | tuple) else output).shape
    except AttributeError:  # a subclassed model's layer: it was built, but not by symbols
        built = layer.get_build_config()
        shape = layer.compute_output_shape(built["input_shape"]) if built else (None,)
    return tuple(shape[1:])


def _telling(layers: list[Any]) -> list[Any]:
    return [layer for layer in layers if not _BETWEEN.fullmatch(type(layer).__name__)]


def _made_of(layers: list[Any]) -> str:
    kinds: dict[str, list[Any]] = {}
    for layer in _telling(layers) or layers:
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
    """Return a kernel's or a window's size, with the strides if asked for: ``7×7 /2``."""
    size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if not isinstance(size, tuple):
        return ""
    words = ["×".join(str(side) for side in size)]
    usual = size if hasattr(layer, "pool_size") else (1,) * len(size)
    if strided and layer.strides != usual:
        words.append("/" + "×".join(str(stride) for stride in dict.fromkeys(layer.strides)))
    if getattr(layer, "groups", 1) > 1:
        words.append(f"in {layer.groups} groups")
    return " ".join(words)


def write(path: Path = FILE) -> None:
    """Build every model of the catalogue and write its stages, one a line."""
    from zoo.catalog import CARDS
    from zoo.registry import build

    tables = []
    for card in CARDS:
        rows = [
            "  " + json.dumps(dataclasses.asdict(stage), ensure_ascii=False)
            for stage in stages(build(card.name))
        ]
        tables.append(f" {json.dumps(card.name)}: [\n" + ",\n".join(rows) + "\n ]")
    write_text(path, "{\n" + ",\n".join(tables) + "\n}\n")


if __name__ == "__main__":
    write()
