"""The mends of Keras under several replicas, and whether Keras still needs them.

Where a test named `test_keras_still_…` fails, Keras has mended the fault: remove ours.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.backend.tensorflow import trainer

from zoo.training import keras_multi_worker
from zoo.training.keras_multi_worker import known_version


@pytest.fixture(scope="module")
def mirrored() -> Any:
    return tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )


def several_steps(strategy: Any) -> tuple[Any, tf.data.Dataset]:
    """A compiled model that runs three steps at a time, and five batches."""
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"], steps_per_execution=3)
    x = np.arange(60, dtype="float32").reshape(20, 3) / 60
    return model, tf.data.Dataset.from_tensor_slices((x, x.sum(axis=1))).batch(4)


def test_several_steps_on_several_replicas_are_those_of_one(
    mirrored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for strategy in (tf.distribute.get_strategy(), mirrored):
        model, batches = several_steps(strategy)
        if strategy is mirrored:
            monkeypatch.setattr(keras_multi_worker, "several_workers", lambda strategy: True)
            keras_multi_worker.run_steps_together(model)
        history = model.fit(
            batches.repeat(),
            steps_per_epoch=6,
            epochs=2,
            validation_data=batches,
            shuffle=False,
            verbose=0,
        ).history
        assert int(model.optimizer.iterations.numpy()) == 12
        found.append([*history["val_loss"], *history["mae"], *model.get_weights()[0].ravel()])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


def test_keras_still_averages_scalars_along_an_axis(
    mirrored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = mirrored.run(lambda: tf.constant(1.0))
    monkeypatch.setattr(trainer, "_collective_all_reduce_multi_worker", lambda strategy: True)
    with pytest.raises(ValueError, match="Invalid reduction dimension 0"):
        keras_multi_worker._reduce(values, mirrored, "auto")


def test_scores_of_a_step_are_averaged_over_the_workers_own_replicas(
    mirrored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras_multi_worker, "several_workers", lambda strategy: True)

    def value() -> Any:
        context = tf.distribute.get_replica_context()
        return {"loss": tf.cast(context.replica_id_in_sync_group, tf.float32)}

    values = mirrored.run(value)
    assert float(keras_multi_worker.reduce_per_replica(values, mirrored, "auto")["loss"]) == 0.5


def test_the_mends_do_nothing_under_another_strategy(mirrored: Any) -> None:
    upstream = keras_multi_worker._reduce
    for strategy in (mirrored, tf.distribute.get_strategy()):
        values = strategy.run(lambda: tf.constant([1.0, 3.0]))
        for reduction in ("auto", "mean", "first", "sum", "concat"):
            np.testing.assert_array_equal(
                keras_multi_worker.reduce_per_replica(values, strategy, reduction),
                upstream(values, strategy, reduction),
            )
    assert not keras_multi_worker.several_workers(SimpleNamespace())


@pytest.mark.parametrize(
    ("version", "known"),
    [("3.11.3", False), ("3.12.0", True), ("3.15.1", True), ("3.16.0", False), ("4.0", False)],
)
def test_only_known_releases_are_mended(version: str, known: bool) -> None:
    assert known_version(version) == known
