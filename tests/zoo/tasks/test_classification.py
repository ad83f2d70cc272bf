"""Classification: ranked probabilities for every class, also where there are only two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from zoo import tasks
from zoo.datasets.loading import load
from zoo.datasets.spec import Dataset
from zoo.errors import UsageError
from zoo.tasks.classification import Classification

IRIS = load("iris")
CANCER = load("breast-cancer")


def task(dataset: Dataset = IRIS, loss: str | None = None) -> Classification:
    made = tasks.make("classification", dataset.spec, loss)
    assert isinstance(made, Classification)
    return made


def softmax(dataset: Dataset, units: int | None = None) -> Any:
    """An untrained model: its answers are as good as any to be scored."""
    units = units or len(dataset.spec.class_names)
    activation = "softmax" if units > 1 else "sigmoid"
    return keras.Sequential(
        [keras.Input(dataset.spec.input_shape), keras.layers.Dense(units, activation)]
    )


def test_the_builder_is_told_of_shape_and_classes() -> None:
    assert task().builder_arguments() == {"input_shape": (4,), "classes": 3}


def test_the_builder_of_a_text_model_is_told_of_the_vocabulary_too() -> None:
    spec = load("languages", sequence_length=9, vocabulary_size=30).spec
    arguments = tasks.make("text-classification", spec).builder_arguments()
    assert arguments == {"input_shape": (9,), "classes": 28, "vocabulary_size": 30}


@pytest.mark.parametrize(
    ("dataset", "loss"),
    [(IRIS, "sparse_categorical_crossentropy"), (CANCER, "binary_crossentropy")],
    ids=["many", "two"],
)
def test_a_recipe_need_not_name_the_loss(dataset: Dataset, loss: str) -> None:
    assert task(dataset).compile_arguments() == {"loss": loss, "metrics": ["accuracy"]}


def test_one_probability_is_made_into_two_that_add_up() -> None:
    answer = np.asarray(task(CANCER).answer(np.array([[0.9], [0.2]], np.float32)))
    np.testing.assert_allclose(answer, [[0.1, 0.9], [0.8, 0.2]], atol=1e-6)


def test_probabilities_of_several_classes_stay_as_they_are() -> None:
    outputs = np.array([[0.7, 0.2, 0.1]], np.float32)
    assert task().answer(outputs) is outputs


@pytest.mark.parametrize(
    ("dataset", "units"), [(IRIS, 3), (CANCER, 1)], ids=["many classes", "two classes"]
)
def test_answers_of_raw_rows_are_what_the_model_says_of_standardised_ones(
    dataset: Dataset, units: int
) -> None:
    model = softmax(dataset, units)
    raw = dataset.split("test").inputs
    said = task(dataset).predict(model, raw)
    standardised = (raw - np.array(dataset.spec.mean)) / np.array(dataset.spec.standard_deviation)
    meant = keras.ops.convert_to_numpy(model(standardised.astype("float32")))
    np.testing.assert_allclose(said[:, -units:], meant, atol=1e-5)
    np.testing.assert_allclose(said.sum(axis=1), 1.0, atol=1e-6)
    assert said.shape == (len(raw), len(dataset.spec.class_names))


@pytest.mark.parametrize(
    ("dataset", "units"), [(IRIS, 3), (CANCER, 1)], ids=["many classes", "two classes"]
)
def test_scores_are_what_counting_by_hand_gives(dataset: Dataset, units: int) -> None:
    bound = task(dataset)
    model = softmax(dataset, units)
    model.compile(**bound.compile_arguments())
    scores = bound.evaluate(model, dataset, "test")

    examples = dataset.split("test")
    said = bound.predict(model, examples.inputs)
    right = said.argmax(axis=1) == examples.targets
    chance = said[np.arange(len(said)), examples.targets]
    assert scores["accuracy"] == pytest.approx(right.mean(), abs=1e-6)
    assert scores["loss"] == pytest.approx(-np.log(chance).mean(), rel=1e-4)


@pytest.mark.parametrize("loss", [None, "sparse_categorical_crossentropy", "CategoricalHinge"])
def test_targets_have_the_form_that_the_loss_wants(loss: str | None) -> None:
    _, targets = task(loss=loss).arrays(IRIS, "test")
    classes = IRIS.split("test").targets
    if loss == "CategoricalHinge":
        np.testing.assert_array_equal(targets, np.eye(3)[classes])
    else:
        np.testing.assert_array_equal(targets, classes)


def test_classes_are_ranked_by_name_the_most_probable_first() -> None:
    rows = task().rows(np.array([[0.2, 0.7, 0.1], [0.0, 0.0, 1.0]]), top_k=2)
    assert rows[0] == {
        "class": "versicolor",
        "probability": 0.7,
        "top": [
            {"class": "versicolor", "probability": 0.7},
            {"class": "setosa", "probability": 0.2},
        ],
    }
    assert [row["class"] for row in rows] == ["versicolor", "virginica"]


@pytest.mark.parametrize(("top_k", "named"), [(1, 1), (3, 3), (50, 3)])
def test_no_more_classes_are_named_than_there_are(top_k: int, named: int) -> None:
    assert len(task().rows(np.array([[0.2, 0.7, 0.1]]), top_k)[0]["top"]) == named


def test_equally_probable_classes_come_in_their_own_order() -> None:
    row = task().rows(np.array([[0.25, 0.5, 0.25]]), 3)[0]
    assert [one["class"] for one in row["top"]] == ["versicolor", "setosa", "virginica"]


def predictor(answers: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Whatever answers as a Keras model does."""

    class Model:
        def predict(self, inputs: np.ndarray, **_: Any) -> np.ndarray:
            return answers(inputs)

    return Model()


def test_rows_of_the_confusion_matrix_are_the_true_classes() -> None:
    always_last = predictor(lambda inputs: np.tile([0.0, 0.1, 0.9], (len(inputs), 1)))
    matrix = task().data_for_figures(always_last, IRIS, "test")["confusion_matrix"]
    assert matrix == [[0, 0, 10], [0, 0, 10], [0, 0, 10]]


def test_the_confusion_matrix_of_two_classes_counts_both() -> None:
    always_first = predictor(lambda inputs: np.full((len(inputs), 1), 0.4))
    matrix = task(CANCER).data_for_figures(always_first, CANCER, "test")["confusion_matrix"]
    counts = np.bincount(CANCER.split("test").targets)
    assert matrix == [[counts[0], 0], [counts[1], 0]]


def test_a_classifier_generates_nothing_and_says_who_does() -> None:
    with pytest.raises(UsageError, match="generates nothing; generators are vae and gan"):
        task().generate(None, 1, 0)
