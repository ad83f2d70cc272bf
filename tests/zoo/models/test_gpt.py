"""GPT: what it may see, and that its caches change nothing but the time."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.base.errors import UsageError
from zoo.layers import decoding

LENGTH = 257


@pytest.fixture(scope="module")
def model() -> Any:
    keras.utils.set_random_seed(0)
    built = zoo.build(
        "gpt", input_shape=(LENGTH,), vocabulary_size=30, width=16, num_layers=2, num_heads=2
    )
    for variable in built.trainable_variables:  # far from uniform, so that texts differ
        if len(variable.shape) > 1:
            variable.assign(variable * 20.0)
    return built


def test_a_position_does_not_see_later_tokens(model: Any) -> None:
    tokens = np.random.default_rng(0).integers(30, size=(2, LENGTH))
    changed = tokens.copy()
    changed[:, 100:] = 3
    before, after = (keras.ops.convert_to_numpy(model(one)) for one in (tokens, changed))
    np.testing.assert_allclose(before[:, :100], after[:, :100], atol=1e-4)
    assert np.abs(before[:, 100:] - after[:, 100:]).max() > 0.1


def test_256_tokens_from_caches_are_those_of_the_whole_prefix(model: Any) -> None:
    def recomputed(tokens: Any, at: Any, state: Any, context: Any) -> Any:
        del context
        state = tf.where(tf.range(LENGTH) == at, tokens[:, None], state)
        return model(state, training=False)[:, at], state

    @tf.function
    def write(first: Any) -> Any:
        empty = tf.zeros((tf.shape(first)[0], LENGTH), tf.int32)
        return (
            decoding.greedy(model.step, first, model.new_state(3), length=256, end=None),
            decoding.greedy(recomputed, first, empty, length=256, end=None),
        )

    cached, whole = write(tf.constant([5, 9, 20]))
    np.testing.assert_array_equal(cached.tokens, whole.tokens)
    assert len(set(cached.tokens.numpy().ravel())) > 3


def test_arguments_that_do_not_fit_are_refused() -> None:
    for arguments in ({"input_shape": (8, 1)}, {"num_layers": 0}, {"num_heads": 3}):
        with pytest.raises(UsageError, match=next(iter(arguments))):
            zoo.build("gpt", **arguments)
