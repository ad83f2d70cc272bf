"""GoogLeNet: the nine blocks of table 1, and the two heads that only training sees."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError
from zoo.layers.training_outputs import answer_only
from zoo.models.googlenet import AUXILIARY_WEIGHT, GoogLeNet

BLOCKS = {
    "inception3a": (163_696, (28, 28, 256)),
    "inception3b": (388_736, (28, 28, 480)),
    "inception4a": (376_176, (14, 14, 512)),
    "inception4b": (449_160, (14, 14, 512)),
    "inception4c": (510_104, (14, 14, 512)),
    "inception4d": (605_376, (14, 14, 528)),
    "inception4e": (868_352, (14, 14, 832)),
    "inception5a": (1_043_456, (7, 7, 832)),
    "inception5b": (1_444_080, (7, 7, 1024)),
}
HEADS = {"auxiliary1": 3_188_840, "auxiliary2": 3_190_888}
SMALL: dict[str, Any] = {"input_shape": (32, 32, 3), "classes": 5}


@pytest.fixture(scope="module")
def googlenet() -> Any:
    return zoo.build("googlenet")


def parameters(model: Any, part: str) -> int:
    """Of all layers whose names begin with a part's."""
    return sum(layer.count_params() for layer in model.layers if layer.name.startswith(part))


@pytest.mark.parametrize("block", BLOCKS)
def test_each_block_has_the_published_parameters_and_maps(googlenet: Any, block: str) -> None:
    count, maps = BLOCKS[block]
    assert parameters(googlenet, block) == count
    assert tuple(googlenet.get_layer(f"{block}_concat").output.shape[1:]) == maps


@pytest.mark.parametrize("name", HEADS)
def test_each_auxiliary_head_has_the_published_parameters(googlenet: Any, name: str) -> None:
    assert parameters(googlenet, name) == HEADS[name]
    assert tuple(googlenet.get_layer(f"{name}_pool").output.shape[1:3]) == (4, 4)


def test_with_and_without_the_heads_the_counts_are_the_published_ones(googlenet: Any) -> None:
    assert googlenet.count_params() == 13_378_280
    assert zoo.build("googlenet", auxiliary_heads=False).count_params() == 6_998_552


def test_what_is_served_has_no_auxiliary_heads_and_answers_the_same() -> None:
    model = zoo.build("googlenet", **SMALL)
    served = answer_only(model)
    assert not [layer for layer in served.layers if layer.name.startswith("auxiliary")]
    expected = zoo.build("googlenet", **SMALL, auxiliary_heads=False).count_params()
    assert served.count_params() == expected
    images = np.random.default_rng(0).uniform(size=(2, 32, 32, 3)).astype("float32")
    np.testing.assert_array_equal(served(images), model(images))


def test_the_auxiliary_losses_join_in_training_by_0_3_each() -> None:
    model = zoo.build("googlenet", **SMALL, dropout=0.0, auxiliary_dropout=0.0)
    for variable in model.trainable_variables:
        if variable.ndim > 1:
            variable.regularizer = keras.regularizers.L2(0.01)
    model.compile("sgd", loss="sparse_categorical_crossentropy", run_eagerly=True)
    images = np.random.default_rng(0).uniform(size=(4, 32, 32, 3)).astype("float32")
    targets = np.array([0, 1, 2, 3])
    heads = keras.Model(model.input, model.outputs)(images)
    each = [float(np.mean(-np.log(np.asarray(head)[np.arange(4), targets]))) for head in heads]
    penalty = sum(
        0.01 * float(np.sum(np.square(v))) for v in model.trainable_variables if v.ndim > 1
    )

    said = model(images, training=True)
    trained = float(model.compute_loss(images, targets, said, training=True))
    assert trained == pytest.approx(
        each[0] + AUXILIARY_WEIGHT * (each[1] + each[2]) + penalty, rel=1e-5
    )
    said = model(images, training=False)
    validated = float(model.compute_loss(images, targets, said, training=False))
    assert validated == pytest.approx(each[0] + penalty, rel=1e-5)


@pytest.mark.slow  # 6 seconds; tests/zoo/layers/test_training_outputs.py has a small one
def test_two_replicas_with_auxiliary_heads_train_as_one_does() -> None:
    import tensorflow as tf

    images = np.random.default_rng(0).uniform(size=(8, 32, 32, 1)).astype("float32")
    targets = np.arange(8, dtype="int32") % 3

    def train(strategy: Any) -> list[np.ndarray]:
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = zoo.build(
                "googlenet",
                input_shape=(32, 32, 1),
                classes=3,
                dropout=0.0,
                auxiliary_dropout=0.0,
            )
            assert isinstance(model, GoogLeNet)
            model.compile(keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy")
        batches = tf.data.Dataset.from_tensor_slices((images, targets)).batch(8)
        model.fit(batches, epochs=2, shuffle=False, verbose=0)
        return [np.asarray(value) for value in model.get_weights()]

    cross = tf.distribute.ReductionToOneDevice()
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=cross)
    for one, two in zip(train(tf.distribute.get_strategy()), train(mirrored), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_smallest_input_is_32_by_32() -> None:
    with pytest.raises(UsageError, match="the smallest input is 32×32, got 31×31"):
        zoo.build("googlenet", input_shape=(31, 31, 3))
