"""Weights that exist: our own files layer by layer, and layers that are not trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from tests import tiny
from zoo.base.errors import UsageError
from zoo.layers.normalization import BatchNormalization
from zoo.weights.freezing import freeze
from zoo.weights.names import named_layers
from zoo.weights.transfer import TransferReport, load_into


def equal(one: Any, other: Any) -> bool:
    """Whether two layers or networks have the same weights to the bit."""
    return all(np.array_equal(a, b) for a, b in zip(one.weights, other.weights, strict=True))


def compiled(model: Any) -> Any:
    """A model whose file also holds its optimizer."""
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_what_was_saved_is_what_is_built(suffix: str, tmp_path: Path) -> None:
    model = compiled(zoo.build("lenet5"))
    path = tmp_path / f"lenet5{suffix}"
    (model.save if suffix == ".keras" else model.save_weights)(path)
    assert equal(zoo.build("lenet5", weights=path), model)
    assert equal(zoo.build("lenet", weights=str(path)), model)
    assert not equal(zoo.build("lenet5"), model)
    other = zoo.build("lenet5")
    report = load_into(other, "lenet5", path)
    assert report.loaded == ("C1", "C3", "C5", "F6", "probabilities")
    assert report.complete
    assert str(report) == f"weights of {path}: 5 layers loaded"


def test_a_runs_model_is_built_with_by_its_file_and_by_its_folder(shared_run_dir: Path) -> None:
    run = tiny.run("image", shared_run_dir)
    for weights in (run.path, run.model_file):
        assert equal(zoo.build("lenet5", weights=weights), run.model)


def test_layers_are_known_by_name_and_by_shape(tmp_path: Path) -> None:
    path = tmp_path / "mlp.weights.h5"
    small = zoo.build("mlp", input_shape=(4,), classes=3, hidden_units=(5, 6, 7))
    small.save_weights(path)
    large = zoo.build("mlp", input_shape=(4,), classes=2, hidden_units=(5, 8))
    report = load_into(large, "mlp", path)
    assert report == TransferReport(
        source=f"weights of {path}",
        loaded=("hidden1",),
        not_loaded={"hidden2": "5×8 instead of 5×6", "probability": "not in the source"},
        unused=("hidden3", "probabilities"),
    )
    assert equal(large.get_layer("hidden1"), small.get_layer("hidden1"))
    assert str(report).endswith(
        ": 1 layer loaded, newly initialised: hidden2 (5×8 instead of 5×6), "
        "probability (not in the source), "
        "not used: hidden3, probabilities"
    )


def test_layers_that_keras_named_are_known_by_their_place(tmp_path: Path) -> None:
    # In one process no two networks' dense layers are called alike.
    first = zoo.build("vae", hidden_units=(8, 6))
    first.save_weights(tmp_path / "vae.weights.h5")
    second = zoo.build("vae", hidden_units=(8, 6), weights=tmp_path / "vae.weights.h5")
    assert equal(second, first)
    assert [name for name, layer in named_layers(second) if layer.weights] == [
        *("encoder/dense", "encoder/dense_1", "encoder/mean_and_log_variance"),
        *("decoder/dense", "decoder/dense_1", "decoder/logits"),
    ]


def test_layers_within_layers_are_loaded_each_to_its_own_place(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"vocabulary_size": 9, "input_shape": (5,), "embedding_dim": 4}
    sizes["bidirectional"] = True
    first = zoo.build("lstm", units=3, num_layers=2, **sizes)
    first.save_weights(tmp_path / "lstm.weights.h5")
    assert equal(
        zoo.build("lstm", units=3, num_layers=2, weights=tmp_path / "lstm.weights.h5", **sizes),
        first,
    )
    wider = zoo.build("lstm", units=4, num_layers=2, **sizes)
    report = load_into(wider, "lstm", tmp_path / "lstm.weights.h5")
    assert report.loaded == ("embedding",)
    assert report.not_loaded["bidirectional"] == "4×16 instead of 4×12"


def test_a_long_list_is_told_by_its_beginning() -> None:
    fresh = {f"layer{number}": "not in the source" for number in range(9)}
    report = TransferReport(source="weights", loaded=("stem",), not_loaded=fresh, unused=())
    assert not report.complete
    assert str(report).endswith("layer5 (not in the source) and 3 more")


def test_a_layer_of_which_only_a_part_fits_stays_fresh_as_a_whole(tmp_path: Path) -> None:
    unbiased = keras.Sequential(
        [keras.Input((32, 32, 1)), keras.layers.Conv2D(6, 5, use_bias=False, name="C1")]
    )
    unbiased.save_weights(tmp_path / "c1.weights.h5")
    model = zoo.build("lenet5")
    before = model.get_layer("C1").kernel.numpy()
    with pytest.raises(UsageError, match="do not fit lenet5: they have C1 5×5×1×6; lenet5 has C1 "):
        load_into(model, "lenet5", tmp_path / "c1.weights.h5")
    np.testing.assert_array_equal(model.get_layer("C1").kernel.numpy(), before)


# Freezing.


def step(model: Any) -> None:
    """Train one step on random images."""
    draw = np.random.default_rng(0)
    images = draw.normal(size=(8, *model.input_shape[1:])).astype("float32")
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.train_on_batch(images, np.arange(8) % model.output_shape[-1])


def test_frozen_layers_keep_their_weights_and_their_statistics() -> None:
    model = zoo.build("resnet20", input_shape=(8, 8, 3))
    freeze(model, "resnet20", ["stem*", "stage[12]_*"])
    before = {name: [w.numpy() for w in layer.weights] for name, layer in named_layers(model)}
    step(model)
    for name, layer in named_layers(model):
        for old, weight in zip(before[name], layer.weights, strict=True):
            same = np.array_equal(old, weight)
            assert same == name.startswith(("stem", "stage1", "stage2")), weight.path
    norms = [layer for layer in model.layers if isinstance(layer, BatchNormalization)]
    assert {norm.trainable for norm in norms} == {True, False}


def test_layers_of_networks_within_are_frozen_by_their_path() -> None:
    model = zoo.build("vae")
    freeze(model, "vae", ["encoder/*", "decoder/dense"])
    trained = [name for name, layer in named_layers(model) if layer.trainable_variables]
    assert trained == ["decoder/logits"]


@pytest.mark.parametrize(
    ("model", "pattern", "message"),
    [
        ("lenet5", "conv*", "Their names begin with: C1, C3, C5, F6, probabilities."),
        ("lenet5", "c1*", "Did you mean 'C1'? Their names begin with: C1, "),
        ("lenet5", "S2", "'S2' matches no layer with weights of lenet5"),
        ("resnet20", "stag1*", "begin with: stem, stage1, stage2, stage3, probabilities."),
        ("vae", "enc", "begin with: encoder, decoder."),
    ],
)
def test_a_pattern_that_freezes_nothing_is_told_with_what_there_is(
    model: str, pattern: str, message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        freeze(zoo.build(model), model, [pattern])


def test_a_network_of_which_all_is_frozen_is_refused() -> None:
    message = "freezing 'C*', '[Fp]*' leaves nothing of lenet5 to train"
    with pytest.raises(UsageError, match=re.escape(message)):
        freeze(zoo.build("lenet5"), "lenet5", ["C*", "[Fp]*"])
