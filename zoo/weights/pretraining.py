"""Weights of models that pre-train others: a stack of hidden layers, as an mlp has them."""

from __future__ import annotations

import importlib
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from zoo.catalog import CARDS
from zoo.weights.files import Saved

Convert = Callable[[Mapping[str, Saved]], dict[str, Saved]]
"""From a model's saved weights to those of layers ``hidden1``, ``hidden2``, …"""


def hidden_layers_of(path: Path, model: str) -> Convert | None:
    """Return what makes hidden layers of a file's weights, or None where they are taken as named.

    The card of the model that was saved says what does it.

    Args:
        path: A ``.keras`` file, which names its model, or another file of weights.
        model: The card's name of the model to load them into. One of the file's own family takes
            them as they are.
    """
    saved = _model_in(path)
    cards = {card.name: card for card in CARDS}
    if saved not in cards or not cards[saved].hidden_layers:
        return None
    if model in cards and cards[model].family == cards[saved].family:
        return None
    module, _, function = cards[saved].hidden_layers.partition(":")
    return cast(Convert, getattr(importlib.import_module(module), function))


def _model_in(path: Path) -> str:
    """Return the name of the model in a ``.keras`` file; only text is read, nothing is made."""
    if path.suffix != ".keras":
        return ""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        return str(config["config"]["name"])
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
        return ""  # damaged: reading its weights says so
