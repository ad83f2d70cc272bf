"""What every model of the catalogue must do, whatever its family: covered once its card exists.

Each card's model is built at a tiny size. Of cards that differ in their depth only, the smallest is
held to all of it.
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
from zoo.catalog import CARDS, ModelCard
from zoo.layers.generators import ConditionalGenerator, Generator
from zoo.layers.phases import Phased
from zoo.layers.translator import Translator
from zoo.layers.words import WordVectors
from zoo.registry import restore
from zoo.weights.transfer import load_into

BATCH = 4
CLASSES = 3
VOCABULARY = 7
PLACES = 4

# task -> the builder's arguments for the smallest data of its kind
SMALLEST: dict[str, dict[str, Any]] = {
    "image-classification": {"input_shape": (32, 32, 1), "classes": CLASSES},
    "classification": {"input_shape": (5,), "classes": CLASSES},
    "regression": {"input_shape": (5,), "classes": None},
    "text-classification": {
        "input_shape": (6,),
        "classes": CLASSES,
        "vocabulary_size": VOCABULARY,
    },
    "tagging": {"input_shape": (6,), "classes": CLASSES, "vocabulary_size": VOCABULARY},
    "generation": {"input_shape": (8, 8, 1)},
    "reconstruction": {"input_shape": (8, 8, 1)},
    "generative-classification": {"input_shape": (8, 8, 1), "classes": CLASSES},
    "translation": {
        "input_shape": (6,),
        "vocabulary_size": VOCABULARY,
        "target_shape": (PLACES + 1,),
        "target_vocabulary_size": CLASSES,
    },
    "captioning": {
        "input_shape": (8, 12, 1),
        "target_shape": (PLACES + 1,),
        "target_vocabulary_size": CLASSES,
    },
    "language-modelling": {"input_shape": (6,), "vocabulary_size": VOCABULARY},
    "embedding": {"input_shape": (6,), "vocabulary_size": VOCABULARY, "width": 5},
    "co-occurrence-embedding": {"input_shape": (2,), "vocabulary_size": VOCABULARY, "width": 5},
}

# Of models whose networks are too large to be built and run many times at the paper's size.
SMALLER: dict[str, dict[str, Any]] = {
    "ddpm": {
        "input_shape": (4, 4, 1),
        "width": 8,
        "multipliers": (1, 2),
        "blocks": 1,
        "groups": 4,
        "attention": (4,),
        "timesteps": 4,
    },
    "rbm": {"hidden_units": 9, "gibbs_steps": 3},
    "dbn": {"hidden_units": (9, 8, 9), "gibbs_steps": 3},
}


def different() -> list[str]:
    """The models that differ in more than their depth: one of each family and recipe."""
    smallest: dict[tuple[str, str], ModelCard] = {}
    for card in CARDS:
        found = smallest.setdefault((card.family, card.recipe), card)
        if card.depth < found.depth:
            smallest[card.family, card.recipe] = card
    return [card.name for card in smallest.values()]


@dataclass
class Built:
    """A model and a batch that fits it."""

    name: str
    model: Any
    inputs: Any
    """An array, or several by name."""
    targets: np.ndarray | None

    def __post_init__(self) -> None:
        if "label" in zoo.card(self.name).inputs:
            labels = np.arange(BATCH, dtype="int32") % CLASSES
            self.inputs = {"image": self.inputs, "label": labels}

    def outputs(self, model: Any, of: slice = slice(None)) -> Any:
        """What a user gets of a model: its answers, or for a generator its examples."""
        if isinstance(model, ConditionalGenerator):
            return model.decode(model.prior(BATCH, seed=1)[of], model.labels(BATCH)[of])
        if isinstance(model, Generator):
            return model.decode(model.prior(BATCH, seed=1)[of])
        return model(keras.tree.map_structure(lambda values: values[of], self.inputs))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """What the builders promise for three classes."""
        if isinstance(self.model, Generator) or zoo.card(self.name).task == "reconstruction":
            return keras.tree.flatten(self.inputs)[0].shape
        if zoo.card(self.name).task == "tagging":
            return (*self.inputs.shape, CLASSES)
        if isinstance(self.model, Translator):
            return (BATCH, PLACES, CLASSES)
        if zoo.card(self.name).task == "language-modelling":
            return (*self.inputs.shape, VOCABULARY)
        if isinstance(self.model, WordVectors):
            return (*self.inputs.shape, SMALLEST["embedding"]["width"])
        return (BATCH, CLASSES if self.targets is None or self.targets.ndim == 1 else 1)


def build(name: str) -> Built:
    """Build a card's model at a tiny size."""
    task = zoo.card(name).task
    arguments = SMALLEST[task]
    if task == "generation" and "label" in zoo.card(name).inputs:
        arguments = {**arguments, "classes": CLASSES}
    arguments = {**arguments, **SMALLER.get(name, {})}
    draw = np.random.default_rng(0)
    shape = (BATCH, *arguments["input_shape"])
    if "vocabulary_size" in arguments:
        inputs = draw.integers(2, VOCABULARY, shape).astype("int32")
        if shape[1] > 2:
            inputs[0, 3:] = 0  # a short text
            inputs[1, 0] = 1  # a token that the vocabulary does not have
    elif len(shape) > 2:
        inputs = draw.uniform(0.0, 1.0, shape).astype("float32")
    else:
        inputs = draw.normal(size=shape).astype("float32")
    targets: np.ndarray | None = np.arange(BATCH, dtype="int32") % CLASSES
    if task in ("generation", "embedding"):
        targets = None
    elif task == "co-occurrence-embedding":
        targets = draw.uniform(1.0, 9.0, BATCH).astype("float32")
    elif task == "reconstruction":
        targets = inputs
    elif task == "regression":
        targets = draw.normal(size=(BATCH, 1)).astype("float32")
    elif task == "tagging":
        targets = draw.integers(CLASSES, size=shape).astype("int32")
    elif task in ("translation", "captioning"):
        targets = draw.integers(0, CLASSES, (BATCH, PLACES)).astype("int32")
        before = draw.integers(0, CLASSES, (BATCH, PLACES)).astype("int32")
        return Built(
            name, zoo.build(name, **arguments), {"source": inputs, "before": before}, targets
        )
    elif task == "language-modelling":
        targets = draw.integers(VOCABULARY, size=shape).astype("int32")
    return Built(name, zoo.build(name, **arguments), inputs, targets)


