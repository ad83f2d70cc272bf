"""Corrupted inputs: how much of them changes, into what, and only in training."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.layers.corruption import Corruption

X = np.full((50, 400), 0.5, "float32")


def test_answers_are_about_values_as_they_are() -> None:
    np.testing.assert_array_equal(Corruption("masking", 0.5)(X, training=False), X)
    np.testing.assert_array_equal(Corruption("gaussian", 0.0)(X, training=True), X)


def test_masking_sets_a_share_to_0() -> None:
    damaged = np.asarray(Corruption("masking", 0.3)(X, training=True))
    assert set(np.unique(damaged)) == {0.0, 0.5}
    assert np.mean(damaged == 0.0) == pytest.approx(0.3, abs=0.02)


def test_salt_and_pepper_are_as_frequent() -> None:
    damaged = np.asarray(Corruption("salt-and-pepper", 0.4)(X, training=True))
    for value, share in ((0.0, 0.2), (0.5, 0.6), (1.0, 0.2)):
        assert np.mean(damaged == value) == pytest.approx(share, abs=0.02)


def test_gaussian_noise_has_the_levels_deviation() -> None:
    noise = np.asarray(Corruption("gaussian", 0.2)(X, training=True)) - X
    assert noise.mean() == pytest.approx(0.0, abs=0.01)
    assert noise.std() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(("how", "level"), [("rain", 0.1), ("masking", 1.0), ("gaussian", -0.1)])
def test_other_damage_is_refused(how: str, level: float) -> None:
    with pytest.raises(ValueError, match=r"corruption"):
        Corruption(how, level)
