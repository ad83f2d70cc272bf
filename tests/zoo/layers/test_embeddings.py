"""Embeddings and positions."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from zoo.layers.embeddings import (
    LearnedPositions,
    SinusoidalPositions,
    TiedEmbedding,
    TimeEmbedding,
    sinusoids,
)

WIDTH = 8


def test_sinusoids_are_those_of_the_paper() -> None:
    encoding = sinusoids(50, WIDTH)
    assert encoding.shape == (50, WIDTH)
    assert encoding[3, 2] == pytest.approx(np.sin(3 / 10_000 ** (2 / WIDTH)))
    assert encoding[3, 3] == pytest.approx(np.cos(3 / 10_000 ** (2 / WIDTH)))


@pytest.mark.parametrize("kind", [LearnedPositions, SinusoidalPositions])
def test_a_position_is_the_same_in_a_whole_text_and_alone(kind: type) -> None:
    layer = kind(6)
    x = np.random.default_rng(0).normal(size=(2, 4, WIDTH)).astype(np.float32)
    whole = layer(x)
    np.testing.assert_allclose(layer.step(x[:, 3:], 3), whole[:, 3:], atol=1e-6)


def test_a_tied_embeddings_logits_are_products_with_its_table() -> None:
    layer = TiedEmbedding(5, WIDTH, scaled=True)
    vectors = ops.convert_to_numpy(layer(np.array([[1, 4, 2]])))
    table = layer.embeddings.numpy()
    np.testing.assert_allclose(vectors[0], table[[1, 4, 2]] * WIDTH**0.5, atol=1e-6)
    np.testing.assert_allclose(layer(vectors, reverse=True), vectors @ table.T, atol=1e-5)
    assert layer.multiply_adds() == 3 * 5 * WIDTH


def test_a_time_becomes_its_sines_and_then_its_cosines() -> None:
    vectors = np.asarray(TimeEmbedding(WIDTH)(np.array([0.0, 7.5], "float32")))
    frequencies = 10_000.0 ** (-np.arange(4) / 3)  # from 1 to 1 / 10,000
    np.testing.assert_allclose(vectors[0], [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(vectors[1, :4], np.sin(7.5 * frequencies), atol=1e-6)
    np.testing.assert_allclose(vectors[1, 4:], np.cos(7.5 * frequencies), atol=1e-6)


@pytest.mark.parametrize("width", [2, 5])
def test_a_time_needs_an_even_width(width: int) -> None:
    with pytest.raises(ValueError, match=f"width must be even and at least 4, got {width}"):
        TimeEmbedding(width)
