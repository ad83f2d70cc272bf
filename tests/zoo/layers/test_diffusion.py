"""Diffusion: schedules, the bound by the paper's formulas, and samplers that know the answer."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import samplers
from zoo.layers.diffusion import Diffusion, cosine, linear, variational_bound


def test_the_linear_schedule_is_the_papers() -> None:
    kept = linear(1000)
    assert kept[0] == 1.0
    assert kept[1] == pytest.approx(1.0 - 1e-4)
    assert kept[1000] / kept[999] == pytest.approx(1.0 - 0.02)
    assert kept[1000] == pytest.approx(4.04e-5, rel=0.01)  # "L_T ~ 1e-5 bits per dimension"


def test_the_cosine_schedule_falls_as_a_squared_cosine() -> None:
    kept = cosine(1000)
    level = [math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(1001)]
    np.testing.assert_allclose(kept[:990], np.array(level[:990]) / level[0], rtol=1e-6)
    assert kept[1000] > 0.0


def test_fewer_times_also_end_in_noise() -> None:
    for schedule in (linear, cosine):
        assert schedule(50)[-1] < 1e-3


@pytest.mark.parametrize(
    ("schedule", "timesteps", "message"),
    [
        ("square", 10, "schedule must be one of 'linear', 'cosine', got 'square'"),
        ("linear", 1, "timesteps must be at least 2, got 1"),
    ],
)
def test_other_schedules_are_refused(schedule: str, timesteps: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Diffusion(schedule, timesteps)


def by_the_book(diffusion: Diffusion, x: np.ndarray, noise: np.ndarray, guess: np.ndarray) -> Any:
    """The terms L_1 to L_{T-1} of the bound at each time, by eq. 6, 7 and 8 one by one."""
    kept, terms = diffusion.alpha_bar, []
    for t in range(2, diffusion.timesteps + 1):
        beta = 1.0 - kept[t] / kept[t - 1]
        noisy = math.sqrt(kept[t]) * x + math.sqrt(1.0 - kept[t]) * noise
        clean = (noisy - math.sqrt(1.0 - kept[t]) * guess) / math.sqrt(kept[t])
        first = math.sqrt(kept[t - 1]) * beta / (1.0 - kept[t])
        second = math.sqrt(1.0 - beta) * (1.0 - kept[t - 1]) / (1.0 - kept[t])
        true, model = (first * image + second * noisy for image in (x, np.clip(clean, -1.0, 1.0)))
        variance = (1.0 - kept[t - 1]) / (1.0 - kept[t]) * beta
        terms.append(((true - model) ** 2).sum() / (2.0 * variance))
    return terms


def test_the_terms_of_the_bound_are_the_papers() -> None:
    diffusion = Diffusion("linear", 20)
    draw = np.random.default_rng(0)
    x, noise, guess = (draw.normal(size=(1, 3, 3, 1)).astype("float32") for _ in range(3))
    x = np.clip(x, -1.0, 1.0)
    end = diffusion.alpha_bar[-1]
    prior = 0.5 * (end * x**2 - end - math.log(1.0 - end)).sum()
    given = tf.constant(x), tf.constant(noise), tf.constant(guess)
    found = [
        float(diffusion.bound(*given, times=tf.constant([t]), levels=256)[0]) for t in range(2, 21)
    ]
    expected = [20 * term + prior for term in by_the_book(diffusion, x, noise, guess)]
    np.testing.assert_allclose(found, expected, rtol=1e-3)


class Known:
    """Knows the one image there is, and so the noise in everything."""

    def __init__(self, image: np.ndarray, diffusion: Diffusion) -> None:
        self.image = tf.constant(image, tf.float32)
        self.diffusion = diffusion
        self.asked = 0
        self.eta = 0.0

    def predict(self, x: Any, times: Any) -> Any:
        self.asked += 1
        signal, spread = (
            self.diffusion.at(np.sqrt(values), times, 4)
            for values in (self.diffusion.alpha_bar, 1.0 - self.diffusion.alpha_bar)
        )
        return (x - signal * self.image) / spread

    def guided(self, label: Any) -> Any:
        return self.predict


@pytest.fixture
def known() -> Known:
    image = np.random.default_rng(0).integers(0, 5, (1, 4, 4, 1)) / 2.0 - 1.0
    return Known(image, Diffusion("cosine", 100))


def test_what_is_known_costs_no_bits(known: Known) -> None:
    x = tf.repeat(known.image, 3, axis=0)
    bound = variational_bound(known.diffusion, known.predict, x, levels=5, terms=100)
    assert bound.shape == (3,)
    assert np.all(np.abs(bound) < 0.1)
    # A network that sees only noise pays more than five values at each of 16 pixels.
    blind = variational_bound(known.diffusion, lambda x, _: 0.0 * x, x, levels=5, terms=100)
    assert np.all(np.asarray(blind) > 16 * math.log(5))


def test_a_sampler_visits_evenly_spread_times() -> None:
    assert samplers.visited(1, 1000).tolist() == [1000, 0]
    assert samplers.visited(4, 10).tolist() == [10, 7, 4, 1, 0]
    assert samplers.visited(1000, 1000).tolist() == list(range(1000, -1, -1))
    with pytest.raises(ValueError, match="steps must be 1 to 10, got 11"):
        samplers.visited(11, 10)


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_every_sampler_finds_the_only_image_there_is(steps: int, known: Known) -> None:
    noise = np.random.default_rng(1).normal(size=(3, 4, 4, 1)).astype("float32")
    found = samplers.sample(known, tf.constant(noise), None, steps)
    np.testing.assert_allclose(found[-1], np.repeat(known.image, 3, 0) / 2.0 + 0.5, atol=1e-3)
    assert known.asked <= 2  # traced, and not called once for each step


def test_pictures_on_the_way_do_not_change_where_it_leads() -> None:
    diffusion = Diffusion("linear", 30)
    blind = Known(np.zeros((1, 2, 2, 1)), diffusion)
    blind.predict = lambda x, times: 0.3 * x  # type: ignore[method-assign]
    noise = tf.constant(np.random.default_rng(1).normal(size=(3, 2, 2, 1)), tf.float32)
    for steps in (10, 30):
        way = samplers.sample(blind, noise, None, steps, 5)
        assert way.shape == (5, 3, 2, 2, 1)
        (end,) = samplers.sample(blind, noise, None, steps, 1)
        np.testing.assert_allclose(way[-1], end, atol=1e-6)
        alone = samplers.sample(blind, noise[1:2], None, steps, 1)[-1]
        np.testing.assert_allclose(alone[0], end[1], atol=1e-6)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_fewer_steps_are_as_random_as_eta_says(eta: float) -> None:
    diffusion = Diffusion("linear", 30)
    blind = Known(np.zeros((1, 40, 40, 1)), diffusion)
    blind.predict = lambda x, times: 0.0 * x  # type: ignore[method-assign]
    blind.eta = eta
    # From an image that is expected to be 0, one step to the time 1 leaves the step's own noise.
    x = tf.zeros((1, 40, 40, 1))
    times, seeds = tf.constant([30, 1]), tf.constant([[1, 2]])
    stepped = samplers.denoise_steps(diffusion, blind.predict, x, times, (0, 1), seeds, eta)
    level, then = diffusion.alpha_bar[30], diffusion.alpha_bar[1]
    sigma = eta * math.sqrt((1.0 - then) / (1.0 - level) * (1.0 - level / then))  # eq. 16
    assert float(tf.math.reduce_std(stepped)) == pytest.approx(sigma, rel=0.06, abs=1e-7)
    noise = tf.constant(np.random.default_rng(1).normal(size=(1, 40, 40, 1)), tf.float32)
    random, plain = (samplers.sample(one, noise, None, 5)[-1] for one in (blind, _still(blind)))
    assert np.array_equal(random, plain) == (eta == 0.0)
    asked = samplers.sample(blind, noise, None, 5, eta=0.0)[-1]  # as images between two noises are
    np.testing.assert_array_equal(asked, plain)


def _still(model: Known) -> Known:
    """Return a copy of a model whose steps are not random."""
    still = copy.copy(model)
    still.eta = 0.0
    return still


def test_random_steps_differ_from_image_to_image() -> None:
    drawn = samplers.normal_of_each(tf.constant([[1, 2], [1, 3]]), (4000,)).numpy()
    assert abs(np.corrcoef(drawn)[0, 1]) < 0.06
    np.testing.assert_allclose(drawn.std(axis=1), 1.0, atol=0.05)


def test_guidance_goes_past_the_class_away_from_no_class() -> None:
    def predict(x: Any, times: Any, label: Any) -> Any:
        return x + tf.cast(label, tf.float32)[:, None]

    stronger = samplers.guided(predict, tf.constant([2, 5]), nothing=9, strength=0.5)
    found = stronger(tf.zeros((2, 1)), tf.constant([1, 1]))
    np.testing.assert_allclose(found[:, 0], [1.5 * 2 - 0.5 * 9, 1.5 * 5 - 0.5 * 9])


@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
def test_noise_of_unknown_strength_is_found_and_taken_away(strength: float, known: Known) -> None:
    draw = np.random.default_rng(2)
    clean = np.repeat(known.image, 4, axis=0)
    noisy = clean + strength * draw.normal(size=clean.shape)
    times = samplers.noise_times(known.diffusion, known.predict, tf.constant(noisy, tf.float32))
    kept = known.diffusion.alpha_bar[np.asarray(times)]
    np.testing.assert_allclose(np.sqrt((1 - kept) / kept), strength, rtol=0.6)
    restored = samplers.restore(known, tf.constant(noisy / 2.0 + 0.5, tf.float32))
    np.testing.assert_allclose(restored, clean / 2.0 + 0.5, atol=1e-3)
