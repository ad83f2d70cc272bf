"""Conditional generation: labels reach the model in training, and a class can be asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from zoo import tasks
from zoo.base.errors import UsageError
from zoo.catalog import ModelCard
from zoo.catalog.papers import KINGMA
from zoo.datasets.loading import load
from zoo.layers.generators import ConditionalGenerator, random_normal
from zoo.tasks.conditional_generation import ConditionalGeneration
from zoo.tasks.samples import SampleRequest

CARD = ModelCard(
    name="stamps",
    family="stamps",
    task="generation",
    builder="tests:none",
    paper=KINGMA,
    inputs={"image": (8, 8, 1), "label": ()},
    parameters=0,
    macs=0,
    recipe="none",
    summary="",
)
DIGITS = load("digits")
TASK = tasks.make("generation", DIGITS.spec, card=CARD)


class Stamps(ConditionalGenerator):
    """Makes images whose every pixel is a tenth of their label, in the first row the latent."""

    latent_dim = 8
    classes = 10

    def prior(self, count: Any, seed: Any) -> Any:
        return ops.sigmoid(random_normal((count, 8), seed))

    def decode(self, latent: Any, label: Any = None) -> Any:
        label = self.labels(ops.shape(latent)[0]) if label is None else label
        tenth = ops.cast(label, "float32")[:, None, None, None] / 10.0
        rest = ops.tile(tenth, (1, 7, 8, 1))
        return ops.concatenate([latent[:, None, :, None], rest], axis=1)


STAMPS = Stamps()


def labels(values: Any) -> list[int]:
    return [round(10 * float(value[7, 0, 0])) for value in values]


def test_a_card_whose_inputs_name_a_label_is_fed_with_labels() -> None:
    assert isinstance(TASK, ConditionalGeneration)
    assert TASK.builder_arguments() == {"input_shape": (8, 8, 1), "classes": 10}
    (batch,) = TASK.evaluation_batches(DIGITS, "validation").as_numpy_iterator()
    (chunk,) = DIGITS.split("validation").chunks(1000)
    assert sorted(batch) == ["image", "label"]
    np.testing.assert_array_equal(batch["label"], chunk["label"])
    batches = TASK.training_batches(DIGITS, batch_size=4, seed=0)
    assert next(iter(batches.start()))["label"].shape == (4,)


def test_without_a_label_in_the_card_labels_are_left_out() -> None:
    plain = tasks.make("generation", DIGITS.spec)
    assert not isinstance(plain, ConditionalGeneration)
    with pytest.raises(UsageError, match="--class is for conditional models"):
        plain.class_number("3")
    with pytest.raises(UsageError, match="--class is for conditional models"):
        plain.sample(STAMPS, SampleRequest(label=3))


def test_data_without_classes_are_refused() -> None:
    diabetes = load("diabetes").spec
    with pytest.raises(UsageError, match="reads images"):
        tasks.check(CARD, None, diabetes)
    unlabelled = {**DIGITS.spec.__dict__, "targets": ()}
    with pytest.raises(UsageError, match=r"needs a class for each example; digits gives none"):
        tasks.check(CARD, None, type(DIGITS.spec)(**unlabelled))


@pytest.mark.parametrize("count", [7, 300])
def test_all_classes_are_made_in_turn_or_the_one_that_is_asked_for(count: int) -> None:
    values = TASK.sample(STAMPS, SampleRequest(count=count, seed=1)).values
    assert labels(values) == [at % 10 for at in range(count)]
    values = TASK.sample(STAMPS, SampleRequest(count=count, seed=1, label=3)).values
    assert labels(values) == [3] * count


def test_the_model_makes_the_same_by_itself() -> None:
    made = TASK.sample(STAMPS, SampleRequest(count=12, seed=5, label=2)).values
    np.testing.assert_allclose(STAMPS.sample(12, seed=5, label=2), made, atol=1e-6)
    np.testing.assert_allclose(labels(STAMPS.sample(12)), [*range(10), 0, 1])


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_that_is_no_class_is_refused(label: int) -> None:
    with pytest.raises(UsageError, match=rf"label must be 0 to 9, got {label}"):
        TASK.sample(STAMPS, SampleRequest(label=label))


def test_a_class_is_named_by_its_name_or_number() -> None:
    assert TASK.class_number("3") == 3
    for text in ("10", "-1", "three", ""):
        with pytest.raises(UsageError, match=rf"unknown class '{text}'"):
            TASK.class_number(text)


def test_it_is_served_from_latents_and_labels() -> None:
    served = TASK.endpoints(TASK.served(STAMPS))["generate"]
    assert list(served.signature) == ["latent", "label"]
    latent, label = (tf.constant(one) for one in served.sample(4))
    np.testing.assert_array_equal(labels(served.function(latent, label)["image"]), label)
    assert TASK.answering(STAMPS, 4)().shape == (4, 8, 8, 1)
