"""LeNet-5: layer by layer as the paper counts it, in both forms."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.anatomy.counts import trainable_parameters
from zoo.base.errors import UsageError
from zoo.models.lenet import (
    C3_TABLE,
    RadialBasisOutput,
    SparseConvolution,
    Subsampling,
    output_codes,
    squash,
)


@pytest.fixture(scope="module")
def published() -> Any:
    return zoo.build("lenet5-1998")


def parameters(model: Any) -> dict[str, int]:
    """Trainable parameters of each layer that has any."""
    counts = {layer.name: trainable_parameters(layer) for layer in model.layers}
    return {name: count for name, count in counts.items() if count}


def maps(model: Any) -> dict[str, tuple[int, ...]]:
    """Height, width and channels of the layers that the paper names."""
    names = ("C1", "S2", "C3", "S4", "C5", "F6")
    return {name: tuple(model.get_layer(name).output.shape[1:]) for name in names}


MAPS = {
    "C1": (28, 28, 6),
    "S2": (14, 14, 6),
    "C3": (10, 10, 16),
    "S4": (5, 5, 16),
    "C5": (1, 1, 120),
    "F6": (84,),
}


def test_the_published_network_has_the_papers_layers(published: Any) -> None:
    assert maps(published) == MAPS
    # Section II.B counts each of these.
    assert parameters(published) == {
        "C1": 156,
        "S2": 12,
        "C3": 1_516,
        "S4": 32,
        "C5": 48_120,
        "F6": 10_164,
    }


def test_todays_network_has_a_dense_c3_and_a_softmax() -> None:
    model = zoo.build("lenet5")
    assert maps(model) == MAPS
    assert parameters(model) == {
        "C1": 156,
        "C3": 2_416,
        "C5": 48_120,
        "F6": 10_164,
        "probabilities": 850,
    }
    x = np.random.default_rng(0).uniform(size=(3, 32, 32, 1)).astype("float32")
    np.testing.assert_allclose(np.sum(model(x), axis=1), 1.0, rtol=1e-6)


def test_table_1_has_sixty_connections_in_the_papers_four_groups() -> None:
    assert len(C3_TABLE) == 16
    assert sum(len(sources) for sources in C3_TABLE) == 60
    assert all(list(sources) == sorted(set(sources)) for sources in C3_TABLE)

    def contiguous(width: int) -> set[frozenset[int]]:
        return {frozenset((first + at) % 6 for at in range(width)) for first in range(6)}

    groups = [frozenset(sources) for sources in C3_TABLE]
    assert set(groups[:6]) == contiguous(3)
    assert set(groups[6:12]) == contiguous(4)
    assert all(len(group) == 4 and group not in contiguous(4) for group in groups[12:15])
    assert len(set(groups[12:15])) == 3
    assert groups[15] == frozenset(range(6))


def test_c3_convolves_each_map_with_its_sources_and_no_others() -> None:
    layer = SparseConvolution()
    x = np.random.default_rng(0).normal(size=(2, 7, 7, 6)).astype("float32")
    layer.build(x.shape)
    layer.bias.assign(np.linspace(-1, 1, 16))
    kernels = iter(np.moveaxis(layer.kernel.numpy(), -1, 0))  # one for each connection, in order
    totals = np.zeros((2, 3, 3, 16), "float32")
    for to, sources in enumerate(C3_TABLE):
        for source in sources:
            kernel = next(kernels)[:, :, None, None]
            totals[..., to : to + 1] += keras.ops.conv(x[..., source : source + 1], kernel)
        totals[..., to] += layer.bias.numpy()[to]
    np.testing.assert_allclose(layer(x), squash(totals), atol=1e-5)


def test_sub_sampling_adds_four_pixels_scales_and_shifts_them() -> None:
    layer = Subsampling()
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype("float32")
    layer.build(x.shape)
    layer.coefficient.assign([0.5, -1.0, 2.0])
    layer.bias.assign([0.1, 0.2, -0.3])
    total = x.reshape(2, 2, 2, 3, 2, 3).sum(axis=(2, 4))
    expected = squash(np.array([0.5, -1.0, 2.0]) * total + np.array([0.1, 0.2, -0.3]))
    np.testing.assert_allclose(layer(x), expected, atol=1e-6)


def test_the_squashing_function_keeps_plus_and_minus_one() -> None:
    np.testing.assert_allclose(squash(np.array([1.0, -1.0, 0.0])), [1.0, -1.0, 0.0], atol=1e-4)
    assert float(squash(np.array(100.0))) == pytest.approx(1.7159)


def test_the_ten_codes_are_distinct_drawings_of_7_by_12() -> None:
    codes = output_codes(10)
    assert codes.shape == (10, 7 * 12)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    agreement = codes @ codes.T
    assert np.all(agreement[~np.eye(10, dtype=bool)] < 7 * 12)
    # A one is drawn with less ink than an eight, and every drawing leaves the lowest rows free.
    ink = (codes > 0).sum(axis=1)
    assert ink[1] < ink[8]
    assert np.all(codes.reshape(10, 12, 7)[:, 10:] == -1.0)


@pytest.mark.parametrize(("classes", "length"), [(2, 84), (26, 84), (10, 30)])
def test_other_classes_get_distinct_codes_that_never_change(classes: int, length: int) -> None:
    codes = output_codes(classes, length)
    assert codes.shape == (classes, length)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    assert len(np.unique(codes, axis=0)) == classes
    np.testing.assert_array_equal(codes, output_codes(classes, length))


def test_the_output_is_a_softmax_of_minus_the_squared_distance_to_each_code() -> None:
    layer = RadialBasisOutput(10)
    codes = output_codes(10)
    features = 0.1 * np.random.default_rng(0).normal(size=(3, 84)).astype("float32")
    exponent = -((features[:, None, :] - codes) ** 2).sum(axis=-1)
    expected = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(layer(features), expected, atol=1e-5)


def test_features_that_equal_a_code_are_that_class_for_certain() -> None:
    layer = RadialBasisOutput(10)
    np.testing.assert_allclose(layer(output_codes(10)), np.eye(10), atol=1e-6)


def test_the_codes_are_not_trained_but_are_saved(published: Any) -> None:
    layer = published.get_layer("probabilities")
    assert layer.trainable_variables == []
    np.testing.assert_array_equal(layer.weights[0], output_codes(10))


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("lenet5", {"input_shape": (31, 32, 1)}, "the smallest input is 32×32, got 31×32"),
        ("lenet5-1998", {"input_shape": (28, 28, 1)}, "the smallest input is 32×32, got 28×28"),
        ("lenet5", {"input_shape": (32,)}, "(height, width, channels), got (32,)"),
        ("lenet5", {"classes": 0}, "classes must be at least 2, got 0"),
        ("lenet5-1998", {"classes": 1}, "classes must be at least 2, got 1"),
    ],
)
def test_wrong_arguments_are_answered_with_what_would_be_right(
    model: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        zoo.build(model, **arguments)
    assert message in str(caught.value)
