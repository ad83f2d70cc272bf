"""Every recipe that comes with dlzoo can be read, is explained, and fits its model and data."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from cli.train import command
from recipes import keras_objects, library
from recipes.keras_objects import callbacks, regularizer
from recipes.overrides import overlay
from recipes.recipe import PUBLISHED, Recipe, parse
from zoo.base.errors import UsageError
from zoo.datasets.augmentation.augmenter import augmenter
from zoo.datasets.loading import load as load_dataset
from zoo.datasets.sources import list_sources, open_source
from zoo.training.preparation import compile_arguments, make_task
from zoo.training.resolve import check, resolve

NAMES = library.names()
WITHOUT_TARGET = ("dcgan-imagenet", "rbm-mnist", "wgan-gp-cifar10")
"""Their papers publish no figure that dlzoo computes."""
OPTIMIZERS = ("sgd", "momentum", "adagrad", "adadelta", "rmsprop", "adam")


def header(name: str) -> list[str]:
    """The comment that a recipe's file begins with, without its signs."""
    lines = library.path_of(name).read_text(encoding="utf-8").splitlines()
    end = next(at for at, line in enumerate(lines) if not line.startswith("#"))
    return [line.removeprefix("#").strip() for line in lines[:end]]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_called_by_its_model_data_set_and_variant(name: str) -> None:
    assert library.load(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_model_data_set_and_task_exist_and_fit_together(name: str) -> None:
    recipe = library.load(name)
    assert zoo.card(recipe.model).name == recipe.model
    assert recipe.data.name in list_sources()
    check(recipe)


@pytest.mark.parametrize("name", NAMES)
def test_the_header_says_what_it_is_what_it_takes_and_what_it_scored(name: str) -> None:
    lines = header(name)
    assert re.fullmatch(r"\S.{9,79}", lines[0])
    assert library.summary(library.path_of(name)) == lines[0]
    text = " ".join(lines)
    assert "@@" not in text  # a figure that was never filled in
    target = library.load(name).target
    if target is not None and target.published:
        assert PUBLISHED in text
        return
    if name in WITHOUT_TARGET:
        assert "there is no target" in text
        return
    assert re.search(r"Takes .*\d", text)
    assert re.search(r"test .*\d", text)


@pytest.mark.parametrize("name", NAMES)
def test_the_command_in_the_header_trains_by_this_recipe(name: str) -> None:
    commands = [line for line in header(name) if line.startswith("dlzoo train ")]
    assert commands, "the header has no line with its command"
    said = command.make_context("train", shlex.split(commands[0])[2:]).params
    resolved = resolve(said["model"], recipe=said["recipe"], dataset=said["dataset"])
    assert resolved == library.load(name)


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_target(name: str) -> None:
    target = library.load(name).target
    if name in WITHOUT_TARGET:
        assert target is None
        return
    assert target is not None
    assert target.source


@pytest.mark.parametrize("name", NAMES)
def test_scores_on_data_that_are_downloaded_are_published_ones(name: str) -> None:
    recipe = library.load(name)
    if name in WITHOUT_TARGET:
        assert open_source(recipe.data.name).describe().first_use
        return
    assert recipe.target is not None
    downloaded = bool(open_source(recipe.data.name).describe().first_use)
    assert recipe.target.published is downloaded


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_a_papers_weight_decay_is_twice_what_keras_calls_l2(depth: int) -> None:
    named = library.load(f"resnet{depth}-cifar10").regularization
    assert named is not None
    weight = keras.Variable([[3.0, -0.5]])
    with tf.GradientTape() as tape:
        penalty = regularizer(named)(weight)
    decay = np.asarray(tape.gradient(penalty, weight.value))
    np.testing.assert_allclose(decay, 1e-4 * np.array([[3.0, -0.5]]), rtol=1e-6)


# Those on data that are downloaded are built, and trained, in tests/zoo/training/test_papers.py.
BUNDLED = [
    name for name in NAMES if not open_source(library.load(name).data.name).describe().first_use
]


@pytest.mark.parametrize("name", BUNDLED)
def test_the_model_can_be_built_and_compiled_by_it(name: str, tmp_path: Path) -> None:
    recipe = library.load(name)
    card = zoo.card(recipe.model)
    task = make_task(recipe, load_dataset(recipe.data.name, recipe.data.forms).spec)
    model = zoo.build(card.name, **{**task.builder_arguments(), **recipe.arguments})
    model.compile(**compile_arguments(recipe, task, steps_per_epoch=10))
    assert len(callbacks(recipe, tmp_path)) == len(recipe.callbacks)
    assert (augmenter(recipe.augmentation, task.asked) is None) is (recipe.augmentation == [])


def test_the_classic_lesson_is_there() -> None:
    assert {f"perceptron-{table}" for table in ("and", "or", "xor")} <= set(NAMES)
    for solved in ("perceptron-and", "perceptron-or", "mlp-xor"):
        target = library.load(solved).target
        assert target is not None
        assert target.at_least == 1.0
    lesson = library.load("perceptron-xor").target
    assert lesson is not None
    assert lesson.at_most == 0.75


def test_the_recipes_that_compare_optimizers_differ_in_nothing_else() -> None:
    def rest(recipe: Recipe) -> dict[str, Any]:
        own = ("variant", "optimizer", "target")
        return {key: value for key, value in recipe.as_dict().items() if key not in own}

    found = [library.load(f"mlp-digits-{name}") for name in OPTIMIZERS]
    assert all(rest(recipe) == rest(found[0]) for recipe in found)
    assert len({str(recipe.optimizer) for recipe in found}) == len(OPTIMIZERS)


# Finding recipes.


def test_recipes_lie_in_the_folder_of_their_models_family() -> None:
    for name in NAMES:
        family = zoo.card(library.load(name).model).family
        assert library.path_of(name) == library.HERE / family / f"{name}.toml"


def test_names_are_unique_and_in_natural_order() -> None:
    files = list(library.HERE.rglob("*.toml"))
    assert sorted(path.stem for path in files) == sorted(NAMES)
    of_cifar = [name for name in NAMES if name.startswith("resnet") and "-cifar10" in name]
    assert of_cifar == [f"resnet{depth}-cifar10" for depth in (20, 32, 44, 56, 110)]


def test_every_recipe_is_installed() -> None:
    root = library.HERE.parent
    with (root / "pyproject.toml").open("rb") as file:
        patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]["recipes"]
    installed = {path for pattern in patterns for path in library.HERE.glob(pattern)}
    assert {library.path_of(name) for name in NAMES} <= installed


