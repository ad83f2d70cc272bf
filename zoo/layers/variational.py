"""Variational auto-encoders: an encoder q(z|x), a decoder p(x|z), and bounds on log p(x)."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from zoo.layers.generators import ConditionalGenerator, Generator, random_normal
from zoo.layers.losses import batch_mean, penalties
from zoo.layers.metrics import Average

CODES = (10, 100, 1000)
"""Of which the importance-weighted bounds are made."""
LARGEST_LOG_SCALE = 2.0
SMALLEST_LOG_SCALE = -7.0
"""Of the logistic distributions of pixels: narrower ones gain nothing, and overflow."""


class Variational(Generator):
    """The base of all of them, trained on the ELBO (Kingma and Welling 2013).

    The scores are per example, in nats: ``elbo`` is ``log_likelihood`` minus ``kl``, and the loss
    is ``-elbo`` where β is 1. A subclass's constructor makes the networks, then calls `adopt`.

    With `levels` 0 a pixel is the probability of a white one, and the likelihood is that of black
    and white images drawn by these probabilities. With `levels` L it is that of a pixel's value
    among 0, 1/(L-1), …, 1: the mass of a logistic distribution between the middles to the next
    values, of which the decoder gives mean and scale (Kingma et al. 2016, section 5.2; van den
    Oord's and Salimans's PixelCNN++ 2017, equation 2). Bits per dimension are those of the values.
    """

    encoder: Any
    """From examples to means and logarithms of variances, (B, 2 * latent_dim)."""
    decoder: Any
    """From codes to the logits of pixels (B, *example_shape); with levels, (B, 2, *example_shape):
    logits and logarithms of scales."""
    example_shape: tuple[int, ...]

    def adopt(
        self,
        encoder: Any,
        decoder: Any,
        latent_dim: int,
        *,
        beta: float,
        warmup_steps: int,
        levels: int,
    ) -> None:
        """Take the two networks, and make what training needs beside them.

        Args:
            encoder: See the class.
            decoder: See the class.
            latent_dim: Width of the code.
            beta: Weight of the KL in the loss (Higgins et al. 2017, equation 4).
            warmup_steps: Over which that weight grows from 0 (Sønderby et al. 2016, section 2.3).
            levels: Values that a pixel can take; 0 for black and white.
        """
        if beta <= 0.0 or not math.isfinite(beta):
            raise ValueError(f"beta must be above 0, got {beta}")
        if warmup_steps < 0:
            raise ValueError(f"warmup_steps must be 0 or more, got {warmup_steps}")
        if levels < 0 or levels == 1:
            raise ValueError(f"levels must be 0, or 2 and more, got {levels}")
        self.latent_dim = latent_dim
        self.encoder = encoder
        self.decoder = decoder
        self.beta = float(beta)
        self.warmup_steps = warmup_steps
        self.levels = levels
        self.noise = keras.random.SeedGenerator()
        self.trackers = [
            Average("elbo", higher_is_better=True),
            Average("log_likelihood", higher_is_better=True),
            Average("kl"),
        ]

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has built both networks."""
        self.built = True

    # What conditional models do otherwise.

    def split_inputs(self, inputs: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the examples of a batch, and what both networks are given beside their input."""
        return inputs, ()

    def encode(self, x: Any, given: tuple[Any, ...] = ()) -> tuple[Any, Any]:
        """Return means and logarithms of variances of q(z|x), each (B, latent_dim)."""
        found = self.encoder([x, *given] if given else x)
        mean, log_variance = ops.split(found, 2, axis=-1)
        return mean, log_variance

    def pixels(self, latent: Any, given: tuple[Any, ...] = ()) -> tuple[Any, Any]:
        """Return logits (B, *example_shape) of the pixels, and logarithms of scales or None."""
        found = ops.cast(self.decoder([latent, *given] if given else latent), "float32")
        if not self.levels:
            return found, None
        logits, log_scales = found[:, 0], found[:, 1]
        return logits, ops.clip(log_scales, SMALLEST_LOG_SCALE, LARGEST_LOG_SCALE)

    # Answering.

    def call(self, inputs: Any) -> Any:
        """Return reconstructions of examples (B, *input_shape), from the codes' means."""
        x, given = self.split_inputs(inputs)
        return ops.sigmoid(self.pixels(self.encode(x, given)[0], given)[0])

    def decode(self, latent: Any) -> Any:
        """Return the pixels' means (B, *input_shape) for codes (B, latent_dim)."""
        return ops.sigmoid(self.pixels(latent)[0])

    def prior(self, count: Any, seed: Any) -> Any:
        """Return codes (count, latent_dim) drawn from p(z), the standard normal."""
        return random_normal((count, self.latent_dim), seed)

    def codes(self, inputs: Any) -> Any:
        """Return the means (B, latent_dim) of the codes of a batch's examples."""
        return self.encode(*self.split_inputs(inputs))[0]

    # The bounds.

    def log_likelihood(self, x: Any, latent: Any, given: tuple[Any, ...] = ()) -> Any:
        """Return log p(x|z), shape (B,), of examples (B, *input_shape) and codes."""
        logits, log_scales = self.pixels(latent, given)
        x = ops.cast(x, "float32")
        if log_scales is None:
            each = x * logits - ops.softplus(logits)
        else:
            each = logistic_log_mass(x, ops.sigmoid(logits), log_scales, self.levels)
        return ops.sum(ops.reshape(each, (ops.shape(x)[0], -1)), axis=-1)

    def terms(self, inputs: Any, training: bool) -> tuple[Any, Any]:
        """Return log p(x|z) for one z drawn from q(z|x), and KL(q(z|x) || p(z)), each (B,)."""
        x, given = self.split_inputs(inputs)
        mean, log_variance = self.encode(x, given)
        # Evaluation always draws the same noise, so that scores repeat.
        seed = self.noise if training else 0
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=seed)
        z = mean + ops.exp(0.5 * log_variance) * noise  # the reparameterisation, eq. 4 and 10
        kl = -0.5 * ops.sum(1 + log_variance - mean**2 - ops.exp(log_variance), axis=-1)  # eq. 10
        return self.log_likelihood(x, z, given), ops.cast(kl, "float32")

    def importance_bound(self, inputs: Any, count: Any, seed: int = 0) -> Any:
        """Return a bound (B,) on log p(x) from several codes each (Burda et al. 2016, equation 8).

        It is log 1/k Σ p(x, z) / q(z|x) over k codes z drawn from q(z|x). On average it grows with
        k; with one code it is the ELBO.

        Args:
            inputs: A batch.
            count: k, a number or an integer tensor.
            seed: The same number draws the same codes.
        """
        x, given = self.split_inputs(inputs)
        mean, log_variance = (ops.cast(one, "float32") for one in self.encode(x, given))

        def weigh(number: Any, sums: Any) -> Any:
            noise = random_normal(ops.shape(mean), ops.cast(number, "int64") + seed)
            z = mean + ops.exp(0.5 * log_variance) * noise
            # log p(z) - log q(z|x): their constants are the same.
            prior = -0.5 * ops.sum(z**2 - noise**2 - log_variance, axis=-1)
            return ops.logaddexp(sums, self.log_likelihood(x, z, given) + prior)

        start = ops.full((ops.shape(mean)[0],), -math.inf)
        total = ops.fori_loop(0, count, weigh, start)
        return total - ops.log(ops.cast(count, "float32"))

    def likelihood_bounds(self, inputs: Any) -> dict[str, Any]:
        """Return lower bounds (B,) on log p(x) by ever more codes, in nats."""
        return {f"bound_{count}": self.importance_bound(inputs, count) for count in CODES}

    # Training.

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the mean of β KL minus the log-likelihood, plus regularization losses.

        Args:
            x: Examples (B, *input_shape) with values in [0, 1]; with labels for conditional ones.
            y: Not used.
            y_pred: Not used: the loss needs its own sample of the code.
            sample_weight: Weights of the examples, (B,) or (B, 1).
            training: Whether to draw new noise, and to warm up β.
        """
        log_likelihood, kl = self.terms(x, training)
        values = (log_likelihood - kl, log_likelihood, kl)
        for tracker, value in zip(self.trackers, values, strict=True):
            tracker.update_state(value, sample_weight)
        beta: Any = self.beta
        if training and self.warmup_steps:
            # The optimizer's count of steps is part of every checkpoint.
            done = ops.cast(self.optimizer.iterations, "float32") / self.warmup_steps
            beta = self.beta * ops.minimum(done, 1.0)
        return batch_mean(beta * kl - log_likelihood, sample_weight) + penalties(self)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update a recipe's metrics, which compare reconstructions with their originals."""
        original = self.split_inputs(x)[0]
        return super().compute_metrics(x, original, y_pred, sample_weight)


