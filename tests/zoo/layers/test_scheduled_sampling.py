"""Scheduled sampling: teacher forcing at one end, the model's own tokens at the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError
from zoo.layers.decoding import greedy
from zoo.layers.scheduled_sampling import ScheduledSampling

ROWS, PLACES, VOCABULARY = 6, 5, 7
TEXT: dict[str, Any] = {"input_shape": (4,), "vocabulary_size": 9, "embedding_dim": 6}
MODELS: dict[str, dict[str, Any]] = {
    "seq2seq": {**TEXT, "units": 8, "num_layers": 2},
    "seq2seq-attention": {**TEXT, "units": 8, "alignment_units": 8, "output_units": 8},
    "show-and-tell": {
        "input_shape": (8, 8, 1),
        "filters": (4,),
        "embedding_dim": 6,
        "units": 8,
        "dropout": 0.0,
    },
}


@pytest.fixture(params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def made(name: str, **arguments: Any) -> Any:
    keras.utils.set_random_seed(1)
    target: dict[str, Any] = {"target_shape": (PLACES + 1,), "target_vocabulary_size": VOCABULARY}
    model = zoo.build(name, **MODELS[name], **target, **arguments)
    for variable in model.trainable_variables:  # far from uniform, so that answers differ
        variable.assign(4.0 * variable)
    return model


def batch(model: Any) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    shape = (ROWS, *model.arguments["input_shape"])
    source = draw.integers(1, 9, shape) if len(shape) == 2 else draw.random(shape)
    before = draw.integers(1, VOCABULARY, (ROWS, PLACES)).astype("int32")
    return {"source": source.astype("int32" if len(shape) == 2 else "float32"), "before": before}


def frozen(model: Any) -> Any:
    """The model with batch normalisation as it answers, so that only sampling is compared."""
    for layer in model.encoder.layers:
        if "norm" in layer.name:
            layer.trainable = False
    return model


def test_before_it_begins_training_is_teacher_forcing(name: str) -> None:
    model = frozen(made(name, scheduled_sampling=1.0, sampling_steps=10))
    inputs = batch(model)
    np.testing.assert_allclose(model(inputs, training=True), model(inputs), atol=1e-5)
    assert float(model.sampling.probability()) == pytest.approx(0.1)
    assert np.abs(np.subtract(model(inputs, training=True), 0)).sum() > 0


def test_with_a_share_of_one_it_reads_all_that_it_writes(name: str) -> None:
    model = frozen(made(name, scheduled_sampling=1.0))
    inputs = batch(model)
    state, context = model.begin(inputs["source"])
    first = inputs["before"][:, 0]
    written = greedy(model.step, first, state, length=PLACES, end=None, context=context).tokens
    outputs = np.array(model(inputs, training=True))
    np.testing.assert_array_equal(outputs.argmax(axis=-1), written)
    # The tokens that were given after the first one change nothing.
    other = {**inputs, "before": np.concatenate([first[:, None], inputs["before"][:, :0:-1]], 1)}
    np.testing.assert_allclose(model(other, training=True), outputs, atol=1e-5)


def test_answers_and_weights_are_those_of_a_model_without_it(name: str) -> None:
    plain, model = made(name), made(name, scheduled_sampling=0.5)
    assert plain.sampling is None
    assert len(model.weights) == len(plain.weights) + 1  # the steps that were counted
    for mine, other in zip(plain.trainable_variables, model.trainable_variables, strict=True):
        other.assign(mine)
    inputs = batch(model)
    np.testing.assert_allclose(model(inputs), plain(inputs), atol=1e-5)


def test_it_trains_saves_and_goes_on_counting(name: str, tmp_path: Path) -> None:
    model = made(name, scheduled_sampling=0.5, sampling_steps=8)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    inputs = batch(model)
    targets = np.random.default_rng(1).integers(0, VOCABULARY, (ROWS, PLACES))
    before = [variable.numpy() for variable in model.trainable_variables]
    losses = [float(model.train_on_batch(inputs, targets)) for _ in range(4)]
    assert np.isfinite(losses).all()
    for old, variable in zip(before, model.trainable_variables, strict=True):
        assert np.any(variable.numpy() != old), variable.path
    assert float(model.sampling.probability()) == pytest.approx(0.25)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert float(again.sampling.probability()) == pytest.approx(0.25)
    np.testing.assert_allclose(again(inputs), model(inputs), atol=1e-6)


def test_the_share_is_drawn_for_each_token() -> None:
    layer = ScheduledSampling(0.3, 0)
    read: list[np.ndarray] = []

    def step(tokens: Any, at: Any, state: Any, context: Any) -> Any:
        read.append(np.array(tokens))
        return keras.ops.one_hot(0 * tokens + 2, 3), state  # always writes 2

    before = np.ones((500, 6), "int32")
    layer(before, np.zeros((500, 1), "float32"), (), step=step)
    tokens = np.stack(read[1:], axis=1)
    assert (tokens[:, 0] == 1).all()
    assert np.mean(tokens[:, 1:] == 2) == pytest.approx(0.3, abs=0.03)


def test_shares_and_steps_that_are_none_are_refused(name: str) -> None:
    for arguments in ({"scheduled_sampling": 1.5}, {"sampling_steps": -1}):
        with pytest.raises(UsageError, match=next(iter(arguments))):
            made(name, **arguments)
