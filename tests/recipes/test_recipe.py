"""The recipe's schema: what it takes, what it refuses and how, and how overrides are laid over."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from recipes.recipe import (
    Recipe,
    Target,
    Warmup,
    assignment,
    overlay,
    override,
    parse,
    read_toml,
)
from zoo.errors import UsageError

LEAST = {"model": "mlp", "epochs": 3, "data": {"name": "iris"}, "optimizer": "Adam"}

MOST: dict[str, Any] = {
    "model": "gan",
    "arguments": {"hidden_units": [16, 8], "activation": "relu"},
    "task": "generation",
    "variant": "most-of-all",
    "epochs": 7,
    "batch_size": "full",
    "seed": 5,
    "precision": "mixed_bfloat16",
    "jit_compile": True,
    "steps_per_execution": 4,
    "strategy": "mirrored",
    "devices": 2,
    "init_from": "runs/gan-digits-1",
    "freeze": ["generator/*"],
    "data": {"name": "digits", "image_size": [32, 24], "channels": 3},
    "augmentation": [{"name": "affine", "rotation": 8.0}],
    "optimizers": {
        "generator": {"name": "Adam", "learning_rate": 0.0002, "beta_1": 0.5},
        "discriminator": {"name": "SGD", "nesterov": True},
    },
    "schedule": {"name": "PiecewiseConstantDecay", "boundary_epochs": [1, 2], "values": [1, 2, 3]},
    "warmup": {"epochs": 0.5, "start": 0.001},
    "loss": {"name": "BinaryCrossentropy", "label_smoothing": 0.1},
    "metrics": [{"name": "AUC", "curve": "PR"}, "mae"],
    "regularization": {"name": "L2", "l2": 0.0001},
    "callbacks": ["TerminateOnNaN", {"name": "EarlyStopping", "patience": 3}],
    "target": {"metric": "fid", "at_most": 20, "source": "the paper"},
}


def recipe(**changes: Any) -> Recipe:
    """The shortest recipe, with changes."""
    return parse({**LEAST, **changes}, source="test")


def refusal(values: dict[str, Any]) -> str:
    """What is said of a recipe that is wrong: one line that begins with where it is from."""
    with pytest.raises(UsageError) as caught:
        parse(values, source="my.toml")
    message = str(caught.value)
    assert message.startswith("my.toml: ")
    assert len(message.splitlines()) == 1
    return message.removeprefix("my.toml: ")


def changed(key: str, value: Any) -> dict[str, Any]:
    """The shortest recipe with a value at a dotted key."""
    *path, last = key.split(".")
    values: dict[str, Any] = {**LEAST, "optimizer": {"name": "Adam"}, "data": {"name": "iris"}}
    place = values
    for part in path:
        place = place.setdefault(part, {})
    place[last] = value
    return values


def test_a_short_recipe_leaves_the_rest_to_defaults() -> None:
    made = recipe()
    assert made.batch_size == 64
    assert made.seed == 0
    assert made.precision == made.strategy == made.jit_compile == made.steps_per_execution == "auto"
    assert made.optimizer is not None
    assert (made.optimizer.name, made.optimizer.arguments) == ("Adam", {})
    assert made.all_optimizers == {"optimizer": made.optimizer}
    assert made.name == "mlp-iris"


def test_what_keras_calls_by_name_takes_keras_own_arguments_beside_it() -> None:
    made = parse(MOST, source="test")
    assert list(made.all_optimizers) == ["generator", "discriminator"]
    generator = made.optimizers["generator"]
    assert generator.arguments == {"learning_rate": 0.0002, "beta_1": 0.5}
    assert [metric.name for metric in made.metrics] == ["AUC", "mae"]
    assert made.callbacks[0].arguments == {}
    assert made.callbacks[1].arguments == {"patience": 3}
    assert made.data.image_size == (32, 24)


def test_runs_are_named_by_model_data_set_and_variant() -> None:
    assert parse(MOST, source="test").name == "gan-digits-most-of-all"


@pytest.mark.parametrize("values", [LEAST, MOST], ids=["least", "most"])
def test_a_recipe_comes_back_from_its_own_toml_as_it_was(values: dict[str, Any]) -> None:
    made = parse(values, source="test")
    again = parse(tomllib.loads(made.to_toml()), source="again")
    assert again == made
    assert again.to_toml() == made.to_toml()


def test_a_resolved_recipe_says_its_defaults() -> None:
    text = recipe().to_toml()
    assert 'precision = "auto"' in text
    assert "batch_size = 64" in text
    assert "seed = 0" in text


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("epoch", "epochs"),
        ("batchsize", "batch_size"),
        ("optimiser", "optimizer"),
        ("data.image_sise", "image_size"),
        ("target.atleast", "at_least"),
        ("warmup.epoch", "epochs"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(key: str, nearest: str) -> None:
    values = changed(key, 1)
    if key.startswith("target"):
        values["target"] |= {"metric": "accuracy", "at_most": 1}
    if key.startswith("warmup"):
        values["warmup"]["epochs"] = 1
    assert refusal(values) == f"unknown key '{key}'. Did you mean '{nearest}'?"


def test_a_key_that_resembles_nothing_is_refused_with_those_that_exist() -> None:
    message = refusal(changed("data.zzz", 1))
    assert message.startswith("unknown key 'data.zzz'. There are: name, image_size, channels, ")


@pytest.mark.parametrize("key", ["model", "epochs", "data"])
def test_a_key_that_every_recipe_needs_is_missed_by_name(key: str) -> None:
    assert refusal({k: v for k, v in LEAST.items() if k != key}) == f"'{key}' is missing"


def test_what_is_named_needs_a_name() -> None:
    assert refusal({**LEAST, "loss": {"from_logits": True}}) == "'loss.name' is missing"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", 0),
        ("epochs", -3),
        ("epochs", 2.5),
        ("epochs", "ten"),
        ("epochs", True),
        ("batch_size", 0),
        ("batch_size", -1),
        ("batch_size", "half"),
        ("batch_size", 1.5),
        ("seed", -1),
        ("seed", 2**31),
        ("precision", "float16"),
        ("jit_compile", "yes"),
        ("steps_per_execution", 0),
        ("steps_per_execution", "many"),
        ("strategy", "mirror"),
        ("devices", 0),
        ("variant", "Not A Word"),
        ("data.image_size", 0),
        ("data.image_size", 32.5),
        ("data.image_size", True),
        ("data.image_size", [32]),
        ("data.image_size", [32, -32]),
        ("data.image_size", "large"),
        ("data.channels", 2),
        ("data.sequence_length", 0),
        ("data.vocabulary_size", 2),
        ("data.split_text", "sentence"),
        ("data.lowercase", "yes"),
        ("warmup.epochs", 0),
        ("warmup.epochs", float("inf")),
        ("warmup.start", -0.1),
        ("model", 5),
        ("init_from", 5),
        ("freeze", "C1"),
        ("metrics", "mae"),
        ("optimizer.learning_rate", 0),
        ("optimizer.learning_rate", -0.1),
        ("optimizer.learning_rate", "fast"),
        ("optimizer.learning_rate", True),
        ("optimizer.learning_rate", float("nan")),
        ("optimizer.learning_rate", float("inf")),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_key_and_what_was_received(
    key: str, value: Any
) -> None:
    values = changed(key, value)
    if key == "warmup.start":
        values["warmup"]["epochs"] = 1
    message = refusal(values)
    # The key as it was written, without the types that the schema tries.
    assert key.rpartition(".")[2] in message.partition("must")[0].partition("input")[0]
    assert str(value).strip("[]") in message
    for inner in ("literal[", "constrained", ".int", ".bool", "tuple"):
        assert inner not in message


def test_a_batch_is_full_or_a_number() -> None:
    assert recipe(batch_size="full").batch_size == "full"
    assert recipe(batch_size=1).batch_size == 1
    assert refusal({**LEAST, "batch_size": "half"}) == (
        "batch_size: must be 'full' or a whole number, got 'half'"
    )


def test_one_number_is_a_square_image() -> None:
    assert recipe(data={"name": "digits", "image_size": 32}).data.image_size == (32, 32)


def test_a_recipe_has_one_optimizer_or_one_for_each_network() -> None:
    both = {**LEAST, "optimizers": {"generator": "Adam"}}
    neither = {key: value for key, value in LEAST.items() if key != "optimizer"}
    for wrong in (both, neither, {**neither, "optimizers": {}}):
        assert "either [optimizer], or [optimizers.NAME]" in refusal(wrong)


@pytest.mark.parametrize("name", ["ReduceLROnPlateau", "reduce_lr_on_plateau"])
@pytest.mark.parametrize("other", [{"schedule": "CosineDecay"}, {"warmup": {"epochs": 1}}])
def test_two_that_would_set_the_learning_rate_are_refused(name: str, other: Any) -> None:
    assert recipe(callbacks=[name]).callbacks[0].name == name
    message = refusal({**LEAST, "callbacks": [name], **other})
    assert "ReduceLROnPlateau needs a learning rate without schedule or warmup" in message


def test_a_target_is_a_bound_from_below_or_from_above() -> None:
    accuracy = Target(metric="accuracy", at_least=0.97)
    error = Target(metric="mean_absolute_error", at_most=44)
    assert accuracy.reached(0.97)
    assert not accuracy.reached(0.9699)
    assert error.reached(44.0)
    assert not error.reached(44.1)
    assert (str(accuracy), str(error)) == ("accuracy ≥ 0.97", "mean_absolute_error ≤ 44")
    assert not accuracy.reached(float("nan"))
    for bounds in ({}, {"at_least": 1, "at_most": 2}):
        message = refusal({**LEAST, "target": {"metric": "accuracy", **bounds}})
        assert "give one of at_least and at_most" in message


def test_a_recipe_cannot_be_changed_behind_its_back() -> None:
    made = recipe()
    with pytest.raises(ValueError, match="frozen"):
        setattr(made, "epochs", 5)  # noqa: B010
    assert made.optimizer is not None
    made.optimizer.arguments["learning_rate"] = 5.0
    assert made.optimizer.arguments == {}


# Reading files.


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    missing, wrong, binary = (tmp_path / f"{name}.toml" for name in ("missing", "wrong", "binary"))
    wrong.write_text("epochs = = 3")
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=f"cannot read {missing}: No such file or directory"):
        read_toml(missing)
    with pytest.raises(UsageError, match=f"cannot read {tmp_path}: Is a directory"):
        read_toml(tmp_path)
    for path in (wrong, binary):
        with pytest.raises(UsageError, match=f"{path} is not TOML: "):
            read_toml(path)


# Overrides: `--set KEY=VALUE`.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("optimizer.learning_rate=0.01", ("optimizer.learning_rate", 0.01)),
        ("optimizer.learning_rate=1e-3", ("optimizer.learning_rate", 0.001)),
        ("epochs=20", ("epochs", 20)),
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
    made = override(base, {"optimizer.learning_rate": 0.01, "epochs": 9, "data.channels": 1})
    assert made.optimizer is not None
    assert made.optimizer.name == "SGD"
    assert made.optimizer.arguments == {"learning_rate": 0.01, "momentum": 0.9}
    assert (made.epochs, made.data.channels, made.data.name) == (9, 1, "iris")
    assert base.epochs == 3
    assert base.optimizer is not None
    assert base.optimizer.arguments["learning_rate"] == 0.1


def test_nothing_overridden_is_the_same_recipe() -> None:
    made = parse(MOST, source="test")
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
        data={"name": "digits", "image_size": [32, 32]},
    )
    made = override(
        base,
        {
            "callbacks.1.patience": 9,
            "arguments.hidden_units.0": 7,
            "data.image_size.1": 24,
            "metrics": ["mae", {"name": "AUC"}],
        },
    )
    assert made.callbacks[1].arguments == {"patience": 9}
    assert made.arguments == {"hidden_units": [7, 5]}
    assert made.data.image_size == (32, 24)
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
        ({"data.nam": "x"}, "override: unknown key 'data.nam'. Did you mean 'name'?"),
        ({"epochs": 0}, "override: epochs: input should be greater than or equal to 1, got 0"),
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
