"""Generation: a seed always draws the same examples, and the Parzen score is the paper's."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import tasks
from zoo.base.errors import UsageError
from zoo.datasets.features.image import Image
from zoo.datasets.loading import Dataset, load
from zoo.datasets.spec import DatasetSpec
from zoo.datasets.split import Split
from zoo.tasks.quality import PARZEN_SAMPLES, SCORED_SAMPLES
from zoo.tasks.sample_scores import parzen
from zoo.tasks.samples import MOST_SAMPLES, SampleRequest

DIGITS = load("digits")
TASK = tasks.make("generation", DIGITS.spec)
FULL_SCORES = True


def drawn(model: Any, count: int, seed: int = 0) -> np.ndarray:
    return np.asarray(TASK.sample(model, SampleRequest(count=count, seed=seed)).values)


@pytest.fixture(scope="module", params=["vae", "gan"])
def model(request: pytest.FixtureRequest) -> Any:
    sizes: dict[str, Any] = (
        {"hidden_units": [8]}
        if request.param == "vae"
        else {"generator_units": [8], "discriminator_units": [4]}
    )
    return zoo.build(request.param, **TASK.builder_arguments(), latent_dim=3, **sizes)


def test_the_same_seed_draws_the_same_examples_whatever_was_drawn_before(model: Any) -> None:
    first = drawn(model, 5, seed=1)
    assert not np.allclose(drawn(model, 5, seed=2), first)
    np.random.default_rng().normal()
    np.testing.assert_array_equal(drawn(model, 5, seed=1), first)


@pytest.mark.parametrize("count", [1, 256, 300])
def test_as_many_examples_come_as_are_asked_for(model: Any, count: int) -> None:
    told: list[int] = []
    request = SampleRequest(count=count, progress=told.append)
    values = np.asarray(TASK.sample(model, request).values)
    assert values.shape == (count, 8, 8, 1)
    assert values.dtype == np.float32
    assert values.min() >= 0.0
    assert values.max() <= 1.0
    assert len(np.unique(values.reshape(count, -1), axis=0)) == count
    assert told == ([256, 300] if count == 300 else [count])


@pytest.mark.parametrize("count", [0, -1, MOST_SAMPLES + 1])
def test_too_few_or_too_many_are_refused(count: int) -> None:
    with pytest.raises(UsageError, match=rf"count must be 1 to 100,000, got {count}"):
        TASK.sample(None, SampleRequest(count=count))


def test_a_generator_is_trained_without_labels() -> None:
    batches = TASK.evaluation_batches(DIGITS, "test")
    assert [batch.shape for batch in batches] == [(256, 8, 8, 1), (104, 8, 8, 1)]


def test_a_generator_makes_images_in_0_to_1_and_is_trained_on_such() -> None:
    spec = load("digits", {"image": {"scaling": "centred"}}).spec
    with pytest.raises(UsageError, match=r"in \[0, 1\]; set data.image.scaling = 'unit'"):
        tasks.make("generation", spec)


def test_a_generator_predicts_nothing_and_says_what_to_type() -> None:
    with pytest.raises(UsageError, match=r"predicts nothing\. Try: dlzoo generate"):
        TASK.rows(np.zeros((1, 8, 8, 1)), 3)


class Dots(keras.Model):
    """A generator that draws one of four dots."""

    latent_dim = 1
    latent_shape = (1,)

    def prior(self, count: int, seed: int) -> Any:
        drawn = np.random.default_rng(seed).integers(0, 4, (count, 1)) / 4.0
        return tf.constant(drawn, tf.float32)

    def decode(self, latent: Any) -> Any:
        return latent[:, :, None, None]

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_loss(self, x: Any, *_: Any, **__: Any) -> Any:
        return tf.reduce_mean(x)


def test_the_width_is_chosen_on_the_validation_split_and_not_on_the_one_that_is_scored() -> None:
    def split(*values: float) -> Split:
        return Split.in_memory({"image": np.array(values, np.float32)[:, None, None, None]})

    # Validation lies on the samples, which asks for the narrowest Gaussians; test lies between.
    splits = {
        "train": split(0.0, 0.25, 0.5, 0.75),
        "validation": split(0.0, 0.25, 0.5),
        "test": split(0.125, 0.375),
    }
    spec = DatasetSpec(
        name="dots", features={"image": Image(raw_shape=(1, 1, 1))}, inputs=("image",)
    )
    task, model = tasks.make("generation", spec), Dots()
    model.compile()
    scores = task.evaluate(model, Dataset(spec, splits), "test")
    samples = model.decode(model.prior(SCORED_SAMPLES, 0)).numpy()[:PARZEN_SAMPLES]
    points = np.array([0.125, 0.375])
    narrow, wide = (parzen(samples, points, width) for width in (0.05, 0.1))
    assert scores["parzen_log_likelihood"] == pytest.approx(narrow)
    assert narrow < wide  # on the scored split a wider one would look better


def test_both_splits_are_compared_with_the_same_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    task: Any = tasks.make("generation", DIGITS.spec)
    drawn: list[int] = []
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])

    def images(model: Any, request: SampleRequest) -> np.ndarray:
        drawn.append(request.count)
        return np.zeros((request.count, 8, 8, 1), np.float32)

    monkeypatch.setattr(task, "_images", images)
    monkeypatch.setattr("zoo.tasks.generation.quality", lambda draw, *_: {"drawn": draw(2000)})
    for split in ("validation", "test"):
        task.sample_scores(model, DIGITS, split)
    assert drawn == [SCORED_SAMPLES]
    model.layers[0].bias.assign([1.0])  # another model's samples are others
    task.sample_scores(model, DIGITS, "test")
    assert drawn == [SCORED_SAMPLES] * 2


def test_a_generator_is_served_from_latents_to_images(model: Any) -> None:
    endpoints = TASK.endpoints(TASK.served(model))
    assert list(endpoints) == ["generate"]
    signature = endpoints["generate"].signature
    assert {name: tuple(one.shape) for name, one in signature.items()} == {"latent": (None, 3)}
    served = endpoints["generate"].function(model.prior(4, seed=0))
    np.testing.assert_allclose(served["image"], drawn(model, 4), atol=1e-6)


def test_its_speed_is_that_of_the_function_that_generates(model: Any) -> None:
    np.testing.assert_allclose(TASK.answering(model, 4)(), drawn(model, 4), atol=1e-6)
