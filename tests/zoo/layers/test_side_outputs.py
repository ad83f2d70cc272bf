"""Side outputs: the answer goes on, the others wait for the loss."""

from __future__ import annotations

import threading
from typing import Any

import keras
import numpy as np

from zoo.layers.side_outputs import SideOutputs, answer_only, side_outputs


def network() -> Any:
    inputs = keras.Input((3,))
    answer = keras.layers.Dense(2, name="answer")(inputs)
    beside = keras.layers.Dense(5, name="beside")(inputs)
    return keras.Model(inputs, SideOutputs(name="side")([answer, beside]))


def test_a_model_answers_with_the_first_alone() -> None:
    model = network()
    x = np.ones((4, 3), "float32")
    assert model.output_shape == (None, 2)
    np.testing.assert_array_equal(model(x), model.get_layer("answer")(x))


def test_the_others_can_be_taken_once() -> None:
    model = network()
    x = np.ones((4, 3), "float32")
    model(x)
    beside = side_outputs(model)
    assert beside is not None
    (other,) = beside.take()
    np.testing.assert_array_equal(other, model.get_layer("beside")(x))
    assert beside.take() == []


def test_threads_do_not_see_each_others() -> None:
    model = network()
    beside = side_outputs(model)
    assert beside is not None
    model(np.zeros((1, 3), "float32"))
    sizes: list[int] = []

    def elsewhere() -> None:
        model(np.zeros((7, 3), "float32"))
        sizes.append(len(beside.take()[0]))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert sizes == [7]
    assert len(beside.take()[0]) == 1


def test_what_only_training_uses_can_be_left_away() -> None:
    model = network()
    served = answer_only(model)
    assert [layer.name for layer in served.layers if layer.weights] == ["answer"]
    assert served.get_layer("answer") is model.get_layer("answer")
    assert answer_only(served) is served
    assert side_outputs(served) is None
