"""Random numbers of several replicas: a mend of Keras, which gives all of them the same."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

_upstream = keras.random.SeedGenerator.next


def give_replicas_their_own_seeds() -> None:
    """Let every replica of a `tf.distribute` strategy draw random numbers of its own.

    A `keras.random.SeedGenerator` keeps one state for all replicas (Keras 3.12 to 3.15), so each
    of them drops the same units and draws the same noise in a step: half of a batch's noise is a
    copy on two replicas. Here the replica's number is folded into the seed; the state, and so what
    a checkpoint holds, is Keras's. On one device nothing changes.

    `tests/zoo/layers/test_replica_seeds.py` fails once Keras does this itself; then remove this.
    """
    keras.random.SeedGenerator.next = _next


def _next(self: Any, ordered: bool = True) -> Any:
    seed = _upstream(self, ordered)
    context = tf.distribute.get_replica_context()
    # Outside of `strategy.run` there is no replica; a strategy of one device has nothing to tell.
    if context is None or context.num_replicas_in_sync == 1:
        return seed
    return tf.random.experimental.stateless_fold_in(seed, context.replica_id_in_sync_group)
