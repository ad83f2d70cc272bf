"""Mends of Keras's `fit` for several workers; nothing else of Keras is changed.

Keras 3.12 to 3.15 fail under `tf.distribute.MultiWorkerMirroredStrategy` (Keras issue 20585) in
three places of `keras/src/backend/tensorflow/trainer.py`: where a model is built from its first
batch, where a step's scores are averaged, and where several steps run at a time. The mends do
nothing under another strategy. `tests/zoo/training/test_keras_mends.py` tells when Keras needs them
no more.
"""

from __future__ import annotations

import functools
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.tensorflow import trainer

FIRST, FIXED = (3, 12), (3, 16)
"""The first release known to need this, and the first that is not known to."""

_build = trainer.TensorFlowTrainer._maybe_symbolic_build
_reduce = trainer.reduce_per_replica


def known_version(version: str = keras.__version__) -> bool:
    """Return whether a release of Keras is one of those that need these mends."""
    major, minor = version.split(".")[:2]
    return FIRST <= (int(major), int(minor)) < FIXED


def mend_keras() -> None:
    """Let `fit` and `evaluate` run under `MultiWorkerMirroredStrategy`."""
    if known_version():
        trainer.TensorFlowTrainer._maybe_symbolic_build = _maybe_symbolic_build
        trainer.reduce_per_replica = reduce_per_replica


@functools.wraps(_build)
def _maybe_symbolic_build(self: Any, iterator: Any = None, data_batch: Any = None) -> None:
    """Build from one replica's batch; Keras averages whole batches over all workers, and fails."""
    if iterator is not None and several_workers(self.distribute_strategy):
        for _, _, batches in iterator:
            data_batch = _first(self.distribute_strategy, next(batches))
            break
        iterator = None
    _build(self, iterator=iterator, data_batch=data_batch)


@functools.wraps(_reduce)
def reduce_per_replica(values: Any, strategy: Any, reduction: str) -> Any:
    """Average a step's scores over this worker's replicas; Keras averages scalars along axis 0.

    The scores of an epoch are read from the metrics' variables, which count all workers. So a
    step's need no communication.
    """
    if reduction in ("auto", "mean") and several_workers(strategy):
        return keras.tree.map_structure(
            lambda value: tf.reduce_mean(
                tf.stack(strategy.experimental_local_results(value)), axis=0
            ),
            values,
        )
    return _reduce(values, strategy, reduction)


def run_steps_together(model: Any) -> None:
    """Let `fit` run a compiled model's ``steps_per_execution`` under several workers.

    Keras asks for an optional batch within a loop of the graph: a collective operation in there
    finds no value for a placeholder. Under another strategy nothing is changed. Every execution
    must find all its batches in training; in evaluation the last one may find fewer.

    Args:
        model: Compiled. The functions that run its steps are replaced.
    """
    if not (several_workers(model.distribute_strategy) and known_version()):
        return

    def make_train_function(force: bool = False) -> Any:
        if model.train_function is None or force:
            model.train_function = _training(model)
        return model.train_function

    def make_test_function(force: bool = False) -> Any:
        if model.test_function is None or force:
            model.test_function = _evaluation(model)
        return model.test_function

    model.make_train_function = make_train_function
    model.make_test_function = make_test_function


def _training(model: Any) -> Any:
    step = _step(model, "train_step")
    steps = model.steps_per_execution

    @tf.function(reduce_retracing=True)
    def together(iterator: Any) -> Any:
        scores = step(iterator)
        for _ in tf.range(steps - 1):
            scores = step(iterator)
        return scores

    return together


def _evaluation(model: Any) -> Any:
    step = tf.function(_step(model, "test_step"), reduce_retracing=True)
    steps = model.steps_per_execution

    def together(iterator: Any) -> Any:
        scores = step(iterator)
        try:
            for _ in range(steps - 1):
                scores = step(iterator)
        except (StopIteration, tf.errors.OutOfRangeError):
            pass  # the batches ended within an execution
        return scores

    return together


def _step(model: Any, name: str) -> Any:
    strategy = model.distribute_strategy

    @tf.autograph.experimental.do_not_convert
    def step(iterator: Any) -> Any:
        scores = strategy.run(getattr(model, name), args=(next(iterator),))
        return trainer.reduce_per_replica(scores, strategy, reduction="auto")

    return step


def _first(strategy: Any, batch: Any) -> Any:
    return keras.tree.map_structure(
        lambda value: strategy.experimental_local_results(value)[0], batch
    )


def several_workers(strategy: Any) -> bool:
    """Return whether a strategy spreads the work over several processes."""
    return (
        isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        and strategy.extended._in_multi_worker_mode()
    )
