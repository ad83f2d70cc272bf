"""Which work a model can do on which data, said before TensorFlow starts."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from zoo import registry, tasks
from zoo.base.errors import UsageError
from zoo.datasets.loading import load
from zoo.datasets.sources import open_source
from zoo.tasks.base import Task


def check(model: str, task: str | None, dataset: str) -> str:
    return tasks.check(registry.card(model), task, open_source(dataset).describe())


def refusal(model: str, task: str | None, dataset: str) -> str:
    with pytest.raises(UsageError) as caught:
        check(model, task, dataset)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("model", "task", "dataset", "found"),
    [
        ("mlp", None, "iris", "classification"),
        ("mlp", None, "digits", "classification"),
        ("mlp", "regression", "diabetes", "regression"),
        ("resnet", None, "digits", "image-classification"),
        ("lstm", None, "languages", "text-classification"),
        ("vae", None, "digits", "generation"),
    ],
)
def test_the_recipes_task_is_taken_or_else_the_cards(
    model: str, task: str | None, dataset: str, found: str
) -> None:
    assert check(model, task, dataset) == found
    assert tasks.check(registry.card(model), task, load(dataset).spec) == found


@pytest.mark.parametrize(
    ("model", "task", "dataset", "message"),
    [
        (
            "lenet5",
            None,
            "iris",
            "lenet5 does image-classification and reads images; iris gives a table. "
            "Models for iris: perceptron, logistic-regression, mlp",
        ),
        (
            "gan",
            None,
            "languages",
            "gan does generation and reads images; languages gives a text. "
            "Models for languages: rnn, lstm, gru, gpt, gpt2-small, moe-transformer, …",
        ),
        (
            "mlp",
            "regression",
            "languages",
            "mlp does regression and reads images or tables of numbers or series; languages gives "
            "a text. Models for languages: rnn, lstm, gru, gpt, gpt2-small, moe-transformer, …",
        ),
        (
            "perceptron",
            None,
            "diabetes",
            "perceptron does classification, which needs a class for each example; diabetes gives "
            "a number. Try: dlzoo train mlp --dataset diabetes --set task=regression",
        ),
        (
            "mlp",
            "regression",
            "iris",
            "mlp does regression, which needs a number for each example; iris gives a label. "
            "Try: --set task=classification",
        ),
        ("mlp", "regresion", "diabetes", "unknown task 'regresion'. Did you mean 'regression'?"),
    ],
)
def test_data_that_do_not_fit_are_refused_with_what_would(
    model: str, task: str | None, dataset: str, message: str
) -> None:
    assert refusal(model, task, dataset) == message


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_task_can_be_made_and_says_what_it_scores(name: str) -> None:
    data = {"regression": "diabetes", "text-classification": "languages"}.get(name, "digits")
    made = tasks.make(name, load(data, {"text": {"length": 5}} if "text" in name else {}).spec)
    assert made.name == name
    assert made.headline in {score.name for score in made.scores}
    assert set(made.final_scores) <= {score.name for score in made.scores}


@pytest.mark.parametrize("model", registry.list_models())
def test_every_card_names_a_task(model: str) -> None:
    assert registry.card(model).task in tasks.TASKS


def test_a_task_is_registered_once() -> None:
    with pytest.raises(ValueError, match="two tasks are called 'regression'"):
        tasks.register("regression", Task)


# Whether a higher score is better.


def compiled(metric: Any) -> Any:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile(loss="mse", weighted_metrics=[metric])
    model.train_on_batch(np.ones((2, 4)), np.ones((2, 3)))
    return model


@pytest.mark.parametrize(
    ("task", "name", "higher"),
    [
        ("classification", "accuracy", True),
        ("classification", "val_accuracy", True),
        ("classification", "val_loss", False),
        ("regression", "mean_absolute_error", False),
        ("regression", "val_r2_score", True),
        ("generation", "parzen_log_likelihood", True),
        ("classification", "elbo", None),  # no score of classification's
        ("regression", "some_accuracy", None),
    ],
)
def test_a_task_says_it_of_its_own_scores(task: str, name: str, higher: bool | None) -> None:
    data = {"regression": "diabetes", "generation": "digits"}.get(task, "iris")
    assert tasks.make(task, load(data).spec).higher_is_better(name) is higher


@pytest.mark.parametrize(
    ("metric", "name", "higher"),
    [
        (keras.metrics.TopKCategoricalAccuracy(2, name="top_two"), "top_two", True),
        (keras.metrics.MeanAbsoluteError(name="accuracy_of_a_kind"), "accuracy_of_a_kind", False),
        (
            keras.metrics.MeanMetricWrapper(lambda _, y: keras.ops.mean(y, -1), "accuracy_like"),
            "accuracy_like",
            None,
        ),
    ],
)
def test_a_metric_is_believed_by_what_it_declares_and_not_by_its_name(
    metric: Any, name: str, higher: bool | None
) -> None:
    task = tasks.make("classification", load("iris").spec)
    assert task.higher_is_better(f"val_{name}", compiled(metric)) is higher
