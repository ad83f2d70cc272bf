"""AlexNet: the layers of the paper's figure 2, and its two groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError

# Section 3.5 and figure 2, layer by layer.
PARAMETERS = {
    "conv1": 34_944,
    "conv2": 307_456,
    "conv3": 885_120,
    "conv4": 663_936,
    "conv5": 442_624,
    "fc6": 37_752_832,
    "fc7": 16_781_312,
    "probabilities": 4_097_000,
}


@pytest.fixture(scope="module")
def alexnet() -> Any:
    return zoo.build("alexnet")


@pytest.mark.parametrize(("layer", "parameters"), PARAMETERS.items())
def test_each_layer_has_the_published_parameters(alexnet: Any, layer: str, parameters: int) -> None:
    assert alexnet.get_layer(layer).count_params() == parameters


def test_the_whole_has_60_965_224_parameters(alexnet: Any) -> None:
    assert sum(PARAMETERS.values()) == 60_965_224
    assert alexnet.count_params() == 60_965_224


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("conv1", (55, 55, 96)),
        ("conv1_pool", (27, 27, 96)),
        ("conv2", (27, 27, 256)),
        ("conv2_pool", (13, 13, 256)),
        ("conv3", (13, 13, 384)),
        ("conv5", (13, 13, 256)),
        ("conv5_pool", (6, 6, 256)),
        ("flatten", (9216,)),
    ],
)
def test_the_maps_have_the_published_sizes(
    alexnet: Any, layer: str, shape: tuple[int, ...]
) -> None:
    assert tuple(alexnet.get_layer(layer).output.shape[1:]) == shape


def test_a_half_of_conv2_sees_its_own_half_of_the_maps_alone() -> None:
    layer = zoo.build("alexnet", input_shape=(64, 64, 3), classes=3).get_layer("conv2")
    maps = np.random.default_rng(0).normal(size=(1, 5, 5, 96)).astype("float32")
    changed = maps.copy()
    changed[..., :48] += 1.0
    difference = np.abs(np.asarray(layer(changed)) - np.asarray(layer(maps))).max(axis=(0, 1, 2))
    assert difference[:128].max() > 0.0
    np.testing.assert_array_equal(difference[128:], 0.0)


def test_weights_and_biases_begin_as_section_5_says(alexnet: Any) -> None:
    for name in PARAMETERS:
        kernel, bias = (np.asarray(value) for value in alexnet.get_layer(name).weights)
        assert abs(kernel.mean()) < 1e-3
        assert kernel.std() == pytest.approx(0.01, rel=0.02)
        ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
        np.testing.assert_array_equal(bias, 1.0 if ones else 0.0)


def test_another_initializer_may_be_named_for_small_inputs() -> None:
    model = zoo.build("alexnet", input_shape=(32, 32, 1), kernel_initializer="glorot_uniform")
    kernel, bias = (np.asarray(value) for value in model.get_layer("fc6").weights)
    assert np.abs(kernel).max() <= np.sqrt(6 / (256 + 4096))
    np.testing.assert_array_equal(bias, 0.0)


def test_the_smallest_input_is_32_by_32() -> None:
    assert zoo.build("alexnet", input_shape=(32, 32, 1), classes=10).output_shape == (None, 10)
    with pytest.raises(UsageError, match="the smallest input is 32×32, got 31×40"):
        zoo.build("alexnet", input_shape=(31, 40, 3))
