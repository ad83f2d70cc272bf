"""The Switch Transformer: GPT's cost a token, and experts that stay in use."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.anatomy.counts import multiply_adds
from zoo.base.errors import UsageError
from zoo.layers import decoding

LENGTH = 24
SIZES: dict[str, Any] = {
    "input_shape": (LENGTH,),
    "vocabulary_size": 20,
    "width": 16,
    "num_layers": 2,
    "num_heads": 2,
    "dropout": 0.0,
}


def made(**arguments: Any) -> Any:
    keras.utils.set_random_seed(0)
    built = zoo.build("moe-transformer", **{**SIZES, "num_experts": 3, **arguments})
    for variable in built.trainable_variables:  # far from uniform, so that texts differ
        if len(variable.shape) > 1:
            variable.assign(variable * 20.0)
    return built


def texts(rows: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(2, 20, (rows, LENGTH)).astype("int32")


def test_beside_the_router_a_token_costs_what_it_costs_in_gpt() -> None:
    ours, dense = (zoo.build(name, **SIZES) for name in ("moe-transformer", "gpt"))
    assert multiply_adds(ours) - multiply_adds(dense) == LENGTH * 16 * 8


def test_experts_that_are_all_alike_are_gpt() -> None:
    ours, dense = made(num_experts=2), zoo.build("gpt", **SIZES)
    found = {variable.path: variable for variable in dense.weights}
    for variable in ours.weights:
        if "experts" not in variable.path:
            found[variable.path].assign(variable)
    experts, block = ours.blocks[1].experts, dense.blocks[1]
    experts.router.assign(np.zeros(experts.router.shape))  # all are as probable
    for one, other, factor in (
        (experts.hidden_kernel, block.hidden.kernel, 1.0),
        (experts.hidden_bias, block.hidden.bias, 1.0),
        (experts.kernel, block.dense.kernel, 2.0),  # their output is halved by the probability
        (experts.bias, block.dense.bias, 2.0),
    ):
        other.assign(np.random.default_rng(0).normal(size=other.shape) * 0.3)
        one.assign(np.stack([factor * other.numpy()] * 2))
    np.testing.assert_allclose(ours(texts()), dense(texts()), atol=1e-4)


def test_the_history_tells_the_busiest_expert_of_training_and_evaluation_does_not() -> None:
    model = made()
    model.compile(
        optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    x = texts()
    history = model.fit(x, x, validation_data=(x, x), epochs=2, batch_size=4, verbose=0).history
    assert set(history) == {"loss", "busiest_expert", "val_loss"}
    assert all(1.0 <= value <= 3.0 for value in history["busiest_expert"])
    assert set(model.evaluate(x, x, return_dict=True, verbose=0)) == {"loss"}


def test_later_padding_changes_no_answer_and_no_score() -> None:
    model, short = made(), texts()
    short[:, 15:] = 0
    np.testing.assert_allclose(model(short)[:, :15], model(texts())[:, :15], atol=1e-4)
    longer = zoo.build("moe-transformer", **{**SIZES, "num_experts": 3, "input_shape": (40,)})
    for ours, theirs in zip(longer.weights, model.weights, strict=True):
        if "positions" in ours.path:
            ours.assign(np.pad(theirs, [(0, 40 - LENGTH), (0, 0)]))
        else:
            ours.assign(theirs)
    scores = []
    for one, width in ((model, LENGTH), (longer, 40)):
        one.compile(
            loss=keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, reduction="mean_with_sample_weight"
            ),
            weighted_metrics=["accuracy"],
        )
        padded = np.pad(short, [(0, 0), (0, width - LENGTH)])
        scores.append(one.test_on_batch(padded, padded, (padded != 0).astype("float32")))
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-5)


def test_tokens_from_caches_are_those_of_the_whole_prefix() -> None:
    model = made()

    def recomputed(tokens: Any, at: Any, state: Any, context: Any) -> Any:
        del context
        state = tf.where(tf.range(LENGTH) == at, tokens[:, None], state)
        # Padding goes to no expert, so that only what was written counts.
        return model(state, training=False)[:, at], state

    first = tf.constant([5, 9, 11])
    empty = tf.zeros((3, LENGTH), tf.int32)
    quick = decoding.greedy(model.step, first, model.new_state(3), length=20, end=None)
    whole = decoding.greedy(recomputed, first, empty, length=20, end=None)
    never = np.isin(quick.tokens, 0).any(axis=1)  # the task never writes padding
    np.testing.assert_array_equal(quick.tokens[~never], whole.tokens[~never])
    assert not never.all()


def test_arguments_that_do_not_fit_are_refused() -> None:
    for arguments in (
        {"input_shape": (8, 1)},
        {"num_layers": 1},
        {"num_experts": 1},
        {"capacity_factor": 0.0},
        {"dropout": 1.0},
    ):
        with pytest.raises(UsageError, match=next(iter(arguments))):
            zoo.build("moe-transformer", **arguments)
