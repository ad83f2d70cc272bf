"""Residual networks: the blocks, the two shortcuts and the sizes of the paper's tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.anatomy.counts import trainable_parameters
from zoo.base.errors import UsageError
from zoo.layers.normalization import BatchNormalization
from zoo.models import resnet
from zoo.models.resnet import IdentityShortcut


@pytest.fixture(scope="module")
def resnet20() -> Any:
    return zoo.build("resnet20")


@pytest.fixture(scope="module")
def resnet50() -> Any:
    return zoo.build("resnet50", input_shape=(64, 64, 3), classes=7)


def maps(model: Any, layer: str) -> tuple[int, ...]:
    """Height, width and channels of a layer's output."""
    return tuple(model.get_layer(layer).output.shape[1:])


def convolutions(model: Any, block: str) -> list[tuple[tuple[int, int], int, int]]:
    """(kernel size, strides, filters) of the convolutions of a block, shortcut excluded."""
    found = [model.get_layer(layer.name) for layer in model.layers if layer.name.endswith("_conv")]
    return [
        (layer.kernel_size, layer.strides[0], layer.filters)
        for layer in found
        if layer.name.startswith(f"{block}_") and "shortcut" not in layer.name
    ]


def test_the_small_networks_halve_the_maps_and_double_the_widths(resnet20: Any) -> None:
    assert maps(resnet20, "stage1_block3_relu") == (32, 32, 16)
    assert maps(resnet20, "stage2_block3_relu") == (16, 16, 32)
    assert maps(resnet20, "stage3_block3_relu") == (8, 8, 64)
    assert maps(resnet20, "pool") == (64,)


def test_the_large_networks_have_the_map_sizes_of_table_1(resnet50: Any) -> None:
    # At 64×64 instead of 224×224: each size of the table times 2/7.
    assert maps(resnet50, "conv1_relu") == (32, 32, 64)
    assert maps(resnet50, "conv2_block3_relu") == (16, 16, 256)
    assert maps(resnet50, "conv3_block4_relu") == (8, 8, 512)
    assert maps(resnet50, "conv4_block6_relu") == (4, 4, 1024)
    assert maps(resnet50, "conv5_block3_relu") == (2, 2, 2048)


def test_a_basic_block_is_two_3x3_convolutions(resnet20: Any) -> None:
    assert convolutions(resnet20, "stage1_block2") == [((3, 3), 1, 16), ((3, 3), 1, 16)]
    assert convolutions(resnet20, "stage2_block1") == [((3, 3), 2, 32), ((3, 3), 1, 32)]


def test_a_bottleneck_goes_down_over_and_up_by_four(resnet50: Any) -> None:
    assert convolutions(resnet50, "conv2_block2") == [
        ((1, 1), 1, 64),
        ((3, 3), 1, 64),
        ((1, 1), 1, 256),
    ]
    # The stride is on the first 1×1, as published.
    assert convolutions(resnet50, "conv3_block1") == [
        ((1, 1), 2, 128),
        ((3, 3), 1, 128),
        ((1, 1), 1, 512),
    ]


@pytest.mark.parametrize("name", ["resnet20", "resnet32", "resnet18", "resnet34", "resnet50"])
def test_the_number_in_the_name_counts_the_weighted_layers(name: str) -> None:
    model = zoo.build(name, input_shape=(32, 32, 3))
    weighted = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)
        and "shortcut" not in layer.name
    ]
    assert len(weighted) == int(name.removeprefix("resnet"))


def test_every_convolution_is_without_bias_and_normalised_by_the_fused_layer(resnet50: Any) -> None:
    kinds = keras.layers
    convolved = [layer for layer in resnet50.layers if isinstance(layer, kinds.Conv2D)]
    normalised = [layer for layer in resnet50.layers if isinstance(layer, kinds.BatchNormalization)]
    assert not any(layer.use_bias for layer in convolved)
    assert len(normalised) == len(convolved)
    assert all(isinstance(layer, BatchNormalization) for layer in normalised)


