"""Models of several outputs: all of them in training, the answer alone otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.training_outputs import ManyOutputs, answer_only, split_outputs

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = np.arange(8, dtype="int32") % 2


@keras.saving.register_keras_serializable("tests")
class TwoHeads(ManyOutputs):
    """Adds half of the second head's loss in training."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        total = super().compute_loss(x, y, y_pred, sample_weight, training)
        for other in split_outputs(y_pred)[1]:
            total += 0.5 * super().compute_loss(x, y, other, sample_weight, training)
        return total


def network(kind: type = TwoHeads) -> Any:
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(inputs)
    answer = keras.layers.Dense(2, activation="softmax", dtype="float32", name="answer")(hidden)
    other = keras.layers.Dense(2, activation="softmax", dtype="float32", name="other")(hidden)
    return kind(inputs, [answer, other], name="two-heads")


def compiled(model: Any, **arguments: Any) -> Any:
    optimizer = keras.optimizers.SGD(0.1)
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss=loss, metrics=["accuracy"], **arguments)
    return model


def test_training_sees_all_outputs_and_everyone_else_the_answer() -> None:
    model = network()
    heads = keras.Model(model.input, model.outputs)(X)
    for said in (model(X), model(X, training=False), model.predict(X, verbose=0)):
        np.testing.assert_allclose(said, heads[0], atol=1e-6)
    in_training = model(X, training=True)
    assert len(in_training) == 2
    for said, expected in zip(in_training, heads, strict=True):
        np.testing.assert_allclose(said, expected, atol=1e-6)


def test_a_symbolic_call_has_the_shape_of_what_is_returned() -> None:
    model = network()
    assert model(keras.Input((3,))).shape == (None, 2)
    assert [output.shape for output in model(keras.Input((3,)), training=True)] == [(None, 2)] * 2
    assert model.compute_output_shape((7, 3)) == (7, 2)


def test_it_can_be_a_layer_of_another_model() -> None:
    inner = network()
    outer = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1)])
    assert outer.output_shape == (None, 1)
    np.testing.assert_allclose(outer(X, training=True), outer(X, training=False), atol=1e-6)


@pytest.mark.parametrize("eagerly", [False, True])
def test_the_loss_has_all_outputs_in_training_and_the_answer_alone_in_evaluation(
    eagerly: bool,
) -> None:
    model = compiled(network(), run_eagerly=eagerly)
    each = [
        float(np.mean(-np.log(np.asarray(head)[np.arange(8), Y])))
        for head in model(X, training=True)
    ]
    said = np.asarray(model(X))
    evaluated = model.evaluate(X, Y, verbose=0, return_dict=True)
    trained = model.train_on_batch(X, Y, return_dict=True)
    assert evaluated["loss"] == pytest.approx(each[0], rel=1e-5)
    assert trained["loss"] == pytest.approx(each[0] + 0.5 * each[1], rel=1e-5)
    accuracy = float(np.mean(said.argmax(1) == Y))
    assert evaluated["accuracy"] == pytest.approx(accuracy)
    assert trained["accuracy"] == pytest.approx(accuracy)
    assert set(trained) == {"loss", "accuracy"}


def test_weights_of_examples_reach_every_output() -> None:
    model = compiled(network(), run_eagerly=True)
    weights = np.array([1.0, 0.0] * 4, "float32")
    expected = [
        float(np.mean(-weights * np.log(np.asarray(head)[np.arange(8), Y])))
        for head in model(X, training=True)
    ]
    trained = model.train_on_batch(X, Y, sample_weight=weights, return_dict=True)
    assert trained["loss"] == pytest.approx(expected[0] + 0.5 * expected[1], rel=1e-5)


def test_the_base_alone_trains_by_the_answer() -> None:
    model = compiled(network(ManyOutputs))
    before = model.get_layer("other").kernel.numpy()
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        model.fit(X, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_layer("other").kernel.numpy(), before)


def test_two_replicas_train_as_one_does() -> None:
    def train(strategy: Any) -> list[np.ndarray]:
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = compiled(network())
        batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
        history = model.fit(
            batches, validation_data=batches, epochs=2, shuffle=False, verbose=0
        ).history
        assert np.isfinite(history["val_loss"]).all()
        return [np.asarray(value) for value in model.get_weights()]

    cross = tf.distribute.ReductionToOneDevice()
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=cross)
    for one, two in zip(train(tf.distribute.get_strategy()), train(mirrored), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.fixture
def mixed_precision() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.usefixtures("mixed_precision")
def test_outputs_keep_their_own_precision() -> None:
    model = compiled(network())
    assert [output.dtype for output in model(X, training=True)] == [tf.float32] * 2
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()


def test_a_saved_model_loads_as_the_same_model(tmp_path: Path) -> None:
    model = compiled(network())
    model.fit(X, Y, epochs=1, verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path, safe_mode=True)
    assert type(loaded) is TwoHeads
    np.testing.assert_array_equal(loaded(X), model(X))
    assert len(loaded(X, training=True)) == 2
    expected = model.evaluate(X, Y, verbose=0)
    assert loaded.evaluate(X, Y, verbose=0) == pytest.approx(expected)


def test_a_summary_names_all_layers() -> None:
    lines: list[str] = []
    network().summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert all(name in text for name in ("hidden", "answer", "other"))


def test_what_only_training_uses_can_be_left_out() -> None:
    model = network()
    served = answer_only(model)
    assert [layer.name for layer in served.layers if layer.weights] == ["hidden", "answer"]
    assert served.get_layer("answer") is model.get_layer("answer")
    np.testing.assert_array_equal(served(X), model(X))
    assert served(X, training=True).shape == (8, 2)
    assert served.name == model.name
    assert answer_only(served) is served


def test_a_model_of_one_output_returns_it_always() -> None:
    inputs = keras.Input((3,))
    model = TwoHeads(inputs, keras.layers.Dense(2, activation="softmax")(inputs))
    np.testing.assert_array_equal(model(X, training=True), model(X))
    assert answer_only(model) is model
    assert np.isfinite(compiled(model).fit(X, Y, verbose=0).history["loss"]).all()
