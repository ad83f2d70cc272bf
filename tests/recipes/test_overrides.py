"""Changes to a recipe: ``--set KEY=VALUE``, contradictions, and files laid over a recipe."""

from __future__ import annotations

from typing import Any

import pytest

from recipes.overrides import BareWord, assignment, contradictions, overlay, override
from recipes.recipe import Recipe, Warmup, parse
from zoo.base.errors import UsageError


def recipe(**changes: Any) -> Recipe:
    """The shortest recipe, with changes."""
    least = {"model": "mlp", "epochs": 3, "data": {"name": "iris"}, "optimizer": "Adam"}
    return parse({**least, **changes}, source="test")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("optimizer.learning_rate=0.01", ("optimizer.learning_rate", 0.01)),
        ("optimizer.learning_rate=1e-3", ("optimizer.learning_rate", 0.001)),
        ("epochs=20", ("epochs", 20)),
        ("optimizer.learning_rate=.1", ("optimizer.learning_rate", 0.1)),
        ("optimizer.learning_rate=-.5e-3", ("optimizer.learning_rate", -0.0005)),
        ("optimizer.learning_rate=5.", ("optimizer.learning_rate", 5.0)),
        ("data.image.size=[32,32]", ("data.image.size", [32, 32])),
        ("data.image.size=32", ("data.image.size", 32)),
        ("optimizer.nesterov=true", ("optimizer.nesterov", True)),
        ("arguments.hidden_units=[16, 16]", ("arguments.hidden_units", [16, 16])),
        ('target={metric="accuracy", at_least=0.5}', None),
        ("batch_size=full", ("batch_size", "full")),
        ('batch_size="full"', ("batch_size", "full")),
        ("optimizer=SGD", ("optimizer", "SGD")),
        ("  epochs = 3 ", ("epochs", 3)),
        ("arguments.activation=leaky_relu", ("arguments.activation", "leaky_relu")),
        ("variant=a=b", ("variant", "a=b")),
    ],
)
def test_an_assignment_is_a_key_and_a_toml_value_or_plain_text(text: str, expected: Any) -> None:
    expected = expected or ("target", {"metric": "accuracy", "at_least": 0.5})
    assert assignment(text) == expected


@pytest.mark.parametrize("text", ["epochs", "=3", " = 3", ""])
def test_an_assignment_without_key_or_sign_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        assignment(text)
    assert "--set takes KEY=VALUE such as optimizer.learning_rate=0.01" in str(caught.value)
    assert f"got '{text}'" in str(caught.value)


def test_an_override_replaces_one_value_and_leaves_the_others() -> None:
    base = recipe(optimizer={"name": "SGD", "learning_rate": 0.1, "momentum": 0.9})
    made = override(base, {"optimizer.learning_rate": 0.01, "epochs": 9, "data.image.channels": 1})
    assert made.optimizer is not None
    assert made.optimizer.name == "SGD"
    assert made.optimizer.arguments == {"learning_rate": 0.01, "momentum": 0.9}
    assert (made.epochs, made.data.name) == (9, "iris")
    assert made.data.forms == {"image": {"channels": 1}}
    assert base.epochs == 3
    assert base.optimizer is not None
    assert base.optimizer.arguments["learning_rate"] == 0.1


def test_nothing_overridden_is_the_same_recipe() -> None:
    made = recipe(
        data={"name": "digits", "image": {"size": [32, 24]}},
        optimizer={"name": "SGD", "schedule": "CosineDecay", "warmup": {"epochs": 1}},
        callbacks=["TerminateOnNaN"],
    )
    assert override(made, {}) == made


def test_an_override_reaches_into_what_was_not_said() -> None:
    made = override(
        recipe(),
        {
            "warmup.epochs": 2,
            "schedule.name": "CosineDecay",
            "schedule.decay_fraction": 1.0,
            "arguments.dropout": 0.5,
            "regularization": "L2",
        },
    )
    assert made.warmup == Warmup(epochs=2)
    assert made.schedule is not None
    assert made.schedule.arguments == {"decay_fraction": 1.0}
    assert made.arguments == {"dropout": 0.5}
    assert made.regularization is not None
    assert made.regularization.name == "L2"


def test_an_override_replaces_a_whole_table_by_a_name() -> None:
    made = override(recipe(optimizer={"name": "SGD", "momentum": 0.9}), {"optimizer": "Adam"})
    assert made.optimizer is not None
    assert (made.optimizer.name, made.optimizer.arguments) == ("Adam", {})


