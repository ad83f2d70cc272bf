"""GPT-2's weights, as the transformers library saves them in model.safetensors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import UsageError
from zoo.base.files import is_file
from zoo.weights import safetensors
from zoo.weights.files import Saved

FILE = "model.safetensors"
"""The weights' file in a folder of the library."""
# What a config.json may say beside sizes; the library's defaults are these.
_SAID = {
    "model_type": "gpt2",
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "tie_word_embeddings": True,
}
# The sizes' names in config.json, their names in `zoo.models.gpt`, and GPT-2 small's.
_SIZES = {
    "vocab_size": ("vocabulary_size", 50_257),
    "n_embd": ("width", 768),
    "n_layer": ("num_layers", 12),
    "n_head": ("num_heads", 12),
}
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


def is_checkpoint(folder: Path) -> bool:
    """Return whether a folder is a model's as the library saves it."""
    return is_file(folder / FILE) and is_file(folder / "config.json")


def arguments(folder: Path) -> dict[str, Any]:
    """Return the arguments of `zoo.models.gpt.gpt` for a folder of the library.

    Raises:
        UsageError: Its config.json is missing or damaged, or of another architecture.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise UsageError(f"{path} is not a table")
    for key, meant in _SAID.items():
        if (said := config.get(key, meant)) != meant:
            raise UsageError(f"{path}: {key} is {said!r}; only GPT-2 with {meant!r} can be read")
    length = config.get("n_positions", 1024)
    given = {theirs: config.get(theirs, size) for theirs, (_, size) in _SIZES.items()}
    for key, value in {"n_positions": length, **given}.items():
        if type(value) is not int or value < 1:
            raise UsageError(f"{path}: {key} must be a whole number of at least 1, got {value!r}")
    sizes = {_SIZES[theirs][0]: value for theirs, value in given.items()}
    return {**sizes, "input_shape": (length,), "hidden_units": config.get("n_inner")}


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
