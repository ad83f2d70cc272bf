"""The restricted Boltzmann machine as a model: what it scores, and that learning raises it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.anatomy.counts import trainable_parameters
from zoo.base.errors import UsageError

# Bars, in one of four places each: a distribution of 2 bits on 8 pixels.
BARS = np.zeros((4, 4, 2, 1), "float32")
for place in range(4):
    BARS[place, place] = 1.0
X = np.tile(BARS, (16, 1, 1, 1))


def small(**arguments: Any) -> Any:
    keras.utils.set_random_seed(0)
    return zoo.build("rbm", input_shape=(4, 2, 1), **{"hidden_units": 6, **arguments})


def trained(model: Any, epochs: int, rate: float = 0.05) -> list[dict[str, float]]:
    """Train on the bars and return the scores before and after each epoch of 100 steps."""
    model.compile(keras.optimizers.SGD(rate, momentum=0.5), steps_per_execution=20)
    scores = [model.evaluate(X, verbose=0, return_dict=True)]
    often = np.tile(X, (25, 1, 1, 1))
    for _ in range(epochs):
        model.fit(often, batch_size=16, verbose=0)
        scores.append(model.evaluate(X, verbose=0, return_dict=True))
    return scores


def test_the_machine_of_the_paper_has_500_hidden_units() -> None:
    assert trainable_parameters(zoo.build("rbm")) == 784 * 500 + 784 + 500 == 393_284


@pytest.mark.parametrize("chains", [0, 20])
def test_learning_raises_the_likelihood_and_the_pseudo_likelihood_agrees(chains: int) -> None:
    scores = trained(small(chains=chains, binary=True), 4)
    exact = [one["log_likelihood"] for one in scores]
    pseudo = [one["pseudo_log_likelihood"] for one in scores]
    assert exact[0] + 1.0 < exact[-1] < -np.log(4.0) + 0.01  # nothing can do better
    assert np.argsort(exact).tolist() == np.argsort(pseudo).tolist()
    errors = [one["reconstruction_error"] for one in scores]
    assert errors[-1] < errors[0]


def test_training_reports_what_it_computes_and_evaluation_the_rest() -> None:
    model = small()
    model.compile("sgd")
    history = model.fit(X, validation_data=X, verbose=0).history
    own = {"reconstruction_error", "free_energy"}
    evaluated = {"pseudo_log_likelihood", "log_likelihood"}
    assert history.keys() == own | {f"val_{name}" for name in own | evaluated}
    assert {metric.name for metric in small(hidden_units=40).metrics} == own | {
        "pseudo_log_likelihood"
    }


def test_the_scores_are_those_of_binary_images_drawn_in_the_same_way_every_time() -> None:
    model = small()
    model.compile("sgd")
    grey = 0.2 + 0.6 * X
    first, second = (model.evaluate(grey, verbose=0, return_dict=True) for _ in range(2))
    assert first == second
    drawn = np.asarray(keras.random.uniform((32, 8), seed=0)) < grey[:32].reshape(32, 8)
    expected = np.mean(model.machine.log_likelihood(drawn.astype("float32")))
    found = model.evaluate(grey[:32], verbose=0, return_dict=True)["log_likelihood"]
    assert found == pytest.approx(expected, rel=1e-4)


def test_weights_of_examples_reach_the_scores() -> None:
    model = small()
    model.compile("sgd")
    alone = model.test_on_batch(X[:1], return_dict=True)
    weights = np.array([1.0, 0.0, 0.0, 0.0], "float32")
    weighted = model.test_on_batch(X[:4], sample_weight=weights, return_dict=True)
    assert weighted == pytest.approx(alone, rel=1e-4)


def test_gaussian_units_learn_real_values() -> None:
    model = small(visible="gaussian", deviation=0.2)
    scores = trained(model, 4, rate=0.002)
    exact = [one["log_likelihood"] for one in scores]
    assert exact == sorted(exact)
    assert exact[-1] > exact[0] + 5.0
    assert "pseudo_log_likelihood" not in scores[0]
    samples = np.asarray(model.sample(5, seed=1))
    assert samples.shape == (5, 4, 2, 1)
    assert samples.min() >= 0.0
    assert samples.max() <= 1.0


def test_samples_look_like_the_data() -> None:
    model = small(binary=True, chains=20, gibbs_steps=200)
    trained(model, 30)
    samples = np.asarray(model.sample(200, seed=0)).reshape(200, 8)
    nearest = np.abs(samples[:, None] - BARS.reshape(1, 4, 8)).mean(-1)
    assert np.mean(nearest.min(1) < 0.2) > 0.8
    assert len(np.unique(nearest.argmin(1))) >= 2  # its chains do not all end in one place
    np.testing.assert_array_equal(model.sample(200, seed=0), model.sample(200, seed=0))


def test_sampling_is_one_graph_with_one_loop() -> None:
    concrete = small(gibbs_steps=700)._sample.get_concrete_function(
        tf.TensorSpec((), tf.int32), tf.TensorSpec((), tf.int64)
    )
    kinds = [operation.type for operation in concrete.graph.get_operations()]
    assert sum("While" in kind for kind in kinds) == 1
    assert len(kinds) < 300


def test_a_reconstruction_is_one_pass_of_means() -> None:
    model = small()
    machine = model.machine
    hidden = machine(X.reshape(-1, 8))
    expected = np.asarray(machine.visible_mean(hidden)).reshape(X.shape)
    np.testing.assert_allclose(model.reconstruct(X), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "arguments",
    [
        {"steps": 0},
        {"gibbs_steps": 0},
        {"chains": -1},
        {"hidden_units": 0},
        {"visible": "poisson"},
        {"visible": "gaussian", "binary": True},
    ],
)
def test_arguments_that_make_no_machine_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="cannot build rbm"):
        small(**arguments)
