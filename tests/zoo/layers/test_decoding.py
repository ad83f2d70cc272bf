"""Decoding: greedy, beam search and sampling, by one step of a model at a time."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.decoding import Decoded, beam_search, greedy, sample

START, END, TOKENS, LENGTH, ROWS = 3, 2, 6, 7, 5
draw = np.random.default_rng(0)
EMBEDDING = draw.normal(size=(TOKENS, 8)).astype("float32")
RECURRENT = draw.normal(size=(8, 8)).astype("float32") / 3.0
OUTPUT = 2.0 * draw.normal(size=(8, TOKENS)).astype("float32")
SOURCES = draw.normal(size=(ROWS, 8)).astype("float32")


def step(tokens: Any, at: Any, state: Any, context: Any) -> tuple[Any, Any]:
    """A recurrent network that also knows the place and sees the source."""
    (hidden,) = state
    place = 0.3 * tf.cast(at, tf.float32)
    hidden = tf.tanh(tf.gather(EMBEDDING, tokens) + hidden @ RECURRENT + context + place)
    return hidden @ OUTPUT, (hidden,)


def begin(rows: slice = slice(None)) -> dict[str, Any]:
    sources = tf.constant(SOURCES[rows])
    count = len(sources)
    return {
        "first": tf.fill([count], START),
        "state": (tf.zeros((count, 8)),),
        "context": sources,
        "length": LENGTH,
        "end": END,
    }


def score(row: int, tokens: tuple[int, ...]) -> float:
    """The log-probability of a sequence, computed from its beginning at each token."""
    total, known = 0.0, [START]
    for token in tokens:
        state: Any = (tf.zeros((1, 8)),)
        for at, last in enumerate(known):
            logits, state = step(tf.constant([last]), at, state, SOURCES[row : row + 1])
        total += float(tf.nn.log_softmax(logits)[0, token])
        known.append(token)
    return total


def kept(tokens: Any) -> list[tuple[int, ...]]:
    """Each row up to its end token."""
    rows = [tuple(row) for row in np.asarray(tokens).tolist()]
    return [row[: row.index(END) + 1] if END in row else row for row in rows]


def test_greedy_writes_what_recomputing_every_prefix_gives() -> None:
    decoded = tf.function(lambda: greedy(step, **begin()))()
    assert len(set(kept(decoded.tokens))) > 2
    for row, tokens in enumerate(kept(decoded.tokens)):
        for at in range(len(tokens)):
            rivals = [score(row, (*tokens[:at], token)) for token in range(TOKENS)]
            assert int(np.argmax(rivals)) == tokens[at]
        assert float(decoded.scores[row]) == pytest.approx(score(row, tokens), abs=1e-4)
        assert not any(decoded.tokens[row, len(tokens) :].numpy())  # padding


@pytest.mark.parametrize("penalty", [0.0, 0.7])
def test_one_beam_is_greedy(penalty: float) -> None:
    decoded = beam_search(step, beams=1, length_penalty=penalty, **begin())
    np.testing.assert_array_equal(decoded.tokens, greedy(step, **begin()).tokens)


def test_a_wide_beam_finds_the_best_of_all_sequences() -> None:
    length = 3
    arguments = {**begin(slice(0, 2)), "length": length}
    for penalty in (0.0, 1.0):
        decoded = beam_search(step, beams=TOKENS**length, length_penalty=penalty, **arguments)
        for row in range(2):
            found = {}
            others = [token for token in range(TOKENS) if token != END]
            for size in range(1, length + 1):
                for words in itertools.product(others, repeat=size - 1):
                    found[*words, END] = score(row, (*words, END)) / ((5 + size) / 6) ** penalty
            best = max(found, key=found.__getitem__)
            assert kept(decoded.tokens)[row] == best
            assert float(decoded.scores[row]) == pytest.approx(found[best], abs=1e-4)


def test_more_beams_find_better_sequences() -> None:
    one, many = (beam_search(step, beams=beams, **begin()) for beams in (1, 8))
    ended = np.array([END in row for row in one.tokens.numpy()])
    assert ended.any()
    assert np.mean(many.scores[ended]) > np.mean(one.scores[ended])


def alone(decode: Any) -> np.ndarray:
    return np.concatenate([decode(begin(slice(row, row + 1))).tokens for row in range(ROWS)])


def test_a_batch_is_decoded_as_its_rows_are() -> None:
    def by_beams(arguments: dict[str, Any]) -> Decoded:
        return beam_search(step, beams=3, length_penalty=0.6, **arguments)

    def greedily(arguments: dict[str, Any]) -> Decoded:
        return greedy(step, **arguments)

    np.testing.assert_array_equal(alone(greedily), greedily(begin()).tokens)
    np.testing.assert_array_equal(alone(by_beams), by_beams(begin()).tokens)


def test_the_same_seed_gives_the_same_samples() -> None:
    def samples(seed: int) -> np.ndarray:
        return np.array(sample(step, seed=seed, **begin()).tokens)

    np.testing.assert_array_equal(samples(1), samples(1))
    assert np.any(samples(1) != samples(2))


def test_a_loop_that_is_continued_goes_on_as_if_it_had_not_stopped() -> None:
    arguments = {**begin(), "end": None}
    whole = sample(step, seed=3, **arguments).tokens
    part = sample(step, seed=3, **{**arguments, "length": 4})
    rest = sample(
        step,
        seed=3,
        **{**arguments, "first": part.tokens[:, -1], "state": part.state, "length": 3},
        at=4,
    )
    np.testing.assert_array_equal(tf.concat([part.tokens, rest.tokens], axis=1), whole)


@pytest.mark.parametrize("limit", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}])
def test_drawing_from_one_token_is_greedy(limit: dict[str, Any]) -> None:
    decoded = sample(step, seed=5, **limit, **begin())
    np.testing.assert_array_equal(decoded.tokens, greedy(step, **begin()).tokens)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({}, (0.5, 0.25, 0.15, 0.1)),
        ({"top_k": 2}, (2 / 3, 1 / 3, 0.0, 0.0)),
        ({"top_k": 99}, (0.5, 0.25, 0.15, 0.1)),
        ({"top_p": 0.6}, (2 / 3, 1 / 3, 0.0, 0.0)),
        ({"temperature": 0.5}, (0.7246, 0.1812, 0.0652, 0.029)),
    ],
)
def test_samples_follow_the_distribution(
    limit: dict[str, Any], expected: tuple[float, ...]
) -> None:
    logits = np.log(np.array([[0.25, 0.5, 0.1, 0.15]], "float32"))
    shares = np.array(expected)[[1, 0, 3, 2]]

    def same(tokens: Any, at: Any, state: Any, context: Any) -> tuple[Any, Any]:
        del at, context
        return tf.repeat(logits, tf.shape(tokens)[0], axis=0), state

    decoded = sample(same, tf.zeros([4000], tf.int32), (), length=4, end=None, seed=0, **limit)
    found = np.bincount(np.array(decoded.tokens).ravel(), minlength=4) / 16_000
    np.testing.assert_allclose(found, shares, atol=0.015)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"temperature": 0.0}, "temperature must be above 0, got 0.0"),
        ({"top_k": 0}, "top_k must be at least 1, got 0"),
        ({"top_p": 1.5}, "top_p must be above 0 and at most 1, got 1.5"),
    ],
)
def test_wrong_limits_are_errors(limit: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample(step, seed=0, **limit, **begin())
