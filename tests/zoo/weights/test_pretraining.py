"""An mlp that starts from the hidden layers of a model that learnt without labels."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError
from zoo.training.progress import Silent
from zoo.weights.transfer import load_into

SHAPE: dict[str, Any] = {"input_shape": (4, 4, 1)}


def layers(model: Any, network: str) -> list[list[np.ndarray]]:
    """Kernel and bias of each hidden layer of a network inside a model."""
    inside = getattr(model, network)
    found = [layer for layer in inside.layers if layer.name.startswith("hidden")]
    return [[np.asarray(weight) for weight in layer.weights[:2]] for layer in found]


@pytest.mark.parametrize(
    ("name", "arguments", "network"),
    [
        ("rbm", {"hidden_units": 6, "chains": 2}, "network"),
        ("dbn", {"hidden_units": (6, 5), "classes": 3}, "machines"),
        ("stacked-autoencoder", {"hidden_units": (6, 5)}, "encoder"),
    ],
)
def test_an_mlp_takes_the_hidden_layers(
    name: str, arguments: dict[str, Any], network: str, tmp_path: Path
) -> None:
    source = zoo.build(name, **SHAPE, **arguments)
    draw = np.random.default_rng(0)
    source.set_weights([draw.normal(size=weight.shape) for weight in source.get_weights()])
    source.save(tmp_path / "source.keras")
    mlp = zoo.build("mlp", **SHAPE, classes=3, hidden_units=(6, 5), activation="sigmoid")
    report = load_into(mlp, "mlp", tmp_path / "source.keras")
    wanted = layers(source, network)
    assert report.loaded == ("hidden1", "hidden2")[: len(wanted)]
    assert "probabilities" in report.not_loaded
    for number, (kernel, bias) in enumerate(wanted, start=1):
        layer = mlp.get_layer(f"hidden{number}")
        np.testing.assert_array_equal(layer.kernel, kernel)
        np.testing.assert_array_equal(layer.bias, bias)
    # A model of its own family takes all of it, by its own names.
    again = zoo.build(name, **SHAPE, **arguments)
    assert load_into(again, name, tmp_path / "source.keras").complete


def test_units_of_a_gaussian_machine_answer_as_the_dense_layer_that_takes_their_weights(
    tmp_path: Path,
) -> None:
    source = zoo.build("rbm", **SHAPE, hidden_units=6, visible="gaussian", deviation=0.25)
    draw = np.random.default_rng(0)
    for weight in source.trainable_variables:
        weight.assign(draw.normal(size=weight.shape))
    source.save(tmp_path / "source.keras")
    mlp = zoo.build("mlp", **SHAPE, classes=3, hidden_units=(6,), activation="sigmoid")
    load_into(mlp, "mlp", tmp_path / "source.keras")
    values = draw.normal(size=(2, 16)).astype(np.float32)
    np.testing.assert_allclose(
        keras.ops.sigmoid(mlp.get_layer("hidden1")(values)),
        source.machine(values),
        rtol=1e-5,
    )


def test_layers_of_other_widths_are_refused_with_both_shapes(tmp_path: Path) -> None:
    zoo.build("rbm", **SHAPE, hidden_units=6).save(tmp_path / "source.keras")
    mlp = zoo.build("mlp", **SHAPE, classes=3, hidden_units=(7,))
    with pytest.raises(UsageError, match=r"hidden1 16×6; mlp has hidden1 16×7"):
        load_into(mlp, "mlp", tmp_path / "source.keras")


@pytest.mark.slow
def test_with_100_labels_pre_training_beats_random_weights(tmp_path: Path) -> None:
    start = zoo.train("stacked-autoencoder", run_dir=tmp_path, reporter=Silent())
    accuracies: dict[bool, list[float]] = {}
    for pretrained in (False, True):
        accuracies[pretrained] = [
            zoo.train(
                recipe="mlp-digits-100-labels",
                init_from=start if pretrained else None,
                seed=seed,
                overrides={"data.train_seed": seed},
                run_dir=tmp_path,
                reporter=Silent(),
            ).metrics["test"]["accuracy"]
            for seed in range(5)
        ]
    pairs = zip(accuracies[True], accuracies[False], strict=True)
    gains = [one - other for one, other in pairs]
    error = statistics.stdev(gains) / len(gains) ** 0.5
    print(f"accuracy {accuracies}, gain {statistics.mean(gains):.4f} ± {error:.4f}")
    assert statistics.mean(gains) > error
