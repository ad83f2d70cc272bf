"""Recurrent networks over tokens and series: padding, direction, depth and pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError

CELLS = ("rnn", "lstm", "gru")


def network(cell: str, **arguments: Any) -> Any:
    """A tiny network over six tokens of a vocabulary of nine."""
    sizes = {"input_shape": (6,), "classes": 3, "vocabulary_size": 9}
    return zoo.build(cell, **{**sizes, "embedding_dim": 4, "units": 5, **arguments})


def lstm(**arguments: Any) -> Any:
    """The tiny network with LSTM layers."""
    return network("lstm", **arguments)


def tokens(*rows: list[int]) -> np.ndarray:
    """A batch of texts."""
    return np.array(rows, "int32")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_padding_is_skipped(cell: str, bidirectional: bool, pooling: str) -> None:
    model = network(cell, bidirectional=bidirectional, pooling=pooling)
    text = tokens([3, 1, 4, 0, 0, 0])
    before = np.array(model(text))
    embeddings = model.get_layer("embedding").embeddings
    embeddings.assign(np.concatenate([100.0 * np.ones((1, 4)), embeddings.numpy()[1:]]))
    np.testing.assert_allclose(model(text), before, atol=1e-6)  # whatever padding looks like
    other = np.array(model(tokens([5, 8, 4, 2, 0, 0])))
    assert np.any(np.abs(other - before) > 1e-4)  # while tokens count


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_more_padding_changes_nothing(cell: str, pooling: str) -> None:
    short = network(cell, num_layers=2, bidirectional=True, pooling=pooling)
    long = network(cell, num_layers=2, bidirectional=True, pooling=pooling, input_shape=(9,))
    long.set_weights(short.get_weights())
    text = tokens([3, 1, 4, 2, 5, 0], [7, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(long(np.pad(text, ((0, 0), (0, 3)))), short(text), atol=1e-6)


def test_the_answer_is_made_of_the_last_tokens_state() -> None:
    model = lstm()
    text = tokens([3, 1, 4, 0, 0, 0])
    embedded = model.get_layer("embedding")(text[:, :3])
    state = model.get_layer("lstm1")(embedded)
    np.testing.assert_allclose(model(text), model.layers[-1](state), atol=1e-6)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_an_empty_text_has_an_answer(pooling: str) -> None:
    answer = np.array(lstm(pooling=pooling)(tokens([0] * 6)))
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


@pytest.mark.parametrize("cell", CELLS)
def test_a_series_needs_no_embedding(cell: str) -> None:
    model = network(cell, input_shape=(7, 2), classes=None)
    series = np.random.default_rng(0).normal(size=(4, 7, 2)).astype("float32")
    state = model.get_layer(f"{cell}1")(series)
    np.testing.assert_allclose(model(series), model.layers[-1](state), atol=1e-6)
    assert model(series).shape == (4, 1)


def test_a_gru_computes_the_papers_equations() -> None:
    layer = network("gru", input_shape=(2, 3), classes=None).get_layer("gru1")
    x = np.random.default_rng(1).normal(size=(2, 3))
    weights = [np.split(weight.numpy().astype("float64"), 3, axis=-1) for weight in layer.weights]
    (w_z, w_r, w), (u_z, u_r, u), (b_z, b_r, b) = weights
    h = np.zeros(5)
    for step in x:  # Cho et al. 2014, equations 5 to 8, with biases
        r = 1 / (1 + np.exp(-(step @ w_r + h @ u_r + b_r)))
        z = 1 / (1 + np.exp(-(step @ w_z + h @ u_z + b_z)))
        h = z * h + (1 - z) * np.tanh(step @ w + (r * h) @ u + b)
    np.testing.assert_allclose(layer(x[None].astype("float32"))[0], h, atol=1e-6)


def test_an_rnn_computes_the_papers_equation() -> None:
    layer = network("rnn", input_shape=(2, 3), classes=None, activation="sigmoid").get_layer("rnn1")
    x = np.random.default_rng(1).normal(size=(2, 3)).astype("float32")
    w, u, b = (weight.numpy() for weight in layer.weights)
    h = np.zeros(5)
    for step in x:
        h = 1 / (1 + np.exp(-(step @ w + h @ u + b)))
    np.testing.assert_allclose(layer(x[None])[0], h, atol=1e-6)


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout", "token_dropout"])
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
        ({"recurrent_dropout": -0.1}, "recurrent_dropout must be in [0, 1), got -0.1"),
        ({"token_dropout": 1.0}, "token_dropout must be in [0, 1), got 1.0"),
        ({"num_layers": 0}, "num_layers must be at least 1, got 0"),
        (
            {"input_shape": (8, 8, 1)},
            "(sequence_length,) or (sequence_length, channels), got (8, 8, 1)",
        ),
        ({"pooling": "sum"}, "pooling must be one of 'last', 'mean', 'max', got 'sum'"),
        ({"classes": 1}, "classes must be at least 2, got 1"),
    ],
)
def test_wrong_arguments_are_answered_with_what_would_be_right(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        lstm(**arguments)
    assert message in str(caught.value)
