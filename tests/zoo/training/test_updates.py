"""Fused updates: Keras's own in all but how they are computed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.training.updates import LARGE, fuse_updates


def trained(optimizer: Any, *, fused: bool) -> tuple[list[np.ndarray], list[str]]:
    """Train a small and a large variable for some steps; return all state, and the operations."""
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=n).astype("float32")) for n in (3, LARGE)]
    optimizer.build(variables)
    if fused:
        fuse_updates(optimizer)

    @tf.function
    def step(scale: Any) -> None:
        gradients = [scale * tf.sin(7.0 * tf.convert_to_tensor(v)) for v in variables]
        optimizer.apply(gradients, variables)

    for scale in (1.0, -0.5, 2.0, 0.1):
        step(tf.constant(scale))
    graph = step.get_concrete_function(tf.constant(1.0)).graph
    state = [v.numpy() for v in (*variables, *optimizer.variables)]
    return state, [operation.type for operation in graph.get_operations()]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
        ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "clipnorm": 1.0}),
        ("Adam", {"learning_rate": 0.01}),
        ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1, "use_ema": True}),
        ("Adam", {"learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 5)}),
    ],
)
def test_the_large_variable_is_fused_and_all_state_is_as_keras_has_it(
    name: str, arguments: dict[str, Any]
) -> None:
    kind = getattr(keras.optimizers, name)
    wanted, _ = trained(kind(**arguments), fused=False)
    given, operations = trained(kind(**arguments), fused=True)
    assert sum(kind.startswith("ResourceApply") for kind in operations) == 1
    for one, other in zip(given, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.SGD(0.1),
        keras.optimizers.Adam(0.1, amsgrad=True),
        keras.optimizers.RMSprop(0.1),
        keras.optimizers.Nadam(0.1),
    ],
    ids=lambda optimizer: optimizer.name,
)
def test_what_the_kernels_do_not_do_is_left_to_keras(optimizer: Any) -> None:
    _, operations = trained(optimizer, fused=True)
    assert not [kind for kind in operations if kind.startswith("ResourceApply")]


@pytest.mark.parametrize("name", ["Adam", "SGD"])
def test_an_embeddings_gradient_is_fused_too_and_counts_a_row_as_often_as_it_was_read(
    name: str,
) -> None:
    arguments = {"learning_rate": 0.1} | ({"momentum": 0.9} if name == "SGD" else {})

    def rows(fused: bool) -> tuple[list[np.ndarray], list[str]]:
        table = keras.Variable(np.linspace(0, 1, 2 * LARGE).reshape(LARGE, 2).astype("float32"))
        optimizer = getattr(keras.optimizers, name)(**arguments)
        optimizer.build([table])
        if fused:
            fuse_updates(optimizer)

        @tf.function
        def step(read: Any) -> None:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.sin(7.0 * tf.gather(table.value, read)))
            gradient = tape.gradient(loss, table.value)
            assert isinstance(gradient, tf.IndexedSlices)
            # Keras's Adam is right for the sum of what each reading of a row adds.
            optimizer.apply([gradient if fused else tf.convert_to_tensor(gradient)], [table])

        for read in ([1, 1, 5], [5, 2, 2], [LARGE - 1, 1, 1]):
            step(tf.constant(read))
        graph = step.get_concrete_function(tf.constant([0, 0, 0])).graph
        state = [variable.numpy() for variable in (table, *optimizer.variables)]
        return state, [operation.type for operation in graph.get_operations()]

    wanted, _ = rows(fused=False)
    given, operations = rows(fused=True)
    assert sum(kind.startswith("ResourceApply") for kind in operations) == 1
    for one, other in zip(given, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_a_fused_optimizer_is_saved_as_what_it_is() -> None:
    optimizer = keras.optimizers.Adam(0.1)
    before = keras.saving.serialize_keras_object(optimizer)
    fuse_updates(optimizer)
    assert keras.saving.serialize_keras_object(optimizer) == before