def test_entries_are_all_recipes_or_those_of_one_model() -> None:
    assert [entry.name for entry in library.entries()] == NAMES
    of_lenet = library.entries("lenet5")
    assert [entry.name for entry in of_lenet] == ["lenet5-digits", "lenet5-mnist"]
    assert of_lenet[0].recipe == library.load("lenet5-digits")
    assert of_lenet[0].summary == header("lenet5-digits")[0]


def test_an_unknown_recipe_is_answered_with_the_nearest_or_the_list() -> None:
    with pytest.raises(UsageError, match=r"unknown recipe 'lenet-digits'\. Did you mean 'lenet5-d"):
        library.load("lenet-digits")
    with pytest.raises(UsageError, match=r"unknown recipe 'qq'\. See them with: dlzoo recipes"):
        library.load("qq")


def test_a_path_is_told_from_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("")
    assert library.is_file("mine")
    assert library.is_file("mine.toml")
    assert library.is_file("folder/mine")
    assert not library.is_file("lenet5-digits")


def test_a_file_of_the_users_own_is_loaded_and_named_in_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(library.load("lenet5-digits").to_toml())
    assert library.load_file(path) == library.load("lenet5-digits")
    path.write_text("model = 'lenet5'\nepochs = 0\n")
    with pytest.raises(UsageError, match=f"{path}: "):
        library.load_file(path)


def test_a_file_without_a_header_is_refused_where_a_title_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("model = 'lenet5'\n")
    with pytest.raises(UsageError, match="does not begin with a comment that says what"):
        library.summary(path)


def test_a_header_says_what_a_training_takes_where_it_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("# Mine\n#\n# Takes 24 seconds on two CPU cores; test accuracy 0.9972.\n")
    assert library.takes(path) == "24 seconds on two CPU cores; test accuracy 0.9972"
    path.write_text("# Mine\nmodel = 'lenet5'\n")
    assert library.takes(path) is None


# The documentation.

DOCS = (library.HERE.parent / "docs" / "recipes.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.+?)```", DOCS, re.DOTALL))
def test_the_examples_of_the_documentation_are_recipes(block: str, tmp_path: Path) -> None:
    values = tomllib.loads(block)
    base = library.load("gan-digits" if "optimizers" in values else "lenet5-digits").as_dict()
    recipe = parse(values if "model" in values else overlay(base, values), source="docs")
    assert keras_objects.compile_arguments(recipe, steps_per_epoch=10)
    assert len(callbacks(recipe, tmp_path / "run")) == len(recipe.callbacks)
