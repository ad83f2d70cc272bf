"""The variational auto-encoder: the ELBO, its weights and its directions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.layers.variational import logistic_log_mass

X = np.random.default_rng(0).uniform(size=(6, 4, 4, 1)).astype("float32")


@pytest.fixture
def vae() -> Any:
    return zoo.build("vae", input_shape=(4, 4, 1), latent_dim=3, hidden_units=(5,))


def test_the_loss_is_minus_the_elbo_and_the_scores_are_its_terms(vae: Any) -> None:
    vae.compile("sgd")
    scores = vae.evaluate(X, verbose=0, return_dict=True)
    log_likelihood, kl = (np.asarray(term) for term in vae.terms(X, training=False))
    assert scores["log_likelihood"] == pytest.approx(log_likelihood.mean(), rel=1e-5)
    assert scores["kl"] == pytest.approx(kl.mean(), rel=1e-5)
    assert scores["elbo"] == pytest.approx((log_likelihood - kl).mean(), rel=1e-5)
    assert scores["loss"] == pytest.approx(-scores["elbo"], rel=1e-5)


def test_kl_is_that_of_two_gaussians(vae: Any) -> None:
    mean, log_variance = np.split(np.asarray(vae.encoder(X)), 2, axis=-1)
    expected = 0.5 * (np.exp(log_variance) + mean**2 - 1.0 - log_variance).sum(axis=-1)
    np.testing.assert_allclose(vae.terms(X, training=False)[1], expected, rtol=1e-4, atol=1e-6)


def test_weights_of_examples_reach_the_loss_and_the_scores(vae: Any) -> None:
    vae.compile("sgd")
    weights = np.array([3.0, 1.0, 0.0, 0.0, 0.0, 0.0], "float32")
    scores = vae.test_on_batch(X, sample_weight=weights, return_dict=True)
    log_likelihood, kl = (np.asarray(term) for term in vae.terms(X, training=False))
    elbo = log_likelihood - kl
    assert scores["loss"] == pytest.approx(-(weights * elbo).sum() / 6, rel=1e-5)
    assert scores["elbo"] == pytest.approx(np.average(elbo, weights=weights), rel=1e-5)
    assert scores["kl"] == pytest.approx(np.average(kl, weights=weights), rel=1e-5)


def test_the_scores_say_which_direction_is_better(vae: Any) -> None:
    directions = {metric.name: getattr(metric, "_direction", None) for metric in vae.trackers}
    assert directions == {"elbo": "up", "log_likelihood": "up", "kl": None}


def test_a_recipes_metrics_compare_reconstructions_with_their_originals(vae: Any) -> None:
    vae.compile("sgd", metrics=[keras.metrics.MeanSquaredError(name="mse")])
    scores = vae.evaluate(X, verbose=0, return_dict=True)
    assert scores["mse"] == pytest.approx(np.mean((np.asarray(vae(X)) - X) ** 2), rel=1e-5)


# β, its warm-up, and the likelihood of pixels of several values.


def build(**arguments: Any) -> Any:
    given = {"input_shape": (4, 4, 1), "latent_dim": 3, "hidden_units": (5,), **arguments}
    return zoo.build("vae", **given)


def test_beta_weighs_the_kl_in_the_loss_and_not_in_the_elbo() -> None:
    vae = build(beta=3.0)
    vae.compile("sgd")
    scores = vae.evaluate(X, verbose=0, return_dict=True)
    expected = 3.0 * scores["kl"] - scores["log_likelihood"]
    assert scores["loss"] == pytest.approx(expected, rel=1e-5)
    assert scores["elbo"] == pytest.approx(scores["log_likelihood"] - scores["kl"], rel=1e-5)


def test_the_kl_is_warmed_up_by_the_steps_that_were_taken() -> None:
    vae = build(warmup_steps=4)
    vae.compile(keras.optimizers.SGD(0.0))
    for done, share in enumerate([0.0, 0.25, 0.5, 0.75, 1.0, 1.0]):
        vae.reset_metrics()
        scores = vae.train_on_batch(X, return_dict=True)
        expected = share * scores["kl"] - scores["log_likelihood"]
        assert scores["loss"] == pytest.approx(expected, rel=1e-4), done
    # Evaluation is at full weight.
    assert build(warmup_steps=4).warmup_steps == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beta": 0.0}, "beta must be above 0, got 0"),
        ({"warmup_steps": -1}, "warmup_steps must be 0 or more, got -1"),
        ({"levels": 1}, "levels must be 0, or 2 and more, got 1"),
        ({"levels": -3}, "levels must be 0, or 2 and more, got -3"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message):
        build(**arguments)


@pytest.mark.parametrize("log_scale", [-5.0, -1.0, 1.0])
@pytest.mark.parametrize("levels", [2, 17, 256])
def test_the_masses_of_all_levels_sum_to_one(levels: int, log_scale: float) -> None:
    values = np.linspace(0.0, 1.0, levels, dtype=np.float32)
    for mean in (0.0, 0.31, 1.0):
        masses = logistic_log_mass(
            values, np.full(levels, mean, "f"), np.float32(log_scale), levels
        )
        assert np.isfinite(masses).all()
        assert np.exp(np.asarray(masses, np.float64)).sum() == pytest.approx(1.0, abs=1e-3)


def test_a_pixels_mass_is_the_logistic_distributions_between_the_middles() -> None:
    def below(x: float) -> float:
        return 1.0 / (1.0 + np.exp(-(x - 0.4) / 0.1))

    found = logistic_log_mass(
        np.array([0.0, 0.25, 1.0], "f"), np.float32(0.4), np.float32(np.log(0.1)), 5
    )
    expected = [below(0.125), below(0.375) - below(0.125), 1.0 - below(0.875)]
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-4)


@pytest.mark.parametrize("levels", [0, 5])
def test_the_bound_of_one_code_is_the_elbo_and_more_codes_tighten_it(levels: int) -> None:
    vae = build(levels=levels)
    vae.compile(keras.optimizers.Adam(0.02))
    x = (np.round(4.0 * X) / 4.0).astype("float32")
    vae.fit(x, epochs=100, batch_size=6, verbose=0)
    often = np.repeat(x, 400, axis=0)
    draws = np.asarray(vae.importance_bound(often, 1)).reshape(6, 400).mean(axis=0)
    log_likelihood, kl = vae.terms(often, training=True)
    elbo = np.mean(log_likelihood) - np.mean(kl)
    assert np.mean(draws) == pytest.approx(elbo, abs=float(6 * np.std(draws) / 20))
    bound = tf.function(vae.importance_bound)
    bounds = [np.asarray(bound(x, tf.constant(count))).mean() for count in (1, 10, 1000)]
    assert elbo < bounds[1] < bounds[2] + 1e-3


def test_the_bound_approaches_the_likelihood_of_a_model_that_is_known() -> None:
    vae = build()
    # The decoder ignores the code: log p(x) is the log-likelihood itself.
    vae.decoder.layers[0].set_weights([np.zeros((3, 5)), np.ones(5)])
    # With codes near the prior, the mean of the importance weights hardly varies.
    last = vae.encoder.layers[-1]
    last.set_weights([0.1 * weight for weight in last.get_weights()])
    log_likelihood, _ = vae.terms(X, training=False)
    bound = vae.importance_bound(X, 2000)
    np.testing.assert_allclose(bound, log_likelihood, atol=0.1)


def test_two_dimensional_codes_are_means() -> None:
    vae = build(latent_dim=2)
    mean, _ = np.split(np.asarray(vae.encoder(X)), 2, axis=-1)
    np.testing.assert_array_equal(vae.codes(X), mean)