def test_a_number_in_a_key_counts_into_a_list() -> None:
    base = recipe(
        callbacks=["TerminateOnNaN", {"name": "EarlyStopping", "patience": 3}],
        arguments={"hidden_units": [4, 5]},
        data={"name": "digits", "image": {"size": [32, 32]}},
    )
    made = override(
        base,
        {
            "callbacks.1.patience": 9,
            "arguments.hidden_units.0": 7,
            "data.image.size.1": 24,
            "metrics": ["mae", {"name": "AUC"}],
        },
    )
    assert made.callbacks[1].arguments == {"patience": 9}
    assert made.arguments == {"hidden_units": [7, 5]}
    assert made.data.forms == {"image": {"size": [32, 24]}}
    assert [metric.name for metric in made.metrics] == ["mae", "AUC"]
    assert override(base, {"callbacks": []}).callbacks == []


def test_a_later_override_reaches_into_an_earlier_one() -> None:
    changes = {"callbacks": ["EarlyStopping"], "callbacks.0.patience": 3, "optimizer": "SGD"}
    made = override(recipe(), {**changes, "optimizer.momentum": 0.9})
    assert made.callbacks[0].name == "EarlyStopping"
    assert made.callbacks[0].arguments == {"patience": 3}
    assert made.optimizer is not None
    assert (made.optimizer.name, made.optimizer.arguments) == ("SGD", {"momentum": 0.9})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 3}, "override: unknown key 'epoch'. Did you mean 'epochs'?"),
        ({"data.nam": "x"}, "override: unknown key 'data.nam'. Did you mean 'data.name'?"),
        ({"epochs": 0}, "override: epochs: must be at least 1, got 0"),
        ({"epochs.first": 0}, "override: epochs is a value, not a table"),
        ({"arguments.widths.0.x": 1}, "override: arguments.widths.0 is a value, not a table"),
        ({"callbacks.1.patience.x": 1}, "callbacks.1.patience is a value, not a table"),
        ({"callbacks.2.patience": 9}, "callbacks.2.patience: the list has 2 entries, counted fr"),
        ({"callbacks.last.patience": 9}, "callbacks.last.patience: the list has 2 entries"),
        ({"callbacks.-1.patience": 9}, "callbacks.-1.patience: the list has 2 entries"),
        ({"metrics.0.name": "AUC"}, "metrics.0.name: the list has 0 entries"),
        ({"optimizer.learning_rate": -1}, "learning_rate must be a number above 0, got -1"),
    ],
)
def test_an_override_that_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    base = recipe(
        callbacks=["TerminateOnNaN", {"name": "EarlyStopping", "patience": 3}],
        arguments={"widths": [4, 5]},
    )
    with pytest.raises(UsageError) as caught:
        override(base, changes)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("value", ["[32,x]", "[False]", "{a=1", '"open', "'open"])
def test_a_list_a_table_or_a_quoted_text_that_is_not_toml_is_refused(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        assignment(f"arguments.x={value}")
    assert str(caught.value) == f"--set arguments.x: {value} is not TOML"


OPEN: dict[str, Any] = {
    "arguments": {"hidden_units": [8], "dropout": 0.5, "normalize": True, "activation": "relu"},
    "data": {"name": "digits", "image": {"size": [8, 8]}},
    "optimizer": {"name": "SGD", "momentum": 0.9, "schedule": {"name": "X", "values": [1, 2]}},
    "callbacks": [{"name": "EarlyStopping", "patience": 3}],
    "metrics": ["mae"],
}


@pytest.mark.parametrize("word", ["False", "True", "no", "yes", "on", "off", "FALSE", "Yes"])
@pytest.mark.parametrize(
    "key",
    [
        "arguments.new",
        "arguments.normalize",
        "optimizer.nesterov",
        "callbacks.0.restore_best_weights",
        "metrics.0.from_logits",
        "data.image.new",
        "loss.from_logits",
    ],
)
def test_a_word_that_looks_like_a_boolean_is_refused_with_the_boolean(word: str, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        override(recipe(**OPEN), dict([assignment(f"{key}={word}")]))
    meant = "true" if word.lower() in ("true", "yes", "on") else "false"
    assert str(caught.value) == (
        f"override: {key}: '{word}' is not a boolean of TOML. Write {meant}, "
        f"or '\"{word}\"' for the text."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arguments.dropout=no", "override: arguments.dropout must be a number, got 'no'"),
        ("arguments.dropout=x", "override: arguments.dropout must be a number, got 'x'"),
        ("optimizer.momentum=0,9", "override: optimizer.momentum must be a number, got '0,9'"),
        ("callbacks.0.patience=x", "override: callbacks.0.patience must be a number, got 'x'"),
        ("arguments.normalize=x", "override: arguments.normalize must be true or false, got 'x'"),
        ("arguments.hidden_units=16", "override: arguments.hidden_units must be a list, got 16"),
        ("optimizer.schedule.values=1", "override: optimizer.schedule.values must be a list, got"),
        ("epochs=x", "override: epochs: must be a whole number, got 'x'"),
        ("jit_compile=no", "jit_compile: must be 'auto', true or false, got 'no'. Write false."),
        ("optimizer.warmup.epochs=x", "optimizer.warmup.epochs: must be a number, got 'x'"),
        ("data.size=32", "override: unknown key 'data.size'. Did you mean 'data.image.size'?"),
    ],
)
def test_a_word_of_the_wrong_type_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        override(recipe(**OPEN), dict([assignment(text)]))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arguments.activation=no", "no"),  # a text already
        ("arguments.kernel_initializer=he_normal", "he_normal"),
        ('arguments.dropout="auto"', "auto"),  # quoted: meant as text
        ('arguments.new="no"', "no"),
        ("arguments.dropout=0", 0),
        ("arguments.normalize=false", False),
        ("data.image.size=32", 32),  # one number may stand for two
        ("variant=off", "off"),
        ("loss=mse", {"name": "mse"}),
    ],
)
def test_words_are_text_where_text_is_meant(text: str, expected: Any) -> None:
    key, value = assignment(text)
    found: Any = override(recipe(**OPEN), {key: value}).as_dict()
    for part in key.split("."):
        found = found[part]
    assert found == expected
    assert type(found) is not BareWord


