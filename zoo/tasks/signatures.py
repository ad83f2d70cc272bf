"""Serving signatures from raw columns, from files, and from encoded columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.datasets.features.base import Feature
from zoo.tasks.endpoint import Endpoint

TOKENS = "texts become the numbers of their tokens outside of it"
LOOP = "the loop that writes token after token is outside of it"

Inputs = Callable[[Mapping[str, Any]], Any]
Named = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
Respond = Callable[[Mapping[str, Any]], dict[str, Any]]
"""From encoded columns to named outputs, in the graph."""


def raw_endpoint(asked: Mapping[str, Feature], respond: Respond) -> Endpoint:
    """Return a signature that takes the columns as a client has them."""
    inputs = {name: one.serving_inputs(name) for name, one in asked.items()}

    def serve(*given: Any) -> dict[str, Any]:
        values = iter(given)
        encoded = {}
        for name, feature in asked.items():
            tensors = {key: next(values) for key in inputs[name]}
            encoded[name] = feature.encode(feature.from_serving(tensors))
        return respond(encoded)

    def examples(raw: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
        return tuple(
            values
            for name, feature in asked.items()
            for values in feature.to_serving(name, raw[name]).values()
        )

    return Endpoint(
        serve,
        {key: spec for specs in inputs.values() for key, spec in specs.items()},
        lambda count: examples(_noise(asked, count)),
        examples,
    )


def files_endpoint(asked: Mapping[str, Feature], respond: Respond) -> Endpoint | None:
    """Return a signature that takes the contents of a file, or None where no column is read so.

    It is there for models of one input.
    """
    if len(asked) != 1:
        return None
    ((name, feature),) = asked.items()
    signature = feature.file_inputs(name)
    if not signature:
        return None

    def serve(contents: Any) -> dict[str, Any]:
        return respond({name: feature.encode(feature.from_files(contents))})

    def examples(raw: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
        return (feature.to_files(raw[name]),)

    return Endpoint(serve, signature, lambda count: examples(_noise(asked, count)), examples)


def encoded_endpoint(asked: Mapping[str, Feature], respond: Respond) -> Endpoint:
    """Return a signature that takes the columns as the network does."""

    def named(raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: np.asarray(one.encode(raw[name])) for name, one in asked.items()}

    return dataclasses.replace(_encoded_endpoint(asked, named, respond), left_out=TOKENS)


def network_endpoint(
    columns: Mapping[str, Feature], model_inputs: Inputs, network: Any
) -> Endpoint:
    """Return the signature of a network itself, as it is fed in evaluation.

    Args:
        columns: All that it may be fed with.
        model_inputs: From encoded columns to its inputs: a tensor, or several by name.
        network: A `keras.Model`.
    """

    def named(raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = model_inputs({name: one.encode(raw[name]) for name, one in columns.items()})
        inputs = found if isinstance(found, Mapping) else {next(iter(columns)): found}
        return {name: np.asarray(one) for name, one in inputs.items()}

    def serve(inputs: Mapping[str, Any]) -> dict[str, Any]:
        given = inputs if len(inputs) > 1 else next(iter(inputs.values()))
        return {"output": network(given, training=False)}

    return _encoded_endpoint(columns, named, serve)


def _encoded_endpoint(columns: Mapping[str, Feature], named: Named, respond: Respond) -> Endpoint:
    """Return a signature of encoded inputs, whose shapes are those of one example of noise.

    Args:
        columns: Of the data.
        named: From raw columns to inputs by name.
        respond: From these inputs to outputs, in the graph.
    """
    drawn = named(_noise(columns, 1))

    def examples(raw: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
        return tuple(named(raw).values())

    return Endpoint(
        lambda *given: respond(dict(zip(drawn, given, strict=True))),
        {
            name: tf.TensorSpec((None, *one.shape[1:]), one.dtype, name=name)
            for name, one in drawn.items()
        },
        lambda count: examples(_noise(columns, count)),
        examples,
    )


def portable_endpoint(asked: Mapping[str, Feature], respond: Respond) -> Endpoint:
    """Return a signature of numbers alone: of raw columns, or of encoded ones if some are texts."""
    raw = raw_endpoint(asked, respond)
    texts = any(spec.dtype == tf.string for spec in raw.signature.values())
    outside = not all(feature.in_graph for feature in asked.values())
    return encoded_endpoint(asked, respond) if texts or outside else raw


def _noise(asked: Mapping[str, Feature], count: int) -> dict[str, np.ndarray]:
    return {name: one.sample(count) for name, one in asked.items()}
