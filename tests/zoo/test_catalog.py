"""Every card of the catalogue says what is true of the model that its builder makes."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import keras
import pytest

import zoo
import zoo.models
from recipes import library
from zoo.cost import multiply_adds, trainable_parameters
from zoo.tasks import TASKS

NAMES = zoo.list_models()


def builder(name: str) -> Any:
    """The function that a card names."""
    module, _, function = zoo.card(name).builder.partition(":")
    return getattr(importlib.import_module(module), function)


@pytest.mark.parametrize("name", NAMES)
def test_the_default_network_has_the_parameters_and_multiply_adds_of_its_card(name: str) -> None:
    card = zoo.card(name)
    model = zoo.build(name)
    assert (trainable_parameters(model), multiply_adds(model)) == (card.parameters, card.macs)


@pytest.mark.parametrize("name", NAMES)
def test_the_default_input_is_the_one_on_the_card(name: str) -> None:
    default = inspect.signature(builder(name)).parameters["input_shape"].default
    assert default == zoo.card(name).input_shape


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


# How multiply-adds are counted, on layers small enough to count by hand.


def network(*layers: Any, shape: tuple[int, ...], dtype: str = "float32") -> Any:
    """A model of layers in a row."""
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def test_a_dense_layer_multiplies_each_weight_once() -> None:
    assert multiply_adds(network(keras.layers.Dense(5), shape=(3,))) == 3 * 5


def test_a_dense_layer_over_a_sequence_is_used_at_each_position() -> None:
    assert multiply_adds(network(keras.layers.Dense(5), shape=(7, 3))) == 7 * 3 * 5


def test_a_convolution_is_used_at_each_pixel_of_its_output() -> None:
    strided = keras.layers.Conv2D(4, 3, strides=2, padding="same")
    assert multiply_adds(network(strided, shape=(8, 6, 2))) == (4 * 3) * (3 * 3 * 2 * 4)


def test_a_grouped_convolution_costs_its_share() -> None:
    grouped = keras.layers.Conv2D(4, 3, groups=2, padding="same")
    assert multiply_adds(network(grouped, shape=(8, 6, 2))) == (8 * 6) * (3 * 3 * 1 * 4)


def test_a_transposed_convolution_is_used_at_each_pixel_of_its_input() -> None:
    transposed = keras.layers.Conv2DTranspose(4, 4, strides=2, padding="same")
    assert multiply_adds(network(transposed, shape=(8, 6, 2))) == (8 * 6) * (4 * 4 * 2 * 4)


def test_a_recurrent_layer_is_used_at_each_step_whatever_it_returns() -> None:
    one_step = 4 * (3 * 5 + 5 * 5)
    for whole_sequence in (False, True):
        layer = keras.layers.LSTM(5, return_sequences=whole_sequence)
        assert multiply_adds(network(layer, shape=(7, 3))) == 7 * one_step
    both_ways = keras.layers.Bidirectional(keras.layers.LSTM(5))
    assert multiply_adds(network(both_ways, shape=(7, 3))) == 2 * 7 * one_step


def test_masked_sequences_cost_what_whole_ones_do() -> None:
    embedding = keras.layers.Embedding(11, 3, mask_zero=True)
    model = network(embedding, keras.layers.LSTM(5), shape=(7,), dtype="int32")
    assert multiply_adds(model) == 7 * 4 * (3 * 5 + 5 * 5)


def test_looking_up_normalising_and_pooling_cost_nothing() -> None:
    kinds = keras.layers
    free = [kinds.BatchNormalization(), kinds.AveragePooling2D(2), kinds.Flatten()]
    assert multiply_adds(network(*free, shape=(4, 4, 2))) == 0
    assert multiply_adds(network(kinds.Embedding(11, 3), shape=(7,), dtype="int32")) == 0


def test_networks_within_a_network_are_counted_too() -> None:
    inner = network(keras.layers.Dense(5), shape=(3,))
    assert multiply_adds(network(inner, keras.layers.Dense(2), shape=(3,))) == 3 * 5 + 5 * 2


def test_only_what_is_trained_is_a_parameter() -> None:
    model = network(keras.layers.Dense(5), keras.layers.BatchNormalization(), shape=(3,))
    assert trainable_parameters(model) == (3 * 5 + 5) + (5 + 5)  # not the moving statistics
