"""The papers' own recipes, each for two steps on data of the right shapes: no network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import zoo
from recipes import library
from recipes.recipe import parse
from tests.mocked import downloads
from tests.zoo.training.reporters import interrupted_after
from zoo import run as zoo_run
from zoo.anatomy.counts import trainable_parameters
from zoo.run import Run
from zoo.training.preparation import compile_arguments
from zoo.training.progress import Silent

# One step at a time: several are traced twice.
STEP: dict[str, Any] = {"steps_per_execution": 1}
# Images of ImageNet are smaller than in the papers, and a window is still cut out of them.
SMALL = {**STEP, "data.image.size": [40, 40], "data.image.crop": [32, 32]}
# data set -> examples in a mocked split, examples a step, overrides
TINY: dict[str, tuple[int, int, dict[str, Any]]] = {
    "mnist": (4, 2, STEP),
    "cifar10": (4, 2, STEP),
    "imagenet": (1, 13, SMALL),  # 26 examples to train on
    "imdb": (4, 2, {**STEP, "data.text.length": 8}),
    "ted": (4, 2, {**STEP, "data.pt.length": 8, "data.en.length": 8}),
}
# Narrower networks and shorter chains, for the sake of the time that they take.
NARROW: dict[str, dict[str, Any]] = {
    "dbn-mnist": {"arguments.gibbs_steps": 10},
    "transformer-ted": {"arguments.num_layers": 1, "arguments.width": 32},
    "seq2seq-attention-ted": {
        "arguments.embedding_dim": 8,
        "arguments.units": 8,
        "arguments.alignment_units": 8,
        "arguments.output_units": 8,
    },
}
PAPERS = [entry.name for entry in library.entries() if entry.recipe.data.name in TINY]
GENERATORS = [name for name in PAPERS if zoo.card(library.load(name).model).task == "generation"]
SLOW = ("ddpm-cifar10", "dcgan-imagenet")
# What makes a paper's network and sampler small.
SMALLER: dict[str, dict[str, Any]] = {
    "ddpm-cifar10": {"arguments.width": 8, "arguments.groups": 4, "arguments.steps": 1},
    "rbm-mnist": {"arguments.gibbs_steps": 10},
}
# The networks for ImageNet take a minute each to trace, and tests/zoo/models/test_all.py trains
# them on smaller data: their recipes train this one here, and their own in `make verify`.
STAND_IN = "lenet5"
# Recipes that differ from another one's in the depth of the network only.
DEEPER = {f"resnet{depth}-cifar10" for depth in (32, 44, 56, 110)}


def test_every_recipe_that_was_promised_is_there() -> None:
    assert set(PAPERS) == {
        "lenet5-mnist",
        "ddpm-cifar10",
        *(f"resnet{depth}-cifar10" for depth in (20, 32, 44, 56, 110)),
        *("autoencoder-mnist", "rbm-mnist", "dbn-mnist"),
        *(f"{model}-imagenet" for model in ("alexnet", "vgg16", "googlenet", "resnet50")),
        "lstm-imdb",
        *(f"{model}-ted" for model in ("seq2seq-attention", "transformer")),
        *(f"{model}-mnist" for model in ("vae", "gan", "conditional-gan")),
        "dcgan-imagenet",
        "wgan-gp-cifar10",
    }


def test_deeper_members_of_a_family_are_trained_as_the_first_is() -> None:
    first = library.load("resnet20-cifar10").as_dict()
    for name in DEEPER:
        other = library.load(name).as_dict()
        differing = {key for key in first if first[key] != other.get(key)}
        # resnet110 is warmed up by a smaller rate (He et al. 2016, section 4.2).
        assert differing <= {"model", "target", "optimizer", "warmup", "schedule"}, name


@pytest.mark.parametrize(
    ("name", "stand_in"),
    [
        pytest.param(name, stand_in, marks=[pytest.mark.slow] if slow else [])
        for name in PAPERS
        if name not in GENERATORS
        for large in [library.load(name).data.name == "imagenet"]
        for stand_in, slow in [(None, large or name in DEEPER), (STAND_IN, False)][: 1 + large]
    ],
)
def test_a_papers_recipe_trains_evaluates_saves_and_loads(
    name: str, stand_in: str | None, tmp_path: Path
) -> None:
    recipe = library.load(name)
    examples, batch_size, overrides = TINY[recipe.data.name]
    if stand_in is not None:
        recipe = recipe.model_copy(update={"model": stand_in, "arguments": {}})
    with downloads(tmp_path / "data", examples):
        run = zoo.train(
            recipe=recipe,
            epochs=1,
            batch_size=batch_size,
            overrides={**overrides, **NARROW.get(name, {})},
            run_dir=tmp_path / "runs",
            reporter=Silent(),
        )
    if stand_in is not None:
        own = library.load(name)
        network = zoo.build(own.model, **{**run.task.builder_arguments(), **own.arguments})
        network.compile(**compile_arguments(own, run.task, steps_per_epoch=1))
        assert network(np.zeros((1, 32, 32, 3), "float32")).shape == (1, 1000)
    # The scores are those of the model as it was loaded from its file.
    assert zoo.load(run.path).finished
    assert len(run.history["val_loss"]) == 1
    assert all(math.isfinite(value) for value in run.metrics["test"].values())
    scores = {"loss", *(score.name for score in run.task.scores), *run.task.final_scores}
    # Keras names a metric of a recipe in its own way.
    others = len(recipe.metrics)
    assert len(run.metrics["test"].keys() | scores) >= len(scores) + others
    assert recipe.target is not None
    assert recipe.target.metric in run.metrics["test"]
    if not {"probabilities", "answer"} & {run.task.output}:
        return
    (feature,) = run.task.asked.values()
    pictures = np.random.default_rng(0).integers(0, 256, (2, 50, 60, 3), np.uint8)
    answered = run.predict(pictures if feature.pixels is not None else feature.sample(2))
    if answered.dtype.kind == "f":
        np.testing.assert_allclose(answered.sum(axis=-1), 1.0, atol=1e-4)
    else:
        assert all(isinstance(text, bytes) for text in answered)


def test_the_imdb_network_has_the_parameters_that_are_published() -> None:
    recipe = library.load("lstm-imdb")
    vocabulary = recipe.data.forms["text"]["vocabulary_size"]
    model = zoo.build("lstm", vocabulary_size=vocabulary, **recipe.arguments)
    assert trainable_parameters(model) == 2_691_713


@pytest.mark.parametrize(
    "name",
    [
        # A minute of tracing; tests/zoo/models trains such networks in seconds.
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in GENERATORS
    ],
)
def test_a_generators_recipe_trains_evaluates_saves_and_loads(name: str, tmp_path: Path) -> None:
    examples, batch_size, overrides = TINY[library.load(name).data.name]
    overrides = {key: value for key, value in overrides.items() if not key.startswith("data.")}
    overrides |= SMALLER.get(name, {})
    with downloads(tmp_path / "data", examples):
        run = zoo.train(
            recipe=name,
            epochs=1,
            batch_size=batch_size,
            overrides=overrides,
            run_dir=tmp_path / "runs",
            reporter=Silent(),
        )
    assert zoo.load(run.path).finished
    assert len(run.history["epoch"]) == 1
    assert all(math.isfinite(value) for value in run.metrics["test"].values())
    assert run.generate(3).shape == (3, *run.spec.features["image"].shape)


# What is promised of every training holds where images come as a stream.

STREAMED: dict[str, Any] = {
    "model": "lenet5",
    "epochs": 2,
    "batch_size": 16,
    "data": {
        "name": "imagenet",
        "image": {
            "size": [36, 36],
            "resize": "shorter-side",
            "crop": [32, 32],
            "scaling": "caffe",
        },
    },
    "augmentation": [{"name": "flip"}, {"name": "brightness"}],
    "optimizer": {"name": "SGD", "learning_rate": 0.01, "momentum": 0.9},
    "steps_per_execution": 1,
}


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run of two epochs of 52 images."""
    folder = tmp_path_factory.mktemp("streamed")
    with downloads(folder / "data", 2):
        recipe = parse(STREAMED, source="test")
        yield zoo.train(recipe=recipe, run_dir=folder / "runs", reporter=Silent())


