"""The deep belief network: which weights a phase trains, and what becomes of them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError

DRAW = np.random.default_rng(0)
X = DRAW.uniform(size=(24, 4, 4, 1)).astype("float32")
Y = DRAW.integers(0, 3, 24)


def small(**arguments: Any) -> Any:
    keras.utils.set_random_seed(0)
    model = zoo.build(
        "dbn",
        classes=3,
        **{
            "input_shape": (4, 4, 1),
            "hidden_units": (6, 5),
            "layer_epochs": 1,
            "gibbs_steps": 20,
            **arguments,
        },
    )
    model.compile(
        machines_optimizer=keras.optimizers.SGD(0.1),
        classifier_optimizer=keras.optimizers.Adam(0.01),
        loss="sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )
    return model


def state(model: Any) -> dict[str, list[np.ndarray]]:
    """The weights of each machine, and of the classifier."""
    parts = {machine.name: machine for machine in model.stack}
    parts["classifier"] = model.classifier
    return {name: [w.numpy().copy() for w in part.weights] for name, part in parts.items()}


def changed(before: dict[str, list[np.ndarray]], after: dict[str, list[np.ndarray]]) -> set[str]:
    return {
        name
        for name in before
        if any(not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))
    }


def test_each_phase_trains_its_part_and_reports_its_scores() -> None:
    model = small()
    for phase, part in enumerate(["hidden1", "hidden2", "classifier"]):
        before = state(model)
        model.go_to_phase(phase)
        history = model.fit(X, Y, batch_size=8, epochs=2, verbose=0).history
        assert changed(before, state(model)) == {part}
        own = {"loss", "accuracy"} if part == "classifier" else {"reconstruction_error"}
        assert history.keys() == own


def test_epochs_say_which_phase_it_is() -> None:
    model = small(layer_epochs=3)
    assert [model.phase_of(epoch) for epoch in range(9)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    model.fit(X, Y, epochs=9, verbose=0, callbacks=model.training_callbacks())
    assert int(model.phase) == model.phase_now == 2


def test_the_classifier_starts_from_the_machines() -> None:
    model = small()
    inside = np.asarray(model.machines(X))
    model.go_to_phase(2)
    unrolled = keras.Model(model.classifier.input, model.classifier.get_layer("hidden2").output)
    np.testing.assert_allclose(unrolled(X), inside, rtol=1e-5)


def test_a_phase_that_has_begun_is_not_begun_again() -> None:
    model = small()
    model.go_to_phase(2)
    model.fit(X, Y, verbose=0)
    before = state(model)
    model.phase_now = 0  # as in a new process, which has loaded the weights
    model.go_to_phase(2)
    assert changed(before, state(model)) == set()
    assert model.phase_now == 2


def test_without_labels_the_top_machine_goes_on() -> None:
    model = small()
    model.go_to_phase(2)
    before = state(model)
    history = model.fit(X, batch_size=8, verbose=0).history
    assert changed(before, state(model)) == {"hidden2"}
    assert history.keys() == {"reconstruction_error"}
    assert model.evaluate(X, verbose=0, return_dict=True).keys() == {"reconstruction_error"}


def test_examples_may_have_any_shape() -> None:
    model = small(input_shape=(16,))
    rows = X.reshape(-1, 16)
    scores = model.test_on_batch(rows, Y, return_dict=True)
    expected = np.mean(np.square(np.asarray(model.reconstruct(rows)) - rows))
    assert scores["reconstruction_error"] == pytest.approx(float(expected), rel=1e-4)


def test_frozen_machines_stay_as_they_are() -> None:
    model = small()
    model.stack[0].trainable = False
    before = state(model)
    model.fit(X, Y, verbose=0)
    assert changed(before, state(model)) == set()


def test_samples_come_down_from_the_top_machine_through_all_others() -> None:
    model = small(hidden_units=(6, 5, 7))
    assert model.latent_dim == 5
    samples = np.asarray(model.sample(9, seed=1))
    assert samples.shape == (9, 4, 4, 1)
    assert samples.min() >= 0.0
    assert samples.max() <= 1.0
    model.stack[0].visible_bias.assign(np.full(16, 50.0))
    assert np.asarray(model.sample(2)).min() > 0.99


def test_persistent_chains_are_each_machines_own() -> None:
    model = small(chains=5, binary=True)
    assert [one.states.shape for one in model.particles] == [(5, 16), (5, 6)]
    model.fit(X, Y, verbose=0)
    moved = [bool(np.any(one.states.numpy())) for one in model.particles]
    assert moved == [True, False]


@pytest.mark.parametrize(
    "arguments",
    [{"hidden_units": ()}, {"hidden_units": (3, 0)}, {"layer_epochs": 0}, {"chains": -1}],
)
def test_arguments_that_make_no_network_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="cannot build dbn"):
        small(**arguments)
