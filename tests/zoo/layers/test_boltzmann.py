"""The restricted Boltzmann machine by the book: every sum is written out over all states."""

from __future__ import annotations

import itertools
import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import row_noise
from zoo.layers.boltzmann import BoltzmannMachine, GibbsChain, Particles

VISIBLE, HIDDEN = 4, 3
STATES = np.array(list(itertools.product([0.0, 1.0], repeat=VISIBLE)), "float32")
HIDDEN_STATES = np.array(list(itertools.product([0.0, 1.0], repeat=HIDDEN)), "float32")


def machine(**arguments: Any) -> BoltzmannMachine:
    """A small machine with large random weights."""
    made = BoltzmannMachine(HIDDEN, **arguments)
    made.build((None, VISIBLE))
    draw = np.random.default_rng(1)
    made.set_weights([draw.normal(size=weight.shape) for weight in made.weights])
    return made


def energies(made: BoltzmannMachine) -> np.ndarray:
    """E(v, h) of all states, (16, 8)."""
    kernel, bias, visible_bias = (np.asarray(weight) for weight in made.trainable_weights)
    pairs = STATES @ kernel @ HIDDEN_STATES.T
    return -(STATES @ visible_bias)[:, None] - (HIDDEN_STATES @ bias)[None, :] - pairs


def test_the_likelihood_is_that_of_the_energies_of_all_states() -> None:
    made = machine()
    weights = np.exp(-energies(made).astype(np.float64))
    expected = np.log(weights.sum(axis=1) / weights.sum())
    np.testing.assert_allclose(made.log_likelihood(STATES), expected, rtol=1e-4)
    assert np.exp(np.asarray(made.log_likelihood(STATES))).sum() == pytest.approx(1.0, rel=1e-5)


def test_the_free_energy_and_the_conditionals_are_those_of_the_energies() -> None:
    made = machine()
    weights = np.exp(-energies(made))
    np.testing.assert_allclose(made.free_energy(STATES), -np.log(weights.sum(axis=1)), rtol=1e-5)
    hidden = weights @ HIDDEN_STATES / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(made(STATES), hidden, rtol=1e-4)
    visible = weights.T @ STATES / weights.sum(axis=0)[:, None]
    np.testing.assert_allclose(made.visible_mean(HIDDEN_STATES), visible, rtol=1e-4)


def test_the_pseudo_likelihood_is_the_sum_of_the_conditionals() -> None:
    made = machine()
    log = np.asarray(made.log_likelihood(STATES), np.float64)
    place = {tuple(state): at for at, state in enumerate(STATES)}
    expected = []
    for state, own in zip(STATES, log, strict=True):
        total = 0.0
        for pixel in range(VISIBLE):
            flipped = state.copy()
            flipped[pixel] = 1.0 - flipped[pixel]
            total += own - np.logaddexp(own, log[place[tuple(flipped)]])
        expected.append(total)
    found = made.pseudo_log_likelihood(STATES, tf.range(VISIBLE))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    half = made.pseudo_log_likelihood(STATES, tf.constant([0, 1]))
    rest = made.pseudo_log_likelihood(STATES, tf.constant([2, 3]))
    np.testing.assert_allclose((half + rest) / 2.0, expected, rtol=1e-4)  # scaled up by 4 / 2


def test_a_gaussian_machine_is_a_mixture_of_gaussians() -> None:
    made = machine(visible="gaussian", deviation=0.5)
    kernel, bias, visible_bias = (
        np.asarray(weight, np.float64) for weight in made.trainable_weights
    )
    v = np.random.default_rng(2).normal(size=(5, VISIBLE))
    means = visible_bias + 0.5 * HIDDEN_STATES @ kernel.T
    # The weight of a state: the integral of exp(-E) over v, by completing the square.
    log_weights = HIDDEN_STATES @ bias + ((means**2).sum(1) - (visible_bias**2).sum()) / 0.5
    log_weights -= np.logaddexp.reduce(log_weights)
    squares = ((v[:, None] - means) ** 2).sum(-1)
    densities = -squares / 0.5 - 0.5 * VISIBLE * math.log(2 * math.pi * 0.25)
    expected = np.logaddexp.reduce(densities + log_weights, axis=1)
    np.testing.assert_allclose(made.log_likelihood(v.astype("float32")), expected, rtol=1e-4)


