"""Which work a model can do on which data, said before TensorFlow starts."""

from __future__ import annotations

import pytest

from zoo import registry, tasks
from zoo.datasets import catalog
from zoo.datasets.loading import load
from zoo.errors import UsageError


def check(model: str, task: str | None, dataset: str) -> str:
    return tasks.check(registry.card(model), task, catalog.entry(dataset))


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
def test_the_recipe_s_task_is_taken_or_else_the_card_s(
    model: str, task: str | None, dataset: str, found: str
) -> None:
    assert check(model, task, dataset) == found


def test_what_is_known_before_loading_says_the_same_as_the_data_itself() -> None:
    card = registry.card("mlp")
    assert tasks.check(card, None, load("iris").spec) == check("mlp", None, "iris")


@pytest.mark.parametrize(
    ("model", "dataset", "message"),
    [
        ("lenet5", "iris", "lenet5 does image-classification on image data; iris is table data"),
        ("gan", "languages", "gan does generation on image data; languages is text data"),
        ("lstm", "digits", "lstm does text-classification on text data; digits is image data"),
    ],
)
def test_data_of_another_kind_is_refused(model: str, dataset: str, message: str) -> None:
    assert refusal(model, None, dataset) == message


def test_the_kinds_that_a_task_takes_are_all_named() -> None:
    message = refusal("mlp", "regression", "languages")
    assert message == "mlp does regression on image or table data; languages is text data"


@pytest.mark.parametrize(
    ("task", "dataset", "wanted", "given", "instead"),
    [
        ("classification", "diabetes", "class", "number", "regression"),
        ("regression", "iris", "number", "class", "classification"),
    ],
)
def test_targets_of_another_kind_are_refused_with_the_task_that_fits(
    task: str, dataset: str, wanted: str, given: str, instead: str
) -> None:
    message = refusal("mlp", task, dataset)
    assert f"mlp does {task}, which needs a {wanted} for each example" in message
    assert f"{dataset} gives a {given}" in message
    assert f"--set task={instead}" in message


def test_an_unknown_task_is_refused_with_the_nearest_name() -> None:
    message = refusal("mlp", "regresion", "diabetes")
    assert message == "unknown task 'regresion'. Did you mean 'regression'?"


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_task_of_the_table_can_be_made(name: str) -> None:
    spec = load("diabetes" if name == "regression" else "iris").spec
    made = tasks.make(name, spec)
    assert made.name == name
    assert made.spec is spec


@pytest.mark.parametrize("model", registry.list_models())
def test_every_card_names_a_task_of_the_table(model: str) -> None:
    assert registry.card(model).task in tasks.TASKS


@pytest.mark.parametrize(
    ("metric", "higher_is_better"),
    [
        ("val_accuracy", True),
        ("val_elbo", True),
        ("parzen_log_likelihood", True),
        ("r2_score", True),
        ("val_loss", False),
        ("val_mean_absolute_error", False),
        ("perplexity", False),
    ],
)
def test_whether_more_is_better_depends_on_the_score(metric: str, higher_is_better: bool) -> None:
    better = tasks.make("classification", load("iris").spec).better(metric)
    assert better(2.0, 1.0) is higher_is_better
    assert better(1.0, 2.0) is not higher_is_better
    assert not better(1.0, 1.0)  # the first of equals stays the best
