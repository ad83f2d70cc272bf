"""`dlzoo recipes`."""

from __future__ import annotations

import tomllib

import pytest

from recipes import library
from recipes.recipe import parse
from tests.cli.conftest import Dlzoo


def named(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines()[1:]]


def test_every_recipe_is_listed_with_its_target_and_what_it_is(dlzoo: Dlzoo) -> None:
    result = dlzoo("recipes")
    assert result.code == 0
    assert named(result.out) == library.names()
    for entry, line in zip(library.entries(), result.out.splitlines()[1:], strict=True):
        assert str(entry.recipe.target or "") in line
        assert line.endswith(entry.summary)
    assert dlzoo("recipes", "list").out == result.out


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("lenet5", ["lenet5-digits", "lenet5-mnist"]),
        ("lenet", ["lenet5-1998-digits", "lenet5-digits", "lenet5-mnist"]),
        ("capsnet", ["capsnet-digits"]),
        ("resnet110", ["resnet20-digits", "resnet110-cifar10"]),  # the first is its card's
        ("resnet152", ["resnet50-digits"]),
    ],
)
def test_the_recipes_of_one_model_or_family(model: str, found: list[str], dlzoo: Dlzoo) -> None:
    assert named(dlzoo("recipes", model).out) == found


def test_json_holds_what_the_table_shows(dlzoo: Dlzoo) -> None:
    (one,) = dlzoo("recipes", "capsnet", "--json").json
    recipe = library.load("capsnet-digits")
    assert (one["name"], one["model"], one["dataset"]) == ("capsnet-digits", "capsnet", "digits")
    assert one["epochs"] == recipe.epochs
    assert one["target"] == str(recipe.target)


def test_a_recipe_is_shown_as_it_is_written_so_that_it_can_be_kept_and_changed(
    dlzoo: Dlzoo,
) -> None:
    result = dlzoo("recipes", "show", "mlp-iris")
    assert result.code == 0
    assert result.out == library.path_of("mlp-iris").read_text(encoding="utf-8")
    assert parse(tomllib.loads(result.out), source="stdout") == library.load("mlp-iris")
    assert result.err == "next: dlzoo train mlp --recipe mlp-iris\n"


def test_as_json_a_recipe_has_its_defaults_and_is_a_recipe_again(dlzoo: Dlzoo) -> None:
    values = dlzoo("recipes", "show", "mlp-iris", "--json").json
    assert values["seed"] == 0
    assert parse(values, source="stdout") == library.load("mlp-iris")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["show", "mlp-irs"], "unknown recipe 'mlp-irs'. Did you mean 'mlp-iris'?"),
        (["show", "qqq"], "unknown recipe 'qqq'. See them with: dlzoo recipes"),
        (["show"], "Missing argument 'NAME'."),
        (["lenat5"], "unknown model 'lenat5'. Did you mean 'lenet5'?"),
    ],
)
def test_what_is_not_there_is_refused(typed: list[str], message: str, dlzoo: Dlzoo) -> None:
    assert dlzoo("recipes", *typed).refusal == message
