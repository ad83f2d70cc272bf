"""A `.keras` file: the network alone, for Keras with dlzoo's layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.serving.formats import Inputs, Run

if TYPE_CHECKING:
    from zoo.serving.served import Served

FILE = "model.keras"


def write(served: Served, folder: Path, quantize: str | None) -> dict[str, Any]:
    """Write the network."""
    served.network.save(folder / FILE)
    return {"left_out": "all preprocessing is outside of it: it takes encoded inputs"}


def load(folder: Path) -> Run:
    """Return a function that asks the network, loaded by Keras in safe mode and compiled."""
    import tensorflow as tf

    from zoo import registry

    model = registry.restore_any(folder / FILE)
    compiled = tf.function(lambda values: model(values, training=False), reduce_retracing=True)

    def run(signature: str, inputs: Inputs) -> dict[str, np.ndarray]:
        given = {name: tf.constant(one) for name, one in inputs.items()}
        values = given if len(given) > 1 else next(iter(given.values()))
        return {"output": compiled(values).numpy()}

    return run
