"""A SavedModel: what TensorFlow Serving reads, with raw inputs and all preprocessing inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.tasks.base import Endpoint, Task


def write(network: Any, task: Task, endpoints: Mapping[str, Endpoint], folder: Path) -> None:
    """Write a SavedModel.

    Args:
        network: The `keras.Model` that is served.
        task: Bound to its data.
        endpoints: The signatures by name, the default one first.
        folder: To write into.
    """
    archive = keras.export.ExportArchive()
    archive.track(network)
    features = {id(one): one for one in (*task.fed.values(), *task.asked.values())}
    for feature in features.values():
        for resource in feature.resources():
            archive.track(resource)
    for name, endpoint in endpoints.items():
        signature = list(endpoint.signature.values())
        archive.add_endpoint(name, endpoint.function, input_signature=signature)
    archive.write_out(str(folder), verbose=False)


def answers(folder: Path, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what one signature of a written SavedModel answers, by name."""
    loaded = tf.saved_model.load(str(folder))
    tensors = {key: tf.constant(value) for key, value in inputs.items()}
    return {key: value.numpy() for key, value in loaded.signatures[name](**tensors).items()}
