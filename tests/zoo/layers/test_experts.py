"""Experts: each token gets its own one, within a capacity, and all stay in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.experts import BusiestExpert, Experts

TOKENS, WIDTH, EXPERTS = 12, 6, 3


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def made(**arguments: Any) -> Experts:
    keras.utils.set_random_seed(0)
    layer = Experts(EXPERTS, 5, activation="relu", **arguments)
    layer.build((None, TOKENS, WIDTH))
    for variable in layer.trainable_variables:
        variable.assign(noise(*variable.shape, seed=len(variable.shape)))
    return layer


def routes(layer: Experts, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each token's probabilities and its expert."""
    shares = np.array(layer.route(x.reshape(-1, WIDTH)))
    return shares, shares.argmax(axis=-1)


def by_hand(layer: Experts, x: np.ndarray) -> np.ndarray:
    """Equation 2 with one expert, token by token."""
    shares, chosen = routes(layer, x)
    first, first_bias, second, second_bias = (
        one.numpy() for one in (layer.hidden_kernel, layer.hidden_bias, layer.kernel, layer.bias)
    )
    outputs = []
    for token, expert, share in zip(x.reshape(-1, WIDTH), chosen, shares.max(axis=-1), strict=True):
        hidden = np.maximum(token @ first[expert] + first_bias[expert], 0.0)
        outputs.append(share * (hidden @ second[expert] + second_bias[expert]))
    return np.reshape(outputs, x.shape)


def test_a_token_gets_its_most_probable_expert_times_its_probability() -> None:
    layer, x = made(), noise(2, TOKENS, WIDTH)
    assert len(set(routes(layer, x)[1])) == EXPERTS
    np.testing.assert_allclose(layer(x), by_hand(layer, x), atol=1e-4)


def test_beyond_its_capacity_an_expert_takes_no_token_in_training() -> None:
    layer, x = made(capacity_factor=0.5), noise(2, TOKENS, WIDTH)
    _, chosen = routes(layer, x)
    places = np.array([np.sum(chosen[: at + 1] == one) for at, one in enumerate(chosen)])
    kept = (places <= np.ceil(0.5 * chosen.size / EXPERTS)).reshape(2, TOKENS, 1)
    assert 0 < kept.sum() < kept.size
    np.testing.assert_allclose(layer(x, training=True), by_hand(layer, x) * kept, atol=1e-4)


def test_the_balance_is_one_where_all_are_used_evenly_and_is_equation_4() -> None:
    layer, x = made(balance_weight=0.5), noise(2, TOKENS, WIDTH)
    layer(x, training=True)
    (loss,) = layer.losses
    shares, chosen = routes(layer, x)
    used = np.bincount(chosen, minlength=EXPERTS) / chosen.size
    np.testing.assert_allclose(loss, 0.5 * EXPERTS * np.sum(used * shares.mean(axis=0)), rtol=1e-5)
    layer(x)
    assert not layer.losses
    # The same vector at every place, whose router cannot tell the experts apart.
    layer.router.assign(np.zeros((WIDTH, EXPERTS)))
    layer(x, training=True)
    np.testing.assert_allclose(layer.losses[0], 0.5, rtol=1e-5)


def test_the_balance_loss_spreads_tokens_that_nearly_all_went_to_one_expert() -> None:
    layer, x = made(balance_weight=1.0), noise(4, TOKENS, WIDTH)
    x[..., 0] = 1.0  # a bias of the router, which prefers the first expert
    router = layer.router.numpy()
    router[0] = [9.0, 0.0, 0.0]
    layer.router.assign(router)
    assert np.mean(routes(layer, x)[1] == 0) > 0.95
    optimizer = keras.optimizers.SGD(0.5)
    for _ in range(100):
        with tf.GradientTape() as tape:
            layer(x, training=True)
            loss = layer.losses[0]
        optimizer.apply(tape.gradient(loss, [layer.router.value]), [layer.router])
    used = np.bincount(routes(layer, x)[1], minlength=EXPERTS) / (4 * TOKENS)
    assert used.max() < 0.6


def test_padding_goes_to_no_expert_and_counts_nowhere() -> None:
    layer, x = made(), noise(1, TOKENS, WIDTH)
    present = np.arange(TOKENS)[None] < 7
    outputs = np.array(layer(x, present, training=True))
    (with_padding,), load = layer.losses, float(layer.load.result())
    assert not outputs[0, 7:].any()
    layer.load.reset_state()
    np.testing.assert_allclose(outputs[:, :7], layer(x[:, :7], training=True), atol=1e-5)
    np.testing.assert_allclose(with_padding, layer.losses[0], rtol=1e-5)
    assert float(layer.load.result()) == pytest.approx(load)
    np.testing.assert_allclose(layer(x)[:, :7], layer(x, present)[:, :7], atol=1e-5)


def test_every_weight_of_an_expert_in_use_learns() -> None:
    layer, x = made(), noise(2, TOKENS, WIDTH)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=True) ** 2)
    values = [variable.value for variable in layer.trainable_variables]
    for variable, gradient in zip(
        layer.trainable_variables, tape.gradient(loss, values), strict=True
    ):
        assert np.any(gradient), variable.path


def test_the_busiest_expert_is_measured_against_the_mean() -> None:
    metric = BusiestExpert(4)
    assert float(metric.result()) == 0.0
    metric.update_state([6.0, 2.0, 0.0, 0.0])
    metric.update_state([0.0, 2.0, 4.0, 2.0])
    assert float(metric.result()) == pytest.approx(6 / 4)


def test_it_is_saved_with_all_that_it_was_made_with(tmp_path: Path) -> None:
    inputs = keras.Input((TOKENS, WIDTH))
    arguments = {"capacity_factor": 1.0, "balance_weight": 0.2}
    model = keras.Model(inputs, Experts(EXPERTS, 5, **arguments, name="experts")(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_layer("experts").get_config() == model.get_layer("experts").get_config()
    x = noise(2, TOKENS, WIDTH)
    np.testing.assert_array_equal(again(x), model(x))


def test_asked_about_every_token_experts_answer_as_they_do_when_tokens_are_sent() -> None:
    layer, x = made(), noise(2, TOKENS, WIDTH)
    present = noise(2, TOKENS, seed=3) > 0.0
    for there in (None, present):
        sent = np.array(layer(x, there))
        layer.unroll = True
        np.testing.assert_allclose(layer(x, there), sent, atol=1e-5)
        layer.unroll = False
    assert not np.any(sent[~present])
