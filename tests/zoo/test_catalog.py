"""Every card of the catalogue says what is true of the model that its builder makes."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import keras
import pytest

import zoo
import zoo.models
from recipes import library
from zoo.catalog import CARDS, ModelCard
from zoo.cost import depth, multiply_adds, trainable_parameters
from zoo.layers.side_outputs import SideOutputs
from zoo.stages import FILE, published, stages
from zoo.tasks import TASKS

NAMES = zoo.list_models()


def builder(name: str) -> Any:
    """The function that a card names."""
    module, _, function = zoo.card(name).builder.partition(":")
    return getattr(importlib.import_module(module), function)


@pytest.fixture(scope="module", params=NAMES)
def network(request: pytest.FixtureRequest) -> tuple[ModelCard, Any]:
    """A card, and the network that its builder makes from its defaults."""
    return zoo.card(request.param), zoo.build(request.param)


def test_the_default_network_is_as_large_costly_and_deep_as_its_card_says(
    network: tuple[ModelCard, Any],
) -> None:
    card, model = network
    assert trainable_parameters(model) == card.parameters
    assert multiply_adds(model) == card.macs
    assert depth(model) == card.depth >= 1


def test_the_default_network_has_the_stages_that_are_written_down(
    network: tuple[ModelCard, Any],
) -> None:
    card, model = network
    assert stages(model) == published(card.name), "write them with: python -m zoo.stages"


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


# How multiply-adds are counted, on layers small enough to count by hand.


def network_of(*layers: Any, shape: tuple[int, ...], dtype: str = "float32") -> Any:
    """A model of layers in a row."""
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def test_a_dense_layer_multiplies_each_weight_once() -> None:
    assert multiply_adds(network_of(keras.layers.Dense(5), shape=(3,))) == 3 * 5


def test_a_dense_layer_over_a_sequence_is_used_at_each_position() -> None:
    assert multiply_adds(network_of(keras.layers.Dense(5), shape=(7, 3))) == 7 * 3 * 5


def test_a_convolution_is_used_at_each_pixel_of_its_output() -> None:
    strided = keras.layers.Conv2D(4, 3, strides=2, padding="same")
    assert multiply_adds(network_of(strided, shape=(8, 6, 2))) == (4 * 3) * (3 * 3 * 2 * 4)


def test_a_grouped_convolution_costs_its_share() -> None:
    grouped = keras.layers.Conv2D(4, 3, groups=2, padding="same")
    assert multiply_adds(network_of(grouped, shape=(8, 6, 2))) == (8 * 6) * (3 * 3 * 1 * 4)


def test_a_transposed_convolution_is_used_at_each_pixel_of_its_input() -> None:
    transposed = keras.layers.Conv2DTranspose(4, 4, strides=2, padding="same")
    assert multiply_adds(network_of(transposed, shape=(8, 6, 2))) == (8 * 6) * (4 * 4 * 2 * 4)


def test_a_recurrent_layer_is_used_at_each_step_whatever_it_returns() -> None:
    one_step = 4 * (3 * 5 + 5 * 5)
    for whole_sequence in (False, True):
        layer = keras.layers.LSTM(5, return_sequences=whole_sequence)
        assert multiply_adds(network_of(layer, shape=(7, 3))) == 7 * one_step
    both_ways = keras.layers.Bidirectional(keras.layers.LSTM(5))
    assert multiply_adds(network_of(both_ways, shape=(7, 3))) == 2 * 7 * one_step


def test_masked_sequences_cost_what_whole_ones_do() -> None:
    embedding = keras.layers.Embedding(11, 3, mask_zero=True)
    model = network_of(embedding, keras.layers.LSTM(5), shape=(7,), dtype="int32")
    assert multiply_adds(model) == 7 * 4 * (3 * 5 + 5 * 5)


def test_looking_up_normalising_and_pooling_cost_nothing() -> None:
    kinds = keras.layers
    free = [kinds.BatchNormalization(), kinds.AveragePooling2D(2), kinds.Flatten()]
    assert multiply_adds(network_of(*free, shape=(4, 4, 2))) == 0
    assert multiply_adds(network_of(kinds.Embedding(11, 3), shape=(7,), dtype="int32")) == 0


def test_networks_within_a_network_are_counted_too() -> None:
    inner = network_of(keras.layers.Dense(5), shape=(3,))
    assert multiply_adds(network_of(inner, keras.layers.Dense(2), shape=(3,))) == 3 * 5 + 5 * 2


def test_only_what_is_trained_is_a_parameter() -> None:
    model = network_of(keras.layers.Dense(5), keras.layers.BatchNormalization(), shape=(3,))
    assert trainable_parameters(model) == (3 * 5 + 5) + (5 + 5)  # not the moving statistics


# How depth is counted.


def test_layers_count_in_a_depth_where_they_have_weights_and_do_not_only_normalise() -> None:
    layers = keras.layers
    model = network_of(
        layers.Embedding(9, 4),
        layers.LSTM(3),
        layers.BatchNormalization(),
        layers.Dense(5),
        layers.LayerNormalization(),
        layers.ReLU(),
        layers.Dropout(0.5),
        layers.Dense(1),
        shape=(7,),
        dtype="int32",
    )
    assert depth(model) == 3


def test_the_longest_way_counts_and_a_shared_layer_each_time_it_is_used() -> None:
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(4)
    x = shared(shared(shared(inputs)))
    shortcut = keras.layers.Dense(4)(inputs)
    model = keras.Model(inputs, keras.layers.Add()([shortcut, x]))
    assert depth(model) == 3
    nested = keras.Sequential([keras.Input((4,)), model, keras.layers.Dense(2)])
    assert depth(nested) == 4


def test_a_depth_leads_to_the_answer_and_not_to_what_only_training_sees() -> None:
    inputs = keras.Input((4,))
    answer = keras.layers.Dense(3)(inputs)
    beside = keras.layers.Dense(4)(keras.layers.Dense(5)(answer))
    assert depth(keras.Model(inputs, SideOutputs()([answer, beside]))) == 1
