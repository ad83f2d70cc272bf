"""The variational auto-encoder: the ELBO, its weights and its directions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import zoo

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
