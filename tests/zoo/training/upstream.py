"""Whether Keras's own `fit` still fails under several workers; run as a program in each of two.

Prints a line for each of the three faults that `zoo.training.keras_multi_worker` mends.
"""

from __future__ import annotations

from typing import Any

from zoo.base.runtime import start_tensorflow

tf = start_tensorflow()
strategy = tf.distribute.MultiWorkerMirroredStrategy()

import keras  # noqa: E402  (the strategy comes before anything is computed)
from keras.src.backend.tensorflow import trainer  # noqa: E402

from zoo.training import keras_multi_worker as mends  # noqa: E402


def fails(steps: int = 1, epochs: int = 1) -> bool:
    """Whether a small `fit` raises an error."""
    with strategy.scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", steps_per_execution=steps)

    def batches(context: Any) -> Any:
        return tf.data.Dataset.from_tensors((tf.ones((4, 3)), tf.ones((4, 1)))).repeat()

    data = strategy.distribute_datasets_from_function(batches)
    try:
        model.fit(data, steps_per_epoch=2, epochs=epochs, shuffle=False, verbose=0)
    except Exception:
        return True
    return False


print("build", fails(), flush=True)
trainer.TensorFlowTrainer._maybe_symbolic_build = mends._maybe_symbolic_build
print("scores", fails(), flush=True)
trainer.reduce_per_replica = mends.reduce_per_replica
print("mended", fails(), flush=True)
print("steps", fails(steps=2), flush=True)
