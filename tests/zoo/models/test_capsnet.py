"""CapsNet: the figures of the paper, the routing, the margin loss and the reconstruction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError
from zoo.layers.training_outputs import answer_only
from zoo.models.capsnet import DigitCapsules, squash

# Figures 1 and 2. What the digit capsules have: 1,152 · 10 matrices of 8×16, without biases.
PARAMETERS = {
    "conv1": 9 * 9 * 256 + 256,
    "primary_conv": 9 * 9 * 256 * 256 + 256,
    "digit_capsules": 1152 * 10 * 8 * 16,
    "decoder": (160 * 512 + 512) + (512 * 1024 + 1024) + (1024 * 784 + 784),
}


@pytest.fixture(scope="module")
def capsnet() -> Any:
    return zoo.build("capsnet")


@pytest.fixture(scope="module")
def small() -> Any:
    return zoo.build("capsnet", input_shape=(17, 18, 1), classes=3)


@pytest.mark.parametrize(("layer", "parameters"), PARAMETERS.items())
def test_each_part_has_the_papers_parameters(capsnet: Any, layer: str, parameters: int) -> None:
    assert capsnet.get_layer(layer).count_params() == parameters


def test_the_whole_has_8_215_568_parameters(capsnet: Any) -> None:
    assert sum(PARAMETERS.values()) == capsnet.count_params() == 8_215_568


def test_there_are_1152_primary_capsules_of_eight_and_ten_of_sixteen(capsnet: Any) -> None:
    assert tuple(capsnet.get_layer("conv1").output.shape) == (None, 20, 20, 256)
    assert tuple(capsnet.get_layer("primary_capsules").output.shape) == (None, 1152, 8)
    assert tuple(capsnet.get_layer("digit_capsules").output.shape) == (None, 10, 16)


def test_squashing_keeps_the_direction_and_bounds_the_length() -> None:
    vectors = np.array([[3.0, 4.0], [0.03, 0.04], [0.0, 0.0]], "float32")
    squashed = np.asarray(squash(vectors))
    np.testing.assert_allclose(squashed[0], np.array([0.6, 0.8]) * 25 / 26, rtol=1e-5)
    np.testing.assert_allclose(squashed[1], np.array([0.6, 0.8]) * 0.0025 / 1.0025, rtol=1e-4)
    np.testing.assert_array_equal(squashed[2], 0.0)


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_routing_is_procedure_1(iterations: int) -> None:
    random = np.random.default_rng(0)
    capsules = random.normal(size=(2, 5, 4)).astype("float32")
    layer = DigitCapsules(classes=3, dimension=6, iterations=iterations)
    answer = np.asarray(layer(capsules))
    kernel = np.asarray(layer.kernel).reshape(5, 4, 3, 6)

    def squashed(s: np.ndarray) -> np.ndarray:
        squared = (s**2).sum(-1, keepdims=True)
        return np.asarray(squared / (1 + squared) * s / np.sqrt(squared))

    for example in range(2):
        u_hat = np.einsum("id,idjk->ijk", capsules[example], kernel)
        b = np.zeros((5, 3))
        for _ in range(iterations):
            c = np.exp(b) / np.exp(b).sum(axis=1, keepdims=True)
            v = squashed(np.einsum("ij,ijk->jk", c, u_hat))
            b = b + np.einsum("ijk,jk->ij", u_hat, v)
        np.testing.assert_allclose(answer[example], v, atol=1e-4)


def test_the_loss_is_the_margin_and_in_training_0_0005_of_the_squared_error(small: Any) -> None:
    images = np.random.default_rng(0).uniform(size=(2, 17, 18, 1)).astype("float32")
    targets = np.array([2, 0], "int32")
    lengths = np.asarray(small(images))
    present = np.eye(3)[targets]
    margin = present * np.maximum(0.0, 0.9 - lengths) ** 2
    margin += 0.5 * (1.0 - present) * np.maximum(0.0, lengths - 0.1) ** 2
    _, capsules, _ = (np.asarray(value) for value in _parts(small, images))
    masked = (capsules * present[..., None]).reshape(2, -1)
    rebuilt = np.asarray(small.get_layer("decoder")(masked.astype("float32")))
    error = ((rebuilt - images.reshape(2, -1)) ** 2).sum(axis=1)
    expected = (margin.sum(axis=1) + 0.0005 * error).mean()

    for said in (targets, targets[:, None], np.eye(3, dtype="float32")[targets]):
        loss = small.compute_loss(images, said, small(images, training=True), training=True)
        assert float(loss) == pytest.approx(expected, rel=1e-5)
        loss = small.compute_loss(images, said, small(images), training=False)
        assert float(loss) == pytest.approx(margin.sum(axis=1).mean(), rel=1e-5)
    weights = np.array([2.0, 0.0], "float32")
    loss = small.compute_loss(images, targets, small(images, training=True), weights)
    first = margin.sum(axis=1)[0] + 0.0005 * error[0]
    assert float(loss) == pytest.approx(2.0 * first / 2, rel=1e-5)


def _parts(model: Any, images: np.ndarray) -> Any:
    import keras

    return keras.Model(model.input, model.outputs)(images)


def test_outside_of_training_the_longest_capsule_is_rebuilt(small: Any) -> None:
    images = np.random.default_rng(1).uniform(size=(3, 17, 18, 1)).astype("float32")
    rebuilt = small.reconstruct(images)
    assert rebuilt.shape == images.shape
    lengths, capsules, _ = (np.asarray(value) for value in _parts(small, images))
    masked = np.zeros_like(capsules)
    rows = np.arange(3)
    masked[rows, lengths.argmax(1)] = capsules[rows, lengths.argmax(1)]
    expected = np.asarray(small.get_layer("decoder")(masked.reshape(3, -1)))
    np.testing.assert_allclose(rebuilt.reshape(3, -1), expected, atol=1e-5)


def test_the_decoder_is_left_out_of_what_is_served_and_may_be_left_out_at_all(small: Any) -> None:
    plain = zoo.build("capsnet", input_shape=(17, 18, 1), classes=3, decoder=False)
    assert answer_only(small).count_params() == plain.count_params()
    assert plain.count_params() == small.count_params() - small.get_layer("decoder").count_params()
    with pytest.raises(ValueError, match="decoder=False"):
        plain.reconstruct(np.zeros((1, 17, 18, 1), "float32"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (16, 28, 1)}, "the smallest input is 17×17, got 16×28"),
        ({"classes": 1}, "classes must be at least 2, got 1"),
        ({"iterations": 0}, "iterations must be at least 1, got 0"),
    ],
)
def test_wrong_arguments_are_answered_with_what_would_be_right(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        zoo.build("capsnet", **arguments)
    assert message in str(caught.value)
