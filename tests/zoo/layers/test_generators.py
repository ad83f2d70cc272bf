"""Generators: one compiled function from a count and a seed to samples."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.layers.generators import Generator, random_normal, random_uniform


class Doubled(Generator):
    """Examples are twice their latents."""

    latent_dim = 3
    traces = 0

    def prior(self, count: Any, seed: Any) -> Any:
        return random_normal((count, self.latent_dim), seed)

    def decode(self, latent: Any) -> Any:
        self.traces += 1
        return 2.0 * latent


@pytest.mark.parametrize("seed", [0, 7, 2**31 - 2, 2**31 + 5, 2**40])
def test_a_seed_in_a_tensor_draws_what_the_number_draws(seed: int) -> None:
    tensor = tf.constant(seed, tf.int64)
    np.testing.assert_array_equal(random_normal((4, 3), tensor), random_normal((4, 3), seed))
    np.testing.assert_array_equal(
        random_normal((4, 3), seed), keras.random.normal((4, 3), seed=seed)
    )
    np.testing.assert_array_equal(
        random_uniform((4, 3), -1.0, 1.0, tensor), random_uniform((4, 3), -1.0, 1.0, seed)
    )
    np.testing.assert_array_equal(
        random_uniform((4, 3), -1.0, 1.0, seed), keras.random.uniform((4, 3), -1.0, 1.0, seed=seed)
    )


def test_samples_are_the_decoded_prior_and_repeat_by_their_seed() -> None:
    model = Doubled()
    first = model.sample(5, seed=3)
    np.testing.assert_array_equal(first, 2.0 * model.prior(5, seed=3))
    np.testing.assert_array_equal(model.sample(tf.constant(5), tf.constant(3)), first)
    assert np.any(np.asarray(model.sample(5, seed=4)) != first)
    assert model.sample(2).shape == (2, 3)


def test_other_counts_and_seeds_do_not_compile_anew() -> None:
    model = Doubled()
    for count, seed in ((5, 0), (6, 1), (7, 2)):
        model.sample(count, seed)
    assert model.traces == 1


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_the_decoder_network_is_decode_as_a_model(name: str) -> None:
    model = zoo.build(name, input_shape=(8, 8, 1), latent_dim=4)
    network = model.decoder_network()
    latent = model.prior(5, seed=0)
    np.testing.assert_array_equal(network(latent), model.decode(latent))
    assert network.input_shape == (None, 4)
    assert network.output_shape == (None, 8, 8, 1)
    sampled = model.sample(5, seed=0)
    assert sampled.dtype == tf.float32
    np.testing.assert_allclose(sampled, model.decode(latent), atol=1e-6)