class ConditionalVariational(Variational, ConditionalGenerator):
    """Both networks are also given the label."""

    def split_inputs(self, inputs: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return examples, and labels (B,)."""
        image, label = (ops.convert_to_tensor(inputs[name]) for name in ("image", "label"))
        return image, (label,)

    def decode(self, latent: Any, label: Any = None) -> Any:
        """Return the pixels' means (B, *input_shape) for codes (B, latent_dim).

        Args:
            latent: The codes.
            label: (B,) of int32; None takes the classes in turn.
        """
        label = self.labels(ops.shape(latent)[0]) if label is None else label
        return ops.sigmoid(self.pixels(latent, (label,))[0])


def logistic_log_mass(x: Any, mean: Any, log_scale: Any, levels: int) -> Any:
    """Return the log of the mass that logistic distributions have around values.

    Args:
        x: Values among 0, 1/(levels - 1), …, 1.
        mean: Of the distributions, of the same shape.
        log_scale: Logarithms of their scales.
        levels: How many values there are; the first and the last have the tails beside them.
    """
    half = 0.5 / (levels - 1)
    inverse = ops.exp(-log_scale)
    above = (x - mean + half) * inverse
    below = (x - mean - half) * inverse
    # log(σ(a) - σ(b)) without a difference of two numbers near 1 or near 0.
    inside = (
        ops.log(ops.maximum(-ops.expm1(below - above), 1e-30))
        - ops.softplus(-above)
        - ops.softplus(below)
    )
    first = -ops.softplus(-above)  # log σ(a): all below
    last = -ops.softplus(below)  # log (1 - σ(b)): all above
    return ops.where(x < half, first, ops.where(x > 1.0 - half, last, inside))
