"""Classification: ranked probabilities for every class, also where there are only two."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from zoo import tasks
from zoo.base.errors import UsageError
from zoo.datasets.loading import Dataset, load
from zoo.tasks.classification import Classification
from zoo.tasks.samples import SampleRequest

IRIS = load("iris")
CANCER = load("breast-cancer")
BOTH = pytest.mark.parametrize(
    ("dataset", "units"), [(IRIS, 3), (CANCER, 1)], ids=["many classes", "two classes"]
)


def task(dataset: Dataset = IRIS, loss: str | None = None) -> Classification:
    made = tasks.make("classification", dataset.spec, loss)
    assert isinstance(made, Classification)
    return made


def examples(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The raw rows and classes of the test split."""
    (chunk,) = dataset.split("test").chunks(1000)
    return chunk["features"], chunk["label"]


def untrained(dataset: Dataset, units: int) -> Any:
    """A model whose answers are as good as any to be scored."""
    return keras.Sequential(
        [
            keras.Input(dataset.spec.features["features"].shape),
            keras.layers.Dense(units, "softmax" if units > 1 else "sigmoid"),
        ]
    )


def constant(probabilities: list[float], columns: int) -> Any:
    """A model that gives every example the same answer."""
    bias = np.log(probabilities) if len(probabilities) > 1 else np.array(probabilities)
    dense = keras.layers.Dense(
        len(probabilities),
        "softmax" if len(probabilities) > 1 else None,
        kernel_initializer="zeros",
    )
    model = keras.Sequential([keras.Input((columns,)), dense])
    dense.set_weights([np.zeros((columns, len(probabilities))), bias])
    return model


def test_the_builder_is_told_of_shape_and_classes() -> None:
    assert task().builder_arguments() == {"input_shape": (4,), "classes": 3}


def test_the_builder_of_a_text_model_is_told_of_the_vocabulary_too() -> None:
    spec = load("languages", {"text": {"length": 9, "vocabulary_size": 30}}).spec
    arguments = tasks.make("text-classification", spec).builder_arguments()
    assert arguments == {"input_shape": (9,), "classes": 28, "vocabulary_size": 30}


@pytest.mark.parametrize(
    ("dataset", "loss"),
    [(IRIS, "sparse_categorical_crossentropy"), (CANCER, "binary_crossentropy")],
    ids=["many", "two"],
)
def test_a_recipe_need_not_name_the_loss(dataset: Dataset, loss: str) -> None:
    assert task(dataset).compile_arguments() == {"loss": loss, "weighted_metrics": ["accuracy"]}


def test_one_probability_is_made_into_two_that_add_up() -> None:
    answer = np.asarray(task(CANCER).answer(np.array([[0.9], [0.2]], np.float32)))
    np.testing.assert_allclose(answer, [[0.1, 0.9], [0.8, 0.2]], atol=1e-6)


def test_probabilities_of_several_classes_stay_as_they_are() -> None:
    outputs = np.array([[0.7, 0.2, 0.1]], np.float32)
    assert task().answer(outputs) is outputs


@BOTH
def test_raw_rows_are_standardised_before_the_model_sees_them(dataset: Dataset, units: int) -> None:
    model = untrained(dataset, units)
    raw, _ = examples(dataset)
    said = task(dataset).predictor(model)({"features": raw})
    fitted: Any = dataset.spec.features["features"]
    standardised = (raw - np.array(fitted.mean)) / np.array(fitted.standard_deviation)
    meant = keras.ops.convert_to_numpy(model(standardised.astype("float32")))
    np.testing.assert_allclose(said[:, -units:], meant, atol=1e-5)
    np.testing.assert_allclose(said.sum(axis=1), 1.0, atol=1e-6)
    assert said.shape == (len(raw), max(units, 2))


@BOTH
def test_scores_are_what_counting_by_hand_gives(dataset: Dataset, units: int) -> None:
    bound = task(dataset)
    model = untrained(dataset, units)
    model.compile(**bound.compile_arguments())
    scores = bound.evaluate(model, dataset, "test")

    raw, truth = examples(dataset)
    said = bound.predictor(model)({"features": raw})
    chance = said[np.arange(len(said)), truth]
    assert scores["accuracy"] == pytest.approx((said.argmax(axis=1) == truth).mean(), abs=1e-6)
    assert scores["loss"] == pytest.approx(-np.log(chance).mean(), rel=1e-4)


@pytest.mark.parametrize("loss", [None, "sparse_categorical_crossentropy", "CategoricalHinge"])
def test_targets_have_the_form_that_the_loss_wants(loss: str | None) -> None:
    batches = task(loss=loss).evaluation_batches(IRIS, "test")
    targets = np.concatenate([np.asarray(batch[1]) for batch in batches])
    _, classes = examples(IRIS)
    if loss == "CategoricalHinge":
        np.testing.assert_array_equal(targets, np.eye(3)[classes])
    else:
        np.testing.assert_array_equal(targets.reshape(-1), classes)


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


def test_rows_of_the_confusion_matrix_are_the_true_classes() -> None:
    predictor = task().predictor(constant([0.1, 0.2, 0.7], columns=4))
    values = task().data_for_figures(predictor, IRIS, "test")
    assert values["confusion_matrix"] == [[0, 0, 10], [0, 0, 10], [0, 0, 10]]
    worst = values["worst_errors"]["examples"]
    assert len(worst) == 20
    assert {one["answer"] for one in worst} == {"virginica"}
    assert worst[0]["probability"] == pytest.approx(0.7)
    _, truth = examples(IRIS)
    names = ("setosa", "versicolor", "virginica")
    assert all(names[truth[one["place"]]] == one["truth"] for one in worst)


def test_the_confusion_matrix_of_two_classes_counts_both() -> None:
    predictor = task(CANCER).predictor(constant([0.4], columns=30))
    matrix = task(CANCER).data_for_figures(predictor, CANCER, "test")["confusion_matrix"]
    counts = np.bincount(examples(CANCER)[1])
    assert matrix == [[counts[0], 0], [counts[1], 0]]


def test_a_classifier_generates_nothing_and_says_where_generators_are() -> None:
    with pytest.raises(UsageError, match=r"generates nothing; see: dlzoo list --task generation"):
        task().sample(None, SampleRequest())
