"""Generation: a seed always draws the same examples, and the Parzen score is the paper's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import zoo
from zoo import tasks
from zoo.datasets.loading import load
from zoo.datasets.spec import Dataset, DatasetSpec, Examples
from zoo.errors import UsageError
from zoo.tasks import generation

DIGITS = load("digits")
TASK = tasks.make("generation", DIGITS.spec)


@pytest.fixture(scope="module", params=["vae", "gan"])
def model(request: pytest.FixtureRequest) -> Any:
    sizes: dict[str, Any] = (
        {"hidden_units": [8]}
        if request.param == "vae"
        else {"generator_units": [8], "discriminator_units": [4]}
    )
    return zoo.build(request.param, **TASK.builder_arguments(), latent_dim=3, **sizes)


def test_the_same_seed_draws_the_same_examples(model: Any) -> None:
    first = TASK.generate(model, 5, seed=1)
    np.testing.assert_array_equal(TASK.generate(model, 5, seed=1), first)
    assert not np.allclose(TASK.generate(model, 5, seed=2), first)


def test_a_seed_means_the_same_whatever_was_drawn_before(model: Any) -> None:
    first = TASK.generate(model, 2, seed=1)
    np.random.default_rng().normal()
    TASK.generate(model, 7, seed=3)
    np.testing.assert_array_equal(TASK.generate(model, 2, seed=1), first)


@pytest.mark.parametrize("count", [1, 256, 300])
def test_as_many_examples_come_as_are_asked_for(model: Any, count: int) -> None:
    drawn = TASK.generate(model, count, seed=0)
    assert drawn.shape == (count, 8, 8, 1)
    assert drawn.dtype == np.float32
    assert drawn.min() >= 0.0
    assert drawn.max() <= 1.0
    assert len(np.unique(drawn.reshape(count, -1), axis=0)) == count


def test_a_generator_is_trained_without_labels() -> None:
    inputs, targets = TASK.arrays(DIGITS, "test")
    assert inputs.shape == (360, 8, 8, 1)
    assert targets is None


def test_a_generator_makes_images_in_0_to_1_and_is_trained_on_such() -> None:
    with pytest.raises(UsageError, match=r"in \[0, 1\]; say data.scaling = 'unit', got 'centred'"):
        tasks.make("generation", load("digits", scaling="centred").spec)


def test_a_generator_predicts_nothing_and_says_what_to_type() -> None:
    with pytest.raises(UsageError, match="predicts nothing; try: dlzoo generate"):
        TASK.rows(np.zeros((1, 8, 8, 1)), 3)


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
    found = generation._parzen(np.array(centres), np.array(points), width)
    assert found == pytest.approx(expected, rel=1e-12)


def test_points_far_from_every_sample_score_low_and_not_infinitely_low() -> None:
    far = generation._parzen(np.zeros((2, 3)), np.full((1, 3), 100.0), 0.05)
    by_hand = -3 * 100.0**2 / (2 * 0.05**2) - 3 * math.log(0.05 * math.sqrt(2 * math.pi))
    assert far == pytest.approx(by_hand, rel=1e-9)


def test_images_are_scored_as_points_of_all_their_pixels() -> None:
    draw = np.random.default_rng(0)
    samples, images = draw.uniform(size=(5, 8, 8, 1)), draw.uniform(size=(3, 8, 8, 1))
    flat = generation._parzen(samples.reshape(5, -1), images.reshape(3, -1), 0.3)
    assert generation._parzen(samples, images, 0.3) == flat


class Fixed:
    """A generator that draws one of four dots, by the seed's numbers."""

    latent_dim = 1

    def evaluate(self, batches: Any, **_: Any) -> dict[str, float]:
        return {"loss": 3.0}

    def prior(self, count: int, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 4, (count, 1)) / 4.0

    def decode(self, latent: np.ndarray) -> np.ndarray:
        return latent[:, :, None, None]


def test_the_width_is_chosen_on_the_validation_split_and_not_on_the_one_that_is_scored() -> None:
    spec = DatasetSpec(
        name="dots",
        kind="image",
        target="class",
        raw_shape=(1, 1, 1),
        input_shape=(1, 1, 1),
        class_names=("dot",),
        value_range=(0.0, 1.0),
    )

    def examples(*values: float) -> Examples:
        inputs = np.array(values, np.float32)[:, None, None, None]
        return Examples(inputs, np.zeros(len(values), np.int32))

    # Validation lies on the samples, which asks for the narrowest Gaussians; test lies between.
    splits = {"validation": examples(0.0, 0.25, 0.5), "test": examples(0.125, 0.375)}
    task, model = tasks.make("generation", spec), Fixed()
    scores = task.evaluate(model, Dataset(spec, splits), "test")

    samples = task.generate(model, generation.SAMPLES, seed=0)
    narrow, wide = (generation._parzen(samples, splits["test"].inputs, w) for w in (0.05, 0.1))
    assert scores == {"loss": 3.0, "parzen_log_likelihood": pytest.approx(narrow)}
    assert narrow < wide  # on the scored split a wider one would look better


def test_samples_like_the_data_score_higher_than_noise() -> None:
    train = DIGITS.split("train").inputs[:1000]
    noise = np.random.default_rng(0).uniform(size=train.shape)
    test = DIGITS.split("test").inputs
    assert generation._parzen(train, test, 0.2) > generation._parzen(noise, test, 0.2) + 10


def test_a_generator_is_served_from_latents_to_images(model: Any) -> None:
    endpoints = TASK.endpoints(model)
    assert list(endpoints) == ["generate"]
    signature = endpoints["generate"].signature
    assert [(one.name, tuple(one.shape)) for one in signature] == [("latent", (None, 3))]
    latent = model.prior(4, seed=0)
    served = endpoints["generate"].function(latent)
    np.testing.assert_allclose(served["image"], TASK.generate(model, 4, seed=0), atol=1e-6)
