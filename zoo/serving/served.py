"""A trained model as it is served: its network, its signatures, and real examples to ask it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.serving.folding import folded
from zoo.serving.formats import PORTABLE
from zoo.tasks.base import Task
from zoo.tasks.endpoint import Endpoint

EXACT = 5e-6
"""By how much folding may change answers."""
Asked = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]
"""Inputs and outputs (N, …) by name."""

ASKED = 256
"""Examples that are answered at a time."""


@dataclass(frozen=True)
class Served:
    """What is written in every format.

    Args:
        task: Bound to its data.
        network: What the task serves of the model.
        examples: Raw columns (N, …) of the data, or of noise.
        split: Which split they are from; empty for noise.
    """

    task: Task
    network: Any
    examples: Mapping[str, np.ndarray]
    split: str

    @cached_property
    def folded(self) -> Served:
        """Return the same with normalisations folded into kernels, see `zoo.serving.folding`.

        Where that changes answers by more than `EXACT`, nothing is folded: deep networks with
        statistics of few steps multiply what rounding changes.
        """
        network = folded(self.network)
        if network is self.network:
            return self
        found = dataclasses.replace(self, network=network)
        default = next(iter(self.endpoints))
        inputs, mine = self.answered("raw", default)
        other = found.answers(found.endpoints[default], inputs)
        exact = all(
            np.allclose(other[name], one, rtol=EXACT, atol=EXACT)
            for name, one in mine.items()
            if one.dtype.kind == "f"
        )
        return found if exact else self

    @cached_property
    def endpoints(self) -> dict[str, Endpoint]:
        """The signatures of formats that carry strings, the default one first."""
        return self.task.endpoints(self.network)

    @cached_property
    def portable(self) -> Endpoint:
        """The signature of the other formats."""
        return self.task.portable(self.network)

    @cached_property
    def encoded(self) -> Endpoint:
        """The network's own signature."""
        return self.task.encoded(self.network)

    def group(self, name: str) -> dict[str, Endpoint]:
        """Return the signatures of a group of formats, see `zoo.serving.formats.Format.group`."""
        if name == "raw":
            return self.endpoints
        if name == "portable":
            return {PORTABLE: self.portable}
        return {PORTABLE: self.encoded}

    @cached_property
    def module(self) -> Any:
        """The portable signature as a `keras.Model`, for Keras's exporters."""
        return _Module(self.network, self.portable)

    def inputs(self, endpoint: Endpoint, count: int | None = None) -> dict[str, np.ndarray]:
        """Return an endpoint's inputs for the first examples, by name."""
        raw = {name: values[:count] for name, values in self.examples.items()}
        asked = endpoint.asked_with(raw)
        return {name: texts(values) for name, values in zip(endpoint.signature, asked, strict=True)}

    @cached_property
    def _answered(self) -> dict[tuple[str, str], Asked]:
        return {}

    def answered(self, group: str, signature: str) -> Asked:
        """Return the examples as a signature takes them, and what the model answers to them.

        Both are computed once. They are kept until the export ends.

        Args:
            group: See `group`.
            signature: One of that group.
        """
        if (group, signature) not in self._answered:
            endpoint = self.group(group)[signature]
            inputs = self.inputs(endpoint)
            self._answered[group, signature] = inputs, self.answers(endpoint, inputs)
        return self._answered[group, signature]

    def answers(
        self, endpoint: Endpoint, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return what the model itself answers, by name."""
        compiled = tf.function(endpoint.function, input_signature=list(endpoint.signature.values()))
        size = len(next(iter(inputs.values())))
        parts = []
        for at in range(0, size, ASKED):
            given = [
                tf.constant(values[at : at + ASKED], spec.dtype)
                for values, spec in zip(inputs.values(), endpoint.signature.values(), strict=True)
            ]
            parts.append({name: texts(one.numpy()) for name, one in compiled(*given).items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@keras.saving.register_keras_serializable("dlzoo")
class _Module(keras.Model):
    def __init__(self, network: Any, endpoint: Endpoint) -> None:
        super().__init__(name="served")
        self.network = network
        self.endpoint = endpoint

    def call(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return self.endpoint.function(*(inputs[name] for name in self.endpoint.signature))

    def input_specs(self, batch: int | None = None) -> list[Any]:
        """Return the inputs for `keras.Model.export`."""
        return [
            {
                name: keras.InputSpec(
                    shape=(batch, *spec.shape[1:]), dtype=spec.dtype.name, name=name
                )
                for name, spec in self.endpoint.signature.items()
            }
        ]


def texts(values: Any) -> np.ndarray:
    """Return an array without objects: texts as str, or as bytes where they are not UTF-8."""
    array = np.asarray(values)
    if array.dtype != object:
        return array
    try:
        plain = [
            one.decode("utf-8") if isinstance(one, bytes) else str(one) for one in array.ravel()
        ]
    except UnicodeDecodeError:
        return np.array(list(array.ravel()), dtype="S").reshape(array.shape)
    return np.array(plain, dtype=str).reshape(array.shape)
