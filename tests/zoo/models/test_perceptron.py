"""The perceptron: a step over a weighted sum, the classic rule, and what it cannot learn."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError

CASES = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")


def perceptron(weights: Any, bias: Any, learning_rate: float, **arguments: Any) -> Any:
    """A compiled perceptron with the weights that are given."""
    weights, bias = np.asarray(weights, "float32"), np.atleast_1d(np.asarray(bias, "float32"))
    model = zoo.build("perceptron", input_shape=(len(weights),), **arguments)
    model.weighted_sum.set_weights([weights.reshape(len(weights), -1), bias])
    model.compile(optimizer=keras.optimizers.SGD(learning_rate), run_eagerly=True)
    return model


def test_a_unit_answers_1_where_its_weighted_sum_is_positive_and_0_elsewhere() -> None:
    model = perceptron([1.0, 1.0], -1.0, 1.0)
    np.testing.assert_array_equal(model(CASES), [[0], [0], [0], [1]])  # sums -1, 0, 0 and 1


@pytest.mark.parametrize(
    ("x", "target"),
    [((0.5, -2.0), 1), ((3.0, 1.0), 0), ((-1.0, 1.0), 1), ((-1.0, 2.0), 0)],
)
def test_one_step_is_the_classic_rule(x: tuple[float, float], target: int) -> None:
    weights, bias, rate = np.array([0.75, 0.5]), -0.25, 0.3
    model = perceptron(weights, bias, rate)
    answer = 1.0 if weights @ np.array(x) + bias > 0 else 0.0
    model.train_on_batch(np.array([x], "float32"), np.array([target], "int32"))
    kernel, offset = (np.array(value) for value in model.weighted_sum.get_weights())
    change = rate * (target - answer)
    np.testing.assert_allclose(kernel[:, 0], weights + change * np.array(x), rtol=1e-6)
    np.testing.assert_allclose(offset[0], bias + change, rtol=1e-6)


def test_a_right_answer_changes_nothing_at_all() -> None:
    model = perceptron([0.75, 0.5], -0.25, 0.3)
    before = model.weighted_sum.get_weights()
    model.train_on_batch(CASES[3:], np.array([1], "int32"))
    for old, new in zip(before, model.weighted_sum.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_batch_moves_the_weights_by_the_sum_of_its_examples_steps() -> None:
    model = perceptron([0.0, 0.0], 0.0, 0.1)  # answers 0 to all four
    model.train_on_batch(CASES, np.array([0, 1, 1, 1], "int32"))
    kernel, bias = model.weighted_sum.get_weights()
    np.testing.assert_allclose(kernel[:, 0], [0.2, 0.2], rtol=1e-6)
    np.testing.assert_allclose(bias, [0.3], rtol=1e-6)


def test_more_classes_have_a_unit_each_trained_by_the_same_rule() -> None:
    x = np.array([[1.0, 2.0]], "float32")
    weights = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]], "float32")
    model = perceptron(weights, np.zeros(3), 0.5, classes=3)
    np.testing.assert_array_equal(model(x), [[1.0, 0.0, 0.0]])
    model.train_on_batch(x, np.array([2], "int32"))
    kernel, bias = model.weighted_sum.get_weights()
    # Unit 0 answered 1 and should not have; unit 2 answered 0 and should have.
    np.testing.assert_allclose(kernel, [[0.5, -1.0, 0.5], [-1.0, 0.0, 1.0]])
    np.testing.assert_allclose(bias, [-0.5, 0.0, 0.5])


@pytest.mark.parametrize(
    ("name", "targets", "learnt"),
    [("and", [0, 0, 0, 1], True), ("or", [0, 1, 1, 1], True), ("xor", [0, 1, 1, 0], False)],
)
def test_it_learns_and_and_or_but_not_xor(name: str, targets: list[int], learnt: bool) -> None:
    model = perceptron([0.0, 0.0], 0.0, 1.0)
    wrong = []
    for _ in range(12):
        for x, y in zip(CASES, targets, strict=True):
            model.train_on_batch(x[None], np.array([y], "int32"))
        wrong.append(int(np.sum(np.abs(np.ravel(model(CASES)) - targets))))
    assert (wrong[-1] == 0) is learnt, name
    assert (min(wrong) == 0) is learnt, name


def test_images_are_flattened() -> None:
    model = zoo.build("perceptron", input_shape=(4, 3, 1), classes=5)
    assert model.weighted_sum.kernel.shape == (12, 5)
    assert model(np.zeros((2, 4, 3, 1), "float32")).shape == (2, 5)


def test_fewer_than_two_classes_are_refused() -> None:
    with pytest.raises(UsageError, match="classes must be at least 2, got 1"):
        zoo.build("perceptron", classes=1)


def test_a_step_is_multiplied_by_the_weight_of_its_example() -> None:
    model = perceptron([0.0, 0.0], 0.0, 0.1)  # answers 0 to all four
    weights = np.array([1.0, 2.0, 0.0, 0.5], "float32")
    model.train_on_batch(CASES, np.array([0, 1, 1, 1], "int32"), sample_weight=weights)
    kernel, bias = model.weighted_sum.get_weights()
    np.testing.assert_allclose(kernel[:, 0], [0.05, 0.25], rtol=1e-6)
    np.testing.assert_allclose(bias, [0.25], rtol=1e-6)
