"""The judge of digits refuses noise and knows digits; samples are scored in its features."""

from __future__ import annotations

import numpy as np
import pytest

from recipes import recipe
from zoo.datasets.loading import load
from zoo.tasks.judge import REFUSED, Judge, noise, train_judge
from zoo.tasks.quality import SCORED_SAMPLES, Data, calibration, quality, reference

DIGITS = load("digits")
DATA = Data(DIGITS, "image", "label")
FULL_SCORES = True


@pytest.fixture(scope="module")
def judge() -> Judge:
    return reference(DATA).judge


def images(split: str) -> tuple[np.ndarray, np.ndarray]:
    parts = list(DATA.chunks(split, 5000))
    return tuple(np.concatenate(one) for one in zip(*parts, strict=True))  # type: ignore[return-value]


def test_it_accepts_digits_and_names_them(judge: Judge) -> None:
    pixels, labels = images("test")
    found = judge.classes(pixels)
    assert (found != REFUSED).mean() > 0.97
    assert (found == labels).mean() > 0.95


@pytest.mark.parametrize("kind", ["uniform", "shuffled", "clouds", "plain"])
def test_under_two_percent_of_noise_pass(kind: str, judge: Judge) -> None:
    pixels, _ = images("train")
    made = noise(pixels, np.random.default_rng(1234))[kind]
    assert made.shape == pixels.shape
    assert made.min() >= 0.0
    assert made.max() <= 1.0
    assert (judge.classes(made) != REFUSED).mean() < 0.02


def test_shuffled_images_have_the_same_pixels() -> None:
    pixels, _ = images("test")
    made = noise(pixels, np.random.default_rng(0))["shuffled"]
    np.testing.assert_array_equal(
        np.sort(made.reshape(len(made), -1)), np.sort(pixels.reshape(len(pixels), -1))
    )
    assert (made != pixels).any(axis=(1, 2, 3)).all()


def test_the_same_data_train_the_same_judge() -> None:
    pixels, labels = (one[:200] for one in images("train"))
    first, second = (train_judge(pixels, labels, 10) for _ in range(2))
    assert first.threshold == second.threshold
    np.testing.assert_array_equal(first.features(pixels), second.features(pixels))


def test_it_is_trained_once_for_a_data_set() -> None:
    assert reference(DATA) is reference(Data(load("digits"), "image", "label"))


def test_a_part_of_the_training_examples_has_a_judge_of_its_own(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.tasks.judge.SHOWN", 0)  # two epochs are enough to be another's
    few = load(recipe.Data(name="digits", train_examples=100))
    assert few.spec.fingerprint == DIGITS.spec.fingerprint
    assert reference(Data(few, "image", "label")).judge is not judge


def test_the_scores_are_calibrated() -> None:
    told = calibration(DATA, "test")
    assert told["real"]["frechet_distance"] < 0.1
    assert told["real"]["precision"] > 0.8
    assert told["real"]["recall"] > 0.8
    for kind in ("uniform", "shuffled"):
        assert told[kind]["frechet_distance"] > 1.0
        assert told[kind]["precision"] < 0.05
        assert told[kind]["accepted"] < 0.02


def test_real_images_score_well_and_noise_badly() -> None:
    pixels, _ = images("train")
    fresh, _ = images("validation")
    good = quality(lambda count: np.resize(fresh, (count, 8, 8, 1)), DATA, "test")
    assert good["accepted"] > 0.97
    assert good["frechet_distance"] < 0.1
    assert good["near_copies"] < 0.05
    assert good["rarest_class"] > 0.7
    assert good["accepted_spread"] < 0.02
    copied = quality(lambda count: np.resize(pixels, (count, 8, 8, 1)), DATA, "test")
    assert copied["near_copies"] > 0.99
    draw = np.random.default_rng(0)
    bad = quality(lambda count: draw.random((count, 8, 8, 1), np.float32), DATA, "test")
    assert bad["frechet_distance"] > 20 * good["frechet_distance"]
    assert bad["accepted"] < 0.02
    assert bad["parzen_log_likelihood"] < copied["parzen_log_likelihood"]


def test_the_class_that_was_asked_for_is_compared() -> None:
    pixels, labels = images("validation")
    asked = np.resize(labels, SCORED_SAMPLES)
    right = quality(lambda count: np.resize(pixels, (count, 8, 8, 1)), DATA, "test", asked)
    assert right["right_class"] > 0.95
    wrong = (asked + 1) % 10
    found = quality(lambda count: np.resize(pixels, (count, 8, 8, 1)), DATA, "test", wrong)
    assert found["right_class"] < 0.05


def test_without_labels_no_class_is_scored() -> None:
    data = Data(DIGITS, "image", None)
    pixels, _ = images("validation")
    found = quality(lambda count: np.resize(pixels, (count, 8, 8, 1)), data, "test")
    assert "rarest_class" not in found
    assert found["accepted"] > 0.97