# Contradictions: a flag says one thing, --set another.


@pytest.mark.parametrize(
    ("flags", "overrides", "message"),
    [
        ({"epochs": 2}, {"epochs": 3}, "epochs is given twice: 2 and, by --set, epochs=3"),
        (
            {"dataset": "iris"},
            {"data.name": "wine"},
            "dataset is given twice: iris and, by --set, data.name=wine",
        ),
        ({"dataset": "iris"}, {"data": {"name": "wine"}}, "by --set, data.name=wine"),
        ({"model": "lenet5"}, {"model": "mlp"}, "lenet5 and, by --set, model=mlp"),
        ({"learning_rate": 0.1}, {"optimizer.learning_rate": 0.2}, "optimizer.learning_rate=0.2"),
        ({"learning_rate": 0.1}, {"optimizers.generator.learning_rate": 0.2}, "learning_rate=0.2"),
        ({"learning_rate": 0.1}, {"optimizer": {"learning_rate": 0.2}}, "learning_rate=0.2"),
        ({"freeze": ("C1",)}, {"freeze": ["C2", "C3"]}, "C1 and, by --set, freeze=C2, C3"),
    ],
)
def test_a_flag_and_an_override_that_differ_are_refused(
    flags: dict[str, Any], overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        contradictions(flags, overrides)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "overrides"),
    [
        ({"epochs": 2}, {"epochs": 2}),
        ({"dataset": "iris", "epochs": None}, {"data.name": BareWord("iris"), "epochs": 3}),
        ({"freeze": ()}, {"freeze": ["C1"]}),
        ({"freeze": ("C1",)}, {"freeze": ["C1"]}),
        ({"learning_rate": 0.1}, {"optimizer": "SGD", "schedule.initial_learning_rate": 0.2}),
        ({"model": "mlp"}, {"arguments.model": "other"}),
        ({}, {"epochs": 3}),
    ],
)
def test_the_same_twice_or_something_else_is_no_contradiction(
    flags: dict[str, Any], overrides: dict[str, Any]
) -> None:
    contradictions(flags, overrides)


# Overlays: a file without a model, over the model's own recipe.


def test_an_overlay_merges_tables_and_replaces_values() -> None:
    below = {"epochs": 3, "data": {"name": "iris", "channels": 1}, "arguments": {"a": 1}}
    above = {"epochs": 5, "data": {"channels": 3}, "arguments": {"b": 2}, "seed": 1}
    assert overlay(below, above) == {
        "epochs": 5,
        "data": {"name": "iris", "channels": 3},
        "arguments": {"a": 1, "b": 2},
        "seed": 1,
    }
    assert below["data"] == {"name": "iris", "channels": 1}


def test_in_an_overlay_a_table_with_a_name_replaces_and_one_without_changes() -> None:
    below = {"optimizer": {"name": "SGD", "learning_rate": 0.1, "momentum": 0.9}}
    replaced = overlay(below, {"optimizer": {"name": "Adam"}})
    assert replaced == {"optimizer": {"name": "Adam"}}
    merged = overlay(below, {"optimizer": {"learning_rate": 0.5}})
    assert merged == {"optimizer": {"name": "SGD", "learning_rate": 0.5, "momentum": 0.9}}


def test_in_an_overlay_a_list_replaces_a_list() -> None:
    below = {"callbacks": [{"name": "TerminateOnNaN"}]}
    assert overlay(below, {"callbacks": []}) == {"callbacks": []}
