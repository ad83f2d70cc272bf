"""Samplers of diffusion models: from noise to examples, all steps in one graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from zoo.layers.diffusion import Diffusion

PredictNoise = Callable[[Any, Any], Any]
"""From images x_t (B, H, W, C) and their times (B,) to the noise in them."""


class Denoiser(Protocol):
    """What a model has that these samplers sample from."""

    diffusion: Diffusion
    eta: float
    """How random fewer steps than T are, 0 to 1; see `denoise_steps`."""

    def guided(self, label: Any) -> PredictNoise:
        """Return the function from images and times to noise that samples classes (B,)."""


def visited(steps: int, last: int) -> np.ndarray:
    """Return the times (steps + 1,) that a sampler of so many steps visits, from `last` to 0."""
    if not 1 <= steps <= last:
        raise ValueError(f"steps must be 1 to {last:,}, got {steps:,}")
    times = np.rint(np.linspace(last, 1.0, steps)) if steps > 1 else np.array([last])
    return np.append(times, 0.0).astype(np.int32)


def guided(predict: Any, label: Any, nothing: int, strength: float) -> PredictNoise:
    """Return predictions that follow the class more strongly (Ho and Salimans 2022, eq. 6).

    Args:
        predict: From images, times and labels to noise.
        label: (B,).
        nothing: The label of no class.
        strength: w; 0 is the prediction itself.
    """

    def both(x: Any, times: Any) -> Any:
        labels = tf.concat([label, tf.fill(tf.shape(label), nothing)], axis=0)
        noise = predict(tf.concat([x, x], axis=0), tf.concat([times, times], axis=0), labels)
        asked, free = tf.split(noise, 2)
        return (1.0 + strength) * asked - strength * free

    return both


@tf.function(reduce_retracing=True, autograph=False)
def sample(
    model: Denoiser,
    latent: Any,
    label: Any,
    steps: int,
    pictures: int = 1,
    eta: float | None = None,
) -> Any:
    """Return the way from noise to images, (pictures, B, H, W, C) in [0, 1].

    With a step for each time it is algorithm 2 of Ho et al. 2020, with fewer it is DDIM, random by
    the model's `eta`.

    Args:
        model: It predicts the noise.
        latent: x_T (B, H, W, C). What becomes of an image depends on its own noise alone, not on
            those beside it.
        label: (B,), or None.
        steps: 1 to T.
        pictures: Of evenly spread steps; the last is of the finished images.
        eta: How random the steps are; None takes 1 for T of them, and else the model's own.
    """
    diffusion, predict = model.diffusion, model.guided(label)
    times = tf.constant(visited(steps, diffusion.timesteps))
    bits = tf.bitcast(tf.reshape(latent, (tf.shape(latent)[0], -1))[:, :2], tf.int32)
    if eta is None:
        eta = 1.0 if steps == diffusion.timesteps else model.eta
    seeds = bits if eta else None
    stops = tf.constant([round(steps * number / pictures) for number in range(pictures + 1)])

    def go_on(at: Any, x: Any, shown: Any) -> tuple[Any, Any, Any]:
        x = denoise_steps(diffusion, predict, x, times, (stops[at], stops[at + 1]), seeds, eta)
        return at + 1, x, shown.write(at, in_unit(x))

    shown = tf.TensorArray(tf.float32, pictures, element_shape=(None, *latent.shape[1:]))
    state = (0, tf.cast(latent, tf.float32), shown)
    _, _, shown = tf.while_loop(lambda at, *_: at < pictures, go_on, state)
    return shown.stack()


def denoise_step(
    diffusion: Diffusion,
    predict: PredictNoise,
    x: Any,
    now: Any,
    then: Any,
    drawn: Any = None,
    eta: float = 1.0,
) -> Any:
    """Return what one step makes of images, see `denoise_steps`.

    Args:
        diffusion: How the noise was added.
        predict: The noise in x.
        x: (B, H, W, C).
        now: Their times (B,).
        then: Earlier times (B,).
        drawn: Noise (B, H, W, C) to add; None adds none.
        eta: Times the standard deviation of that noise.
    """
    rank = len(x.shape)
    level, next_level = (diffusion.at(diffusion.alpha_bar, at, rank) for at in (now, then))
    clean = diffusion.without_noise(x, predict(x, now), now)
    noise = (x - tf.sqrt(level) * clean) / tf.sqrt(1.0 - level)
    if drawn is None:
        return tf.sqrt(next_level) * clean + tf.sqrt(1.0 - next_level) * noise
    variance = eta**2 * (1.0 - next_level) / (1.0 - level) * (1.0 - level / next_level)
    kept = tf.sqrt(tf.maximum(1.0 - next_level - variance, 0.0)) * noise
    return tf.sqrt(next_level) * clean + kept + tf.sqrt(variance) * drawn


def denoise_steps(
    diffusion: Diffusion,
    predict: PredictNoise,
    x: Any,
    times: Any,
    between: tuple[Any, Any],
    seeds: Any = None,
    eta: float = 1.0,
) -> Any:
    """Return what some steps make of images x (B, H, W, C), in one loop of the graph.

    They are those of Song et al. 2021, eq. 12, with the variances of its eq. 16. Without seeds
    nothing is random (DDIM). With them, eta = 1 and a step for each time, they are those of Ho et
    al. 2020, algorithm 2, with the variances of its eq. 7. All clip the image that they expect
    to [-1, 1], as the authors' programs do.

    Args:
        diffusion: How the noise was added.
        predict: The noise in x.
        x: Images of the first step's time.
        times: Of all steps, (steps + 1,); or each image's own, (steps + 1, B).
        between: The number of the first step, counted from 0, and the number after the last.
        seeds: Of each image (B, 2) int32, for the noise that each step adds; None adds none.
        eta: Times the standard deviation of that noise.
    """
    given, shape = x.shape, x.shape[1:]

    def step(number: Any, x: Any) -> tuple[Any, Any]:
        now, then = (tf.broadcast_to(times[number + by], tf.shape(x)[:1]) for by in (0, 1))
        drawn = None
        if seeds is not None:
            drawn = normal_of_each(seeds + tf.stack([0, number]), tuple(shape))
        return number + 1, denoise_step(diffusion, predict, x, now, then, drawn, eta)

    _, x = tf.while_loop(
        lambda number, _: number < between[1],
        step,
        (between[0], x),
        shape_invariants=(tf.TensorShape(()), tf.TensorShape((None, *shape))),
    )
    return tf.ensure_shape(x, given)


def noise_times(diffusion: Diffusion, predict: PredictNoise, images: Any, tried: int = 40) -> Any:
    """Return the times (B,) at which a network finds as much noise in images as there is then.

    Args:
        diffusion: How the noise was added to what the network was trained on.
        predict: The noise in images.
        images: (B, H, W, C) around [-1, 1], with noise of an unknown strength added.
        tried: Times that are tried, at most.
    """
    # Up to noise three times as strong as the image.
    levels = (1.0 - diffusion.alpha_bar[1:]) / diffusion.alpha_bar[1:]
    last = max(1, int(np.searchsorted(levels, 9.0)))
    times = np.unique(np.geomspace(1.0, last, tried).astype(np.int32))
    signal = np.sqrt(diffusion.alpha_bar).astype(np.float32)

    def found(time: Any) -> Any:
        x = tf.gather(tf.constant(signal), time) * images
        noise = predict(x, tf.fill(tf.shape(images)[:1], time))
        return tf.reduce_mean(tf.square(noise), axis=list(range(1, len(images.shape))))

    strengths = tf.map_fn(
        found, tf.constant(times), fn_output_signature=tf.TensorSpec((None,), tf.float32)
    )
    # Of too early a time the network finds more than 1, of too late a time less.
    enough = tf.cast(strengths <= 1.0, tf.int32)
    first = tf.where(tf.reduce_any(enough > 0, axis=0), tf.argmax(enough, axis=0), len(times) - 1)
    return tf.gather(tf.constant(times), first)


@tf.function(reduce_retracing=True, autograph=False)
def restore(model: Denoiser, images: Any, steps: int = 50) -> Any:
    """Return images (B, H, W, C) in [0, 1] without the noise that is in them, of unknown strength.

    The time is found at which the network sees as much noise as there is, and from it DDIM goes
    back to 0.

    Args:
        model: It predicts the noise.
        images: (B, H, W, C) around [0, 1].
        steps: Of the way back.
    """
    diffusion, predict = model.diffusion, model.guided(None)
    x = 2.0 * tf.cast(images, tf.float32) - 1.0
    begun = noise_times(diffusion, predict, x)
    shares = tf.constant(np.linspace(1.0, 0.0, steps + 1), tf.float32)
    times = tf.cast(tf.round(shares[:, None] * tf.cast(begun, tf.float32)), tf.int32)
    times = tf.concat([tf.maximum(times[:-1], 1), times[-1:]], axis=0)
    x *= diffusion.at(np.sqrt(diffusion.alpha_bar), begun, len(x.shape))
    return in_unit(denoise_steps(diffusion, predict, x, times, (0, steps)))


def in_unit(x: Any) -> Any:
    """Return images in [0, 1] for images in [-1, 1]."""
    return tf.clip_by_value(0.5 * x + 0.5, 0.0, 1.0)


def normal_of_each(seeds: Any, shape: tuple[int, ...]) -> Any:
    """Return standard normal numbers (B, *shape), each example's from its own seeds (B, 2)."""
    return tf.map_fn(
        lambda seed: tf.random.stateless_normal(shape, seed),
        seeds,
        fn_output_signature=tf.TensorSpec(shape, tf.float32),
    )
