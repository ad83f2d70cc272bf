"""A SavedModel: what TensorFlow Serving reads, with raw inputs and all preprocessing inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zoo.serving.formats import Inputs, Run
from zoo.serving.served import Served, texts
from zoo.serving.warmup import write_warmup

WARMUPS = 4
"""Requests for each signature that TensorFlow Serving answers before a version takes traffic."""


def write(served: Served, folder: Path, quantize: str | None) -> dict[str, Any]:
    """Write a SavedModel with a signature for each endpoint, and its warm-up requests."""
    import keras

    archive = keras.export.ExportArchive()
    archive.track(served.network)
    task = served.task
    features = {id(one): one for one in (*task.fed.values(), *task.asked.values())}
    for feature in features.values():
        for resource in feature.resources():
            archive.track(resource)
    for name, endpoint in served.endpoints.items():
        signature = list(endpoint.signature.values())
        archive.add_endpoint(name, endpoint.function, input_signature=signature)
    archive.write_out(str(folder), verbose=False)
    requests = {
        name: served.inputs(endpoint, WARMUPS) for name, endpoint in served.endpoints.items()
    }
    write_warmup(requests, folder)
    return {}


def load(folder: Path) -> Run:
    """Return a function that asks a SavedModel."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))

    def run(signature: str, inputs: Inputs) -> dict[str, np.ndarray]:
        asked = loaded.signatures[signature]
        specs = asked.structured_input_signature[1]
        tensors = {name: tf.constant(values, specs[name].dtype) for name, values in inputs.items()}
        return {name: texts(one.numpy()) for name, one in asked(**tensors).items()}

    return run
