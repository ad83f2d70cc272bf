"""vae, gan and dcgan in plain Keras: models with a training step, as its examples write them.

The three networks train by the algorithms of zoo/layers/variational.py and adversarial.py: each
network of a GAN has an optimizer, and is trained on noise of its own.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops


class PlainVAE(keras.Model):
    """The training of Kingma and Welling 2013 on black and white pixels.

    Args:
        encoder: From images (B, H, W, C) to means and logarithms of variances (B, 2 * latents).
        decoder: From codes (B, latents) to the logits of pixels (B, H, W, C).
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.seeds = keras.random.SeedGenerator()
        self.average_loss = keras.metrics.Mean(name="loss")
        self.average_reconstruction = keras.metrics.Mean(name="reconstruction_loss")
        self.average_kl = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self) -> list[Any]:
        """The mean loss and its two parts."""
        return [self.average_loss, self.average_reconstruction, self.average_kl]

    def losses_of(self, images: Any, mean: Any, log_variance: Any, noise: Any) -> tuple[Any, Any]:
        """Return the batch's means of the reconstruction's loss and of the KL, in nats."""
        logits = self.decoder(mean + ops.exp(0.5 * log_variance) * noise, training=True)
        errors = ops.binary_crossentropy(images, logits, from_logits=True)
        reconstruction = ops.mean(ops.sum(errors, axis=(1, 2, 3)))
        kl = -0.5 * ops.sum(1.0 + log_variance - mean**2 - ops.exp(log_variance), axis=1)
        return reconstruction, ops.mean(kl)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train by one batch of images (B, H, W, C) in [0, 1]."""
        images = keras.utils.unpack_x_y_sample_weight(data)[0]
        with tf.GradientTape() as tape:
            mean, log_variance = ops.split(self.encoder(images, training=True), 2, axis=-1)
            noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
            reconstruction, kl = self.losses_of(images, mean, log_variance, noise)
            loss = reconstruction + kl
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)
        self.average_loss.update_state(loss)
        self.average_reconstruction.update_state(reconstruction)
        self.average_kl.update_state(kl)
        return {metric.name: metric.result() for metric in self.metrics}


class PlainGAN(keras.Model):
    """Algorithm 1 of Goodfellow et al. 2014 with k = 1; the generator maximises log D(G(z)).

    Args:
        generator: From noise (B, latents) to images (B, H, W, C) in [0, 1].
        discriminator: From images to logits (B, 1), above 0 for those it takes for real.
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.latent_dim = generator.input_shape[-1]
        self.seeds = keras.random.SeedGenerator()
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
        self.discriminator_average = keras.metrics.Mean(name="discriminator_loss")
        self.generator_average = keras.metrics.Mean(name="generator_loss")

    def compile(self, generator_optimizer: Any, discriminator_optimizer: Any) -> None:
        """Take an optimizer for each network."""
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer

    @property
    def metrics(self) -> list[Any]:
        """The networks' mean losses."""
        return [self.discriminator_average, self.generator_average]

    def draw(self, count: Any) -> Any:
        """Return noise (count, latents), uniform in [-1, 1)."""
        return keras.random.uniform((count, self.latent_dim), -1.0, 1.0, seed=self.seeds)

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """Return the mean of -log D(x) - log(1 - D(G(z))), of images (B, H, W, C)."""
        on_real = self.discriminator(real, training=True)
        on_fake = self.discriminator(fake, training=True)
        return self.cross_entropy(ops.ones_like(on_real), on_real) + self.cross_entropy(
            ops.zeros_like(on_fake), on_fake
        )

    def generator_loss(self, noise: Any) -> Any:
        """Return the mean of -log D(G(z)), of noise (B, latents)."""
        logits = self.discriminator(self.generator(noise, training=True), training=True)
        return self.cross_entropy(ops.ones_like(logits), logits)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train both networks by one batch of images (B, H, W, C) in [0, 1]."""
        images = keras.utils.unpack_x_y_sample_weight(data)[0]
        count = ops.shape(images)[0]
        fake = self.generator(self.draw(count), training=True)
        with tf.GradientTape() as tape:
            discriminator_loss = self.discriminator_loss(images, fake)
        weights = self.discriminator.trainable_variables
        gradients = tape.gradient(discriminator_loss, [weight.value for weight in weights])
        self.discriminator_optimizer.apply(gradients, weights)

        noise = self.draw(count)
        with tf.GradientTape() as tape:
            generator_loss = self.generator_loss(noise)
        weights = self.generator.trainable_variables
        gradients = tape.gradient(generator_loss, [weight.value for weight in weights])
        self.generator_optimizer.apply(gradients, weights)

        self.discriminator_average.update_state(discriminator_loss)
        self.generator_average.update_state(generator_loss)
        return {metric.name: metric.result() for metric in self.metrics}