def test_option_a_takes_every_other_pixel_and_pads_the_channels_with_zeros() -> None:
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype("float32")
    layer = IdentityShortcut(filters=8, strides=2)
    expected = np.zeros((2, 3, 3, 8), "float32")
    expected[..., :3] = x[:, ::2, ::2, :]
    np.testing.assert_array_equal(layer(x), expected)
    assert layer.weights == []
    np.testing.assert_array_equal(IdentityShortcut.from_config(layer.get_config())(x), expected)


def test_option_b_adds_one_projection_where_dimensions_grow(resnet20: Any) -> None:
    projected = zoo.build("resnet20", shortcut="B")
    added = (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)  # two 1×1 convolutions and their norms
    assert projected.count_params() - 2 * (32 + 64) - resnet20.count_params() == added
    assert not [layer for layer in projected.layers if isinstance(layer, IdentityShortcut)]


def test_option_a_makes_a_large_network_smaller() -> None:
    small = zoo.build("resnet18", input_shape=(32, 32, 3), shortcut="A")
    shortcuts = [layer for layer in small.layers if isinstance(layer, IdentityShortcut)]
    assert len(shortcuts) == 3
    projections = sum(n * 2 * n + 4 * 2 * n for n in (64, 128, 256))  # and their norms' four each
    assert small.count_params() == 11_689_512 + 2 * 4_800 - projections


def test_a_block_whose_residual_is_zero_passes_its_input_on() -> None:
    model = zoo.build("resnet20", input_shape=(8, 8, 3))
    model.get_layer("stage1_block2_2_norm").gamma.assign(np.zeros(16))
    before_and_after = keras.Model(
        model.input,
        [
            model.get_layer("stage1_block1_relu").output,
            model.get_layer("stage1_block2_relu").output,
        ],
    )
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    before, after = before_and_after(x, training=True)
    assert np.any(before)
    np.testing.assert_array_equal(before, after)


def test_strided_convolutions_are_padded_on_both_sides_alike() -> None:
    model = zoo.build("resnet20", input_shape=(8, 8, 3))
    layer = model.get_layer("stage2_block1_1_conv")
    layer.kernel.assign(np.ones(layer.kernel.shape))
    pad = model.get_layer("stage2_block1_1_pad")
    covered = layer(pad(np.ones((1, 8, 8, 16), "float32")))[0, :, :, 0] / 16.0
    # The corner sees 4 pixels of 9; with TensorFlow's "same" it would see all nine.
    assert covered.shape == (4, 4)
    assert float(covered[0, 0]) == 4.0
    assert float(covered[0, 1]) == 6.0
    assert float(covered[1, 1]) == 9.0


@pytest.fixture
def deep_recursion() -> Iterator[None]:
    """Room for Keras, which walks a network's graph by recursion, layer by layer."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.slow  # 9 seconds
@pytest.mark.usefixtures("deep_recursion")
def test_the_papers_1202_layers_have_the_published_parameters() -> None:
    # Not in the catalogue: Keras cannot build it within Python's default recursion limit.
    model = resnet._cifar(1202, (8, 8, 3), 10, "A")
    assert trainable_parameters(model) == 19_421_274


@pytest.mark.parametrize(
    ("depth", "published"),
    [(18, 1.8e9), (34, 3.6e9), (50, 3.8e9), (101, 7.6e9), (152, 11.3e9)],  # table 1
)
def test_multiply_adds_are_those_of_the_paper(depth: int, published: float) -> None:
    assert zoo.card(f"resnet{depth}").macs == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("resnet20", {"shortcut": "C"}, "shortcut must be 'A' or 'B', got 'C'"),
        ("resnet20", {"input_shape": (7, 9, 3)}, "the smallest input is 8×8, got 7×9"),
        ("resnet50", {"input_shape": (31, 64, 3)}, "the smallest input is 32×32, got 31×64"),
        ("resnet20", {"input_shape": (32, 32)}, "(height, width, channels), got (32, 32)"),
        ("resnet20", {"classes": 1}, "classes must be at least 2, got 1"),
    ],
)
def test_wrong_arguments_are_answered_with_what_would_be_right(
    model: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        zoo.build(model, **arguments)
    assert message in str(caught.value)
