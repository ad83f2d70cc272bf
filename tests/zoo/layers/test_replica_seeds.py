"""Replicas draw random numbers of their own; one device draws what Keras draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import replica_seeds


@pytest.fixture(autouse=True)
def upstream() -> Iterator[None]:
    """Begin and end with Keras as it is."""
    before = keras.random.SeedGenerator.next
    keras.random.SeedGenerator.next = replica_seeds._upstream
    yield
    keras.random.SeedGenerator.next = before


@pytest.fixture(scope="module")
def mirrored() -> Any:
    return tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )


def drawn(strategy: Any, make: Callable[[], Callable[[], Any]]) -> list[list[np.ndarray]]:
    """What each replica draws in two steps, by what is made in the strategy's scope."""
    with strategy.scope():
        draw = make()

    @tf.function
    def step() -> Any:
        return strategy.run(draw)

    steps = [strategy.experimental_local_results(step()) for _ in range(2)]
    return [[np.asarray(value) for value in values] for values in steps]


def noise() -> Callable[[], Any]:
    generator = keras.random.SeedGenerator(3)
    return lambda: keras.random.normal((4,), seed=generator)


def dropout() -> Callable[[], Any]:
    layer = keras.layers.Dropout(0.5, seed=3)
    return lambda: layer(tf.ones((64,)), training=True)


def without_a_seed() -> Callable[[], Any]:
    return lambda: keras.random.normal((4,))


@pytest.mark.parametrize("make", [noise, dropout])
def test_keras_still_needs_it(make: Callable[[], Callable[[], Any]], mirrored: Any) -> None:
    """Remove `zoo.layers.replica_seeds` when this fails: Keras does it by then."""
    for first, second in drawn(mirrored, make):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("make", [noise, dropout])
def test_replicas_draw_different_numbers_in_every_step(
    make: Callable[[], Callable[[], Any]], mirrored: Any
) -> None:
    replica_seeds.give_replicas_their_own_seeds()
    values = [value for step in drawn(mirrored, make) for value in step]
    assert len({value.tobytes() for value in values}) == 4
    assert [value.tobytes() for step in drawn(mirrored, make) for value in step] == [
        value.tobytes() for value in values
    ]  # and a training repeats


@pytest.mark.parametrize("make", [noise, dropout, without_a_seed])
@pytest.mark.parametrize("strategy", ["none", "one device"])
def test_one_device_draws_what_keras_draws(
    make: Callable[[], Callable[[], Any]], strategy: str
) -> None:
    one = tf.distribute.OneDeviceStrategy("CPU:0")
    chosen = tf.distribute.get_strategy() if strategy == "none" else one
    found = []
    for mended in (False, True):
        if mended:
            replica_seeds.give_replicas_their_own_seeds()
        keras.utils.set_random_seed(5)
        found.append(drawn(chosen, make))
    np.testing.assert_array_equal(found[0], found[1])
