"""What all generators have in common: models that make new examples from random latents."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.base.errors import UsageError


class Generator(keras.Model):
    """A model that makes examples: it draws latents from a prior and decodes them.

    A subclass sets `latent_dim` and implements `prior` and `decode`.
    """

    latent_dim: int
    most_steps: int | None = None
    """How many steps `decode` can take, where it has an argument ``steps``. Such a model also has
    ``path``, see `zoo.layers.diffusion_generators.DiffusionGenerator`."""

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent: (latent_dim,) unless a subclass says otherwise."""
        return (self.latent_dim,)

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

    def between(self, first: Any, second: Any, share: Any) -> Any:
        """Return latents (B, ...) on the way from some to others: along the sphere around 0.

        The length of a normal latent hardly varies, and points on a straight line between two of
        them are too short to be typical (White 2016, section 2.1).

        Args:
            first: Latents (B, ...).
            second: As many others.
            share: How far each is on its way, (B,) in [0, 1].
        """
        shape = tf.shape(first)
        start, end = (tf.reshape(one, (shape[0], -1)) for one in (first, second))
        lengths = tf.norm(start, axis=1) * tf.norm(end, axis=1)
        cosine = tf.reduce_sum(start * end, axis=1) / tf.maximum(lengths, 1e-12)
        angle = tf.maximum(tf.acos(tf.clip_by_value(cosine, -1.0, 1.0)), 1e-4)[:, None]
        share = tf.cast(share, start.dtype)[:, None]
        way = tf.sin((1.0 - share) * angle) * start + tf.sin(share * angle) * end
        return tf.reshape(way / tf.sin(angle), shape)

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
        latent = keras.Input(self.latent_shape, name="latent")
        return keras.Model(latent, self.decode(latent), name=self.name)


class ConditionalGenerator(Generator):
    """A generator that is told which class to make.

    It is trained on ``{"image": (B, ...), "label": (B,)}``. A subclass also sets `classes`, and its
    `decode` takes labels.
    """

    classes: int | None
    """None where the model was not told classes; its labels are all 0 then, and mean nothing."""

    def labels(self, count: Any, label: Any = None) -> Any:
        """Return labels (count,) as int32.

        Args:
            count: A number or an integer tensor.
            label: One class's number for all of them, a number or an integer tensor. None takes
                the classes in turn: 0, 1, 2, ….

        Raises:
            UsageError: A class is asked for of a model that was not told classes.
        """
        count = tf.cast(count, tf.int32)
        if self.classes is None and label is not None:
            raise UsageError(f"this {self.name} was trained without labels and draws no one class")
        if label is None:
            return tf.range(count) % (self.classes or 1)
        return tf.fill([count], tf.cast(label, tf.int32))

    def decode(self, latent: Any, label: Any = None) -> Any:
        """Return examples (B, ...) for latents (B, latent_dim).

        Args:
            latent: (B, *latent_shape).
            label: (B,) of int32; None takes the classes in turn.
        """
        raise NotImplementedError

    def sample(self, count: Any, seed: Any = 0, label: Any = None) -> Any:
        """Return `count` new examples, computed by one compiled function.

        Args:
            count: A number or an integer tensor.
            seed: A number or an integer tensor; the same seed gives the same examples.
            label: The number of the class to make; None takes the classes in turn.
        """
        count = tf.cast(count, tf.int32)
        return self._sample_of(count, tf.cast(seed, tf.int64), self.labels(count, label))

    @tf.function(reduce_retracing=True)
    def _sample_of(self, count: Any, seed: Any, label: Any) -> Any:
        return self.decode(self.prior(count, seed), label)

    def decoder_network(self) -> Any:
        """Return the `keras.Model` from latents and labels to examples."""
        latent = keras.Input(self.latent_shape, name="latent")
        label = keras.Input((), dtype="int32", name="label")
        return keras.Model([latent, label], self.decode(latent, label), name=self.name)


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
