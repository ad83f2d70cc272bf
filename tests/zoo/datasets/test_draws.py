"""Random numbers: TensorFlow's own, for many pairs of seeds at once."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from zoo.datasets import draws

MANY = 20_000
PAIRS = np.array([[0, 0], [7 << 20, 3], [-5, 1 << 40], [2**51 + 1, (9 << 40) + 11]], "int64")
SEEDS = np.stack([np.full(MANY, 3 << 20), np.arange(MANY)], axis=1).astype("int64")


@pytest.mark.parametrize("count", [1, 4, 6, 9])
def test_each_pair_draws_what_tensorflow_draws_from_it(count: int) -> None:
    # Measured recipes depend on these values.
    uniform = [tf.random.stateless_uniform((count,), pair, -1.0, 1.0) for pair in PAIRS]
    np.testing.assert_array_equal(draws.uniform(PAIRS, count, -1.0, 1.0), uniform)
    whole = [tf.random.stateless_uniform((count,), pair, None, None, tf.uint32) for pair in PAIRS]
    np.testing.assert_array_equal(draws.bits(PAIRS, count), whole)


def test_a_graph_draws_the_same() -> None:
    drawn = tf.function(lambda pairs: draws.uniform(pairs, 5))(tf.constant(PAIRS))
    np.testing.assert_array_equal(drawn, draws.uniform(PAIRS, 5))


def test_normal_numbers_are_each_pairs_own() -> None:
    together = np.asarray(draws.normal(SEEDS[:500], (4, 3, 2)))
    alone = np.asarray(draws.normal(SEEDS[7:8], (4, 3, 2)))
    np.testing.assert_array_equal(together[7:8], alone)
    assert together.mean() == pytest.approx(0.0, abs=0.03)
    assert together.std() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0])
def test_shares_are_distributed_as_beta(alpha: float) -> None:
    drawn = np.asarray(draws.symmetric_beta(draws.uniform(SEEDS, 2), alpha), "float64")
    points = np.linspace(0.01, 0.99, 50)
    parameter = np.full(50, alpha)
    expected = tf.math.betainc(parameter, parameter, points)
    below = [(drawn <= point).mean() for point in points]
    # The largest distance of 20,000 draws is below 0.0115 in 99 of 100 cases (Kolmogorov).
    np.testing.assert_allclose(below, expected, atol=0.0115)


@pytest.mark.parametrize("alpha", [1e-6, 1e9])
def test_shares_are_numbers_for_every_alpha(alpha: float) -> None:
    drawn = np.asarray(draws.symmetric_beta(draws.uniform(SEEDS, 2), alpha))
    expected = {0.0, 1.0} if alpha < 1 else {0.5}
    assert set(np.round(drawn, 3).tolist()) == expected


@pytest.mark.parametrize("count", [1, 5, 8, 12, 16, 21])
def test_a_number_does_not_depend_on_how_many_stand_beside_it(count: int) -> None:
    angles = draws.uniform(SEEDS[:64], 1, -3.0, 3.0)[:, 0]
    for function in (tf.cos, tf.sin, tf.math.log, tf.math.expm1):
        whole = draws.each_alone(function, tf.abs(angles))
        part = draws.each_alone(function, tf.abs(angles)[:count])
        np.testing.assert_array_equal(part, whole[:count])
    np.testing.assert_array_equal(draws.each_alone(tf.cos, angles), tf.cos(angles))
    shares = draws.symmetric_beta(draws.uniform(SEEDS[:64], 2), 0.3)
    own = draws.symmetric_beta(draws.uniform(SEEDS[:count], 2), 0.3)
    np.testing.assert_array_equal(own, shares[:count])
