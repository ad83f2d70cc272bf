"""GPT-2's weights, as the transformers library saves them in model.safetensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.weights import safetensors
from zoo.weights.files import Saved

MODELS = ("gpt", "gpt2-small")
"""The models whose layers they fit."""
_LAYERS = {
    "wte": "embedding",
    "wpe": "positions",
    "ln_f": "norm",
    "ln_1": "attention_norm",
    "attn.c_proj": "attention",
    "attn.c_attn": "attention",
    "ln_2": "dense_norm",
    "mlp.c_fc": "hidden",
    "mlp.c_proj": "dense",
}
_NAME = re.compile(r"(?:transformer\.)?(?:h\.(\d+)\.)?(.+)\.(weight|bias)")
# Masks, and the table of the logits, which is the embedding's.
_UNUSED = re.compile(r"(?:.*\.)?attn\.(?:bias|masked_bias)|lm_head\.weight")


def load(path: Path, model: str) -> dict[str, Saved]:
    """Return the weights in a file by the layers of `zoo.models.gpt`.

    Raises:
        UsageError: The model is not a GPT, or the file is damaged or of another model.
    """
    if model not in MODELS:
        raise UsageError(
            f"{path.name} is read for {' and '.join(MODELS)} only, in the form of GPT-2; "
            f"not for {model}"
        )
    try:
        return converted(safetensors.read(path))
    except (OSError, ValueError) as error:
        raise UsageError(f"weights cannot be read from {path}: {error}") from error


def converted(tensors: Mapping[str, np.ndarray]) -> dict[str, Saved]:
    """Return tensors by the layers of `zoo.models.gpt`, as `zoo.weights.files.open_file` does.

    The library's dense kernels are (inputs, outputs), as Keras's. One tensor holds queries, keys
    and values side by side.

    Raises:
        ValueError: They are not those of a GPT-2.
    """
    layers: dict[str, dict[str, dict[str, Any]]] = {}
    for name, tensor in tensors.items():
        if _UNUSED.fullmatch(name):
            continue
        found = _NAME.fullmatch(name)
        if found is None or found[2] not in _LAYERS:
            raise ValueError(f"{name} is no tensor of a GPT-2")
        number, part, kind = found.groups()
        own = _LAYERS[part]
        layer = own if number is None else f"block{int(number) + 1}_{own}"
        at = "0" if kind == "weight" else "1"
        if part == "attn.c_attn":
            if tensor.shape[-1] % 3:
                raise ValueError(f"{name} cannot hold queries, keys and values")
            places = zip(("query", "key", "value"), np.split(tensor, 3, axis=-1), strict=True)
        else:
            places = zip(["output_projection" if own == "attention" else ""], [tensor], strict=True)
        for path, values in places:
            layers.setdefault(layer, {}).setdefault(path, {})[at] = values
    if "embedding" not in layers:
        raise ValueError("it has no wte.weight, the embedding of a GPT-2")
    return dict(layers)