@pytest.mark.parametrize("units", [1, 13])
def test_the_partition_function_sums_states_in_parts(units: int) -> None:
    made = BoltzmannMachine(units)
    made.build((None, 3))  # without biases and with tiny weights all states are as likely
    made.kernel.assign(np.zeros((3, units)))
    assert float(made.log_partition()) == pytest.approx((3 + units) * math.log(2.0), rel=1e-5)


def test_too_many_hidden_units_are_not_enumerated() -> None:
    made = BoltzmannMachine(21)
    made.build((None, 3))
    with pytest.raises(ValueError, match="at most 20 hidden units"):
        made.log_partition()


def gradient(made: BoltzmannMachine, v: Any, **arguments: Any) -> list[Any]:
    """The gradients of the loss by kernel, hidden and visible bias."""
    with tf.GradientTape() as tape:
        loss = made.contrastive_loss(v, 1, keras.random.SeedGenerator(3), **arguments)
    return list(tape.gradient(loss, [weight.value for weight in made.weights]))


def test_the_gradient_of_the_loss_is_contrastive_divergence() -> None:
    made, v = machine(), STATES[[1, 7, 12]]
    found = gradient(made, v)
    _, ends = made.gibbs(v, 1, keras.random.SeedGenerator(3).next())
    before, after = np.asarray(made(v)), np.asarray(made(ends))
    ends = np.asarray(ends)
    np.testing.assert_allclose(found[0], (ends.T @ after - v.T @ before) / 3, atol=1e-6)
    np.testing.assert_allclose(found[1], (after - before).mean(0), atol=1e-6)
    np.testing.assert_allclose(found[2], (ends - v).mean(0), atol=1e-6)


def test_persistent_chains_go_on_from_where_they_were() -> None:
    made, v = machine(), STATES[[1, 7, 12]]
    particles = Particles(5, VISIBLE)
    start = STATES[[0, 3, 5, 9, 15]]
    particles.states.assign(start)
    found = gradient(made, v, particles=particles, binary=True)
    # Of 0 and 1 nothing is drawn anew, but a pair of seeds is used up.
    seeds = keras.random.SeedGenerator(3)
    seeds.next()
    ends, _ = made.gibbs(start, 1, seeds.next())
    np.testing.assert_array_equal(particles.states, ends)
    np.testing.assert_allclose(found[2], np.mean(ends, 0) - v.mean(0), atol=1e-6)
    hidden = np.asarray(made(ends)).mean(0) - np.asarray(made(v)).mean(0)
    np.testing.assert_allclose(found[1], hidden, atol=1e-6)


def test_weights_of_examples_count_in_both_terms() -> None:
    made, v = machine(), STATES[[1, 7]]
    particles = Particles(5, VISIBLE)
    doubled = gradient(made, v, particles=particles, sample_weight=np.array([2.0, 2.0], "float32"))
    particles.states.assign(np.zeros((5, VISIBLE)))
    plain = gradient(made, v, particles=particles)
    for one, two in zip(plain, doubled, strict=True):
        np.testing.assert_allclose(two, 2.0 * np.asarray(one), atol=1e-5)


def frequencies(drawn: Any) -> np.ndarray:
    """How often each of the 16 states was drawn."""
    places = np.asarray(drawn).astype(int) @ [8, 4, 2, 1]
    return np.bincount(places, minlength=16) / len(places)


