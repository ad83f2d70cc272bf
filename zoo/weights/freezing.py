"""Freezing layers: they keep their weights while the rest is trained."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from typing import Any

from zoo.base.errors import UsageError, suggestion
from zoo.weights.names import named_layers


def freeze(model: Any, name: str, patterns: Sequence[str]) -> None:
    """Make layers untrainable; frozen batch normalisation also keeps its statistics.

    Args:
        model: A `keras.Model`, not compiled yet.
        name: Its card's name.
        patterns: Shell patterns over the names of layers, see `named_layers`.

    Raises:
        UsageError: A pattern matches no layer with weights, or no layer is left to train.
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
