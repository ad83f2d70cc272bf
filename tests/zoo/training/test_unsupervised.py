"""Models that learn without labels, through the same trainer as a classifier."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from recipes.recipe import Recipe, parse
from tests.mocked import downloads
from tests.zoo.training.killing import contents, killed_and_resumed, saved_every, whole_steps
from tests.zoo.training.reporters import interrupted_after
from zoo import run as zoo_run
from zoo.run import Run
from zoo.tasks.generation import SAMPLE_SCORES
from zoo.tasks.samples import SampleRequest
from zoo.training.progress import Silent

SGD = {"name": "SGD", "learning_rate": 0.05, "momentum": 0.5}
# Two layers of two epochs each, and two epochs for all of them.
LAYERS = {"hidden_units": [6, 5], "layer_epochs": 2}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "rbm": {"hidden_units": 6, "chains": 8, "binary": True, "gibbs_steps": 5},
    "dbn": {**LAYERS, "chains": 8, "gibbs_steps": 5, "dropout": 0.2},
    "stacked-autoencoder": {**LAYERS, "corruption_level": 0.2},
    "autoencoder": {"hidden_units": [6], "code_units": 3, "corruption_level": 0.2},
    "conv-autoencoder": {"filters": [3, 4], "code_units": 3},
}
STEPS = 4
"""Of an epoch."""
# The steps in which a training is killed, counted over all epochs and sessions. Of phases: inside
# the first layer, between two, inside the second, before and inside the last phase.
LAYERED = (3, 2 * STEPS + 1, 4 * STEPS - 1, 4 * STEPS + 1, 6 * STEPS - 1)
KILLED = {"dbn": LAYERED, "stacked-autoencoder": LAYERED, "rbm": (3,), "autoencoder": (STEPS + 1,)}


def recipe(model: str, **changes: Any) -> Recipe:
    optimizer: dict[str, Any] = {"optimizer": SGD}
    if model == "dbn":
        optimizer = {"optimizers": {"machines": SGD, "classifier": {"name": "Adam"}}}
    values = {
        "model": model,
        "epochs": 6 if "layer_epochs" in ARGUMENTS[model] else 2,
        "batch_size": 320,
        "steps_per_execution": 1,
        "arguments": ARGUMENTS[model],
        "data": {"name": "digits"},
        **optimizer,
    }
    return parse({**values, **changes}, source="test")


def weights(run: Run) -> list[np.ndarray]:
    return [np.asarray(weight) for weight in run.model.weights]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unsupervised") / "runs"


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, Run]:
    """One uninterrupted run of each model."""
    return {
        model: zoo.train(recipe=recipe(model), run_dir=folder, reporter=Silent())
        for model in ARGUMENTS
    }


@pytest.mark.parametrize("model", KILLED)
def test_killed_in_every_phase_it_ends_with_the_same_bits(
    model: str, whole: dict[str, Run], run_dir: Path
) -> None:
    assert whole_steps(whole[model]) == STEPS
    asked, at, counts = saved_every(recipe(model), 1), 0, []
    for step in KILLED[model]:  # a session goes on from the step before the one it was killed in
        counts.append(step - at)
        at = step - 1
    resumed = killed_and_resumed(asked, run_dir, counts)
    from_steps = [one.get("from_step", 0) for one in resumed.sessions]
    assert from_steps == [0, *((step - 1) % STEPS for step in KILLED[model])]
    assert contents(resumed) == contents(whole[model])


def test_the_history_has_each_phases_scores(whole: dict[str, Run]) -> None:
    history = whole["dbn"].history
    trained = [not math.isnan(value) for value in history["reconstruction_error"]]
    tuned = [not math.isnan(value) for value in history["accuracy"]]
    assert trained == [True] * 4 + [False] * 2
    assert tuned == [False] * 4 + [True] * 2
    assert all(math.isfinite(value) for value in history["val_accuracy"])


@pytest.mark.parametrize("model", ARGUMENTS)
def test_it_reconstructs_after_it_was_loaded(model: str, whole: dict[str, Run]) -> None:
    images = np.random.default_rng(0).uniform(size=(3, 8, 8)).astype("float32")
    made = zoo.load(whole[model].path).reconstruct(images)
    assert made.shape == (3, 8, 8, 1)
    np.testing.assert_allclose(made, whole[model].model.reconstruct(images[..., None]), atol=1e-5)


def test_a_deep_belief_network_classifies_and_generates(whole: dict[str, Run]) -> None:
    run = whole["dbn"]
    assert run.predict(np.zeros((2, 8, 8))).shape == (2, 10)
    assert run.generate(3).shape == (3, 8, 8, 1)
    assert {"curves.png", "samples.png", "confusion_matrix.png"} <= {
        path.name for path in (run.path / "figures").iterdir()
    }
    assert list((run.path / "figures").rglob("epoch-*.png")), "samples are drawn while it learns"
    assert run.animate(SampleRequest(count=3)) == [], "they come in one step"


@pytest.mark.parametrize("model", ["rbm", "dbn"])
def test_samples_are_scored_too(model: str, whole: dict[str, Run]) -> None:
    run = whole[model]
    names = {score.name for score in SAMPLE_SCORES}
    assert names <= run.metrics["test"].keys()
    assert names <= run.metrics["validation"].keys()
    told = run.evaluate("test")
    for name in names:
        assert told[name] == pytest.approx(run.metrics["test"][name], abs=1e-5)


@pytest.mark.parametrize(
    ("model", "signatures"),
    [
        ("autoencoder", {"serving_bytes"}),
        ("rbm", {"generate"}),
        ("dbn", {"serving_bytes", "generate"}),
    ],
)
def test_an_export_answers_as_the_run_does(
    model: str, signatures: set[str], whole: dict[str, Run], tmp_path: Path
) -> None:
    run = whole[model]
    export = tf.saved_model.load(str(run.export(tmp_path)))
    assert set(export.signatures) - {"serving_default"} == signatures
    if "generate" in signatures:
        latent = run.model.prior(4, 0)
        served = export.signatures["generate"](latent=latent)["image"]
        np.testing.assert_allclose(served, run.generate(4, seed=0), atol=1e-4)
    else:
        images = np.random.default_rng(0).uniform(size=(3, 8, 8, 1)).astype("float32")
        served = export.signatures["serving_default"](image=tf.constant(255.0 * images))[
            "reconstruction"
        ]
        np.testing.assert_allclose(served, run.reconstruct(images), atol=1e-5)


@pytest.mark.parametrize("model", ["rbm", "dbn", "stacked-autoencoder", "autoencoder"])
def test_two_replicas_train_it(model: str, run_dir: Path) -> None:
    run = zoo.train(
        recipe=recipe(model, strategy="mirrored", devices=2), run_dir=run_dir, reporter=Silent()
    )
    assert run.status == "finished"
    assert all(np.isfinite(value) for value in run.metrics["test"].values())
    for weight in run.model.weights:
        assert np.isfinite(np.asarray(weight)).all()
    chains_of = keras.tree.flatten(getattr(run.model, "particles", []))
    for chains in chains_of:
        # Were replicas' chains averaged, there would be halves.
        assert set(np.unique(chains.states.numpy())) <= {0.0, 1.0}


@pytest.fixture(scope="module")
def mocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with downloads(tmp_path_factory.mktemp("streamed") / "data", 2):
        yield


@pytest.mark.usefixtures("mocked")
@pytest.mark.parametrize("model", [model for model in ARGUMENTS if model != "dbn"])
def test_it_trains_on_a_stream(model: str, run_dir: Path) -> None:
    # Stopped inside the last phase: what comes after training is the same for all data.
    last = recipe(model).epochs - 1
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe=streamed(model), run_dir=run_dir, reporter=interrupted_after(last))
    run = zoo_run.load("latest", run_dir)
    assert not run.dataset.split("train").take, "it has no random access: it is a stream"
    assert run.epochs_done == last
    assert all(np.isfinite(np.asarray(weight)).all() for weight in run.model.weights)


def streamed(model: str) -> Recipe:
    data = {"name": "imagenet", "image": {"size": [8, 8], "channels": 1}}
    return recipe(model, data=data, batch_size=26, steps_per_execution=1)


@pytest.mark.usefixtures("mocked")
def test_layer_by_layer_it_trains_on_a_stream_and_resumes_to_the_bit(run_dir: Path) -> None:
    run = zoo.train(recipe=streamed("dbn"), run_dir=run_dir, reporter=Silent())
    assert not run.dataset.split("train").take
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe=streamed("dbn"), run_dir=run_dir, reporter=interrupted_after(3))
    resumed = zoo_run.resume("latest", run_dir=run_dir, reporter=Silent())
    assert resumed.path != run.path
    for one, two in zip(weights(run), weights(resumed), strict=True):
        np.testing.assert_array_equal(one, two)


def test_early_stopping_and_half_precision_are_as_for_a_classifier(run_dir: Path) -> None:
    stop = {"name": "EarlyStopping", "monitor": "val_pseudo_log_likelihood", "min_delta": 100.0}
    run = zoo.train(
        recipe=recipe("rbm", epochs=9, callbacks=[{**stop, "patience": 1}]),
        precision="mixed_bfloat16",
        run_dir=run_dir,
        reporter=Silent(),
    )
    assert run.epochs_done == 2
    assert keras.config.dtype_policy().name == "float32"
