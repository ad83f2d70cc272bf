"""What all generators have in common: models that make new examples from random latents."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class Generator(keras.Model):
    """A model that makes examples: it draws latents from a prior and decodes them.

    A subclass sets `latent_dim` and implements `prior` and `decode`.
    """

    latent_dim: int

    def prior(self, count: Any, seed: Any) -> Any:
        """Return latents (count, latent_dim).

        Args:
            count: A number or an integer tensor.
            seed: A number, an integer tensor or a `keras.random.SeedGenerator`. The same number
                gives the same latents.
        """
        raise NotImplementedError

    def decode(self, latent: Any) -> Any:
        """Return examples (B, ...) for latents (B, latent_dim)."""
        raise NotImplementedError

    def sample(self, count: Any, seed: Any = 0) -> Any:
        """Return `count` new examples, computed by one compiled function.

        Args:
            count: A number or an integer tensor.
            seed: A number or an integer tensor; the same seed gives the same examples.
        """
        return self._sample(tf.cast(count, tf.int32), tf.cast(seed, tf.int64))

    @tf.function(reduce_retracing=True)
    def _sample(self, count: Any, seed: Any) -> Any:
        # Count and seed are tensors, so that other values do not compile the function again.
        return self.decode(self.prior(count, seed))

    def decoder_network(self) -> Any:
        """Return the `keras.Model` from latents to examples, which is served and benchmarked.

        It shares its layers and weights with this model.
        """
        latent = keras.Input((self.latent_dim,), name="latent")
        return keras.Model(latent, self.decode(latent), name=self.name)


def random_normal(shape: tuple[Any, ...], seed: Any) -> Any:
    """Return what `keras.random.normal` returns; `seed` may also be an integer tensor."""
    if not tf.is_tensor(seed):
        return keras.random.normal(shape, seed=seed)
    return tf.random.stateless_normal(shape, seed=seed_pair(seed))


def random_uniform(shape: tuple[Any, ...], minimum: float, maximum: float, seed: Any) -> Any:
    """Return what `keras.random.uniform` returns; `seed` may also be an integer tensor."""
    if not tf.is_tensor(seed):
        return keras.random.uniform(shape, minimum, maximum, seed=seed)
    return tf.random.stateless_uniform(shape, minval=minimum, maxval=maximum, seed=seed_pair(seed))


def seed_pair(seed: Any) -> Any:
    """Return the two numbers that Keras makes of a seed: the seed and 0."""
    seed = tf.math.floormod(tf.cast(seed, tf.int64), tf.int32.max - 1)
    return tf.stack([tf.cast(seed, tf.int32), 0])