@pytest.fixture(scope="module", params=different())
def built(request: pytest.FixtureRequest) -> Built:
    """Each model; built once for all tests of this file."""
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
    task = zoo.card(built.name).task
    loss: Any = "mse" if task == "regression" else "sparse_categorical_crossentropy"
    if task == "reconstruction":
        loss = "binary_crossentropy"
    if task == "language-modelling":
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    built.model.compile(
        **optimizers,
        loss=None if built.targets is None or isinstance(built.model, WordVectors) else loss,
        run_eagerly=True,
    )
    return list(optimizers.values()), step_of_each_phase(built)


def step_of_each_phase(built: Built) -> Any:
    """Take one step, or one in each phase of a model that has phases; return the last loss."""
    scores: Any = None
    for phase in range(getattr(built.model, "phases", 1)):
        if phase:
            built.model.go_to_phase(phase)
        scores = built.model.train_on_batch(built.inputs, built.targets)
    if isinstance(built.model, Phased):
        built.model.go_to_phase(0)
    return scores


def test_the_forward_pass_has_the_stated_shape_and_is_finite(built: Built) -> None:
    outputs = built.outputs(built.model)
    assert tuple(outputs.shape) == built.output_shape
    values = keras.ops.convert_to_numpy(outputs)
    assert np.isfinite(values).all()
    # Probabilities, or pixels of a generator.
    if zoo.card(built.name).task not in ("regression", "language-modelling") and not isinstance(
        built.model, WordVectors
    ):
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


@pytest.fixture(scope="module")
def loaded(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model as it is loaded from its file."""
    path = tmp_path_factory.mktemp(built.name) / "model.keras"
    built.model.save(path)
    return restore(built.name, path)


def test_a_saved_model_loads_in_safe_mode_as_the_same_model(built: Built, loaded: Any) -> None:
    assert type(loaded) is type(built.model)
    assert config(loaded) == config(built.model)
    for before, after in zip(built.model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(before, after, err_msg=before.path)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(built.outputs(loaded)),
        keras.ops.convert_to_numpy(built.outputs(built.model)),
        atol=1e-6,
    )


def test_its_weights_can_be_started_from(built: Built, loaded: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    built.model.save_weights(path)
    for weight in loaded.trainable_variables:
        weight.assign(np.ones(weight.shape, weight.dtype))
    assert load_into(loaded, built.name, path).complete
    for before, after in zip(built.model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(before, after, err_msg=before.path)


@pytest.fixture
def mixed_precision() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.usefixtures("mixed_precision")
@pytest.mark.parametrize("name", different())
def test_in_half_precision_it_trains_and_answers_stay_float32_and_finite(name: str) -> None:
    half = build(name)
    for variable in half.model.trainable_variables:
        assert variable.dtype == "float32", variable.path
    before = [variable.numpy() for variable in half.model.trainable_variables]
    _, scores = train_once(half, keras.optimizers.Adam)
    for _ in range(12):  # the first steps may be skipped, while the loss's scale is being found
        scores = step_of_each_phase(half)
        changed = half.model.trainable_variables[0].numpy() != before[0]
        if np.any(changed) and np.any(half.model.trainable_variables[-1].numpy() != before[-1]):
            break
    assert np.isfinite(scores).all()
    for old, variable in zip(before, half.model.trainable_variables, strict=True):
        assert np.isfinite(variable.numpy()).all(), variable.path
        assert np.any(variable.numpy() != old), variable.path

    # In training, where batch normalisation uses the batch's own statistics: with the initial
    # moving averages, the activations of deep networks leave the range of half precision.
    answers = half.outputs(half.model)
    training = answers
    if not isinstance(half.model, Generator):
        training = half.model(half.inputs, training=True)
    for output in keras.tree.flatten(training):
        assert keras.backend.standardize_dtype(output.dtype) == "float32"
        assert np.isfinite(keras.ops.convert_to_numpy(output)).all()
    assert keras.backend.standardize_dtype(answers.dtype) == "float32"
