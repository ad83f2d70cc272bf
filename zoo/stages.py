"""The stage table of a network: what it is made of from input to output, and what each part costs.

    python -m zoo.stages

writes the tables of all models to stages.json, which is read without Keras; a test compares the
file with what is computed.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
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
    r"|Flatten|Rescaling"
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Some layers in a row that share the first part of their name, such as ``conv2``."""

    name: str
    """In a network of several: ``decoder/logits``."""
    made_of: str
    """Kinds of layers with their number, kernel sizes and strides: ``2 conv 3×3 /2``."""
    output_shape: tuple[int, ...]
    """Of the last layer, without the batch axis."""
    parameters: int
    """Trainable ones."""
    macs: int
    """Multiply-adds of one forward pass of one example."""


def stages(model: Any) -> list[Stage]:
    """Return the stages of a built model, from input to output, whose sums are the model's own."""
    from zoo.cost import layer_multiply_adds, trainable_parameters

    grouped: dict[str, list[Any]] = {}
    for prefix, layer in _layers(model, ""):
        grouped.setdefault(prefix + layer.name.split("_")[0], []).append(layer)
    found = [
        Stage(
            name=key if len(layers) > 1 else _full_name(key, layers[0]),
            made_of=_made_of(layers),
            output_shape=_output_shape(layers[-1]),
            parameters=sum(trainable_parameters(layer) for layer in layers),
            macs=sum(layer_multiply_adds(layer) for layer in layers),
        )
        for key, layers in grouped.items()
    ]
    return [stage for stage in found if stage.made_of or stage.parameters]


def published(name: str) -> list[Stage]:
    """Return a model's stages at the paper's size, without building it; none for a plug-in's."""
    rows = json.loads(FILE.read_text(encoding="utf-8")).get(name, [])
    return [Stage(**{**row, "output_shape": tuple(row["output_shape"])}) for row in rows]


def _layers(model: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield all layers but inputs, those of networks within the model by the network's name."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer, f"{prefix}{layer.name}/")
        elif not isinstance(layer, keras.layers.InputLayer) and _output_shape(layer):
            yield prefix, layer


def _full_name(key: str, layer: Any) -> str:
    """Return the name of a stage of one layer, without the number that Keras counts names by."""
    return key.rpartition("/")[0] + "/" * ("/" in key) + re.sub(r"_\d+$", "", layer.name)


def _output_shape(layer: Any) -> tuple[int, ...]:
    try:
        output = layer.output
        shape = (output[0] if isinstance(output, list | tuple) else output).shape
    except AttributeError:  # a subclassed model's layer: it was built, but not by symbols
        built = layer.get_build_config()
        shape = layer.compute_output_shape(built["input_shape"]) if built else (None,)
    return tuple(shape[1:])


def _made_of(layers: list[Any]) -> str:
    telling = [layer for layer in layers if not _BETWEEN.fullmatch(type(layer).__name__)]
    counts = Counter(_kind(layer) for layer in telling)
    return ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in counts.items())


def _kind(layer: Any) -> str:
    """Return what a layer is in few words: ``conv 7×7 /2``."""
    class_name = re.sub(r"\dD(Transpose)?$", r"\1", type(layer).__name__)
    words = [_NAMES.get(class_name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", class_name).lower()]
    size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    strides = getattr(layer, "strides", None)
    if isinstance(size, tuple):
        words.append("×".join(str(side) for side in size))
    usual = size if hasattr(layer, "pool_size") else (1,) * len(size or ())
    if isinstance(strides, tuple) and strides != usual:
        words.append("/" + "×".join(str(stride) for stride in dict.fromkeys(strides)))
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
