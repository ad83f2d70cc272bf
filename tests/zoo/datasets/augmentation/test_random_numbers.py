"""Random numbers: each pair's own, as they are meant to be distributed."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from zoo.datasets.augmentation import random_numbers

MANY = 20_000
UNIFORM = tf.random.stateless_uniform((MANY, 2), (0, 0)).numpy()
SEEDS = np.stack([np.full(MANY, 3 << 20), np.arange(MANY)], axis=1).astype("int64")


def test_uniform_numbers_are_each_pairs_own_and_lie_in_their_range() -> None:
    together = np.asarray(random_numbers.uniform(SEEDS[:500], 4, -3.0, 1.0))
    np.testing.assert_array_equal(random_numbers.uniform(SEEDS[7:9], 4, -3.0, 1.0), together[7:9])
    assert together.min() == pytest.approx(-3.0, abs=0.02)
    assert together.max() == pytest.approx(1.0, abs=0.02)
    assert np.abs(np.corrcoef(together.T) - np.eye(4)).max() < 0.2


def test_places_are_each_pairs_own_and_all_alike() -> None:
    found = np.asarray(random_numbers.places(SEEDS[:5000], 50))
    assert found.dtype == np.int64
    counts = np.bincount(found, minlength=50)
    assert len(counts) == 50
    assert counts.min() > 60
    assert counts.max() < 145
    np.testing.assert_array_equal(random_numbers.places(SEEDS[7:9], 50), found[7:9])


def test_normal_numbers_are_each_pairs_own() -> None:
    together = np.asarray(random_numbers.normal(SEEDS[:500], (4, 3, 2)))
    alone = np.asarray(random_numbers.normal(SEEDS[7:8], (4, 3, 2)))
    np.testing.assert_array_equal(together[7:8], alone)
    assert together.mean() == pytest.approx(0.0, abs=0.03)
    assert together.std() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0])
def test_shares_are_distributed_as_beta(alpha: float) -> None:
    drawn = np.asarray(random_numbers.symmetric_beta(UNIFORM, alpha), "float64")
    points = np.linspace(0.01, 0.99, 50)
    parameter = np.full(50, alpha)
    expected = tf.math.betainc(parameter, parameter, points)
    below = [(drawn <= point).mean() for point in points]
    # The largest distance of 20,000 draws is below 0.0115 in 99 of 100 cases (Kolmogorov).
    np.testing.assert_allclose(below, expected, atol=0.0115)


@pytest.mark.parametrize("alpha", [1e-6, 1e9])
def test_shares_are_numbers_for_every_alpha(alpha: float) -> None:
    drawn = np.asarray(random_numbers.symmetric_beta(UNIFORM, alpha))
    expected = {0.0, 1.0} if alpha < 1 else {0.5}
    assert set(np.round(drawn, 3).tolist()) == expected


@pytest.mark.parametrize("count", [1, 5, 8, 12, 16, 21])
def test_a_number_does_not_depend_on_how_many_stand_beside_it(count: int) -> None:
    angles = tf.constant(6.0 * UNIFORM[:64, 0] - 3.0)
    for function in (tf.cos, tf.sin, tf.math.log, tf.math.expm1):
        whole = random_numbers.each_alone(function, tf.abs(angles))
        part = random_numbers.each_alone(function, tf.abs(angles)[:count])
        np.testing.assert_array_equal(part, whole[:count])
    np.testing.assert_array_equal(random_numbers.each_alone(tf.cos, angles), tf.cos(angles))
    shares = random_numbers.symmetric_beta(UNIFORM[:64], 0.3)
    own = random_numbers.symmetric_beta(UNIFORM[:count], 0.3)
    np.testing.assert_array_equal(own, shares[:count])
