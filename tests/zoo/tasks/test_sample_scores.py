"""Scores of samples: each against its definition, and on sets whose score is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zoo.tasks.sample_scores import (
    frechet_distance,
    near_copies,
    parzen,
    precision_and_recall,
    rarest_class,
)

DRAW = np.random.default_rng(0)


def density(point: list[float], centres: list[list[float]], width: float) -> float:
    """The density of Gaussians around centres at a point, by the book and by loops."""
    total = 0.0
    for centre in centres:
        exponent = -sum((x - c) ** 2 for x, c in zip(point, centre, strict=True)) / (2 * width**2)
        normaliser = (width * math.sqrt(2 * math.pi)) ** len(point)
        total += math.exp(exponent) / normaliser
    return total / len(centres)


@pytest.mark.parametrize("width", [0.1, 0.5, 2.0])
def test_the_parzen_score_is_the_mean_log_density(width: float) -> None:
    centres = [[0.0, 0.0], [1.0, 0.5], [0.2, 0.9]]
    points = [[0.1, 0.1], [0.9, 0.4]]
    expected = sum(math.log(density(point, centres, width)) for point in points) / len(points)
    found = parzen(np.array(centres), np.array(points), width)
    assert found == pytest.approx(expected, rel=1e-12)


def test_points_far_from_every_sample_score_low_and_not_infinitely_low() -> None:
    far = parzen(np.zeros((2, 3)), np.full((1, 3), 100.0), 0.05)
    by_hand = -3 * 100.0**2 / (2 * 0.05**2) - 3 * math.log(0.05 * math.sqrt(2 * math.pi))
    assert far == pytest.approx(by_hand, rel=1e-9)


def test_images_are_scored_as_points_of_all_their_pixels() -> None:
    draw = np.random.default_rng(0)
    samples, points = draw.uniform(size=(5, 8, 8, 1)), draw.uniform(size=(3, 8, 8, 1))
    flat = parzen(samples.reshape(5, -1), points.reshape(3, -1), 0.3)
    assert parzen(samples, points, 0.3) == flat


# The Fréchet distance.


def test_the_frechet_distance_of_two_lines_is_by_the_book() -> None:
    first, second = DRAW.normal(size=(4000, 1)), 3.0 + 2.0 * DRAW.normal(size=(4000, 1))
    apart = (first.mean() - second.mean()) ** 2 + (first.std() - second.std()) ** 2
    assert frechet_distance(first, second) == pytest.approx(apart / first.var(), rel=1e-6)


def test_it_sees_means_spreads_and_how_features_go_together() -> None:
    real = DRAW.normal(size=(2000, 5)) * [1.0, 2.0, 3.0, 1.0, 1.0]
    fresh = DRAW.normal(size=(2000, 5)) * [1.0, 2.0, 3.0, 1.0, 1.0]
    assert frechet_distance(real, real) == pytest.approx(0.0, abs=1e-6)
    near = frechet_distance(real, fresh)
    assert near < 0.01
    assert frechet_distance(real, fresh + 2.0) > 100 * near
    assert frechet_distance(real, 2.0 * fresh) > 20 * near
    mixed = real.copy()
    mixed[:, 4] = mixed[:, 3]  # each feature for itself is as it was
    assert frechet_distance(real, mixed) > 5 * near


def test_it_does_not_depend_on_the_scale_of_the_features() -> None:
    real, samples = DRAW.normal(size=(300, 4)), DRAW.normal(size=(300, 4)) + 1.0
    expected = frechet_distance(real, samples)
    assert frechet_distance(100.0 * real, 100.0 * samples) == pytest.approx(expected, rel=1e-9)


# Precision and recall.


def test_samples_of_one_half_of_the_data_are_precise_and_miss_the_other() -> None:
    left, right = DRAW.normal(size=(200, 2)) - 20.0, DRAW.normal(size=(200, 2)) + 20.0
    real = np.stack([left, right], axis=1).reshape(-1, 2)
    samples = DRAW.normal(size=(400, 2)) - 20.0
    precision, recall = precision_and_recall(real, samples)
    assert precision > 0.9
    assert 0.4 < recall < 0.5
    # The other way round, half of the samples are off.
    precision, recall = precision_and_recall(samples, real)
    assert 0.4 < precision < 0.5
    assert recall > 0.9


def test_samples_far_from_all_data_are_neither() -> None:
    real = DRAW.normal(size=(100, 3))
    assert precision_and_recall(real, real + 100.0) == (0.0, 0.0)
    assert precision_and_recall(real, real) == (1.0, 1.0)


# Near-copies.


def test_copies_are_found_whatever_the_part_of_the_data_they_are_from() -> None:
    training = DRAW.random((300, 6, 6, 1))
    fresh = DRAW.random((60, 6, 6, 1))
    parts = [training[:100], training[100:200], training[200:]]
    assert near_copies(fresh, parts) == 0.0
    assert near_copies(training[::5], parts) == 1.0
    slightly = np.clip(training[::5] + 0.01 * DRAW.normal(size=(60, 6, 6, 1)), 0.0, 1.0)
    assert near_copies(slightly, parts) == 1.0
    assert near_copies(np.concatenate([fresh, slightly]), parts) == 0.5


# Classes.


def test_the_rarest_class_is_relative_to_its_share_of_the_data() -> None:
    shares = np.array([0.5, 0.25, 0.25])
    assert rarest_class(np.array([0, 0, 1, 2]), shares) == 1.0
    assert rarest_class(np.array([0, 0, 0, 1, 1, 0, 0, 2]), shares) == 0.5
    assert rarest_class(np.array([0, 0, 1]), shares) == 0.0
    assert rarest_class(np.array([-1, -1]), shares) == 0.0
    # What was refused does not count, nor a class that the data do not have.
    assert rarest_class(np.array([0, 1, -1, -1]), np.array([0.5, 0.5, 0.0])) == 1.0
