"""Show and tell: the image is the first thing that the LSTM reads."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError

SIZES: dict[str, Any] = {
    "input_shape": (8, 12, 1),
    "target_shape": (5,),
    "target_vocabulary_size": 9,
    "filters": (4, 6),
    "embedding_dim": 5,
    "units": 7,
}


@pytest.fixture(scope="module")
def model() -> Any:
    keras.utils.set_random_seed(0)
    return zoo.build("show-and-tell", **SIZES)


def batch(rows: int = 3) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    return {
        "source": draw.random((rows, 8, 12, 1), np.float32),
        "before": draw.integers(1, 9, (rows, 4)).astype("int32"),
    }


def test_it_computes_equations_10_to_12(model: Any) -> None:
    inputs = batch()
    writer, layer = model.decoder.get_layer("writer"), model.decoder.get_layer
    kernel, recurrent, bias = (
        variable.numpy()
        for variable in (writer.cell.kernel, writer.cell.recurrent_kernel, writer.cell.bias)
    )

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-x))

    h = c = np.zeros((3, SIZES["units"]), np.float32)
    words = layer("target_embedding").embeddings.numpy()
    read = [model.encoder(inputs["source"]).numpy(), *(words[one] for one in inputs["before"].T)]
    for at, x in enumerate(read):
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        if at:
            expected = keras.ops.softmax(layer("logits")(h))
            np.testing.assert_allclose(model(inputs)[:, at - 1], expected, atol=1e-5)


def test_each_stage_halves_height_and_width_and_keeps_where_things_are(model: Any) -> None:
    shapes = [model.encoder.get_layer(f"conv{at}_pool").output.shape[1:] for at in (1, 2)]
    assert shapes == [(4, 6, 4), (2, 3, 6)]
    image = np.zeros((1, 8, 12, 1), np.float32)
    image[0, 2:6, 1:5] = 1.0
    left, right = model.encoder(image), model.encoder(image[:, :, ::-1])
    assert np.abs(np.subtract(left, right)).max() > 1e-3


def test_a_word_does_not_depend_on_later_ones(model: Any) -> None:
    inputs = batch()
    changed = {**inputs, "before": inputs["before"].copy()}
    changed["before"][:, 2:] = 1
    one, other = np.array(model(inputs)), np.array(model(changed))
    np.testing.assert_allclose(one[:, :2], other[:, :2], atol=1e-6)
    assert np.abs(one[:, 2:] - other[:, 2:]).max() > 1e-4


@pytest.mark.parametrize(
    "arguments",
    [{"input_shape": (8, 8)}, {"target_shape": (3, 3)}, {"filters": ()}, {"dropout": 1.0}],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(arguments))):
        zoo.build("show-and-tell", **arguments)
