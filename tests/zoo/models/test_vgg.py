"""VGG networks: the configurations of the paper's tables 1 and 2."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import pytest

import zoo
from zoo.base.errors import UsageError

# Table 1, column by column: filters of each convolution, a pooling between the groups.
TABLE_1 = {
    "vgg11": ((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),
    "vgg13": ((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2),
    "vgg16": ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
    "vgg19": ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),
}
NAMES = sorted(TABLE_1)


@cache
def small(name: str, **arguments: Any) -> Any:
    """A network for 32×32 pixels; built once, so that no test may change it."""
    return zoo.build(name, **{"input_shape": (32, 32, 3), "classes": 5, **arguments})


@pytest.mark.parametrize("name", NAMES)
def test_the_convolutions_are_those_of_table_1(name: str) -> None:
    model = small(name)
    blocks: list[list[int]] = [[]]
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            assert (layer.kernel_size, layer.strides, layer.padding) == ((3, 3), (1, 1), "same")
            blocks[-1].append(layer.filters)
        elif isinstance(layer, keras.layers.MaxPooling2D):
            assert (layer.pool_size, layer.strides) == ((2, 2), (2, 2))
            blocks.append([])
    assert tuple(tuple(block) for block in blocks[:-1]) == TABLE_1[name]


@pytest.mark.parametrize(
    ("name", "parameters"),  # table 2, in millions
    [("vgg11", 133), ("vgg13", 133), ("vgg16", 138), ("vgg19", 144)],
)
def test_the_cards_parameters_round_to_table_2(name: str, parameters: int) -> None:
    assert round(zoo.card(name).parameters / 1e6) == parameters


def test_multiply_adds_of_vgg16_are_the_published_ones() -> None:
    assert zoo.card("vgg16").macs / 1e9 == pytest.approx(15.47, abs=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_the_number_in_the_name_counts_the_weighted_layers(name: str) -> None:
    weighted = [layer for layer in small(name).layers if layer.weights]
    assert len(weighted) == int(name.removeprefix("vgg"))


def test_dropout_follows_the_first_two_dense_layers_and_can_be_set() -> None:
    model = small("vgg11", dropout=0.25)
    rates = {layer.name: layer.rate for layer in model.layers if hasattr(layer, "rate")}
    assert rates == {"fc1_dropout": 0.25, "fc2_dropout": 0.25}


def test_the_smallest_input_is_32_by_32() -> None:
    with pytest.raises(UsageError, match="the smallest input is 32×32, got 40×31"):
        zoo.build("vgg16", input_shape=(40, 31, 3))
