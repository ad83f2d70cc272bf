"""What every model of the catalogue must do, whatever its family: covered once its card exists.

Each card's model is built as the trainer builds it, from what its task asks for, over tiny data.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo import tasks
from zoo.datasets.spec import DatasetSpec
from zoo.tasks.generation import Generation
from zoo.weights import load_into

BATCH = 4
CLASSES = ("a", "b", "c")
TOKENS = tuple("edcba")


def tiny_spec(task: str) -> DatasetSpec:
    """The smallest data that models for a task are asked to work on."""
    by_task: dict[str, dict[str, Any]] = {
        "image-classification": {
            "kind": "image",
            "raw_shape": (8, 8, 1),
            "input_shape": (32, 32, 1),
            "value_range": (0.0, 1.0),
        },
        "classification": {"kind": "table", "raw_shape": (5,), "input_shape": (5,)},
        "regression": {"kind": "table", "raw_shape": (5,), "input_shape": (5,)},
        "text-classification": {
            "kind": "text",
            "raw_shape": (),
            "input_shape": (6,),
            "vocabulary": TOKENS,
        },
        "generation": {
            "kind": "image",
            "raw_shape": (8, 8, 1),
            "input_shape": (8, 8, 1),
            "value_range": (0.0, 1.0),
        },
    }
    facts = by_task[task]
    if facts["kind"] == "table":
        facts |= {"mean": (0.0,) * 5, "standard_deviation": (1.0,) * 5}
        facts |= {"feature_names": tuple(TOKENS)}
    if task == "regression":
        return DatasetSpec(name="tiny", target="number", **facts)
    return DatasetSpec(name="tiny", target="class", class_names=CLASSES, **facts)


@dataclass
class Built:
    """A model, its task, and a batch that fits it."""

    name: str
    model: Any
    task: Any
    inputs: np.ndarray
    targets: np.ndarray | None

    def outputs(self, model: Any, of: slice = slice(None), *, training: bool = False) -> Any:
        """What a user gets of a model: its answers, or for a generator its examples."""
        if isinstance(self.task, Generation):
            return model.decode(model.prior(BATCH, seed=1)[of])
        return model(self.inputs[of], training=training)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """What the builders promise for three classes."""
        if isinstance(self.task, Generation):
            return (BATCH, *self.task.spec.input_shape)
        return (BATCH, len(self.task.spec.class_names) or 1)


def build(name: str) -> Built:
    """Build a card's model for tiny data, as the trainer would."""
    card = zoo.card(name)
    spec = tiny_spec(card.task)
    task = tasks.make(card.task, spec)
    draw = np.random.default_rng(0)
    if spec.kind == "text":
        inputs = draw.integers(2, spec.tokens, (BATCH, *spec.input_shape)).astype("int32")
        inputs[0, 3:] = 0  # a short text
        inputs[1, 0] = 1  # a token that the vocabulary does not know
    elif spec.kind == "image":
        inputs = draw.uniform(0.0, 1.0, (BATCH, *spec.input_shape)).astype("float32")
    else:
        inputs = draw.normal(size=(BATCH, *spec.input_shape)).astype("float32")
    targets = np.arange(BATCH, dtype="int32") % len(CLASSES) if task.labelled else None
    if spec.target == "number" and targets is not None:
        targets = targets[:, None].astype("float32")
    model = zoo.build(name, **task.builder_arguments())
    return Built(name, model, task, inputs, targets)


@pytest.fixture(scope="module", params=zoo.list_models())
def built(request: pytest.FixtureRequest) -> Built:
    """Each card's model; built once for all tests of this file."""
    keras.utils.set_random_seed(0)
    return build(request.param)


class Recorder(keras.optimizers.SGD):
    """An optimizer that keeps the gradients it is given and changes nothing."""

    def __init__(self) -> None:
        super().__init__(learning_rate=0.0)
        self.gradients: dict[str, Any] = {}

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            assert gradient is not None, f"{variable.path} gets no gradient"
            self.gradients[variable.path] = keras.ops.convert_to_numpy(
                keras.ops.convert_to_tensor(gradient)
            )


def train_once(built: Built, kind: type) -> tuple[list[Any], Any]:
    """Take one step with a new optimizer for each that the model has; return them and the loss."""
    keywords = inspect.signature(type(built.model).compile).parameters
    several = [keyword for keyword in keywords if keyword.endswith("_optimizer")]
    optimizers = {keyword: kind() for keyword in several or ["optimizer"]}
    loss = {key: value for key, value in built.task.compile_arguments().items() if key == "loss"}
    built.model.compile(**optimizers, **loss, run_eagerly=True)
    scores = built.model.train_on_batch(built.inputs, built.targets)
    return list(optimizers.values()), scores


