"""The bidirectional tagger: both sides of every step, the paper's size, padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError


def tagger(**arguments: Any) -> Any:
    """A tiny tagger over six tokens of a vocabulary of nine."""
    sizes = {"input_shape": (6,), "classes": 3, "vocabulary_size": 9, "embedding_dim": 4}
    return zoo.build("bilstm-tagger", **{**sizes, "units": 5, **arguments})


def test_every_answer_knows_what_comes_before_and_after() -> None:
    model = tagger()
    text = np.array([[3, 1, 4, 1, 5, 2]], "int32")
    before = np.array(model(text))
    for changed in (0, 5):
        other = text.copy()
        other[0, changed] = 7
        assert (np.abs(np.array(model(other)) - before).max(axis=-1) > 0.0).all()


@pytest.mark.parametrize("layers", [1, 2])
def test_more_padding_changes_nothing(layers: int) -> None:
    short = tagger(num_layers=layers)
    long = tagger(num_layers=layers, input_shape=(9,))
    long.set_weights(short.get_weights())
    text = np.array([[3, 1, 4, 1, 5, 0], [2, 8, 0, 0, 0, 0]], "int32")
    answers = np.array(long(np.pad(text, ((0, 0), (0, 3)))))
    np.testing.assert_allclose(answers[0, :5], np.array(short(text))[0, :5], atol=1e-6)
    np.testing.assert_allclose(answers[1, :2], np.array(short(text))[1, :2], atol=1e-6)


def test_with_the_papers_input_it_has_the_papers_size() -> None:
    model = zoo.build("bilstm-tagger", input_shape=(50, 26))
    one_way = 4 * 93 * (26 + 93 + 1)
    assert model.count_params() == 2 * one_way + 61 * (2 * 93 + 1) == 100_687


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": 1}, "classes must be at least 2, got 1"),
        ({"num_layers": 0}, "num_layers must be at least 1, got 0"),
        ({"dropout": 1.0}, "dropout must be in [0, 1), got 1.0"),
    ],
)
def test_wrong_arguments_are_answered_with_what_would_be_right(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        tagger(**arguments)
    assert message in str(caught.value)
