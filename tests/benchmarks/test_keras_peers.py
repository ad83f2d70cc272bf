"""Plain Keras is the zoo's network in other layers: it says the same and has as many weights."""

import numpy as np
import pytest

from benchmarks import keras_peers
from zoo import registry
from zoo.anatomy.counts import trainable_parameters
from zoo.layers.training_outputs import answer_only

IMAGES = np.random.default_rng(0).random((2, 64, 64, 3), np.float32)
CLASSES = np.array([1, 2], np.int32)


@pytest.mark.parametrize("name", ["mlp", "lenet5", "alexnet", "vgg11", "googlenet", "resnet20"])
def test_a_plain_copy_says_what_the_model_says(name: str) -> None:
    model = answer_only(registry.build(name, input_shape=(64, 64, 3), classes=3))
    plain = keras_peers.plain_copy(model)
    ours = {type(layer).__module__.split(".")[0] for layer in plain.layers if layer.weights}
    assert ours == {"keras"}
    np.testing.assert_allclose(plain(IMAGES), model(IMAGES), atol=1e-5)


@pytest.mark.parametrize("name", ["googlenet", "capsnet"])
def test_models_with_several_outputs_train_in_plain_keras(name: str) -> None:
    shape = (32, 32, 3) if name == "googlenet" else (20, 20, 3)
    images = IMAGES[:, : shape[0], : shape[1]]
    plain = keras_peers.build(name, shape, 3, images, CLASSES)
    model = registry.build(name, input_shape=shape, classes=3)
    assert trainable_parameters(plain.model) == trainable_parameters(model)
    plain.model.compile(optimizer="sgd", **plain.compile)
    history = plain.model.fit(plain.x, plain.y, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert plain.answering.predict(images, verbose=0).shape == (2, 3)


def test_plain_keras_finds_the_noise_that_the_zoos_u_net_finds_and_trains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = registry.build(
        "ddpm", input_shape=(8, 8, 3), width=8, multipliers=(1, 2), groups=4, attention=(4,)
    )
    draw = np.random.default_rng(0)
    for weight in model.network.weights:
        weight.assign(draw.normal(0.0, 0.3, weight.shape))
    monkeypatch.setattr(registry, "build", lambda *args, **kwargs: model)
    images = IMAGES[:, :8, :8]
    plain = keras_peers.diffusion((8, 8, 3), images)
    layers = plain.model.network.layers
    ours = {type(layer).__module__.split(".")[0] for layer in layers if layer.weights}
    assert ours == {"keras", "benchmarks"}
    for times in ([1.0, 700.0], [500.0, 500.0]):
        given = {"image": 2.0 * images - 1.0, "time": np.array(times, "float32")}
        found, expected = plain.model.network(given), model.network(given)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    # All answer at the middle time.
    np.testing.assert_allclose(plain.answering(images), expected, rtol=1e-3, atol=1e-3)
    assert trainable_parameters(plain.model) == trainable_parameters(model)
    plain.model.compile(optimizer="sgd", **plain.compile)
    assert np.isfinite(plain.model.fit(images, verbose=0).history["loss"]).all()