def test_the_forward_pass_has_the_stated_shape_and_is_finite(built: Built) -> None:
    outputs = built.outputs(built.model)
    assert tuple(outputs.shape) == built.output_shape
    values = keras.ops.convert_to_numpy(outputs)
    assert np.isfinite(values).all()
    if built.task.spec.target == "class":  # probabilities, or pixels of a generator
        assert values.min() >= 0.0
        assert values.max() <= 1.0


def test_an_answer_does_not_depend_on_the_rest_of_the_batch(built: Built) -> None:
    together = keras.ops.convert_to_numpy(built.outputs(built.model))
    alone = keras.ops.convert_to_numpy(built.outputs(built.model, slice(1, 2)))
    np.testing.assert_allclose(alone[0], together[1], atol=1e-5)


def gradients(built: Built) -> dict[str, np.ndarray]:
    """What one step of training gives each parameter, by its path."""
    recorders, _ = train_once(built, Recorder)
    found: dict[str, np.ndarray] = {}
    for recorder in recorders:
        assert recorder.gradients, "an optimizer was given nothing to do"
        assert not found.keys() & recorder.gradients.keys()
        found |= recorder.gradients
    return found


def test_every_trainable_parameter_gets_a_gradient(built: Built) -> None:
    found = gradients(built)
    assert found.keys() == {variable.path for variable in built.model.trainable_variables}
    for path, gradient in found.items():
        assert np.isfinite(gradient).all(), path
        assert np.any(gradient), f"{path} has a gradient of zero"


def test_a_recipes_regularization_reaches_every_kernel(built: Built) -> None:
    kernels = [variable for variable in built.model.trainable_variables if variable.ndim > 1]
    strength = 1e9  # beside which the rest of the gradient is nothing
    for kernel in kernels:
        if not np.any(kernel.numpy()):  # where training begins at zero
            kernel.assign(0.1 * np.ones(kernel.shape))
        kernel.regularizer = keras.regularizers.L2(strength)
    try:
        found = gradients(built)
    finally:
        for kernel in kernels:
            kernel.regularizer = None
    for kernel in kernels:
        expected = 2.0 * strength * kernel.numpy()
        np.testing.assert_allclose(
            found[kernel.path], expected, atol=0.1 * np.abs(expected).max(), err_msg=kernel.path
        )


def config(model: Any) -> Any:
    """A model's config as a file holds it: JSON knows no tuples."""
    return json.loads(json.dumps(keras.saving.serialize_keras_object(model.get_config())))


def test_a_saved_model_loads_in_safe_mode_as_the_same_model(built: Built, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    built.model.save(path)
    loaded = keras.saving.load_model(path, compile=False, safe_mode=True)

    assert type(loaded) is type(built.model)
    assert config(loaded) == config(built.model)
    for before, after in zip(built.model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(before, after, err_msg=before.path)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(built.outputs(loaded)),
        keras.ops.convert_to_numpy(built.outputs(built.model)),
        atol=1e-6,
    )


def test_its_weights_can_be_started_from(built: Built, tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    built.model.save_weights(path)
    other = build(built.name).model
    assert load_into(other, built.name, path).complete
    for before, after in zip(built.model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(before, after, err_msg=before.path)


@pytest.fixture
def mixed_precision() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.usefixtures("mixed_precision")
@pytest.mark.parametrize("name", zoo.list_models())
def test_in_half_precision_answers_stay_float32_and_finite(name: str) -> None:
    half = build(name)
    # In training, where batch normalisation has something to normalise by: with the statistics that
    # an untrained network begins with, the deepest ones leave the range of half precision.
    outputs = half.outputs(half.model, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"
    assert np.isfinite(keras.ops.convert_to_numpy(outputs)).all()
    for variable in half.model.trainable_variables:
        assert variable.dtype == "float32", variable.path


@pytest.mark.usefixtures("mixed_precision")
@pytest.mark.parametrize("family", sorted({zoo.card(name).family for name in zoo.list_models()}))
def test_every_family_trains_in_half_precision(family: str) -> None:
    half = build(family)
    before = [variable.numpy() for variable in half.model.trainable_variables]
    _, scores = train_once(half, keras.optimizers.Adam)
    for _ in range(3):  # the first steps may be left out, while the loss's scale is being found
        scores = half.model.train_on_batch(half.inputs, half.targets)
    assert np.isfinite(scores).all()
    for old, variable in zip(before, half.model.trainable_variables, strict=True):
        assert np.isfinite(variable.numpy()).all(), variable.path
        assert np.any(variable.numpy() != old), variable.path
