"""Long short-term memory over tokens: padding, direction and depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zoo
from zoo.errors import UsageError


def lstm(**arguments: Any) -> Any:
    """A tiny network over six tokens of a vocabulary of nine."""
    sizes = {"input_shape": (6,), "classes": 3, "vocabulary_size": 9}
    return zoo.build("lstm", **{**sizes, "embedding_dim": 4, "units": 5, **arguments})


def tokens(*rows: list[int]) -> np.ndarray:
    """A batch of texts."""
    return np.array(rows, "int32")


@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_is_skipped(bidirectional: bool) -> None:
    model = lstm(bidirectional=bidirectional)
    text = tokens([3, 1, 4, 0, 0, 0])
    before = np.array(model(text))
    embeddings = model.get_layer("embedding").embeddings
    embeddings.assign(np.concatenate([100.0 * np.ones((1, 4)), embeddings.numpy()[1:]]))
    np.testing.assert_allclose(model(text), before, atol=1e-6)  # whatever padding looks like
    assert np.any(np.abs(np.array(model(tokens([3, 1, 4, 2, 0, 0]))) - before) > 1e-4)


def test_the_answer_is_made_of_the_last_tokens_state() -> None:
    model = lstm()
    text = tokens([3, 1, 4, 0, 0, 0])
    embedded = model.get_layer("embedding")(text[:, :3])
    state = model.get_layer("lstm1")(embedded)
    np.testing.assert_allclose(model(text), model.layers[-1](state), atol=1e-6)


def test_an_empty_text_has_an_answer() -> None:
    answer = np.array(lstm()(tokens([0] * 6)))
    assert np.isfinite(answer).all()
    np.testing.assert_allclose(answer.sum(), 1.0, rtol=1e-6)


def test_the_order_of_the_tokens_matters() -> None:
    answers = np.array(lstm()(tokens([3, 1, 4, 0, 0, 0], [4, 1, 3, 0, 0, 0])))
    assert np.any(np.abs(answers[0] - answers[1]) > 1e-4)


def test_both_directions_are_joined_and_layers_are_stacked() -> None:
    def kernels(model: Any) -> list[tuple[int, ...]]:
        return [tuple(weight.shape) for weight in model.weights if weight.name == "kernel"]

    assert kernels(lstm()) == [(4, 20), (5, 3)]
    assert kernels(lstm(num_layers=3)) == [(4, 20), (5, 20), (5, 20), (5, 3)]
    deep_both_ways = lstm(num_layers=2, bidirectional=True)
    assert kernels(deep_both_ways) == [(4, 20), (4, 20), (10, 20), (10, 20), (10, 3)]


@pytest.mark.parametrize("kind", ["dropout", "token_dropout"])
def test_dropout_is_for_training_only(kind: str) -> None:
    model = lstm(**{kind: 0.5})
    text = tokens([3, 1, 4, 1, 5, 2])
    np.testing.assert_array_equal(model(text, training=False), model(text, training=False))
    first, second = np.array(model(text, training=True)), np.array(model(text, training=True))
    assert np.any(first != second)


def test_a_dropped_token_goes_as_a_whole() -> None:
    layer = lstm(token_dropout=0.25).get_layer("token_dropout")
    dropped = np.array(layer(np.ones((2000, 6, 4), "float32"), training=True)) == 0.0
    np.testing.assert_array_equal(dropped.any(axis=-1), dropped.all(axis=-1))
    assert dropped.mean() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dropout": 1.0}, "dropout must be in [0, 1), got 1.0"),
        ({"token_dropout": 1.0}, "token_dropout must be in [0, 1), got 1.0"),
        ({"num_layers": 0}, "num_layers must be at least 1, got 0"),
        ({"input_shape": (8, 8, 1)}, "(sequence_length,), got (8, 8, 1)"),
        ({"classes": 1}, "classes must be at least 2, got 1"),
    ],
)
def test_wrong_arguments_are_answered_with_what_would_be_right(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        lstm(**arguments)
    assert message in str(caught.value)