def test_both_chains_draw_states_as_often_as_the_model_has_them() -> None:
    made, count = machine(), 20_000
    expected = np.exp(np.asarray(made.log_likelihood(STATES)))
    drawn, _ = made.gibbs(tf.zeros((count, VISIBLE)), 60, tf.constant([0, 1]))
    assert np.abs(frequencies(drawn) - expected).max() < 0.015
    noise = tf.random.stateless_normal((count, VISIBLE), (0, 1))
    drawn, _ = GibbsChain([made], 60).ends(noise)
    assert np.abs(frequencies(drawn) - expected).max() < 0.015


def test_a_sample_goes_down_through_all_machines_by_their_means() -> None:
    top, bottom = machine(), BoltzmannMachine(VISIBLE)
    bottom.build((None, 6))
    bottom.kernel.assign(np.random.default_rng(3).normal(size=(6, VISIBLE)))
    chain = GibbsChain([bottom, top], 5)
    noise = tf.random.stateless_normal((7, VISIBLE), (0, 1))
    _, means = chain.ends(noise)
    expected = bottom.visible_mean(top.visible_mean(top(means)))
    np.testing.assert_allclose(chain(noise), expected, rtol=1e-5)
    assert chain(noise).shape == (7, 6)


def test_a_sample_depends_on_its_own_noise_alone() -> None:
    chain = GibbsChain([machine()], 20)
    noise = tf.random.stateless_normal((6, VISIBLE), (0, 1))
    together = np.asarray(chain(noise))
    np.testing.assert_allclose(chain(noise[2:3])[0], together[2], atol=1e-6)
    assert len(np.unique(together, axis=0)) > 1


def test_a_gaussian_chain_draws_what_the_density_says() -> None:
    made = machine(visible="gaussian", deviation=0.5)
    drawn, _ = made.gibbs(tf.zeros((20_000, VISIBLE)), 60, tf.constant([0, 1]))
    kernel, bias, visible_bias = (
        np.asarray(weight, np.float64) for weight in made.trainable_weights
    )
    means = visible_bias + 0.5 * HIDDEN_STATES @ kernel.T
    weights = np.exp(HIDDEN_STATES @ bias + ((means**2).sum(1) - (visible_bias**2).sum()) / 0.5)
    expected = weights @ means / weights.sum()
    np.testing.assert_allclose(np.asarray(drawn).mean(0), expected, atol=0.05)


@pytest.mark.parametrize(
    "arguments", [{"units": 0}, {"units": 2, "visible": "poisson"}, {"units": 2, "deviation": 0.0}]
)
def test_what_makes_no_machine_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        BoltzmannMachine(**arguments)


def test_noise_is_uniform_and_differs_by_row_step_and_column() -> None:
    seeds = row_noise.row_seeds(tf.random.stateless_normal((400, 3), (1, 2)))
    first, second = (np.asarray(row_noise.uniform(seeds, step, 300)) for step in (0, 1))
    for drawn in (first, second):
        assert drawn.min() >= 0.0
        assert drawn.max() < 1.0
        assert drawn.mean() == pytest.approx(0.5, abs=0.005)
        shares = np.histogram(drawn, bins=10, range=(0, 1))[0] / drawn.size
        assert np.abs(shares - 0.1).max() < 0.005
        for axis in (0, 1):  # rows, and columns, are independent of their neighbours
            one, two = np.delete(drawn, 0, axis), np.delete(drawn, -1, axis)
            assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.015
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.015
    np.testing.assert_array_equal(row_noise.uniform(seeds[5:6], 1, 300)[0], second[5])


def test_in_half_precision_energies_stay_float32() -> None:
    made = BoltzmannMachine(5, dtype="mixed_float16")
    made.build((None, 600))
    values = tf.ones((2, 600))
    assert keras.backend.standardize_dtype(made.free_energy(values).dtype) == "float32"
    assert keras.backend.standardize_dtype(made.visible_mean(made(values)).dtype) == "float32"
