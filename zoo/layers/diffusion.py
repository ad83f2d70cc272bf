"""Gaussian diffusion: how noise is added to examples, and the bound on their likelihood.

Times run from 0, where an example is whole, to T, where it is noise. `alpha_bar[t]` is the share of
the example's variance that is left at time t.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def linear(timesteps: int, first: float = 1e-4, last: float = 0.02) -> np.ndarray:
    """Return alpha_bar (T + 1,) for variances that grow linearly (Ho et al. 2020, section 4).

    Args:
        timesteps: T. The bounds are the paper's for 1,000 and grow where there are fewer steps, so
            that the last time is noise too.
        first: The variance that the first step adds.
        last: The variance that the last step adds.
    """
    scale = 1000.0 / timesteps
    beta = np.linspace(scale * first, scale * last, timesteps)
    return np.concatenate([[1.0], np.cumprod(1.0 - np.minimum(beta, 0.999))])


def cosine(timesteps: int, offset: float = 0.008) -> np.ndarray:
    """Return alpha_bar (T + 1,) that falls as a squared cosine (Nichol and Dhariwal 2021, eq. 17).

    Args:
        timesteps: T.
        offset: Keeps the first steps from being too small.
    """
    share = np.arange(timesteps + 1) / timesteps
    level = np.cos((share + offset) / (1.0 + offset) * math.pi / 2.0) ** 2
    beta = np.minimum(1.0 - level[1:] / level[:-1], 0.999)
    return np.concatenate([[1.0], np.cumprod(1.0 - beta)])


SCHEDULES: dict[str, Callable[[int], np.ndarray]] = {"linear": linear, "cosine": cosine}


class Diffusion:
    """The noise of a schedule, and the steps against it.

    Args:
        schedule: One of `SCHEDULES`.
        timesteps: T, at least 2.
    """

    def __init__(self, schedule: str, timesteps: int) -> None:
        if schedule not in SCHEDULES:
            known = ", ".join(map(repr, SCHEDULES))
            raise ValueError(f"schedule must be one of {known}, got {schedule!r}")
        if timesteps < 2:
            raise ValueError(f"timesteps must be at least 2, got {timesteps}")
        self.timesteps = timesteps
        self.alpha_bar = SCHEDULES[schedule](timesteps)

    def at(self, values: np.ndarray, times: Any, rank: int) -> Any:
        """Return a table's values at times (B,), as (B, 1, ...) of `rank` axes in float32."""
        found = tf.gather(tf.constant(values, tf.float32), times)
        return tf.reshape(found, (-1,) + (1,) * (rank - 1))

    def add_noise(self, x: Any, noise: Any, times: Any) -> Any:
        """Return x_t for examples (B, ...), noise (B, ...) and times (B,) (eq. 4)."""
        rank = len(x.shape)
        signal = self.at(np.sqrt(self.alpha_bar), times, rank)
        return signal * x + self.at(np.sqrt(1.0 - self.alpha_bar), times, rank) * noise

    def without_noise(self, x: Any, noise: Any, times: Any) -> Any:
        """Return the examples in [-1, 1] that lie below x_t (B, ...) if this is its noise."""
        rank = len(x.shape)
        clean = x - self.at(np.sqrt(1.0 - self.alpha_bar), times, rank) * noise
        return tf.clip_by_value(clean / self.at(np.sqrt(self.alpha_bar), times, rank), -1.0, 1.0)

    def bound(self, x: Any, noise: Any, predicted: Any, times: Any, levels: int) -> Any:
        """Return T times one term of the variational bound (eq. 5), plus its last term, in nats.

        Averaged over uniform times it is the bound on -log p(x), for values that stand on a grid.

        Args:
            x: Examples (B, ...) in [-1, 1].
            noise: What was added to them, standard normal.
            predicted: The network's prediction of it.
            times: (B,), 1 to T.
            levels: How many values a pixel can have, evenly from -1 to 1.

        Returns:
            Shape (B,).
        """
        axes = list(range(1, len(x.shape)))
        clean = self.without_noise(self.add_noise(x, noise, times), predicted, times)
        # Eq. 8 with the variances of eq. 7: half of what the signal-to-noise ratio loses, times
        # the squared error of the example.
        ratio = self.alpha_bar[1:] / (1.0 - self.alpha_bar[1:])
        loss = np.concatenate([[0.0, 0.0], 0.5 * (ratio[:-1] - ratio[1:])])
        divergence = self.at(loss, times, 1) * tf.reduce_sum(tf.square(x - clean), axes)
        first = -tf.reduce_sum(self._log_likelihood(x, clean, levels), axes)
        terms = tf.where(times == 1, first, divergence)
        end = self.alpha_bar[-1]  # L_T: how far x_T is from the prior
        prior = 0.5 * (end * tf.square(x) - end - math.log(1.0 - end))
        return self.timesteps * terms + tf.reduce_sum(prior, axes)

    def _log_likelihood(self, x: Any, mean: Any, levels: int) -> Any:
        """Return the log-probabilities of a grid's values x under Gaussians (eq. 13)."""
        # The variance of eq. 7 at time 2: that at time 1 is 0.
        one, two = self.alpha_bar[1:3]
        deviation = math.sqrt((1.0 - one) / (1.0 - two) * (1.0 - two / one))
        half = 1.0 / (levels - 1)
        above, below = (_normal_cdf((x - mean + by) / deviation) for by in (half, -half))
        above = tf.where(x > 1.0 - half, 1.0, above)
        below = tf.where(x < -1.0 + half, 0.0, below)
        return tf.math.log(tf.maximum(above - below, 1e-12))


def variational_bound(
    diffusion: Diffusion, predict: Callable[[Any, Any], Any], x: Any, levels: int, terms: int
) -> Any:
    """Return the bound on -log p(x) (B,) in nats (Ho et al. 2020, eq. 5), the same one every time.

    Args:
        diffusion: How noise is added.
        predict: From images of times (B,) to the noise in them.
        x: Examples (B, ...) in [-1, 1].
        levels: How many values a pixel can have, evenly from -1 to 1.
        terms: Times that are drawn for each example, one from each of as many equal parts of the
            time. T of them are the whole sum, with one draw of the noise for each term.
    """
    count = tf.shape(x)[0]

    def term(number: Any, total: Any) -> tuple[Any, Any]:
        place = tf.random.stateless_uniform((count,), tf.stack([0, number]))
        share = (tf.cast(number, tf.float32) + place) / terms
        times = 1 + tf.cast(share * diffusion.timesteps, tf.int32)
        times = tf.minimum(times, diffusion.timesteps)
        noise = tf.random.stateless_normal(tf.shape(x), tf.stack([1, number]))
        predicted = predict(diffusion.add_noise(x, noise, times), times)
        return number + 1, total + diffusion.bound(x, noise, predicted, times, levels)

    start = (0, tf.zeros((count,)))
    _, total = tf.while_loop(lambda number, _: number < terms, term, start)
    return total / terms


def _normal_cdf(x: Any) -> Any:
    return 0.5 * tf.math.erfc(-x / math.sqrt(2.0))
