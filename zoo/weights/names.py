"""What layers are called, in a network and in a file of weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any


def layer_name(key: str, given: str) -> str:
    """Return a layer's name, or its key in files if Keras made the name up.

    Keras numbers made-up names ("dense_57") through the whole process, and keys ("dense_1") within
    one network. So only keys are the same in every process.
    """
    made_up = re.sub(r"_\d+$", "", given) == re.sub(r"_\d+$", "", key)
    return key if made_up else given


def named_layers(model: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a model's layers by name, those of a network inside it as ``network/layer``.

    A layer that was not given a name is named as in Keras's files: ``dense_1`` is the second dense
    layer of its network.
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
