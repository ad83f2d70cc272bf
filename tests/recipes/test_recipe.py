"""The recipe's schema: what it takes, and what it refuses with which message."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from recipes.recipe import PRECISIONS, STRATEGIES, Recipe, Target, Warmup, parse, read_toml
from zoo.base.errors import UsageError

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
    "data": {"name": "digits", "image": {"size": [32, 24], "channels": 3}},
    "augmentation": [{"name": "affine", "rotation": 8.0}],
    "optimizers": {
        "generator": {"name": "Adam", "learning_rate": 0.0002, "beta_1": 0.5},
        "discriminator": {
            "name": "SGD",
            "nesterov": True,
            "schedule": {"name": "CosineDecay", "decay_fraction": 1.0},
            "warmup": {"epochs": 1},
        },
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
    assert made.data.forms == {"image": {"size": [32, 24], "channels": 3}}


def test_each_optimizer_has_its_own_schedule_and_warm_up_or_the_recipes() -> None:
    made = parse(MOST, source="test")
    generator, discriminator = made.all_optimizers.values()
    assert (generator.schedule, generator.warmup) == (made.schedule, made.warmup)
    assert discriminator.arguments == {"nesterov": True}
    assert discriminator.schedule is not None
    assert discriminator.schedule.arguments == {"decay_fraction": 1.0}
    assert discriminator.warmup == Warmup(epochs=1)


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("breast-cancer", "mlp-breast-cancer"),
        ("folder:./photos", "mlp-folder-photos"),
        ("csv:../my data/a.b_c.csv", "mlp-csv-my-data-a.b_c.csv"),
        ("npz:C:\\x\\y.npz", "mlp-npz-C-x-y.npz"),
        ("../..", "mlp"),
    ],
)
def test_runs_are_named_by_model_data_set_and_variant(dataset: str, name: str) -> None:
    assert recipe(data={"name": dataset}).name == name
    assert recipe(data={"name": dataset}, variant="wide-2").name == f"{name}-wide-2"


def test_precisions_and_strategies_are_those_of_the_schema() -> None:
    assert [recipe(precision=one).precision for one in PRECISIONS] == list(PRECISIONS)
    assert [recipe(strategy=one).strategy for one in STRATEGIES] == list(STRATEGIES)


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
        ("target.atleast", "at_least"),
        ("warmup.epoch", "epochs"),
        ("optimizers.generator.warmup.strat", "start"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(key: str, nearest: str) -> None:
    values = changed(key, 1)
    if key.startswith("target"):
        values["target"] |= {"metric": "accuracy", "at_most": 1}
    if key.startswith("warmup"):
        values["warmup"]["epochs"] = 1
    if key.startswith("optimizers"):
        values = {**changed(key, 1), "optimizer": None}
        values["optimizers"]["generator"] |= {"name": "Adam", "warmup": {"epochs": 1, "strat": 1}}
    assert refusal(values) == f"unknown key '{key}'. Did you mean '{nearest}'?"


def test_a_key_that_resembles_nothing_is_refused_with_those_that_exist() -> None:
    message = refusal(changed("target.zzz", 1) | {"target": {"metric": "mae", "zzz": 1}})
    assert message == "unknown key 'target.zzz'. There are: metric, at_least, at_most, source."


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("image_size", [32, 32], "data.image_size: write data.image.size"),
        ("sequence_length", 40, "data.sequence_length: write data.text.length"),
        ("split_text", "whitespace", "data.split_text: write data.text.unit"),
        ("size", 32, "unknown key 'data.size'. Did you mean 'data.image.size'?"),
        ("sizee", 32, "unknown key 'data.sizee'. Did you mean 'data.image.size'?"),
        ("image_sise", 32, "unknown key 'data.image_sise'. Did you mean 'data.image.size'?"),
        ("nam", "iris", "unknown key 'data.nam'. Did you mean 'data.name'?"),
        ("image", 32, "data.image: must be a table with the form of a column, such as "),
        ("zzz", [1], "data.zzz: must be a table with the form of a column, such as "),
    ],
)
def test_beside_its_name_the_data_have_only_tables(key: str, value: Any, message: str) -> None:
    assert refusal(changed(f"data.{key}", value)).startswith(message)


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
        ("data.name", 5),
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
    assert key.rpartition(".")[2] in message.partition("must")[0]
    assert str(value).strip("[]") in message
    for inner in ("literal[", "constrained", ".int", ".bool", "tuple"):
        assert inner not in message


def test_a_batch_is_full_or_a_number() -> None:
    assert recipe(batch_size="full").batch_size == "full"
    assert recipe(batch_size=1).batch_size == 1


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("batch_size", "half", "batch_size: must be 'full' or a whole number, got 'half'"),
        ("epochs", "ten", "epochs: must be a whole number, got 'ten'"),
        ("epochs", 0, "epochs: must be at least 1, got 0"),
        ("warmup.epochs", "x", "warmup.epochs: must be a number, got 'x'"),
        ("metrics", "mae", "metrics: must be a list, got 'mae'"),
        ("freeze", "C1", "freeze: must be a list, got 'C1'"),
        ("model", 5, "model: must be text, got 5"),
        (
            "strategy",
            "x",
            "strategy: must be 'auto', 'one-device', 'mirrored', 'multi-worker', 'tpu', "
            "'central-storage' or 'parameter-server', got 'x'",
        ),
        ("jit_compile", "x", "jit_compile: must be 'auto', true or false, got 'x'"),
        *(
            (
                "jit_compile",
                word,
                f"jit_compile: must be 'auto', true or false, got '{word}'. Write {meant}.",
            )
            for word, meant in {"False": "false", "no": "false", "yes": "true"}.items()
        ),
        (
            "optimizer.learning_rate",
            "x",
            "optimizer: learning_rate must be a number above 0, got 'x'",
        ),
    ],
)
def test_a_wrong_type_is_answered_with_the_right_one(key: str, value: Any, message: str) -> None:
    assert refusal(changed(key, value)) == message


def test_a_recipe_has_one_optimizer_or_one_for_each_network() -> None:
    both = {**LEAST, "optimizers": {"generator": "Adam"}}
    neither = {key: value for key, value in LEAST.items() if key != "optimizer"}
    for wrong in (both, neither, {**neither, "optimizers": {}}):
        assert "either [optimizer], or [optimizers.NAME]" in refusal(wrong)


@pytest.mark.parametrize("name", ["ReduceLROnPlateau", "reduce_lr_on_plateau"])
@pytest.mark.parametrize("other", [{"schedule": "CosineDecay"}, {"warmup": {"epochs": 1}}])
def test_two_that_would_set_the_learning_rate_are_refused(name: str, other: Any) -> None:
    assert recipe(callbacks=[name]).callbacks[0].name == name
    for scheduled in (other, {"optimizer": {"name": "Adam", **other}}):
        message = refusal({**LEAST, "callbacks": [name], **scheduled})
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
