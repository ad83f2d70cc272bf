"""Every card of the catalogue says what is true of the model that its builder makes."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

import zoo
import zoo.models
from recipes import library
from tools import outline
from zoo.anatomy.counts import depth, multiply_adds, trainable_parameters
from zoo.anatomy.stages import FILE, published, stages
from zoo.catalog import CARDS, ModelCard
from zoo.tasks import TASKS

NAMES = zoo.list_models()


def builder(name: str) -> Any:
    """The function that a card names."""
    module, _, function = zoo.card(name).builder.partition(":")
    return getattr(importlib.import_module(module), function)


@pytest.fixture(scope="module", params=NAMES)
def network(request: pytest.FixtureRequest) -> tuple[ModelCard, Any]:
    """A card, and the network that its builder makes from its defaults."""
    return zoo.card(request.param), outline.network(request.param)


def test_the_default_network_is_as_large_costly_and_deep_as_its_card_says(
    network: tuple[ModelCard, Any],
) -> None:
    card, model = network
    assert trainable_parameters(model) == card.parameters
    assert multiply_adds(model) == card.macs
    assert depth(model) == card.depth
    assert (card.depth == 0) == (card.macs == 0)  # of tables: a look-up computes nothing


def test_the_default_network_has_the_stages_that_are_written_down(
    network: tuple[ModelCard, Any],
) -> None:
    card, model = network
    assert stages(model) == published(card.name), "write them with: python -m tools.stages"


@pytest.mark.parametrize("name", NAMES)
def test_the_stages_add_up_to_the_card(name: str) -> None:
    card, found = zoo.card(name), published(name)
    assert sum(stage.parameters for stage in found) == card.parameters
    assert sum(stage.macs for stage in found) == card.macs
    assert len({stage.name for stage in found}) == len(found)


def test_no_stages_are_written_down_of_models_that_are_gone() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8")).keys() == {card.name for card in CARDS}


@pytest.mark.parametrize("name", NAMES)
def test_the_default_input_is_the_one_on_the_card(name: str) -> None:
    default = inspect.signature(builder(name)).parameters["input_shape"].default
    assert default == zoo.card(name).input_shape


@pytest.mark.parametrize("name", NAMES)
def test_the_inputs_are_named_as_the_columns_of_data_sets(name: str) -> None:
    assert set(zoo.card(name).inputs) <= {"image", "features", "text", "series", "label"}


def test_half_precision_is_for_the_networks_that_it_speeds_up() -> None:
    without = {card.name for card in CARDS if not card.half_precision}
    assert without == {
        *("perceptron", "logistic-regression", "mlp", "vae", "gan"),
        *("conditional-vae", "conditional-gan", "wgan-gp"),
        *("word2vec", "glove"),
        *("autoencoder", "stacked-autoencoder", "rbm", "dbn"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_builder_takes_typed_keyword_arguments_and_says_what_it_is(name: str) -> None:
    function = builder(name)
    for parameter in inspect.signature(function).parameters.values():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.annotation is not parameter.empty
        assert parameter.default is not parameter.empty
    assert function.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_the_card_names_its_paper(name: str) -> None:
    paper = zoo.card(name).paper
    assert paper.title
    assert paper.authors
    assert 1940 <= paper.year <= 2100
    assert re.fullmatch(r"https://\S+", paper.url)


@pytest.mark.parametrize("name", NAMES)
def test_the_card_reads_well_in_a_list(name: str) -> None:
    card = zoo.card(name)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", card.name)
    assert re.fullmatch(r"[A-Z0-9][^\n]{10,79}(?<!\.)", card.summary)


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_in_three_lines_what_is_special(name: str) -> None:
    special = zoo.card(name).special
    assert len(special) == 3
    for line in special:
        assert 40 <= len(line) <= 90
        assert line == line.strip()


@pytest.mark.parametrize("name", NAMES)
def test_the_card_names_a_task_that_exists(name: str) -> None:
    assert zoo.card(name).task in TASKS


@pytest.mark.parametrize("name", NAMES)
def test_the_cards_recipe_exists_and_is_for_its_family(name: str) -> None:
    card = zoo.card(name)
    assert card.recipe in library.names()
    assert zoo.card(library.load(card.recipe).model).family == card.family


def test_every_file_of_models_is_in_the_catalogue() -> None:
    folder = Path(zoo.models.__file__).parent
    files = {f"zoo.models.{path.stem}" for path in folder.glob("*.py")} - {"zoo.models.__init__"}
    assert files == {zoo.card(name).builder.partition(":")[0] for name in NAMES}