def test_a_training_on_a_stream_resumes_to_the_bit(streamed: Run) -> None:
    folder = streamed.path.parent
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe=streamed.recipe, run_dir=folder, reporter=interrupted_after(1))
    resumed = zoo_run.resume("latest", run_dir=folder, reporter=Silent())
    assert resumed.path != streamed.path
    for one, two in zip(streamed.model.weights, resumed.model.weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_two_replicas_train_on_a_stream_as_one_does(streamed: Run) -> None:
    both = zoo.train(
        recipe=streamed.recipe,
        strategy="mirrored",
        devices=2,
        run_dir=streamed.path.parent,
        reporter=Silent(),
    )
    for one, two in zip(streamed.model.weights, both.model.weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-4)


def test_an_export_takes_pixels_and_answers_as_the_run_does(streamed: Run, tmp_path: Path) -> None:
    export = tf.saved_model.load(str(streamed.export(tmp_path)))
    images = np.random.default_rng(0).uniform(size=(3, 36, 36, 3)).astype("float32")
    served = export.signatures["serving_default"](image=tf.constant(255.0 * images))[
        "probabilities"
    ]
    np.testing.assert_allclose(served, streamed.predict(images), atol=1e-6)
    # The window in the middle is all that counts.
    images[:, :2] = images[:, -2:] = 0.0
    np.testing.assert_allclose(streamed.predict(images), served, atol=1e-6)


def test_no_confusion_matrix_is_drawn_of_a_thousand_classes(streamed: Run) -> None:
    assert "confusion_matrix" not in streamed.metrics["figures"]
    assert [path.name for path in (streamed.path / "figures").iterdir()] == ["curves.png"]
